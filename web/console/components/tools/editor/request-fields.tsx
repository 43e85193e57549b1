"use client";

import { useTranslations } from "next-intl";

import { CredentialSelect } from "@/components/credentials/credential-select";
import { Field, Input, Select } from "@/components/ui/field";

import { hostsOf } from "../integration-dialog";
import type { Faults } from "../lib/faults";
import { METHODS, type HttpDraft, type Method } from "../lib/http-draft";
import { pathNames } from "../lib/names";
import { withPath, type Row } from "../lib/rows";
import type { AgentOut, Toolbox } from "../lib/toolbox";

interface Props {
  draft: HttpDraft;
  faults: Faults;
  /** It was tried to save this. */
  tried: boolean;
  agent: AgentOut;
  toolbox: Toolbox;
  change: (part: Partial<HttpDraft>) => void;
  onPath: (path: string, rows: Row[]) => void;
}

const READS: readonly Method[] = ["GET", "HEAD", "OPTIONS"];

/** Where the call goes and what proves who calls. */
export function RequestFields({ draft, faults, tried, toolbox, change, onPath }: Props) {
  const t = useTranslations("tools.editor.request");
  const integrations = toolbox.integrations.filter(({ kind }) => kind !== "mcp");
  const integration = integrations.find(({ id }) => id === draft.integration_id);
  const names = pathNames(draft.path);
  const given = toolbox.credentials.find(({ id }) => id === integration?.credential_id);
  return (
    <>
      {integrations.length ? (
        <Field label={t("integration")} hint={integration ? undefined : t("integrationHint")} error={faults.get("integration_id")}>
          <Select value={draft.integration_id ?? ""} onChange={(event) => change({ integration_id: event.target.value || null, ...(event.target.value ? { base_url: "" } : {}) })}>
            <option value="">{t("noIntegration")}</option>
            {integrations.map(({ id, name, base_url }) => (
              <option key={id} value={id}>
                {`${name} · ${base_url}`}
              </option>
            ))}
          </Select>
        </Field>
      ) : null}
      <div className="grid gap-4 sm:grid-cols-[7.5rem_minmax(0,1fr)]">
        <Field label={t("method")}>
          <Select
            value={draft.method}
            className="font-mono text-[13px] font-semibold"
            onChange={(event) => {
              const method = event.target.value as Method;
              change({ method, effect: READS.includes(method) ? "read" : "write" });
            }}
          >
            {METHODS.map((method) => (
              <option key={method}>{method}</option>
            ))}
          </Select>
        </Field>
        <Field label={integration ? t("ownBaseUrl") : t("baseUrl")} error={faults.get("base_url") ?? (tried && !integration && !draft.base_url ? t("baseUrlNeeded") : undefined)}>
          <Input type="url" inputMode="url" spellCheck={false} value={draft.base_url} placeholder={integration?.base_url ?? "https://api.example.com"} className="font-mono text-[13px]" onChange={(event) => change({ base_url: event.target.value })} />
        </Field>
      </div>
      <Field label={t("path")} hint={names.length ? undefined : t("pathHint")} error={faults.get("path")}>
        <Input value={draft.path} spellCheck={false} placeholder="/orders/{number}" className="font-mono text-[13px]" onChange={(event) => onPath(event.target.value, withPath(draft.rows, event.target.value))} />
      </Field>
      {names.length ? (
        <p className="-mt-3 flex flex-wrap items-center gap-1.5 text-[13px] text-ink-soft">
          {t("recognised")}
          {names.map((name) => (
            <code key={name} className="rounded bg-accent-soft px-1.5 py-0.5 font-mono text-xs text-accent-ink">{`{${name}}`}</code>
          ))}
        </p>
      ) : null}
      <CredentialSelect
        value={draft.credential_id}
        error={faults.get("credential_id")}
        none={integration ? (given ? t("integrationCredential", { name: given.name }) : t("integrationNone")) : undefined}
        preset={{ hosts: hostsOf(draft.base_url || (integration?.base_url ?? "")) }}
        onChange={(credential_id) => change({ credential_id })}
      />
    </>
  );
}
