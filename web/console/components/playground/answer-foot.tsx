"use client";

import { RotateCcw, Waypoints } from "lucide-react";
import { useTranslations } from "next-intl";
import { Popover } from "radix-ui";

import { IconButton } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { Badge } from "@/components/ui/surface";
import { Link } from "@/i18n/navigation";
import type { Answer } from "@melton/client";
import type { Schemas } from "@/lib/api";
import { useFormats } from "@/lib/format";

import { useActions } from "./actions";

interface Props {
  answer: Answer;
  run: Schemas["RunOut"] | undefined;
  asked: string | undefined;
}

/** How it ended is told where it is not the usual end. */
const USUAL = new Set(["end_turn", "stop_sequence"]);
const TOLD = ["max_tokens", "content_filter", "refusal", "tool_use", "step_limit", "tool_call_limit", "repeated_call", "token_limit", "time_limit"] as const;
type Told = (typeof TOLD)[number];

const isTold = (reason: string): reason is Told => (TOLD as readonly string[]).includes(reason);

/** Under an answer: what it took and cost, its trace, and what can be done with it. */
export function AnswerFoot({ answer, run, asked }: Props) {
  const t = useTranslations("playground.foot");
  const { agentId, again, may } = useActions();
  const { stopReason } = answer;
  return (
    <footer className="-ml-1.5 flex min-h-7 flex-wrap items-center gap-x-1 gap-y-1 text-xs text-ink-faint">
      {answer.status === "cancelled" ? <Badge>{t("stopped")}</Badge> : null}
      {answer.status === "completed" && stopReason && !USUAL.has(stopReason) ? <Badge tone="warn">{isTold(stopReason) ? t(`reasons.${stopReason}`) : stopReason}</Badge> : null}
      {answer.text ? <CopyButton text={answer.text} label={t("copy")} className="size-7" /> : null}
      {may && asked !== undefined && answer.status !== "failed" ? (
        <IconButton label={t("again")} className="size-7" onClick={() => again(asked)}>
          <RotateCcw aria-hidden />
        </IconButton>
      ) : null}
      <Link
        href={`/agents/detail/?id=${encodeURIComponent(agentId)}&tab=traces&run=${encodeURIComponent(answer.runId)}`}
        aria-label={t("trace")}
        title={t("trace")}
        className="inline-flex size-7 items-center justify-center rounded-md text-ink-soft transition-colors hover:bg-hover hover:text-ink pointer-coarse:size-10"
      >
        <Waypoints aria-hidden className="size-4" />
      </Link>
      <Numbers answer={answer} run={run} />
    </footer>
  );
}

/** Time, tokens and money in one line; all of it when that is pressed. */
function Numbers({ answer, run }: { answer: Answer; run: Schemas["RunOut"] | undefined }) {
  const t = useTranslations("playground.foot");
  const formats = useFormats();
  const usage = answer.usage ?? run?.usage ?? null;
  const cost = answer.cost ?? run?.cost ?? null;
  const money = cost?.amount_nanousd ?? null;
  const partly = money !== null && (cost?.unpriced_steps ?? 0) > 0;
  const price = money === null ? t("unknownPrice") : partly ? t("atLeast", { amount: formats.money(money) }) : formats.money(money);
  const line = [
    run?.duration_ms === undefined || run.duration_ms === null ? null : formats.duration(run.duration_ms),
    usage ? t("tokens", { count: (usage.input_tokens ?? 0) + (usage.output_tokens ?? 0) }) : null,
    usage ? price : null,
  ].filter(Boolean);
  if (line.length === 0) return null;
  const rows: readonly (readonly [string, string])[] = [
    [t("duration"), formats.duration(run?.duration_ms)],
    [t("firstToken"), formats.duration(run?.first_token_ms)],
    ...(usage
      ? ([
          [t("input"), formats.number(usage.input_tokens ?? 0)],
          [t("cacheRead"), formats.number(usage.cache_read_tokens ?? 0)],
          [t("cacheWrite"), formats.number(usage.cache_write_tokens ?? 0)],
          [t("output"), formats.number(usage.output_tokens ?? 0)],
          [t("reasoning"), formats.number(usage.reasoning_tokens ?? 0)],
        ] as const)
      : []),
    [t("cost"), price],
    ...(run ? ([[t("version"), formats.number(run.version)]] as const) : []),
  ];
  return (
    <Popover.Root>
      <Popover.Trigger className="rounded-md px-1.5 py-1 tabular-nums transition-colors hover:bg-hover hover:text-ink pointer-coarse:py-2.5" title={t("details")}>
        {line.join(" · ")}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content align="start" side="top" sideOffset={4} collisionPadding={8} aria-label={t("details")} className="z-50 w-80 max-w-[calc(100vw-1rem)] animate-rise rounded-xl border border-line bg-surface p-3.5 shadow-high outline-none">
          {run ? <p className="mb-2 text-xs text-ink-faint">{t("time", { time: formats.exact(run.created_at) })}</p> : null}
          <dl className="grid grid-cols-[1fr_auto] gap-x-4 gap-y-1.5 text-[13px]">
            {rows.map(([name, value]) => (
              <div key={name} className="contents">
                <dt className="text-ink-soft">{name}</dt>
                <dd className="text-right text-ink tabular-nums">{value}</dd>
              </div>
            ))}
          </dl>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
