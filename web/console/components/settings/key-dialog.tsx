"use client";

import { useTranslations } from "next-intl";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { ErrorState } from "@/components/ui/error-state";
import { Check, Field, Input, Select } from "@/components/ui/field";
import { Notice } from "@/components/ui/surface";
import { api, data, type Schemas } from "@/lib/api";
import { useRefresh } from "@/lib/data";

import { SecretOnce } from "./secret-once";
import { useOnce } from "./use-once";
import { useWrite } from "./use-write";

type Scope = Schemas["ApiKeyOut"]["scopes"][number];

const ORDER: readonly Scope[] = ["read", "run", "edit", "admin"];
const DAYS = [30, 90, 365] as const;

/** Makes a key; then shows its secret, once. */
export function KeyDialog({ scopes, onClose }: { scopes: readonly Scope[]; onClose: () => void }) {
  const t = useTranslations("settings.keys");
  const common = useTranslations("common.actions");
  const refresh = useRefresh();
  const headersOf = useOnce();
  const { write, busy, error } = useWrite();
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<ReadonlySet<Scope>>(new Set(["read", "run"]));
  const [days, setDays] = useState("90");
  const [tried, setTried] = useState(false);
  const [made, setMade] = useState<Schemas["NewApiKeyOut"] | null>(null);
  const allowed = ORDER.filter((scope) => scopes.includes(scope));
  const none = chosen.size === 0;
  const make = async () => {
    setTried(true);
    if (none) return;
    const body = { name: name.trim(), scopes: allowed.filter((scope) => chosen.has(scope)), expires_in_days: days ? Number(days) : null };
    await write(async () => {
      setMade(await data(api.POST("/api/v1/api-keys", { headers: headersOf(body), body })));
      await refresh("/api-keys");
    }, { quiet: true });
  };
  const toggle = (scope: Scope, on: boolean) => {
    const next = new Set(chosen);
    if (on) next.add(scope);
    else next.delete(scope);
    setChosen(next);
  };
  if (made?.key) return <SecretOnce title={t("made", { name: made.name })} warning={t("once")} secrets={[[t("secret"), made.key]]} onClose={onClose} />;
  return (
    <Dialog
      open
      onOpenChange={(open) => (open ? undefined : onClose())}
      title={t("createTitle")}
      description={t("createText")}
      footer={
        <>
          <Button onClick={onClose}>{common("cancel")}</Button>
          <Button kind="primary" type="submit" form="new-key" busy={busy}>
            {common("create")}
          </Button>
        </>
      }
    >
      <form
        id="new-key"
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void make();
        }}
      >
        <Field label={t("name")} hint={t("nameHint")}>
          <Input required maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
        </Field>
        <fieldset className="flex flex-col gap-2.5">
          <legend className="mb-2 text-[13px] font-medium text-ink">{t("may")}</legend>
          {allowed.map((scope) => (
            <Check key={scope} label={t(`scopes.${scope}`)} hint={t(`scopeHints.${scope}`)} checked={chosen.has(scope)} onChange={(event) => toggle(scope, event.target.checked)} />
          ))}
          {tried && none ? (
            <p role="alert" className="text-[13px] text-bad">
              {t("chooseOne")}
            </p>
          ) : null}
        </fieldset>
        <Field label={t("expiry")}>
          <Select value={days} onChange={(event) => setDays(event.target.value)}>
            {DAYS.map((count) => (
              <option key={count} value={count}>
                {t("days", { count })}
              </option>
            ))}
            <option value="">{t("never")}</option>
          </Select>
        </Field>
        {made ? <Notice tone="warn">{t("lost")}</Notice> : null}
        {error ? <ErrorState error={error} /> : null}
      </form>
    </Dialog>
  );
}
