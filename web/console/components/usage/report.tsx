"use client";

import { ChartColumn } from "lucide-react";
import { useTranslations } from "next-intl";
import type { ReactNode } from "react";

import { ErrorState } from "@/components/ui/error-state";
import { EmptyState, Skeleton } from "@/components/ui/surface";
import type { Schemas } from "@/lib/api";
import { useResource } from "@/lib/data";

import { ByAgent, ByModel, ByTool } from "./breakdowns";
import { Charts } from "./charts";
import type { Range } from "./ranges";
import { Tiles, TilesSkeleton } from "./tiles";

interface Props {
  range: Range;
  agentId?: string;
  /** What stands below it: only once it has its height, so that nothing is pushed away. */
  children: ReactNode;
}

/** What was used in a time: of one agent, or of all. */
export function Report({ range, agentId, children }: Props) {
  const t = useTranslations("traces.report");
  const { data, error, mutate } = useResource<Schemas["UsageReportOut"]>(
    "/usage",
    { from: range.from, to: range.to, agent_id: agentId, group_by: "day" },
    { refreshInterval: 60_000 },
  );
  if (error && !data) {
    return (
      <>
        <ErrorState error={error} onRetry={() => void mutate()} />
        {children}
      </>
    );
  }
  if (!data) {
    return (
      <>
        <TilesSkeleton />
        <Skeleton className="h-70 w-full rounded-xl" />
      </>
    );
  }
  if (data.total.runs + (data.total.tests ?? 0) === 0) {
    return (
      <>
        <EmptyState icon={<ChartColumn />} title={t("empty")}>
          {t("emptyHint")}
        </EmptyState>
        {children}
      </>
    );
  }
  return (
    <>
      <Tiles total={data.total} />
      <Charts report={data} />
      {agentId ? null : <ByAgent range={range} />}
      <ByModel range={range} agentId={agentId} />
      <ByTool range={range} agentId={agentId} />
      <p className="text-[13px] text-ink-faint">{t("note")}</p>
      {children}
    </>
  );
}
