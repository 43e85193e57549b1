"use client";

import { UserMinus } from "lucide-react";
import { useTranslations } from "next-intl";
import { useState } from "react";

import { IconButton } from "@/components/ui/button";
import { Confirm } from "@/components/ui/dialog";
import { Badge } from "@/components/ui/surface";
import { Ago } from "@/components/ui/time";
import { api, type Schemas } from "@/lib/api";
import { useRefresh } from "@/lib/data";

import { MemberError } from "./member-error";
import { RoleSelect, type Role } from "./roles";
import { Row } from "./rows";
import { useWrite } from "./use-write";

/** A member: who they are, their role, and the way out. */
export function MemberRow({ member, self }: { member: Schemas["MemberOut"]; self: boolean }) {
  const t = useTranslations("settings.members");
  const refresh = useRefresh();
  const { write, busy, error, setError } = useWrite();
  const [removing, setRemoving] = useState(false);
  const path = { params: { path: { subject: member.subject } } };
  const name = member.email || member.subject;
  const [stepping, setStepping] = useState<Role | null>(null);
  const change = async (role: Role) => {
    await write(async () => {
      await api.PATCH("/api/v1/members/{subject}", { ...path, body: { role } });
      await refresh("/members");
    }, { done: t("roleSaved", { name }), quiet: true });
    setStepping(null);
  };
  const remove = async () => {
    await write(async () => {
      await api.DELETE("/api/v1/members/{subject}", path);
      await refresh("/members");
    }, { done: t("removed", { name }), quiet: true });
    setRemoving(false);
  };
  return (
    <Row
      title={
        <>
          <span className="min-w-0 break-all">{name}</span>
          {self ? <Badge tone="accent">{t("you")}</Badge> : null}
        </>
      }
      more={
        <>
          {member.email ? <code className="font-mono text-xs break-all">{member.subject}</code> : null} {t("joined")} <Ago time={member.joined_at} />
          <MemberError error={error} />
        </>
      }
    >
      <RoleSelect className="w-36" aria-label={t("roleOf", { name })} value={member.role} disabled={busy} onRole={(role) => (self ? setStepping(role) : void change(role))} />
      <IconButton label={t("remove", { name })} onClick={() => {
          setError(null);
          setRemoving(true);
        }}>
        <UserMinus aria-hidden />
      </IconButton>
      <Confirm open={stepping !== null} onOpenChange={() => setStepping(null)} title={t("ownRoleAsk")} action={t("ownRoleAction")} busy={busy} onConfirm={() => stepping && void change(stepping)}>
        {t("ownRoleWarning")}
      </Confirm>
      <Confirm open={removing} onOpenChange={setRemoving} title={t("removeAsk", { name })} action={t("removeAction")} busy={busy} onConfirm={() => void remove()}>
        {t("removeWarning")}
      </Confirm>
    </Row>
  );
}
