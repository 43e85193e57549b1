"use client";

import { useTranslations } from "next-intl";
import { useId, useState, type SyntheticEvent } from "react";
import { toast } from "@/lib/toast";

import { NO_FAULTS, faultsOf, faultBelow, type Faults } from "@/components/tools/lib/faults";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field, Input, Select, Textarea } from "@/components/ui/field";
import { Notice } from "@/components/ui/surface";
import { api, data } from "@/lib/api";
import { useRefresh } from "@/lib/data";

import { FormError } from "./form-error";
import { KindFields } from "./kind-fields";
import { bodyOf, draftOf, faultPlace, KINDS, type Credential, type CredentialDraft, type CredentialPreset, type Kind } from "./lib/draft";

interface Props {
  /** The one that is replaced; a new one without. */
  credential?: Credential | undefined;
  preset?: CredentialPreset | undefined;
  /** Kinds that can be chosen. */
  kinds?: readonly Kind[];
  onClose: () => void;
  onSaved?: ((credential: Credential) => void) | undefined;
}

/** Enters a credential, or all of one anew. */
export function CredentialDialog({ credential, preset, kinds = KINDS, onClose, onSaved }: Props) {
  const t = useTranslations("tools.credentials.dialog");
  const kindName = useTranslations("tools.credentials.kinds");
  const common = useTranslations("common.actions");
  const refresh = useRefresh();
  const form = useId();
  const [draft, setDraft] = useState(() => draftOf(credential ?? preset));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const faults: Faults = error ? placed(faultsOf(error), draft) : NO_FAULTS;
  const change = (part: Partial<CredentialDraft>) => setDraft((before) => ({ ...before, ...part }));

  const save = async (event: SyntheticEvent) => {
    event.preventDefault();
    // The dialog may stand in another form: what is sent here is not sent there.
    event.stopPropagation();
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      const body = bodyOf(draft);
      const saved = credential
        ? await data(api.PUT("/api/v1/credentials/{credential_id}", { params: { path: { credential_id: credential.id } }, body }))
        : await data(api.POST("/api/v1/credentials", { body }));
      await refresh("/credentials");
      toast.success(t(credential ? "replaced" : "created", { name: saved.name }));
      onSaved?.(saved);
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
      title={credential ? t("replace", { name: credential.name }) : t("new")}
      description={credential ? t("replaceHint") : t("newHint")}
      footer={
        <>
          <Button onClick={onClose}>{common("cancel")}</Button>
          <Button kind="primary" type="submit" form={form} busy={busy}>
            {credential ? t("replaceAction") : common("create")}
          </Button>
        </>
      }
    >
      <form id={form} onSubmit={(event) => void save(event)} autoComplete="off" className="flex flex-col gap-4 pb-2">
        <FormError error={error} />
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={t("kind")}>
            <Select value={draft.kind} disabled={Boolean(credential)} onChange={(event) => change({ kind: event.target.value as Kind })}>
              {kinds.map((kind) => (
                <option key={kind} value={kind}>
                  {kindName(`${kind}.name`)}
                </option>
              ))}
            </Select>
          </Field>
          <Field label={t("name")} error={faults.get("name")}>
            <Input value={draft.name} required maxLength={100} placeholder={t("namePlaceholder")} onChange={(event) => change({ name: event.target.value })} />
          </Field>
        </div>
        <p className="-mt-1 text-[13px] text-ink-soft">{kindName(`${draft.kind}.hint`)}</p>
        <KindFields draft={draft} faults={faults} change={change} />
        {draft.kind === "provider_key" ? null : (
          <Field label={t("hosts")} hint={t("hostsHint")} error={faultBelow(faults, "allowed_hosts")}>
            <Textarea value={draft.hosts} rows={2} spellCheck={false} placeholder={"api.example.com\n*.example.com"} className="min-h-16 font-mono text-[13px]" onChange={(event) => change({ hosts: event.target.value })} />
          </Field>
        )}
        {draft.kind === "oauth2" && draft.grant === "authorization_code" ? <Notice tone="info">{t("connectLater")}</Notice> : null}
      </form>
    </Dialog>
  );
}

/** Faults of a group of fields stand at one of them. */
function placed(faults: Faults, draft: CredentialDraft): Faults {
  const places = faultPlace(draft);
  return new Map([...faults].map(([field, message]) => [places[field] ?? field, message]));
}
