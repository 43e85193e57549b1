"use client";

import { useTranslations } from "next-intl";
import { useId, useState, type SyntheticEvent } from "react";
import { toast } from "@/lib/toast";

import { CredentialSelect } from "@/components/credentials/credential-select";
import { FormError } from "@/components/credentials/form-error";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field, Input, Select, Textarea } from "@/components/ui/field";
import { api, data, once } from "@/lib/api";

import { faultsOf, NO_FAULTS } from "./lib/faults";
import type { Integration } from "./lib/kinds";

interface Props {
  agent: string;
  integration?: Integration;
  onClose: () => void;
  onSaved: (integration: Integration) => void;
}

/** What tools of the same API share: its address and the credential. */
export function IntegrationDialog({ agent, integration, onClose, onSaved }: Props) {
  const t = useTranslations("tools.integrations");
  const common = useTranslations("common.actions");
  const form = useId();
  const [draft, setDraft] = useState({
    kind: integration?.kind ?? ("http" as const),
    name: integration?.name ?? "",
    description: integration?.description ?? "",
    base_url: integration?.base_url ?? "",
    credential_id: integration?.credential_id ?? null,
  });
  const [headers] = useState(once);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const faults = error ? faultsOf(error) : NO_FAULTS;
  const change = (part: Partial<typeof draft>) => setDraft((before) => ({ ...before, ...part }));
  const save = async (event: SyntheticEvent) => {
    event.preventDefault();
    event.stopPropagation();
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      const { name, description, base_url, credential_id } = draft;
      const saved = integration
        ? await data(api.PATCH("/api/v1/integrations/{integration_id}", { params: { path: { integration_id: integration.id } }, body: { name, description, base_url, credential_id }, headers: { "If-Match": `"${integration.revision}"` } }))
        : await data(api.POST("/api/v1/agents/{agent_id}/integrations", { params: { path: { agent_id: agent } }, body: draft, headers }));
      toast.success(t("saved", { name: saved.name }));
      onSaved(saved);
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => (open ? null : onClose())}
      size="md"
      title={integration ? t("edit", { name: integration.name }) : t("new")}
      description={t("dialogHint")}
      footer={
        <>
          <Button onClick={onClose}>{common("cancel")}</Button>
          <Button kind="primary" type="submit" form={form} busy={busy}>
            {integration ? common("save") : common("create")}
          </Button>
        </>
      }
    >
      <form id={form} onSubmit={(event) => void save(event)} className="flex flex-col gap-4 pb-2">
        <FormError error={error} />
        <div className="grid gap-4 sm:grid-cols-[2fr_1fr]">
          <Field label={t("name")} error={faults.get("name")}>
            <Input required maxLength={100} value={draft.name} placeholder={t("namePlaceholder")} onChange={(event) => change({ name: event.target.value })} />
          </Field>
          <Field label={t("kind")}>
            <Select value={draft.kind} disabled={Boolean(integration)} onChange={(event) => change({ kind: event.target.value as "http" | "mcp" })}>
              <option value="http">{t("kinds.http")}</option>
              <option value="mcp">{t("kinds.mcp")}</option>
            </Select>
          </Field>
        </div>
        <Field label={draft.kind === "mcp" ? t("serverUrl") : t("baseUrl")} hint={draft.kind === "mcp" ? undefined : t("baseUrlHint")} error={faults.get("base_url")}>
          <Input required type="url" inputMode="url" spellCheck={false} value={draft.base_url} placeholder={draft.kind === "mcp" ? "https://mcp.example.com/mcp" : "https://api.example.com/v1"} className="font-mono text-[13px]" onChange={(event) => change({ base_url: event.target.value })} />
        </Field>
        <CredentialSelect value={draft.credential_id} error={faults.get("credential_id")} onChange={(credential_id) => change({ credential_id })} preset={{ name: draft.name, hosts: hostsOf(draft.base_url) }} />
        <Field label={t("description")} error={faults.get("description")}>
          <Textarea rows={2} maxLength={2_000} value={draft.description} onChange={(event) => change({ description: event.target.value })} />
        </Field>
      </form>
    </Dialog>
  );
}

/** The host of an address, for the hosts that a credential may be sent to. */
export function hostsOf(url: string): string[] {
  return URL.canParse(url) ? [new URL(url).hostname].filter(Boolean) : [];
}
