"use client";

import { useTranslations } from "next-intl";
import type { ReactNode } from "react";

import { Field, Input, Select } from "@/components/ui/field";
import { Card, Section } from "@/components/ui/surface";
import { useFormats } from "@/lib/format";

import type { SettingsForm } from "./agent-settings";
import { ModelFacts } from "./model-facts";
import { ModelPicker } from "./model-picker";
import { findModel, useModels } from "./use-models";
import { EFFORTS, type Effort, type ModelRef } from "./values";

type Parameter = "temperature" | "top_p" | "max_tokens";

/** The model, and what its API lets one set. What a model does not take is closed, and says why. */
export function ModelSettings({ form }: { form: SettingsForm }) {
  const t = useTranslations("agents");
  const formats = useFormats();
  const { providers, isLoading } = useModels();
  const { draft, base, set, errors } = form;
  const model = findModel(providers, draft.model);
  const name = model?.name ?? draft.model.model;
  const sampling = model?.capabilities.temperature ?? true;
  const thinking = model?.capabilities.thinking ?? true;
  const limit = model?.max_output_tokens ?? null;
  const tokens = Number(draft.max_tokens);

  const pick = (chosen: ModelRef) => {
    const was = chosen.provider === base.values.model.provider ? (base.values.base_url ?? "") : "";
    set({ model: chosen, ...(chosen.provider === draft.model.provider ? {} : { base_url: was }) });
  };
  /** Why it cannot be set, with a way to take out a value that is set all the same. */
  const closed = (value: string, clear: () => void): ReactNode =>
    value ? (
      <>
        {t("settings.notTakenSet", { model: name, value })}{" "}
        <button type="button" onClick={clear} className="rounded font-medium text-accent-ink underline underline-offset-2">
          {t("settings.clear")}
        </button>
      </>
    ) : (
      t("settings.notTaken", { model: name })
    );
  const input = (field: Parameter, hint: ReactNode, taken = true) => (
    <Field label={t(`fields.${field}`)} error={errors[field]} hint={taken ? hint : closed(draft[field], () => set({ [field]: "" }))}>
      <Input
        name={field}
        inputMode={field === "max_tokens" ? "numeric" : "decimal"}
        placeholder={taken ? t("settings.default") : ""}
        value={draft[field]}
        disabled={!taken}
        onChange={(event) => set({ [field]: event.target.value })}
      />
    </Field>
  );

  return (
    <Section title={t("settings.modelTitle")}>
      <Card className="flex flex-col gap-5 p-5">
        <ModelPicker quiet label={t("fields.model")} error={errors.model} value={draft.model} onChange={pick} />
        {isLoading ? null : <ModelFacts model={model} />}
        {draft.model.provider === "openai_compatible" || draft.base_url ? (
          <Field label={t("fields.base_url")} hint={t("new.baseUrlHint")} error={errors.base_url}>
            <Input name="base_url" type="url" inputMode="url" value={draft.base_url} maxLength={500} onChange={(event) => set({ base_url: event.target.value })} />
          </Field>
        ) : null}
        <div className="flex flex-col gap-5 border-t border-line pt-5">
          {input("temperature", t("settings.temperatureHint"), sampling)}
          {input("top_p", t("settings.topPHint"), sampling)}
          {input(
            "max_tokens",
            limit === null ? t("settings.maxTokensHint") : t(tokens > limit ? "settings.maxTokensBeyond" : "settings.maxTokensOf", { limit: formats.number(limit) }),
          )}
          <Field
            label={t("fields.reasoning_effort")}
            error={errors.reasoning_effort}
            hint={thinking ? t("settings.effortHint") : draft.reasoning_effort ? closed(t(`efforts.${draft.reasoning_effort}`), () => set({ reasoning_effort: null })) : t("settings.noThinking", { model: name })}
          >
            <Select name="reasoning_effort" value={draft.reasoning_effort ?? ""} disabled={!thinking} onChange={(event) => set({ reasoning_effort: (event.target.value || null) as Effort | null })}>
              <option value="">{t("efforts.default")}</option>
              {EFFORTS.map((one) => (
                <option key={one} value={one}>
                  {t(`efforts.${one}`)}
                </option>
              ))}
            </Select>
          </Field>
        </div>
      </Card>
    </Section>
  );
}
