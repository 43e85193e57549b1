"use client";

import { Bot, ChevronRight, Sparkles, WandSparkles, Wrench } from "lucide-react";
import { useTranslations } from "next-intl";
import { memo } from "react";

import { cn } from "@/lib/cn";
import { useFormats } from "@/lib/format";

import { BAR, INK } from "./colours";
import { useStepName } from "./step-name";
import { reasonOf, type Line } from "./waterfall";

const ICONS = { model: Sparkles, tool: Wrench, agent: Bot, helper: WandSparkles };
const BAD = new Set(["failed", "unknown"]);

interface Props {
  id: string;
  line: Line;
  left: number;
  right: number;
  chosen: boolean;
  tabbable: boolean;
  onChoose: (number: number) => void;
  onToggle: (number: number, open: boolean) => void;
}

/** One step: its name, its bar on the axis, how long it took. Drawn anew only when something of it changes. */
export const StepRow = memo(function StepRow({ id, line, left, right, chosen, tabbable, onChoose, onToggle }: Props) {
  const t = useTranslations("traces.waterfall");
  const formats = useFormats();
  const nameOf = useStepName();
  const { step, kind, depth, open } = line;
  const Icon = ICONS[kind];
  const nested = step.steps.length > 0;
  const bad = BAD.has(step.status);
  const waiting = step.status === "waiting";
  const duration = waiting ? t("waits") : formats.duration(line.live ? line.end - line.start : step.duration_ms);
  const more = [t(`kinds.${kind}`), bad ? (reasonOf(step) ?? t("failed")) : ""].filter(Boolean).join(", ");
  return (
    <div
      id={id}
      data-step={step.number}
      role="treeitem"
      aria-level={depth + 1}
      aria-posinset={line.position}
      aria-setsize={line.siblings}
      aria-selected={chosen}
      aria-expanded={nested ? open : undefined}
      tabIndex={tabbable ? 0 : -1}
      onClick={() => onChoose(step.number)}
      className={cn(
        "grid cursor-pointer grid-cols-[minmax(0,1fr)_4.75rem] items-center text-[13px] [contain-intrinsic-size:auto_2.25rem] [content-visibility:auto] focus-visible:-outline-offset-2 max-sm:pb-1.5 sm:h-9 sm:grid-cols-[minmax(0,2fr)_minmax(0,3fr)_4.75rem]",
        chosen ? "bg-accent-soft" : "hover:bg-hover",
      )}
    >
      <span className="flex h-9 min-w-0 items-center gap-1.5 pr-3" style={{ paddingLeft: `${0.5 + depth * 1}rem` }}>
        <span
          aria-hidden
          onClick={(event) => {
            if (!nested) return;
            event.stopPropagation();
            onToggle(step.number, !open);
          }}
          className={cn("flex size-5 shrink-0 items-center justify-center rounded text-ink-faint", nested && "hover:bg-line hover:text-ink")}
        >
          {nested ? <ChevronRight className={cn("size-3.5 transition-transform", open && "rotate-90")} /> : null}
        </span>
        <Icon aria-hidden className={cn("size-3.5 shrink-0", bad ? "text-bad" : INK[kind])} />
        <span className={cn("truncate", bad ? "text-bad" : "text-ink", step.kind === "tool" && "font-mono text-xs")} title={nameOf(step)}>
          {nameOf(step)}
        </span>
        <span className="sr-only">, {more}, </span>
      </span>
      <span aria-hidden className="relative h-4 max-sm:order-3 max-sm:col-span-2 max-sm:mx-4 max-sm:h-2">
        <Bar line={line} left={left} right={right} colour={bad ? "bg-bad" : BAR[kind]} />
      </span>
      <span className={cn("pr-4 text-right text-xs whitespace-nowrap tabular-nums max-sm:order-2", waiting ? "text-warn" : "text-ink-soft")}>{duration}</span>
    </div>
  );
});

/** The time of a step; of a model paler up to its first token. */
function Bar({ line, left, right, colour }: { line: Line; left: number; right: number; colour: string }) {
  const { step, live } = line;
  const first = step.kind === "model" && step.first_token_ms && step.duration_ms ? Math.min(1, step.first_token_ms / step.duration_ms) : 0;
  const hatched = step.status === "waiting";
  return (
    <span
      className={cn(
        "absolute inset-y-0.5 min-w-1 overflow-hidden rounded-sm max-sm:inset-y-0",
        hatched ? "bg-[repeating-linear-gradient(135deg,var(--warn)_0_2px,transparent_2px_6px)]" : line.open ? "opacity-45" : "",
        hatched ? "" : colour,
        live && !hatched && "animate-pulse",
      )}
      style={{ left: `min(${left * 100}%, calc(100% - 4px))`, width: `${Math.max(0, right - left) * 100}%` }}
    >
      {first ? <span className="absolute inset-y-0 left-0 bg-surface/40" style={{ width: `${first * 100}%` }} /> : null}
    </span>
  );
}
