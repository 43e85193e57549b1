"use client";

import { Hourglass, RotateCcw } from "lucide-react";
import { useTranslations } from "next-intl";
import { memo } from "react";

import { Button } from "@/components/ui/button";
import { useFailureText } from "@/components/ui/failure-text";
import { isOver, type Answer, type Block } from "@melton/client";
import type { Schemas } from "@/lib/api";

import { AskedContext, useActions } from "./actions";
import { AnswerFoot } from "./answer-foot";
import { Markdown } from "./markdown";
import { Thinking } from "./thinking";
import { ToolCard } from "./tool-card";

interface Props {
  answer: Answer;
  run: Schemas["RunOut"] | undefined;
  /** What it answers, to ask it again. */
  asked: string | undefined;
}

/** An answer: text, thinking and calls in their order, and what it took. */
export const AnswerView = memo(function AnswerView({ answer, run, asked }: Props) {
  const t = useTranslations("playground.answer");
  const busy = !isOver(answer);
  if (answer.status === "queued") return <Queued runId={answer.runId} />;
  return (
    <article aria-label={t("label")} aria-busy={busy} data-status={answer.status} className="group flex min-w-0 flex-col gap-3">
      <AskedContext value={asked}>
        {answer.blocks.map((block, index) => (
          <BlockView key={nameOf(block, index)} block={block} runId={answer.runId} live={busy && index === answer.blocks.length - 1} />
        ))}
      </AskedContext>
      {answer.status === "completed" && answer.blocks.length === 0 ? <p className="text-[13px] text-ink-soft">{t("empty")}</p> : null}
      {busy ? <Working answer={answer} /> : null}
      {answer.status === "failed" ? <Failure answer={answer} run={run} asked={asked} /> : null}
      {busy ? null : <AnswerFoot answer={answer} run={run} asked={asked} />}
    </article>
  );
});

/** An answer whose turn has not come: other runs of the conversation are before it. */
export function Queued({ runId }: { runId: string }) {
  const t = useTranslations("playground.answer");
  const { cancel, may } = useActions();
  return (
    <article aria-label={t("label")} className="-mt-3 flex flex-wrap items-center justify-end gap-x-2 gap-y-1 text-[13px] text-ink-soft">
      <Hourglass aria-hidden className="size-4 text-ink-faint" />
      {t("queued")}
      {may ? (
        <Button size="sm" kind="ghost" onClick={() => cancel(runId)}>
          {t("withdraw")}
        </Button>
      ) : null}
    </article>
  );
}

function nameOf(block: Block, index: number): string {
  return block.type === "tool" ? block.id : `${block.type} ${index}`;
}

const BlockView = memo(function BlockView({ block, runId, live }: { block: Block; runId: string; live: boolean }) {
  if (block.type === "text") return <Markdown text={block.text} live={live} />;
  if (block.type === "thinking") return <Thinking text={block.text} active={live} />;
  return <ToolCard card={block} runId={runId} />;
});

/** Says that work goes on while nothing else does. */
function Working({ answer }: { answer: Answer }) {
  const t = useTranslations("playground.answer");
  const last = answer.blocks.at(-1);
  if (last?.type === "thinking" || (last?.type === "tool" && last.status !== "done" && last.status !== "failed")) return null;
  return (
    <p className="flex items-center gap-2 text-[13px] text-ink-faint">
      <span aria-hidden className="size-2 animate-pulse rounded-full bg-accent" />
      <span className={last?.type === "text" ? "sr-only" : undefined}>{last?.type === "text" ? t("writing") : t("working")}</span>
    </p>
  );
}

function Failure({ answer, run, asked }: Props) {
  const t = useTranslations("playground.answer");
  const words = useFailureText();
  const { again, may } = useActions();
  const detail = answer.error?.detail ?? run?.error?.detail ?? null;
  const code = answer.error?.code ?? run?.error?.code ?? null;
  return (
    <div role="alert" className="flex flex-wrap items-center justify-between gap-3 rounded-lg border border-bad/30 bg-bad-soft px-4 py-3 text-sm text-ink">
      <div className="min-w-0 flex-1 basis-56">
        <p>{words({ code, detail }) ?? t("failed")}</p>
        {code ? <code className="font-mono text-xs text-ink-soft">{code}</code> : null}
      </div>
      {asked === undefined || !may ? null : (
        <Button size="sm" icon={<RotateCcw aria-hidden />} onClick={() => again(asked)}>
          {t("retry")}
        </Button>
      )}
    </div>
  );
}
