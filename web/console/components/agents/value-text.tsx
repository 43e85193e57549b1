"use client";

import { useTranslations } from "next-intl";

import { useFormats } from "@/lib/format";

import type { BuiltinTool, Effort, Field, ModelRef, Status, Values } from "./values";

/** A value of a field, to be read. */
export function ValueText<F extends Field>({ field, value }: { field: F; value: Values[F] }) {
  const t = useTranslations("agents");
  const formats = useFormats();
  const faint = (words: string) => <span className="text-ink-faint italic">{words}</span>;
  if (value === null) return faint(t("values.none"));
  if (value === "") return faint(t("values.empty"));
  switch (field as Field) {
    case "status":
      return t(`status.${value as Status}`);
    case "model": {
      const { provider, model } = value as ModelRef;
      return (
        <>
          <span className="font-mono text-[13px] break-all">{model}</span> <span className="text-ink-faint">({t(`providers.${provider}`)})</span>
        </>
      );
    }
    case "reasoning_effort":
      return t(`efforts.${value as Effort}`);
    case "builtin_tools": {
      const names = value as readonly BuiltinTool[];
      return names.length ? names.map((name) => t(`builtins.${name}`)).join(", ") : faint(t("values.none"));
    }
    case "options":
      return <code className="block font-mono text-xs wrap-anywhere whitespace-pre-wrap">{JSON.stringify(value, null, 2)}</code>;
    case "max_tokens":
    case "temperature":
    case "top_p":
      return formats.number(value as number);
    default:
      return <span className="wrap-anywhere whitespace-pre-wrap">{value as string}</span>;
  }
}
