"use client";

import { FileUp } from "lucide-react";
import { useTranslations } from "next-intl";
import { useRef, useState, type SyntheticEvent } from "react";

import { CredentialSelect } from "@/components/credentials/credential-select";
import { FormError } from "@/components/credentials/form-error";
import { Button } from "@/components/ui/button";
import { Field, Input, Textarea } from "@/components/ui/field";
import { Card } from "@/components/ui/surface";
import { TabPanel, Tabs } from "@/components/ui/tabs";
import { api, data, once } from "@/lib/api";
import { asApiError } from "@/lib/errors";
import { useFormats } from "@/lib/format";

import { hostsOf } from "../integration-dialog";
import { faultsOf, NO_FAULTS } from "../lib/faults";
import type { AgentOut } from "../lib/toolbox";
import { givenOf, type SourceDraft } from "./source-draft";

interface Props {
  agent: AgentOut;
  integration: string | null;
  /** Kept outside, so that another try begins with what was given. */
  draft: SourceDraft;
  onDraft: (draft: SourceDraft) => void;
  onBegun: (id: string) => void;
}

/** Where the description is: at an address, in a file, in the clipboard. */
export function ImportSource({ agent, integration, draft, onDraft, onBegun }: Props) {
  const t = useTranslations("tools.import.source");
  const formats = useFormats();
  const { source, url, text, credential } = draft;
  const change = (part: Partial<SourceDraft>) => onDraft({ ...draft, ...part });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const file = useRef<HTMLInputElement>(null);
  const faults = error ? faultsOf(error) : NO_FAULTS;
  const begin = async (event: SyntheticEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const { id } = await data(
        api.POST("/api/v1/openapi-imports", { body: { agent_id: agent.id, ...givenOf(draft), ...(integration ? { integration_id: integration } : {}) }, headers: once() }),
      );
      onBegun(id);
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const take = async (chosen: File | undefined) => {
    if (!chosen) return;
    change({ text: await chosen.text(), source: "text" });
  };
  return (
    <form onSubmit={(event) => void begin(event)} className="flex flex-col gap-4">
      <p className="max-w-prose text-sm text-ink-soft">{t("hint")}</p>
      <Card
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => {
          event.preventDefault();
          void take(event.dataTransfer.files[0]);
        }}
      >
        <div className="border-b border-line px-3">
          <Tabs id="source" label={t("label")} tabs={[["url", t("url")] as const, ["text", t("text")] as const]} value={source} onChange={(next) => change({ source: next })} />
        </div>
        <TabPanel id="source" value={source} className="flex flex-col gap-4 p-5">
          <FormError error={error} />
          {source === "text" && error && asApiError(error).status === 413 ? <p className="-mt-2 text-[13px] text-ink-soft">{t("large")}</p> : null}
          {source === "url" ? (
            <>
              <Field label={t("address")} error={faults.get("url")}>
                <Input type="url" inputMode="url" required value={url} placeholder="https://api.example.com/openapi.json" spellCheck={false} className="font-mono text-[13px]" onChange={(event) => change({ url: event.target.value })} />
              </Field>
              <CredentialSelect label={t("credential")} hint={t("credentialHint")} value={credential} error={faults.get("credential_id")} preset={{ hosts: hostsOf(url) }} onChange={(next) => change({ credential: next })} />
            </>
          ) : (
            <Field
              label={t("document")}
              error={faults.get("document")}
              hint={text ? t("size", { characters: formats.number(text.length) }) : t("drop")}
              aside={
                <Button size="sm" kind="ghost" className="-my-1.5 h-7" icon={<FileUp aria-hidden />} onClick={() => file.current?.click()}>
                  {t("file")}
                </Button>
              }
            >
              <Textarea required rows={12} value={text} spellCheck={false} placeholder={t("placeholder")} className="max-h-96 font-mono text-xs" onChange={(event) => change({ text: event.target.value })} />
            </Field>
          )}
          <input ref={file} type="file" tabIndex={-1} aria-label={t("file")} className="sr-only" accept=".json,.yaml,.yml,application/json,application/yaml" onChange={(event) => void take(event.target.files?.[0])} />
        </TabPanel>
      </Card>
      <Button kind="primary" type="submit" busy={busy} className="self-start">
        {t("read")}
      </Button>
    </form>
  );
}
