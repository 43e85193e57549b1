"use client";

import { ChartSpline, File, Headset, Languages, Plug, Telescope, type LucideIcon } from "lucide-react";
import { useTranslations } from "next-intl";
import { useId } from "react";

import { cn } from "@/lib/cn";

import { TEMPLATES, type TemplateId } from "./templates";

const ICONS: Record<TemplateId, LucideIcon> = {
  blank: File,
  support: Headset,
  research: Telescope,
  analyst: ChartSpline,
  translator: Languages,
  operator: Plug,
};

const ALL: readonly TemplateId[] = ["blank", ...TEMPLATES.map((one) => one.id)];

/** One of the templates, as cards that are radio buttons. */
export function TemplateCards({ value, onChange }: { value: TemplateId; onChange: (template: TemplateId) => void }) {
  const t = useTranslations("agents");
  const name = useId();
  return (
    <fieldset>
      <legend className="mb-3 text-[15px] font-semibold text-ink">{t("new.template")}</legend>
      <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
        {ALL.map((id) => {
          const Icon = ICONS[id];
          return (
            <label
              key={id}
              className={cn(
                "relative flex cursor-pointer gap-3 rounded-xl border bg-surface p-4 shadow-low transition-colors has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent",
                id === value ? "border-accent ring-1 ring-accent" : "border-line hover:border-line-strong",
              )}
            >
              <input type="radio" name={name} value={id} checked={id === value} onChange={() => onChange(id)} className="sr-only" />
              <span aria-hidden className={cn("flex size-9 shrink-0 items-center justify-center rounded-lg", id === value ? "bg-accent-soft text-accent-ink" : "bg-hover text-ink-soft")}>
                <Icon className="size-4.5" />
              </span>
              <span className="min-w-0">
                <span className="block font-medium text-ink">{t(`templates.${id}.name`)}</span>
                <span className="block text-[13px] text-ink-soft">{t(`templates.${id}.description`)}</span>
              </span>
            </label>
          );
        })}
      </div>
    </fieldset>
  );
}
