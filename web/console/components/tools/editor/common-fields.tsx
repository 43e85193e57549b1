"use client";

import { useTranslations } from "next-intl";

import { Check, Field, Input, Textarea } from "@/components/ui/field";

import type { Faults } from "../lib/faults";
import { nameFault } from "../lib/names";

/** What every tool has. */
export interface CommonDraft {
  readonly name: string;
  readonly description: string;
  readonly enabled: boolean;
  readonly requires_approval: boolean;
  readonly approval_seconds: number;
  readonly timeout_seconds: number;
}

export interface CommonProps {
  draft: CommonDraft;
  faults: Faults;
  change: (part: Partial<CommonDraft>) => void;
}

const LONGEST = 1_024;

/** Name and description: what the model goes by. */
export function NameFields({ draft, faults, change, taken }: CommonProps & { taken: readonly string[] }) {
  const t = useTranslations("tools.editor");
  const fault = nameFault(draft.name, taken);
  const said = fault && (fault !== "empty" || faults.has("name")) ? t(`nameFaults.${fault}`) : faults.get("name");
  return (
    <>
      <Field label={t("name")} hint={t("nameHint")} error={said} aside={<span className="text-xs text-ink-faint tabular-nums">{`${draft.name.length}/64`}</span>}>
        <Input value={draft.name} spellCheck={false} autoCapitalize="off" placeholder="find_order" className="font-mono text-[13px]" onChange={(event) => change({ name: event.target.value })} />
      </Field>
      <Field label={t("description")} hint={t("descriptionHint")} error={faults.get("description")} aside={<span className="text-xs text-ink-faint tabular-nums">{`${draft.description.length}/${LONGEST}`}</span>}>
        <Textarea value={draft.description} rows={3} maxLength={LONGEST} placeholder={t("descriptionPlaceholder")} onChange={(event) => change({ description: event.target.value })} />
      </Field>
    </>
  );
}

/** When it may be called, and how long it may take. */
export function CallFields({ draft, faults, change, longest }: CommonProps & { longest: number }) {
  const t = useTranslations("tools.editor");
  return (
    <>
      <Check label={t("enabled")} hint={t("enabledHint")} checked={draft.enabled} onChange={(event) => change({ enabled: event.target.checked })} />
      <Check label={t("approval")} hint={t("approvalHint")} checked={draft.requires_approval} onChange={(event) => change({ requires_approval: event.target.checked })} />
      <div className="grid gap-4 sm:grid-cols-2">
        <NumberField label={t("timeout")} min={1} max={longest} value={draft.timeout_seconds} error={faults.get("timeout_seconds")} onChange={(timeout_seconds) => change({ timeout_seconds })} />
        {draft.requires_approval ? <NumberField label={t("approvalSeconds")} min={60} max={604_800} value={draft.approval_seconds} error={faults.get("approval_seconds")} onChange={(approval_seconds) => change({ approval_seconds })} /> : null}
      </div>
    </>
  );
}

interface NumberProps {
  label: string;
  hint?: string;
  value: number;
  min: number;
  max: number;
  error?: string | undefined;
  onChange: (value: number) => void;
}

export function NumberField({ label, hint, value, error, onChange, ...bounds }: NumberProps) {
  return (
    <Field label={label} hint={hint} error={error}>
      <Input type="number" inputMode="numeric" {...bounds} step="any" value={Number.isFinite(value) ? value : ""} className="tabular-nums" onChange={(event) => onChange(event.target.value === "" ? Number.NaN : Number(event.target.value))} />
    </Field>
  );
}

/** A number that a field was left without is what it is by default. */
export function finite(value: number, otherwise: number): number {
  return Number.isFinite(value) ? value : otherwise;
}
