"use client";

import { MenuLine } from "@/components/ui/menu";
import { Skeleton } from "@/components/ui/surface";
import type { Schemas } from "@/lib/api";
import { useResource } from "@/lib/data";
import { useSession } from "@/lib/session";
import { useTranslations } from "next-intl";

/** Who works here, as what, and in which workspace. */
export function PersonLabel() {
  const t = useTranslations("common.invitation.roles");
  const { person } = useSession();
  const { data: me } = useResource<Schemas["IdentityOut"]>("/members/me");
  if (!person) return null;
  const roles = { admin: "owner", edit: "editor", run: "operator", read: "viewer" } as const;
  const most = (["admin", "edit", "run", "read"] as const).find((permission) => me?.permissions.includes(permission));
  return (
    <>
      <div className="max-w-64 px-2.5 pt-1 pb-0.5 text-[13px]">
        <p className="truncate font-medium text-ink">{person.name || person.email || person.subject}</p>
        {person.email && person.name ? <p className="truncate text-ink-soft">{person.email}</p> : null}
        {me && most ? (
          <p className="truncate text-ink-soft">
            {t(roles[most])} · <span title={me.tenant_id}>{me.tenant_id}</span>
          </p>
        ) : (
          <Skeleton className="mt-1 h-4 w-32" />
        )}
      </div>
      <MenuLine />
    </>
  );
}
