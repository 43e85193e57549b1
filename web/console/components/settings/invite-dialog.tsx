"use client";

import { useLocale, useTranslations } from "next-intl";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { ErrorState } from "@/components/ui/error-state";
import { Field, Input } from "@/components/ui/field";
import { getPathname } from "@/i18n/navigation";
import { api, data } from "@/lib/api";
import { useRefresh } from "@/lib/data";

import { RoleSelect, type Role } from "./roles";
import { SecretOnce } from "./secret-once";
import { useOnce } from "./use-once";
import { useWrite } from "./use-write";

/** What the API takes: something on both sides of one @. */
const ADDRESS = /^[^\s@]+@[^\s@]+$/;

/** Invites somebody; then shows, once, the link that lets them in. */
export function InviteDialog({ onClose }: { onClose: () => void }) {
  const t = useTranslations("settings.invite");
  const common = useTranslations("common.actions");
  const roles = useTranslations("settings.roleHints");
  const locale = useLocale();
  const refresh = useRefresh();
  const { write, busy, error } = useWrite();
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("editor");
  const headersOf = useOnce();
  const [token, setToken] = useState<string | null>(null);
  const [tried, setTried] = useState(false);
  const wrong = !ADDRESS.test(email.trim());
  const invite = async () => {
    setTried(true);
    if (wrong) return;
    await write(async () => {
      const body = { email: email.trim(), role };
      const made = await data(api.POST("/api/v1/members", { headers: headersOf(body), body }));
      await refresh("/invitations");
      setToken(made.token);
    }, { quiet: true });
  };
  if (token) {
    const link = `${window.location.origin}${getPathname({ href: "/invitation/", locale })}?token=${encodeURIComponent(token)}`;
    return <SecretOnce title={t("made", { email: email.trim() })} warning={t("once")} secrets={[[t("link"), link], [t("token"), token]]} onClose={onClose} />;
  }
  return (
    <Dialog
      open
      onOpenChange={(open) => (open ? undefined : onClose())}
      title={t("title")}
      description={t("text")}
      footer={
        <>
          <Button onClick={onClose}>{common("cancel")}</Button>
          <Button kind="primary" type="submit" form="invite" busy={busy}>
            {t("action")}
          </Button>
        </>
      }
    >
      <form
        id="invite"
        noValidate
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void invite();
        }}
      >
        <Field label={t("email")} hint={t("emailHint")} error={tried && wrong ? t("emailWrong") : null}>
          <Input type="email" required maxLength={254} value={email} onChange={(event) => setEmail(event.target.value)} />
        </Field>
        <Field label={t("role")} hint={roles(role)}>
          <RoleSelect value={role} onRole={setRole} />
        </Field>
        {error ? <ErrorState error={error} /> : null}
      </form>
    </Dialog>
  );
}
