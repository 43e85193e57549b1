"use client";

import { useTranslations } from "next-intl";
import { useState } from "react";

import type { AgentTabProps } from "@/components/agents/agent-detail";
import { PageBody } from "@/components/shell/page-header";
import { useQuery } from "@/lib/address";

import { AgentBudgets } from "./budgets";
import { RangePicker } from "./range-picker";
import { dayOf, rangeOf } from "./ranges";
import { Report } from "./report";

/** What one agent used, and may use. */
export function UsageTab({ agent }: AgentTabProps) {
  const t = useTranslations("traces.report");
  const [search] = useQuery();
  const [now] = useState(() => Date.now());
  const range = rangeOf(search, now);
  return (
    <PageBody className="flex flex-col gap-6">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <h2 className="text-[15px] font-semibold text-ink">{t("title")}</h2>
        <RangePicker range={range} today={dayOf(now)} />
      </div>
      <Report range={range} agentId={agent.id}>
        <AgentBudgets agentId={agent.id} />
      </Report>
    </PageBody>
  );
}
