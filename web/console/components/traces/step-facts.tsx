"use client";

import { useTranslations } from "next-intl";

import { QueryLink } from "./query-link";
import type { Schemas } from "@/lib/api";
import { useFormats } from "@/lib/format";

import { Fact } from "./facts";
import { PriceSource } from "./price-source";
import { Money } from "./run-state";
import { TokenList } from "./token-list";
import { kindOf, originOf, type Trace, type TraceStep } from "./waterfall";

interface Props {
  trace: Trace;
  step: TraceStep;
  whole: Schemas["StepOut"] | undefined;
  now: number;
}

/** Times, tokens, money, tries of one step. */
export function StepFacts({ trace, step, whole, now }: Props) {
  const t = useTranslations("traces.step");
  const kinds = useTranslations("traces.waterfall.kinds");
  const formats = useFormats();
  const start = Date.parse(step.started_at);
  const duration = step.status === "running" ? Math.max(0, now - start) : step.duration_ms;
  const attempts = whole?.attempts ?? null;
  return (
    <dl className="grid grid-cols-2 gap-x-5 gap-y-3">
      <Fact name={t("kind")} hint={step.kind === "model" ? step.provider : step.effect ? t(`effects.${step.effect}`) : null}>
        {kinds(kindOf(step))}
      </Fact>
      <Fact name={t("started")} hint={formats.exact(step.started_at)}>
        +{formats.duration(start - originOf(trace))}
      </Fact>
      <Fact name={t("duration")}>{step.status === "waiting" ? "–" : formats.duration(duration)}</Fact>
      {step.kind === "model" ? <Fact name={t("firstToken")}>{formats.duration(step.first_token_ms)}</Fact> : null}
      {step.kind === "model" ? (
        <>
          <Fact name={t("tokens")}>
            <TokenList usage={step.usage} />
          </Fact>
          <Fact name={t("cost")} hint={step.price ? <PriceSource price={step.price} /> : null}>
            <Money cost={step.cost} />
          </Fact>
          {step.answered_by && step.answered_by !== step.model ? <Fact name={t("answeredBy")}>{step.answered_by}</Fact> : null}
          {step.stop_reason ? (
            <Fact name={t("stopReason")}>
              <code className="font-mono text-xs">{step.stop_reason}</code>
            </Fact>
          ) : null}
        </>
      ) : null}
      {step.purpose ? <Fact name={t("purpose")}>{t(`purposes.${step.purpose}`)}</Fact> : null}
      {attempts !== null && attempts !== 1 ? <Fact name={t("attempts")}>{formats.number(attempts)}</Fact> : null}
      {step.retries ? <Fact name={t("retries")}>{t("retryCount", { count: step.retries })}</Fact> : null}
      {whole?.cached ? <Fact name={t("cache")}>{t("cached")}</Fact> : null}
      {step.agent_id ? (
        <Fact name={t("agent")}>
          <QueryLink values={{ id: step.agent_id, run: null, step: null, tab: null }} className="rounded-sm underline decoration-line-strong underline-offset-4">
            {t("agentVersion", { version: step.agent_version ?? "?" })}
          </QueryLink>
        </Fact>
      ) : null}
    </dl>
  );
}
