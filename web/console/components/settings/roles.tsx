"use client";

import { useTranslations } from "next-intl";
import type { ComponentProps } from "react";

import { Select } from "@/components/ui/field";
import type { Schemas } from "@/lib/api";

export type Role = Schemas["MemberOut"]["role"];
export const ROLES: readonly Role[] = ["viewer", "operator", "editor", "owner"];

/** Chooses a role; its value is one of `ROLES`. */
export function RoleSelect({ value, onRole, ...rest }: Omit<ComponentProps<typeof Select>, "value" | "onChange"> & { value: Role; onRole: (role: Role) => void }) {
  const t = useTranslations("settings.roles");
  return (
    <Select {...rest} value={value} onChange={(event) => onRole(ROLES.find((role) => role === event.target.value) ?? value)}>
      {ROLES.map((role) => (
        <option key={role} value={role}>
          {t(role)}
        </option>
      ))}
    </Select>
  );
}
