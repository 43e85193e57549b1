"use client";

import { Eye, EyeOff } from "lucide-react";
import { useTranslations } from "next-intl";
import { useState, type ComponentProps } from "react";

import { IconButton } from "@/components/ui/button";
import { Input } from "@/components/ui/field";

/** A field that is only written: it begins empty, no password manager fills it, and it can be looked at while it is typed. */
export function SecretInput({ value, ...rest }: Omit<ComponentProps<"input">, "type" | "value"> & { value: string }) {
  const t = useTranslations("tools.credentials.secret");
  const [shown, setShown] = useState(false);
  return (
    <span className="relative block">
      <Input
        type={shown ? "text" : "password"}
        value={value}
        autoComplete="new-password"
        data-1p-ignore
        data-lpignore="true"
        spellCheck={false}
        autoCapitalize="off"
        className="pr-11 font-mono text-[13px]"
        {...rest}
      />
      <IconButton label={shown ? t("hide") : t("show")} aria-pressed={shown} className="absolute top-1/2 right-0.5 -translate-y-1/2" onClick={() => setShown(!shown)}>
        {shown ? <EyeOff aria-hidden /> : <Eye aria-hidden />}
      </IconButton>
    </span>
  );
}
