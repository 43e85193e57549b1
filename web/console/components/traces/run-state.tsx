"use client";

import { useTranslations } from "next-intl";

import { Badge, type Tone } from "@/components/ui/surface";
import type { Schemas } from "@/lib/api";
import { useFormats } from "@/lib/format";

export type RunStatus = Schemas["RunOut"]["status"];

export const RUN_STATUSES: readonly RunStatus[] = ["queued", "running", "waiting", "completed", "failed", "cancelled"];

const TONES: Record<string, Tone> = {
  queued: "neutral",
  reserved: "neutral",
  running: "info",
  waiting: "warn",
  completed: "good",
  succeeded: "good",
  failed: "bad",
  unknown: "warn",
  cancelled: "neutral",
};

const KNOWN = ["queued", "running", "waiting", "completed", "failed", "cancelled", "reserved", "succeeded", "unknown"] as const;

/** How a run, or a step, stands. */
export function StatusBadge({ status }: { status: string }) {
  const t = useTranslations("traces.status");
  const known = KNOWN.find((one) => one === status);
  return (
    <Badge tone={TONES[status] ?? "neutral"} dot>
      {known ? t(known) : status}
    </Badge>
  );
}

/** An amount of money; what has no known price is said to have none, and never shown as 0. */
export function Money({ cost }: { cost: Schemas["Cost"] | null | undefined }) {
  const t = useTranslations("traces.cost");
  const formats = useFormats();
  if (!cost) return <span className="text-ink-faint">–</span>;
  const { amount_nanousd: amount = null, unpriced_steps: unpriced = 0 } = cost;
  const told = unpriced ? t("unpricedSteps", { count: unpriced }) : undefined;
  if (amount === null) {
    return (
      <span className="text-ink-soft" title={told}>
        {t(unpriced ? "unknown" : "none")}
      </span>
    );
  }
  return (
    <span title={told}>
      {formats.money(amount)}
      {unpriced ? <span className="text-warn"> + {t("unknownPart")}</span> : null}
    </span>
  );
}

/** Tokens in and out, short. */
export function Tokens({ usage }: { usage: Schemas["Usage"] | null | undefined }) {
  const t = useTranslations("traces.tokens");
  const formats = useFormats();
  if (!usage) return <span className="text-ink-faint">–</span>;
  const { input_tokens: input = 0, output_tokens: output = 0 } = usage;
  return (
    <span title={t("inOut", { input: formats.number(input), output: formats.number(output) })} className="whitespace-nowrap">
      {formats.compact(input)} <span className="text-ink-faint">→</span> {formats.compact(output)}
    </span>
  );
}
