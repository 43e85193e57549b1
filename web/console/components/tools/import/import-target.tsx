"use client";

import { useTranslations } from "next-intl";

import { CredentialSelect } from "@/components/credentials/credential-select";
import { Check, Field, Input } from "@/components/ui/field";
import type { Schemas } from "@/lib/api";

import { hostsOf } from "../integration-dialog";
import { faultsOf, NO_FAULTS } from "../lib/faults";
import type { Integration } from "../lib/kinds";

export interface Target {
  readonly name: string;
  readonly base_url: string;
  readonly credential_id: string | null;
  readonly approval: boolean;
}

export function targetOf(description: Schemas["DescriptionOut"], integration: Integration | undefined): Target {
  return {
    name: integration?.name ?? description.title.slice(0, 100),
    base_url: integration?.base_url ?? description.base_url ?? "",
    credential_id: integration?.credential_id ?? null,
    approval: true,
  };
}

interface Props {
  description: Schemas["DescriptionOut"];
  target: Target;
  error: unknown;
  again: boolean;
  onChange: (part: Partial<Target>) => void;
}

/** The integration that holds the tools: its name, where calls go, and the credential that the description asks for. */
export function ImportTarget({ description, target, error, again, onChange }: Props) {
  const t = useTranslations("tools.import.target");
  const faults = error ? faultsOf(error) : NO_FAULTS;
  const scheme = description.credentials.find(({ kind }) => kind);
  const servers = [...new Set(description.servers.flatMap(({ url }) => (url ? [url] : [])))];
  return (
    <>
      <h3 className="text-[13px] font-semibold">{again ? t("titleAgain") : t("title")}</h3>
      <Field label={t("name")} error={faults.get("integration.name")}>
        <Input value={target.name} maxLength={100} onChange={(event) => onChange({ name: event.target.value })} />
      </Field>
      <Field label={t("baseUrl")} hint={target.base_url ? undefined : t("noServer")} error={faults.get("integration.base_url")}>
        <Input type="url" inputMode="url" list="import-servers" value={target.base_url} placeholder="https://api.example.com/v1" spellCheck={false} className="font-mono text-[13px]" onChange={(event) => onChange({ base_url: event.target.value })} />
      </Field>
      <datalist id="import-servers">
        {servers.map((url) => (
          <option key={url} value={url} />
        ))}
      </datalist>
      <CredentialSelect
        value={target.credential_id}
        hint={scheme ? t("asksFor", { name: scheme.name }) : t("asksForNone")}
        error={faults.get("integration.credential_id")}
        preset={{ ...(scheme?.kind ? { kind: scheme.kind, settings: scheme.settings } : {}), name: target.name, hosts: hostsOf(target.base_url) }}
        onChange={(credential_id) => onChange({ credential_id })}
      />
      <Check label={t("approval")} hint={t("approvalHint")} checked={target.approval} onChange={(event) => onChange({ approval: event.target.checked })} />
    </>
  );
}
