"use client";

import { useTranslations } from "next-intl";

import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Badge, Section } from "@/components/ui/surface";
import { api, type Schemas } from "@/lib/api";
import { usePages, useRefresh } from "@/lib/data";
import { useFormats } from "@/lib/format";

import { Row, Rows } from "./rows";
import { useWrite } from "./use-write";

/** Invitations that nobody has accepted yet. */
export function Invitations() {
  const t = useTranslations("settings.invitations");
  const { items, error, more, loadMore, mutate } = usePages<Schemas["InvitationOut"]>("/invitations");
  const common = useTranslations("common.actions");
  if (error) return <ErrorState error={error} onRetry={() => void mutate()} />;
  if (!items?.length) return null;
  return (
    <Section title={t("title")} hint={t("hint")}>
      <Rows label={t("title")}>
        {items.map((invitation) => (
          <Line key={invitation.id} invitation={invitation} />
        ))}
      </Rows>
      {more ? (
        <Button className="self-center" onClick={() => void loadMore()}>
          {common("loadMore")}
        </Button>
      ) : null}
    </Section>
  );
}

function Line({ invitation }: { invitation: Schemas["InvitationOut"] }) {
  const t = useTranslations("settings.invitations");
  const roles = useTranslations("settings.roles");
  const formats = useFormats();
  const refresh = useRefresh();
  const { write, busy } = useWrite();
  const withdraw = () =>
    write(async () => {
      await api.DELETE("/api/v1/invitations/{invitation_id}", { params: { path: { invitation_id: invitation.id } } });
      await refresh("/invitations");
    }, { done: t("withdrawn") });
  return (
    <Row
      title={
        <>
          <span className="break-all">{invitation.email}</span>
          <Badge>{roles(invitation.role)}</Badge>
        </>
      }
      more={t("by", { who: invitation.invited_by, until: formats.dateTime(invitation.expires_at) })}
    >
      <Button size="sm" busy={busy} aria-label={t("withdrawOf", { name: invitation.email })} onClick={() => void withdraw()}>
        {t("withdraw")}
      </Button>
    </Row>
  );
}
