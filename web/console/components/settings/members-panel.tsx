"use client";

import { LogOut, UserPlus, Users } from "lucide-react";
import { useTranslations } from "next-intl";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { Confirm } from "@/components/ui/dialog";
import { ErrorState } from "@/components/ui/error-state";
import { EmptyState, Notice, Section, Skeleton } from "@/components/ui/surface";
import { api, type Schemas } from "@/lib/api";
import { usePages } from "@/lib/data";

import { Invitations } from "./invitations";
import { InviteDialog } from "./invite-dialog";
import { MemberError } from "./member-error";
import { MemberRow } from "./member-row";
import { OwnerOnly } from "./owner-only";
import { Rows } from "./rows";
import { useMe } from "@/lib/me";
import { useWrite } from "./use-write";

/** Where nobody signs in there is this one person, and nobody to invite would ever arrive. */
const ALONE = { tenant: "local", subject: "local-user" };

export function MembersPanel() {
  const t = useTranslations("settings.members");
  const { me, may } = useMe();
  const [inviting, setInviting] = useState(false);
  const alone = me?.tenant_id === ALONE.tenant && me.subject === ALONE.subject;
  return (
    <div className="flex flex-col gap-8">
      {alone ? <Notice>{t("alone")}</Notice> : null}
      <Section
        title={t("title")}
        hint={t("hint")}
        actions={
          me && may("admin") && !alone ? (
            <Button kind="primary" icon={<UserPlus aria-hidden />} onClick={() => setInviting(true)}>
              {t("invite")}
            </Button>
          ) : null
        }
      >
        <OwnerOnly>
          <Members subject={me?.subject ?? ""} />
        </OwnerOnly>
      </Section>
      {me && may("admin") ? <Invitations /> : null}
      {me && !alone ? <Leave /> : null}
      {inviting ? <InviteDialog onClose={() => setInviting(false)} /> : null}
    </div>
  );
}

function Members({ subject }: { subject: string }) {
  const t = useTranslations("settings.members");
  const common = useTranslations("common.actions");
  const { items, error, more, loadMore, loadingMore, mutate } = usePages<Schemas["MemberOut"]>("/members");
  if (error && !items) return <ErrorState error={error} onRetry={() => void mutate()} />;
  if (!items) return <Skeleton className="h-32 w-full rounded-xl" />;
  if (!items.length) {
    return (
      <EmptyState icon={<Users />} title={t("empty")}>
        {t("emptyHint")}
      </EmptyState>
    );
  }
  return (
    <>
      <Rows label={t("title")}>
        {items.map((member) => (
          <MemberRow key={member.subject} member={member} self={member.subject === subject} />
        ))}
      </Rows>
      {more ? (
        <Button className="self-center" busy={loadingMore} onClick={() => void loadMore()}>
          {common("loadMore")}
        </Button>
      ) : null}
    </>
  );
}

function Leave() {
  const t = useTranslations("settings.members");
  const { write, busy, error } = useWrite();
  const [asking, setAsking] = useState(false);
  const leave = async () => {
    const left = await write(() => api.DELETE("/api/v1/members/me"), { quiet: true });
    setAsking(false);
    // Everything that is shown belongs to the workspace that was left.
    if (left) window.location.reload();
  };
  return (
    <Section title={t("leaveTitle")} hint={t("leaveHint")}>
      <div>
        <MemberError error={error} />
        <Button kind="danger" className={error ? "mt-3" : ""} icon={<LogOut aria-hidden />} onClick={() => setAsking(true)}>
          {t("leave")}
        </Button>
      </div>
      <Confirm open={asking} onOpenChange={setAsking} title={t("leaveAsk")} action={t("leave")} busy={busy} onConfirm={() => void leave()}>
        {t("leaveWarning")}
      </Confirm>
    </Section>
  );
}
