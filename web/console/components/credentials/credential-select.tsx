"use client";

import { Plus } from "lucide-react";
import { useTranslations } from "next-intl";
import { useState, type ReactNode } from "react";

import { Button } from "@/components/ui/button";
import { Field, Select } from "@/components/ui/field";
import { useAllPages } from "@/lib/all-pages";

import { ConnectButton } from "./connect-button";
import { CredentialDialog } from "./credential-dialog";
import { CredentialState } from "./credential-state";
import { KINDS, type Credential, type CredentialPreset } from "./lib/draft";
import { byConsent } from "./lib/state";

interface Props {
  label?: ReactNode;
  hint?: ReactNode;
  error?: string | undefined;
  value: string | null;
  onChange: (id: string | null) => void;
  /** The words of the choice of none. */
  none?: string;
  /** What a new one begins with. */
  preset?: CredentialPreset | undefined;
}

/** Kinds that calls of tools can send. */
const SENT = KINDS.filter((kind) => kind !== "provider_key");

/** Chooses a credential, or makes one on the spot. */
export function CredentialSelect({ label, hint, error, value, onChange, none, preset }: Props) {
  const t = useTranslations("tools.credentials.select");
  const { items } = useAllPages<Credential>("/credentials");
  const [adding, setAdding] = useState(false);
  const choices = items?.filter(({ kind }) => kind !== "provider_key") ?? [];
  const chosen = choices.find(({ id }) => id === value);
  return (
    <div className="flex flex-col gap-2">
      <Field
        label={label ?? t("label")}
        hint={hint}
        error={error ?? (value && items && !chosen ? t("gone") : null)}
        aside={
          <Button size="sm" kind="ghost" className="-my-1.5 h-7" icon={<Plus aria-hidden />} onClick={() => setAdding(true)}>
            {t("new")}
          </Button>
        }
      >
        <Select value={value ?? ""} onChange={(event) => onChange(event.target.value || null)}>
          <option value="">{none ?? t("none")}</option>
          {value && !chosen ? <option value={value}>{items ? t("goneOption") : "…"}</option> : null}
          {choices.map(({ id, name, kind }) => (
            <option key={id} value={id}>
              {`${name} · ${t(`short.${kind}`)}`}
            </option>
          ))}
        </Select>
      </Field>
      {chosen && chosen.status !== "ready" ? (
        <div className="flex flex-wrap items-center gap-2">
          <CredentialState credential={chosen} />
          {byConsent(chosen) ? <ConnectButton credential={chosen} /> : null}
        </div>
      ) : null}
      {adding ? <CredentialDialog preset={preset} kinds={SENT} onClose={() => setAdding(false)} onSaved={({ id }) => onChange(id)} /> : null}
    </div>
  );
}
