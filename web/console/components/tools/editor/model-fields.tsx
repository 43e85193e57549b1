"use client";

import { useTranslations } from "next-intl";
import { useId } from "react";

import { Field, Input, Select } from "@/components/ui/field";
import type { Schemas } from "@/lib/api";
import { useResource } from "@/lib/data";

import type { Faults } from "../lib/faults";
import { faultBelow } from "../lib/faults";

type Config = Schemas["LlmConfig"];
const PROVIDERS: readonly Config["provider"][] = ["anthropic", "openai", "google", "openai_compatible", "local", "scripted"];

interface Props {
  config: Config;
  /** Where it stands in the body. */
  place: string;
  faults: Faults;
  onChange: (config: Config) => void;
}

/** Provider and model. The catalogue proposes names; others can be written. */
export function ModelFields({ config, place, faults, onChange }: Props) {
  const t = useTranslations("tools.editor.model");
  const list = useId();
  const { data } = useResource<Schemas["ModelsOut"]>("/models");
  const offer = data?.providers.find(({ id }) => id === config.provider);
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("provider")} hint={offer?.configured === false ? t("noKey") : undefined} error={faults.get(`${place}.provider`)}>
          <Select value={config.provider} onChange={(event) => onChange({ ...config, provider: event.target.value as Config["provider"], model: "" })}>
            {PROVIDERS.map((provider) => (
              <option key={provider} value={provider}>
                {t(`providers.${provider}`)}
              </option>
            ))}
          </Select>
        </Field>
        <Field label={t("model")} error={faultBelow(faults, `${place}.model`)}>
          <Input value={config.model} list={list} spellCheck={false} placeholder={offer?.models[0]?.id ?? t("modelPlaceholder")} className="font-mono text-[13px]" onChange={(event) => onChange({ ...config, model: event.target.value })} />
        </Field>
      </div>
      <datalist id={list}>
        {offer?.models.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </datalist>
      {config.provider === "openai_compatible" ? (
        <Field label={t("baseUrl")} error={faults.get(`${place}.base_url`)}>
          <Input type="url" inputMode="url" value={config.base_url ?? ""} placeholder="https://models.example.com/v1" className="font-mono text-[13px]" onChange={(event) => onChange({ ...config, base_url: event.target.value || null })} />
        </Field>
      ) : null}
    </>
  );
}
