"use client";

import { useTranslations } from "next-intl";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Field, Input, Textarea } from "@/components/ui/field";
import { Card, Notice, Section, Skeleton } from "@/components/ui/surface";
import { api, type Schemas } from "@/lib/api";
import { useRefresh, useResource } from "@/lib/data";

import { linesOf, portsOf } from "./lines";
import { OwnerOnly } from "./owner-only";
import { Refusals } from "./refusals";
import { useMe } from "@/lib/me";
import { useWrite } from "./use-write";

type Egress = Schemas["EgressSettings"];

/** What tools may call, and what was refused. */
export function NetworkPanel() {
  const t = useTranslations("settings.network");
  const { data, error, mutate } = useResource<Egress>("/egress", {}, { revalidateOnFocus: false });
  return (
    <div className="flex flex-col gap-8">
      <Section title={t("title")} hint={t("hint")}>
        {error && !data ? <ErrorState error={error} onRetry={() => void mutate()} /> : null}
        {data ? <EgressForm key={JSON.stringify(data)} egress={data} /> : error ? null : <Skeleton className="h-80 w-full rounded-xl" />}
      </Section>
      <Section title={t("refusals")} hint={t("refusalsHint")}>
        <OwnerOnly>
          <Refusals />
        </OwnerOnly>
      </Section>
    </div>
  );
}

function EgressForm({ egress }: { egress: Egress }) {
  const t = useTranslations("settings.network");
  const common = useTranslations("common.actions");
  const { may } = useMe();
  const refresh = useRefresh();
  const { write, busy, error } = useWrite();
  const first = { allow: (egress.allow ?? []).join("\n"), deny: (egress.deny ?? []).join("\n"), ports: (egress.ports ?? []).join(", ") };
  const [texts, setTexts] = useState(first);
  const ports = portsOf(texts.ports);
  const changed = JSON.stringify(texts) !== JSON.stringify(first);
  const locked = !may("admin");
  const save = () =>
    ports
      ? write(async () => {
          await api.PUT("/api/v1/egress", { body: { allow: linesOf(texts.allow), deny: linesOf(texts.deny), ports } });
          await refresh("/egress");
        }, { done: t("saved"), quiet: true })
      : undefined;
  return (
    <Card>
      <form
        className="flex flex-col gap-5 p-5"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        {locked ? <Notice>{t("readOnly")}</Notice> : null}
        <div className="grid gap-5 sm:grid-cols-2">
          <Field label={t("allow")} hint={t("allowHint")}>
            <Textarea className="font-mono !text-[13px]" rows={5} spellCheck={false} disabled={locked} placeholder={"api.example.com\n*.example.org"} value={texts.allow} onChange={(event) => setTexts({ ...texts, allow: event.target.value })} />
          </Field>
          <Field label={t("deny")} hint={t("denyHint")}>
            <Textarea className="font-mono !text-[13px]" rows={5} spellCheck={false} disabled={locked} placeholder={"198.41.0.0/24"} value={texts.deny} onChange={(event) => setTexts({ ...texts, deny: event.target.value })} />
          </Field>
        </div>
        <Field label={t("ports")} hint={t("portsHint")} error={ports ? null : t("badPorts")} className="sm:max-w-sm">
          <Input className="font-mono !text-[13px]" disabled={locked} placeholder="80, 443" value={texts.ports} onChange={(event) => setTexts({ ...texts, ports: event.target.value })} />
        </Field>
        {error ? <ErrorState error={error} /> : null}
        {locked ? null : (
          <div className="flex justify-end gap-2 border-t border-line pt-4">
            {changed ? <Button onClick={() => setTexts(first)}>{common("cancel")}</Button> : null}
            <Button kind="primary" type="submit" busy={busy} disabled={!changed || !ports}>
              {common("save")}
            </Button>
          </div>
        )}
      </form>
    </Card>
  );
}
