"use client";

import { ArrowLeft, CircleStop, ListTree } from "lucide-react";
import { useTranslations } from "next-intl";
import { useEffect, useState } from "react";
import { toast } from "@/lib/toast";

import type { AgentTabProps } from "@/components/agents/agent-detail";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { ErrorState, useErrorText } from "@/components/ui/error-state";
import { EmptyState, Notice, Skeleton } from "@/components/ui/surface";
import { useFailureText } from "@/components/ui/failure-text";
import { api } from "@/lib/api";
import { useRefresh, useResource, type Answer } from "@/lib/data";
import { useMay } from "@/lib/me";

import { QueryLink } from "./query-link";
import { RunSummary } from "./run-summary";
import { StatusBadge } from "./run-state";
import { isLive, type Trace } from "./waterfall";
import { StepExplorer } from "./step-explorer";

const LIVE_EVERY = 1_000;
const WAITING_EVERY = 3_000;

// The same function always: with another one at each drawing SWR would begin to wait anew, and never ask. Nor would it ask
// again after a 0, so that there is none before it is known that the run is over.
const FRESH = {
  dedupingInterval: LIVE_EVERY / 2,
  refreshInterval: (latest: Answer<Trace> | undefined) => {
    if (latest && !isLive(latest.body.status)) return 0;
    return latest?.body.status === "waiting" ? WAITING_EVERY : LIVE_EVERY;
  },
};

/** A clock that goes on as long as something is under way. */
function useNow(live: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!live) return;
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [live]);
  return now;
}

/** One run: how it went, and every step of it on the time axis. */
export function RunDetail({ agent, id }: { agent: AgentTabProps["agent"]; id: string }) {
  const t = useTranslations("traces.run");
  const { data: trace, error, mutate } = useResource<Trace>(`/runs/${encodeURIComponent(id)}`, {}, FRESH);
  const live = trace ? isLive(trace.status) : false;
  const now = useNow(live);
  const may = useMay("run");
  return (
    <div className="flex flex-col gap-5">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <div className="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-1">
          <QueryLink values={{ run: null, step: null }} className="inline-flex items-center gap-1.5 rounded-sm text-[13px] text-ink-soft hover:text-ink">
            <ArrowLeft aria-hidden className="size-4" />
            {t("back")}
          </QueryLink>
          <h2 className="flex min-w-0 items-center text-[13px] text-ink-soft">
            <span className="sr-only">{t("title")} </span>
            <code className="truncate font-mono">{id}</code>
            <CopyButton text={id} label={t("copyId")} className="size-7" />
          </h2>
          <span role="status">{trace ? <StatusBadge status={trace.status} /> : null}</span>
        </div>
        {trace && live && may ? <CancelRun id={id} /> : null}
      </div>
      {error ? <ErrorState error={error} onRetry={() => void mutate()} /> : null}
      {trace ? <Opened trace={trace} agent={agent} now={now} /> : null}
      {!trace && !error ? (
        <>
          <Skeleton className="h-28 w-full rounded-xl" />
          <Skeleton className="h-80 w-full rounded-xl" />
        </>
      ) : null}
    </div>
  );
}

function Opened({ trace, agent, now }: { trace: Trace; agent: AgentTabProps["agent"]; now: number }) {
  const t = useTranslations("traces.run");
  const words = useFailureText();
  const waiting = trace.approvals.filter((one) => one.status === "waiting");
  return (
    <>
      {trace.error ? (
        <Notice tone="bad">
          <p>{words(trace.error)}</p>
          <p className="mt-0.5 font-mono text-xs">{trace.error.code}</p>
        </Notice>
      ) : null}
      {waiting.length ? (
        <Notice
          tone="warn"
          actions={
            <QueryLink values={{ tab: "playground", c: trace.conversation_id, run: null, step: null }} className="font-medium underline underline-offset-4">
              {t("decide")}
            </QueryLink>
          }
        >
          {t("waiting", { tools: waiting.map((one) => one.tool_name).join(", ") })}
        </Notice>
      ) : null}
      <RunSummary trace={trace} agent={agent} now={now} />
      {trace.steps.length ? (
        <StepExplorer trace={trace} now={now} />
      ) : (
        <EmptyState icon={<ListTree />} title={t("noSteps")}>
          {isLive(trace.status) ? t("noStepsYet") : t("noStepsHint")}
        </EmptyState>
      )}
    </>
  );
}

function CancelRun({ id }: { id: string }) {
  const t = useTranslations("traces.run");
  const text = useErrorText();
  const refresh = useRefresh();
  const [busy, setBusy] = useState(false);
  const cancel = async () => {
    setBusy(true);
    try {
      await api.POST("/api/v1/runs/{run_id}/cancel", { params: { path: { run_id: id } } });
      toast.success(t("cancelling"));
      await refresh("/runs", "/agents");
    } catch (error) {
      toast.error(text(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button kind="danger" size="sm" busy={busy} icon={<CircleStop aria-hidden />} onClick={() => void cancel()}>
      {t("cancel")}
    </Button>
  );
}
