"use client";

import { useLocale, useTranslations } from "next-intl";

import { ErrorState } from "@/components/ui/error-state";
import { useCodeWords } from "@/components/ui/failure-text";
import { Notice, Skeleton } from "@/components/ui/surface";
import { routing } from "@/i18n/routing";
import type { Schemas } from "@/lib/api";
import { useResource } from "@/lib/data";

import { ApprovalNote } from "./approval-note";
import { JsonView } from "./json-view";
import { StatusBadge } from "./run-state";
import { StepFacts } from "./step-facts";
import { useStepName } from "./step-name";
import { StepParts } from "./step-parts";
import { isLive, reasonOf, type Trace, type TraceStep } from "./waterfall";

type WholeStep = Schemas["StepOut"];

const LIVE_EVERY = 1_500;

/** Everything that is known of a step: at once what the run tells, then what was stored of it. */
export function StepDetail({ trace, step, now, headless = false }: { trace: Trace; step: TraceStep; now: number; headless?: boolean }) {
  const nameOf = useStepName();
  const { data: whole, error, isLoading, mutate } = useResource<WholeStep>(`/runs/${trace.id}/steps/${step.number}`, {}, {
    refreshInterval: isLive(step.status) ? LIVE_EVERY : 0,
    revalidateOnFocus: false,
  });
  const approval = step.parent === null ? trace.approvals.find((one) => one.tool_use_id === step.tool_use_id) : undefined;
  const failure = whole?.error ?? step.error;
  const reason = reasonOf(step);
  const meaning = useCodeWords();
  const english = useLocale() === routing.defaultLocale;
  return (
    <div className="flex flex-col gap-4 p-5">
      {headless ? null : (
        <header className="flex items-start justify-between gap-3">
          <h3 className="min-w-0 text-[15px] font-semibold break-words text-ink">{nameOf(step)}</h3>
          <StatusBadge status={step.status} />
        </header>
      )}
      <StepFacts trace={trace} step={step} whole={whole} now={now} />
      {failure || reason ? (
        <Notice tone="bad">
          {failure && english ? null : <p>{meaning(reason)}</p>}
          {reason ? <p className="font-mono text-xs">{reason}</p> : null}
          {failure ? <p className="mt-0.5 break-words whitespace-pre-wrap">{failure}</p> : null}
        </Notice>
      ) : null}
      {approval ? <ApprovalNote approval={approval} /> : null}
      {step.kind === "tool" ? <ToolContent step={step} whole={whole} /> : <ModelContent step={step} whole={whole} />}
      {isLoading && !whole ? <Skeleton className="h-24 w-full" /> : null}
      {error && error.status !== 404 ? <ErrorState error={error} onRetry={() => void mutate()} /> : null}
    </div>
  );
}

function ToolContent({ step, whole }: { step: TraceStep; whole: WholeStep | undefined }) {
  const t = useTranslations("traces.step");
  const input = whole?.input ?? step.input;
  const result = whole?.result ?? step.result;
  return (
    <>
      {input ? <JsonView label={t("arguments")} value={input} /> : null}
      {result ? <JsonView label={t("result")} value={result} /> : null}
      {whole?.request ? <JsonView label={t("request")} value={whole.request} /> : null}
      {whole?.response ? <JsonView label={t("response")} value={whole.response} /> : null}
      {whole?.whole ? <JsonView label={t("whole")} value={whole.whole} /> : null}
    </>
  );
}

function ModelContent({ step, whole }: { step: TraceStep; whole: WholeStep | undefined }) {
  const t = useTranslations("traces.step");
  if (whole?.parts?.length) return <StepParts parts={whole.parts} />;
  if (step.text) return <JsonView label={t("text")} value={step.text} />;
  return whole ? <p className="text-[13px] text-ink-faint">{t("saidNothing")}</p> : null;
}
