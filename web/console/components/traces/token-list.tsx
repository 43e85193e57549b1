"use client";

import { useTranslations } from "next-intl";

import type { Schemas } from "@/lib/api";
import { useFormats } from "@/lib/format";

/** Tokens by kind. Those from a cache are part of the input, those of thinking part of the output. */
export function TokenList({ usage }: { usage: Schemas["Usage"] | null | undefined }) {
  const t = useTranslations("traces.tokens");
  const { number } = useFormats();
  if (!usage) return <>–</>;
  const kinds = [
    ["cacheRead", usage.cache_read_tokens],
    ["cacheWrite", usage.cache_write_tokens],
    ["reasoning", usage.reasoning_tokens],
  ] as const;
  const told = kinds.filter(([, count]) => count);
  return (
    <>
      {t("inOut", { input: number(usage.input_tokens ?? 0), output: number(usage.output_tokens ?? 0) })}
      {told.length ? <div className="text-xs text-ink-soft">{told.map(([kind, count]) => t(kind, { count: number(count ?? 0) })).join(" · ")}</div> : null}
    </>
  );
}
