"use client";

import { useTranslations } from "next-intl";

import { Check, Field, Textarea } from "@/components/ui/field";
import { Notice } from "@/components/ui/surface";
import type { Schemas } from "@/lib/api";

import { Disclosure } from "../disclosure";
import type { Faults } from "../lib/faults";
import { ModelFields } from "./model-fields";

interface Props {
  value: Schemas["Enhancement"] | null;
  /** Calls are approved by a person: what is approved is what is sent, so nothing is changed before it. */
  approved: boolean;
  faults: Faults;
  /** The agent's own model, which it begins with. */
  first: Schemas["LlmConfig"];
  onChange: (value: Schemas["Enhancement"] | null) => void;
}

/** A model, without what was set for the agent alone. */
export function modelOf({ provider, model, base_url }: Schemas["LlmConfig"]): Schemas["LlmConfig"] {
  return { provider, model, ...(base_url ? { base_url } : {}) };
}

const MOST = 8_000;

/** A model's help around a call: before it with the arguments, after it with the answer. */
export function EnhancementFields({ value, approved, faults, first, onChange }: Props) {
  const t = useTranslations("tools.editor.enhancement");
  const empty = value && !value.before?.trim() && !value.after?.trim();
  return (
    <Disclosure title={t("title")} open={Boolean(value)}>
      <Check
        label={t("use")}
        hint={t("useHint")}
        checked={Boolean(value)}
        onChange={(event) => onChange(event.target.checked ? { model_config: modelOf(first), before: "", after: "" } : null)}
      />
      {value ? (
        <>
          <ModelFields config={value.model_config} place="enhancement.model_config" faults={faults} onChange={(model_config) => onChange({ ...value, model_config })} />
          <Field label={t("before")} hint={approved ? t("beforeApproved") : t("beforeHint")} error={faults.get("enhancement.before")}>
            <Textarea value={value.before ?? ""} disabled={approved && !value.before} maxLength={MOST} onChange={(event) => onChange({ ...value, before: event.target.value })} />
          </Field>
          <Field label={t("after")} hint={t("afterHint")} error={faults.get("enhancement.after")}>
            <Textarea value={value.after ?? ""} maxLength={MOST} onChange={(event) => onChange({ ...value, after: event.target.value })} />
          </Field>
          {empty ? <Notice tone="warn">{t("empty")}</Notice> : null}
        </>
      ) : null}
    </Disclosure>
  );
}
