"use client";

import { useTranslations } from "next-intl";
import { useEffect, useRef, useState } from "react";

import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Field, Input } from "@/components/ui/field";
import { Card, Section, Skeleton } from "@/components/ui/surface";
import { api, type Schemas } from "@/lib/api";
import { useRefresh, useResource } from "@/lib/data";
import { asApiError } from "@/lib/errors";
import { useFormats } from "@/lib/format";

import { OwnerOnly } from "./owner-only";
import { useWrite } from "./use-write";

type Limits = Schemas["LimitsOut"];
type Name = keyof Limits;

/** The bounds of what can be set, and what holds where nothing is, as docs/api.md has them. */
const BOUNDS: readonly (readonly [Name, number, number, number])[] = [
  ["tenant_requests_per_minute", 30, 6_000, 3_000],
  ["requests_per_minute", 30, 6_000, 3_000],
  ["messages_per_minute", 0, 3_000, 600],
  ["messages_per_minute_per_subject", 0, 3_000, 300],
  ["messages_per_minute_per_agent", 0, 3_000, 600],
  ["runs_at_once", 0, 1_000, 100],
  ["tenant_connections_at_once", 1, 1_000, 500],
  ["connections_at_once", 1, 1_000, 100],
];

/** The limits in force, and others in their place. */
export function LimitsPanel() {
  const t = useTranslations("settings.limits");
  return (
    <Section title={t("title")} hint={t("hint")}>
      <OwnerOnly>
        <Loaded />
      </OwnerOnly>
    </Section>
  );
}

function Loaded() {
  const { data, error, mutate } = useResource<Limits>("/limits", {}, { revalidateOnFocus: false });
  if (error && !data) return <ErrorState error={error} onRetry={() => void mutate()} />;
  if (!data) return <Skeleton className="h-96 w-full rounded-xl" />;
  return <LimitsForm limits={data} />;
}

function LimitsForm({ limits }: { limits: Limits }) {
  const t = useTranslations("settings.limits");
  const common = useTranslations("common.actions");
  const f = useFormats();
  const refresh = useRefresh();
  const { write, busy, error } = useWrite();
  const [texts, setTexts] = useState<Partial<Record<Name, string>>>({});
  const valueOf = (name: Name) => texts[name] ?? String(limits[name]);
  const changed = BOUNDS.filter(([name]) => valueOf(name) !== String(limits[name]));
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (error) form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [error]);
  const said = new Map(error ? asApiError(error).fields.map((one) => [one.field, one.message]) : []);
  const save = () =>
    write(async () => {
      // An empty field goes back to the default.
      const body = Object.fromEntries(changed.map(([name]) => [name, valueOf(name) === "" ? null : Number(valueOf(name))]));
      await api.PATCH("/api/v1/limits", { body });
      await refresh("/limits");
      setTexts({});
    }, { done: t("saved"), quiet: true });
  return (
    <Card>
      <form
        ref={form}
        className="flex flex-col gap-5 p-5"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <div className="grid gap-x-6 gap-y-5 sm:grid-cols-2">
          {BOUNDS.map(([name, least, most, usual]) => (
            <Field key={name} label={t(`names.${name}`)} hint={t("range", { least: f.number(least), most: f.number(most), usual: f.number(usual) })} error={said.get(name)}>
              <Input type="number" inputMode="numeric" min={least} max={most} step={1} placeholder={String(usual)} value={valueOf(name)} onChange={(event) => setTexts({ ...texts, [name]: event.target.value })} />
            </Field>
          ))}
        </div>
        {error && said.size === 0 ? <ErrorState error={error} /> : null}
        <div className="flex items-center justify-end gap-2 border-t border-line pt-4">
          {changed.length ? <Button onClick={() => setTexts({})}>{common("cancel")}</Button> : null}
          <Button kind="primary" type="submit" busy={busy} disabled={!changed.length}>
            {common("save")}
          </Button>
        </div>
      </form>
    </Card>
  );
}
