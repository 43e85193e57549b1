"use client";

import { CircleAlert, GitCompareArrows } from "lucide-react";
import { useTranslations } from "next-intl";

import { Button } from "@/components/ui/button";

import type { useSettings } from "./use-settings";

/** What is not saved, and the ways to end that. Ctrl+S saves from everywhere on the page. */
export function SaveBar({ form, onSave }: { form: ReturnType<typeof useSettings>; onSave: () => void }) {
  const t = useTranslations("agents.bar");
  const wrong = Object.keys(form.errors).length;
  const words = form.saving ? t("saving") : wrong ? t("problems", { count: wrong }) : t(form.restored ? "restored" : "unsaved", { count: form.fields.size });
  return (
    <div role="region" aria-label={t("label")} className="sticky bottom-0 z-20 animate-rise border-t border-line bg-surface/95 shadow-high backdrop-blur">
      <div className="mx-auto flex w-full max-w-304 flex-wrap items-center justify-between gap-x-4 gap-y-2 px-4 py-3 sm:px-8">
        {form.conflict && !form.saving ? (
          <p role="status" className="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-1 text-sm text-warn">
            <GitCompareArrows aria-hidden className="size-4" />
            {t("changedTitle")}
            <Button size="sm" onClick={form.conflict.compare}>
              {t("review")}
            </Button>
          </p>
        ) : (
          <p role="status" className={wrong ? "flex items-center gap-2 text-sm text-bad" : "flex items-center gap-2 text-sm text-ink-soft"}>
            {wrong ? <CircleAlert aria-hidden className="size-4" /> : <span aria-hidden className="size-2 rounded-full bg-warn" />}
            {words}
          </p>
        )}
        <div className="ml-auto flex gap-2">
          <Button onClick={form.discard} disabled={form.saving}>
            {t("discard")}
          </Button>
          <Button kind="primary" busy={form.saving} onClick={onSave}>
            {t("save")}
            <kbd aria-hidden className="hidden rounded border border-on-accent/30 px-1 font-sans text-[11px] opacity-80 sm:inline">
              {t("keys")}
            </kbd>
          </Button>
        </div>
      </div>
    </div>
  );
}
