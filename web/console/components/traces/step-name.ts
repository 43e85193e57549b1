"use client";

import { useTranslations } from "next-intl";
import { useCallback } from "react";

import type { TraceStep } from "./waterfall";

/** What a step is called: the model that was asked, or the tool that was called; with help around a call, which part of it it is. */
export function useStepName(): (step: TraceStep) => string {
  const t = useTranslations("traces.waterfall");
  return useCallback(
    (step) => {
      const name = step.kind === "tool" ? (step.tool_name ?? t("tool")) : (step.model ?? t("model"));
      return step.purpose ? t(`parts.${step.purpose}`, { name }) : name;
    },
    [t],
  );
}
