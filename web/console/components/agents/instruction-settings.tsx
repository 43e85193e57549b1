"use client";

import { ChevronRight } from "lucide-react";
import { useTranslations } from "next-intl";
import { useState } from "react";

import { CodeEditor } from "@/components/ui/code-editor";
import { Check, Field, Textarea } from "@/components/ui/field";
import { Card, Notice, Section } from "@/components/ui/surface";
import { useFormats } from "@/lib/format";

import type { SettingsForm } from "./agent-settings";
import { PROMPT_LIMIT } from "./draft";
import { FieldError } from "./field-error";
import { findModel, useModels } from "./use-models";
import { BUILTIN_TOOLS, type BuiltinTool } from "./values";

/** The system prompt, in a place that grows with it. */
export function InstructionSettings({ form: { draft, set, errors } }: { form: SettingsForm }) {
  const t = useTranslations("agents");
  const formats = useFormats();
  const count = draft.system_prompt.length;
  return (
    <Section
      title={t("settings.instructions")}
      hint={t("settings.instructionsHint")}
      actions={
        <span className={count > PROMPT_LIMIT ? "self-end text-xs text-bad tabular-nums" : "self-end text-xs text-ink-faint tabular-nums"}>
          {t("settings.characters", { count: formats.number(count), limit: formats.number(PROMPT_LIMIT) })}
        </span>
      }
    >
      <Textarea
        name="system_prompt"
        aria-label={t("fields.system_prompt")}
        aria-invalid={errors.system_prompt ? true : undefined}
        aria-describedby="agent-instructions-error"
        value={draft.system_prompt}
        placeholder={t("settings.instructionsPlaceholder")}
        onChange={(event) => set({ system_prompt: event.target.value })}
        className="field-sizing-content max-h-[70vh] min-h-64 px-4 py-3 text-[15px] leading-7 sm:min-h-96"
      />
      <FieldError id="agent-instructions-error">{errors.system_prompt}</FieldError>
    </Section>
  );
}

export function BuiltinSettings({ form: { draft, set, errors } }: { form: SettingsForm }) {
  const t = useTranslations("agents");
  const { providers } = useModels();
  const model = findModel(providers, draft.model);
  const toggle = (name: BuiltinTool, on: boolean) => set({ builtin_tools: BUILTIN_TOOLS.filter((one) => (one === name ? on : draft.builtin_tools.includes(one))) });
  return (
    <Section title={t("settings.builtinTitle")} hint={t("settings.builtinHint")}>
      <Card className="flex flex-col gap-4 p-5">
        {model && !model.capabilities.tools ? <Notice tone="warn">{t("settings.noTools", { model: model.name })}</Notice> : null}
        {BUILTIN_TOOLS.map((name) => (
          <Check
            key={name}
            label={t(`builtins.${name}`)}
            hint={t(`builtinHints.${name}`)}
            checked={draft.builtin_tools.includes(name)}
            onChange={(event) => toggle(name, event.target.checked)}
          />
        ))}
        <FieldError>{errors.builtin_tools}</FieldError>
      </Card>
    </Section>
  );
}

/** What hardly anybody needs, folded until it is used. */
export function AdvancedSettings({ form: { draft, set, errors } }: { form: SettingsForm }) {
  const t = useTranslations("agents");
  const [opened, setOpened] = useState(false);
  const open = opened || Boolean(errors.options);
  return (
    <section>
      <button type="button" aria-expanded={open} aria-controls="agent-options" onClick={() => setOpened(!open)} className="flex items-center gap-1.5 rounded text-[15px] font-semibold text-ink">
        <ChevronRight aria-hidden className={open ? "size-4 rotate-90 transition-transform" : "size-4 transition-transform"} />
        {t("settings.advanced")}
        {draft.options.trim() ? <span className="size-1.5 rounded-full bg-accent" aria-hidden /> : null}
      </button>
      <div id="agent-options" className="mt-3">
        {open ? (
          <Field label={<span className="sr-only">{t("fields.options")}</span>} hint={t("settings.optionsHint")} error={errors.options}>
            <CodeEditor label={t("fields.options")} value={draft.options} minHeight="7rem" onChange={(options) => set({ options })} />
          </Field>
        ) : null}
      </div>
    </section>
  );
}
