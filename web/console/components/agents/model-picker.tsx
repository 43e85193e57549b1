"use client";

import { ChevronsUpDown } from "lucide-react";
import { useTranslations } from "next-intl";
import dynamic from "next/dynamic";
import { useState } from "react";

import { useLock } from "@/components/ui/lock";
import { Badge, Notice } from "@/components/ui/surface";
import { guarded } from "@/components/ui/guarded";

import { FieldError } from "./field-error";
import { KeyHelp, usePriceWords } from "./model-facts";
import { findModel, useModels } from "./use-models";
import type { ModelRef } from "./values";

const ModelDialog = guarded(dynamic(() => import("./model-dialog").then((module) => module.ModelDialog), { ssr: false }));

interface Props {
  value: ModelRef | null;
  onChange: (model: ModelRef) => void;
  label: string;
  /** Says the label to screen readers only: where a heading says it already. */
  quiet?: boolean;
  error?: string | undefined;
}

/** The chosen model as a button that opens the catalogue; below it what is missing for the model to answer. */
export function ModelPicker({ value, onChange, label, quiet = false, error }: Props) {
  const t = useTranslations("agents");
  const models = useModels();
  const prices = usePriceWords();
  const locked = useLock();
  const [open, setOpen] = useState(false);
  const model = value && findModel(models.providers, value);
  const offer = value ? models.providers.find((one) => one.id === value.provider) : undefined;
  return (
    <div className="flex flex-col gap-2">
      {quiet ? null : (
        <span aria-hidden className="-mb-0.5 text-[13px] font-medium text-ink">
          {label}
        </span>
      )}
      <button
        type="button"
        data-invalid={error ? true : undefined}
        disabled={locked}
        aria-haspopup="dialog"
        aria-expanded={open}
        onClick={() => setOpen(true)}
        className="flex min-h-13 w-full items-center gap-3 rounded-lg border border-line-strong bg-surface px-3 py-2 text-left shadow-low transition-colors enabled:hover:border-ink-faint disabled:cursor-not-allowed disabled:bg-sunken data-invalid:border-bad"
      >
        <span className="min-w-0 flex-1">
          <span className="sr-only">{label}: </span>
          <span className="flex items-center gap-2">
            <span className="truncate font-medium text-ink">{value ? (model?.name ?? value.model) : t("model.choose")}</span>
            {offer?.usable === false ? <Badge tone="warn">{t(value?.provider === "local" ? "model.notRunning" : "model.noKey")}</Badge> : null}
          </span>
          {value ? (
            <span className="block truncate text-[13px] text-ink-faint">
              {t(`providers.${value.provider}`)}
              {models.isLoading ? "" : ` · ${prices(model)}`}
            </span>
          ) : null}
        </span>
        <ChevronsUpDown aria-hidden className="size-4 shrink-0 text-ink-faint" />
      </button>
      <FieldError>{error}</FieldError>
      {value && offer?.usable === false ? (
        <Notice tone="warn" className="text-[13px]">
          <KeyHelp provider={value.provider} offer={offer} />
        </Notice>
      ) : null}
      {value?.provider === "scripted" ? <p className="text-[13px] text-ink-faint">{t("model.scriptedNote")}</p> : null}
      {open ? <ModelDialog value={value} models={models} onChange={onChange} onClose={() => setOpen(false)} /> : null}
    </div>
  );
}
