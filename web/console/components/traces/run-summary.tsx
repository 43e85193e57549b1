"use client";

import { useTranslations } from "next-intl";

import type { AgentTabProps } from "@/components/agents/agent-detail";
import { Card } from "@/components/ui/surface";
import { Link } from "@/i18n/navigation";
import { useFormats } from "@/lib/format";

import { Fact, Facts } from "./facts";
import { PriceSource } from "./price-source";
import { QueryLink } from "./query-link";
import { Money } from "./run-state";
import { TokenList } from "./token-list";
import { flat, isLive, type Trace } from "./waterfall";

const LINK = "rounded-sm underline decoration-line-strong underline-offset-4 hover:decoration-ink";

/** What can be said of a run as a whole. */
export function RunSummary({ trace, agent, now }: { trace: Trace; agent: AgentTabProps["agent"]; now: number }) {
  const t = useTranslations("traces.summary");
  const steps = flat(trace.steps);
  const models = [...new Set(steps.filter((step) => step.kind === "model" && step.model).map((step) => step.model as string))];
  const going = trace.status === "running" && trace.started_at ? now - Date.parse(trace.started_at) : null;
  const formats = useFormats();
  return (
    <Card className="p-5">
      <Facts>
        <Fact name={t("duration")}>{formats.duration(trace.duration_ms ?? going)}</Fact>
        <Fact name={t("firstToken")}>{formats.duration(trace.first_token_ms)}</Fact>
        <Fact name={t("tokens")}>
          <TokenList usage={trace.usage} />
        </Fact>
        <Fact name={t("cost")} hint={<CostHint trace={trace} />}>
          <Money cost={trace.cost} />
        </Fact>
        <Fact name={t("started")}>{trace.started_at ? formats.exact(trace.started_at) : t("notYet")}</Fact>
        <Fact name={t("model")}>{models.length ? models.join(", ") : agent.model_config.model}</Fact>
        <Fact name={t("version")}>
          <QueryLink values={{ tab: "versions", version: String(trace.version), run: null, step: null }} className={LINK}>
            {t("versionNumber", { version: trace.version })}
          </QueryLink>
          {trace.version >= agent.version ? null : <span className="text-ink-faint"> {t("older", { version: agent.version })}</span>}
        </Fact>
        <Fact name={t("conversation")}>
          <QueryLink values={{ tab: "playground", c: trace.conversation_id, run: null, step: null }} className={LINK}>
            {t("openConversation")}
          </QueryLink>
        </Fact>
        {trace.stop_reason && trace.stop_reason !== "end_turn" ? (
          <Fact name={t("stopReason")}>
            <code className="font-mono text-[13px]">{trace.stop_reason}</code>
          </Fact>
        ) : null}
        <Fact name={t("by")}>
          <span className="break-all">{trace.created_by}</span>
        </Fact>
      </Facts>
    </Card>
  );
}

function CostHint({ trace }: { trace: Trace }) {
  const t = useTranslations("traces.cost");
  const unpriced = trace.cost?.unpriced_steps ?? 0;
  const prices = flat(trace.steps).flatMap((step) => (step.price ? [step.price] : []));
  const sources = [...new Map(prices.map((price) => [`${price.source} ${price.since ?? ""}`, price])).values()];
  if (isLive(trace.status) && !sources.length) return null;
  return (
    <>
      {sources.slice(0, 3).map((price) => (
        <div key={`${price.source} ${price.since ?? ""}`}>
          <PriceSource price={price} />
        </div>
      ))}
      {unpriced ? (
        <div className="text-warn">
          {t("unpricedSteps", { count: unpriced })}{" "}
          <Link href="/settings/?tab=prices" className="underline underline-offset-2">
            {t("setPrices")}
          </Link>
        </div>
      ) : null}
    </>
  );
}
