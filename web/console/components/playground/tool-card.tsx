"use client";

import { Ban, Check, ChevronRight, CircleAlert, CircleQuestionMark, Clock, Hand, LoaderCircle, SkipForward } from "lucide-react";
import { useTranslations } from "next-intl";
import dynamic from "next/dynamic";
import { memo, useEffect, useId, useState } from "react";

import { isBuiltin } from "@/components/tools/lib/names";
import { NAMED } from "@/components/tools/lib/view";
import { ButtonLink } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/surface";
import type { ToolBlock } from "@melton/client";
import { cn } from "@/lib/cn";
import { useFormats } from "@/lib/format";
import { guarded } from "@/components/ui/guarded";

import { useActions } from "./actions";
import { Approval } from "./approval";
import { JsonView } from "./json-view";
import { Markdown } from "./markdown";
import { outcomeOf, saidAlready, type Outcome } from "./model/entries";

// Credentials and their forms are rarely needed here.
const Reconnect = guarded(dynamic(() => import("./reconnect").then((module) => module.Reconnect), { ssr: false, loading: () => <Skeleton className="h-12 w-full" /> }));

const LOOKS: Record<Outcome, readonly [icon: typeof Check, tone: string]> = {
  running: [LoaderCircle, "text-accent-ink"],
  waiting: [Hand, "text-warn"],
  done: [Check, "text-good"],
  failed: [CircleAlert, "text-bad"],
  unknown: [CircleQuestionMark, "text-warn"],
  timeout: [Clock, "text-bad"],
  denied: [Ban, "text-bad"],
  expired: [Clock, "text-warn"],
  skipped: [SkipForward, "text-ink-faint"],
  cancelled: [SkipForward, "text-ink-faint"],
  invalid_arguments: [CircleAlert, "text-bad"],
  unknown_tool: [CircleAlert, "text-bad"],
};

const FAULTS: ReadonlySet<Outcome> = new Set<Outcome>(["failed", "unknown", "timeout", "invalid_arguments", "unknown_tool"]);

/** A call of a tool: what it is called with, what came of it, and what went on inside. */
export const ToolCard = memo(function ToolCard({ card, runId, inner = false }: { card: ToolBlock; runId: string; inner?: boolean }) {
  const t = useTranslations("playground.tool");
  const id = useId();
  const outcome = outcomeOf(card);
  const [chosen, setChosen] = useState<boolean | null>(null);
  const told = card.output !== "" || card.calls.length > 0;
  // What needs a person, and what goes wrong, is not to be overlooked.
  const open = chosen ?? (outcome === "waiting" || FAULTS.has(outcome) || (outcome === "running" && told));
  const [Icon, tone] = LOOKS[outcome];
  return (
    <div data-outcome={outcome} className={cn("min-w-0 rounded-xl border bg-surface", outcome === "waiting" ? "border-warn/50" : "border-line", !inner && "shadow-low")}>
      <button
        type="button"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setChosen(!open)}
        className="flex min-h-10 w-full items-center gap-2.5 rounded-xl px-3 py-1.5 text-left text-[13px] transition-colors hover:bg-hover/60 pointer-coarse:min-h-12"
      >
        <Icon aria-hidden className={cn("size-4 shrink-0", tone, outcome === "running" && "animate-spin")} />
        <span className="min-w-0 truncate font-mono text-ink">{card.name}</span>
        <span className={cn("shrink-0", FAULTS.has(outcome) || outcome === "denied" ? tone : "text-ink-soft")}>{t(`status.${outcome}`)}</span>
        <Latency card={card} />
        <ChevronRight aria-hidden className={cn("size-4 shrink-0 text-ink-faint transition-transform", open && "rotate-90")} />
      </button>
      {open ? (
        <div id={id} className="flex flex-col gap-3 border-t border-line px-3 pt-2 pb-3">
          {card.needsReconnect ? <Reconnect credentialId={card.needsReconnect} /> : null}
          {outcome === "waiting" ? <Approval card={card} runId={runId} /> : null}
          {outcome !== "waiting" && card.input !== null ? <JsonView title={t("input")} value={card.input} /> : null}
          {told ? <Inside card={card} runId={runId} /> : null}
          {card.error ? (
            <div>
              <span className="text-xs font-medium text-ink-faint">{t("error")}</span>
              <p className="mt-1 text-sm break-words whitespace-pre-wrap text-bad">{card.error}</p>
              {outcome === "failed" && !inner && !isBuiltin(card.name) ? <OpenTool name={card.name} /> : null}
            </div>
          ) : null}
          {card.status === "done" && !saidAlready(card) ? <JsonView title={t("result")} value={card.result} /> : null}
        </div>
      ) : null}
    </div>
  );
});

function OpenTool({ name }: { name: string }) {
  const t = useTranslations("playground.tool");
  const { agentId } = useActions();
  return (
    <ButtonLink size="sm" className="mt-2" href={{ pathname: "/agents/detail/", query: { id: agentId, tab: "tools", tool: `${NAMED}${name}` } }}>
      {t("open")}
    </ButtonLink>
  );
}

/** What an agent or a model said inside of the call, and what it called itself. */
function Inside({ card, runId }: { card: ToolBlock; runId: string }) {
  const t = useTranslations("playground.tool");
  return (
    <div className="flex flex-col gap-2 border-l-2 border-line pl-3">
      <span className="text-xs font-medium text-ink-faint">{t("inside")}</span>
      {card.calls.map((call) => (
        <ToolCard key={call.id} card={call} runId={runId} inner />
      ))}
      {card.output ? <Markdown text={card.output} live={card.status === "running"} /> : null}
    </div>
  );
}

/** How long it took; while it runs, how long so far. */
function Latency({ card }: { card: ToolBlock }) {
  const formats = useFormats();
  const [elapsed, setElapsed] = useState<number | null>(null);
  const runs = card.status === "running";
  useEffect(() => {
    if (!runs) return;
    const began = performance.now();
    const timer = setInterval(() => setElapsed(performance.now() - began), 100);
    return () => clearInterval(timer);
  }, [runs]);
  const shown = runs ? elapsed : card.durationMs;
  return <span className="ml-auto shrink-0 text-xs text-ink-faint tabular-nums">{shown === null ? "" : runs ? `${(shown / 1_000).toFixed(1)} s` : formats.duration(shown)}</span>;
}
