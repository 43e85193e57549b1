"use client";

import { useTranslations } from "next-intl";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Check, Field, Input, Select } from "@/components/ui/field";
import { Card, Notice } from "@/components/ui/surface";
import { api, data, type Schemas } from "@/lib/api";
import { usePages, useRefresh } from "@/lib/data";

import { useWrite } from "./use-write";

const NEW = "new";

function hostOf(url: string): string[] {
  try {
    return [new URL(url).hostname];
  } catch {
    return [];
  }
}

/** A Langfuse server, the keys for it, how many runs, and with what they say or without. Keys are written, never shown. */
export function TracingForm({ tracing }: { tracing: Schemas["TracingOut"] | undefined }) {
  const t = useTranslations("settings.tracing");
  const common = useTranslations("common.actions");
  const refresh = useRefresh();
  const { write, busy, error } = useWrite();
  const { items: credentials } = usePages<Schemas["CredentialOut"]>("/credentials", { limit: 100 });
  const basic = (credentials ?? []).filter((one) => one.kind === "basic");
  const [url, setUrl] = useState(tracing?.base_url ?? "https://cloud.langfuse.com");
  const [credential, setCredential] = useState(tracing?.credential_id ?? NEW);
  const [keys, setKeys] = useState({ publicKey: "", secretKey: "" });
  const [percent, setPercent] = useState(String(Math.round((tracing?.sample_rate ?? 1) * 10_000) / 100));
  const [content, setContent] = useState(tracing?.content ?? false);
  const known = tracing && !basic.some((one) => one.id === tracing.credential_id);
  const save = () =>
    write(async () => {
      let id = credential;
      if (id === NEW) {
        const secret = { username: keys.publicKey.trim(), password: keys.secretKey.trim() };
        const body = { kind: "basic" as const, name: t("credentialName"), settings: {}, secret, allowed_hosts: hostOf(url) };
        ({ id } = await data(api.POST("/api/v1/credentials", { body })));
        // Should what follows fail, the keys are kept and need not be typed again.
        setCredential(id);
        setKeys({ publicKey: "", secretKey: "" });
        await refresh("/credentials");
      }
      await api.PUT("/api/v1/tracing", { body: { base_url: url.trim(), credential_id: id, sample_rate: Number(percent) / 100, content } });
      await refresh("/tracing");
    }, { done: t("saved"), quiet: true });
  return (
    <Card>
      <form
        className="flex flex-col gap-5 p-5"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <Field label={t("url")} hint={t("urlHint")}>
          <Input type="url" required value={url} onChange={(event) => setUrl(event.target.value)} />
        </Field>
        <Field label={t("credential")} hint={t("credentialHint")}>
          <Select value={credential} onChange={(event) => setCredential(event.target.value)}>
            {known ? <option value={tracing.credential_id}>{t("kept")}</option> : null}
            {basic.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
            <option value={NEW}>{t("newKeys")}</option>
          </Select>
        </Field>
        {credential === NEW ? (
          <div className="grid gap-5 sm:grid-cols-2">
            <Field label={t("publicKey")}>
              <Input required className="font-mono !text-[13px]" placeholder="pk-lf-…" value={keys.publicKey} onChange={(event) => setKeys({ ...keys, publicKey: event.target.value })} />
            </Field>
            <Field label={t("secretKey")} hint={t("secretHint")}>
              <Input required type="password" autoComplete="new-password" className="font-mono !text-[13px]" placeholder="sk-lf-…" value={keys.secretKey} onChange={(event) => setKeys({ ...keys, secretKey: event.target.value })} />
            </Field>
          </div>
        ) : null}
        <Field label={t("share")} hint={t("shareHint")} className="max-w-44">
          <Input type="number" required min={0} max={100} step="any" value={percent} onChange={(event) => setPercent(event.target.value)} />
        </Field>
        <Check label={t("content")} hint={t("contentHint")} checked={content} onChange={(event) => setContent(event.target.checked)} />
        {content ? <Notice tone="warn">{t("contentWarning")}</Notice> : null}
        {error ? <ErrorState error={error} /> : null}
        <div className="flex justify-end border-t border-line pt-4">
          <Button kind="primary" type="submit" busy={busy}>
            {common("save")}
          </Button>
        </div>
      </form>
    </Card>
  );
}
