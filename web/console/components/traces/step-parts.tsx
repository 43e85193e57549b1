"use client";

import { useTranslations } from "next-intl";

import { JsonView } from "./json-view";

type Part = Record<string, unknown>;

/** What a model said, thought and asked for in one step. */
export function StepParts({ parts }: { parts: readonly Part[] }) {
  const t = useTranslations("traces.step");
  const shown = parts.map((part) => {
    const text = typeof part.text === "string" ? part.text : null;
    if (part.type === "text") return text ? ([t("text"), text] as const) : null;
    if (part.type === "thinking") return text ? ([t("thinking"), text] as const) : null;
    if (part.type === "tool_call") return [t("call", { tool: String(part.name) }), part.invalid ?? part.input] as const;
    return [String(part.type), part] as const;
  });
  return shown.map((one, index) => (one ? <JsonView key={index} label={one[0]} value={one[1]} /> : null));
}
