"use client";

import { Activity, SearchX } from "lucide-react";
import { useTranslations } from "next-intl";
import { useState } from "react";

import type { AgentTabProps } from "@/components/agents/agent-detail";
import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { EmptyState, Skeleton } from "@/components/ui/surface";
import { useQuery } from "@/lib/address";
import type { Schemas } from "@/lib/api";
import { usePages, type Answer } from "@/lib/data";

import { filtersOf, queryOf } from "./filters";
import { QueryLink } from "./query-link";
import { RunFilters } from "./run-filters";
import { RunTable } from "./run-table";
import { isLive } from "./waterfall";

type Run = Schemas["RunOut"];

const OFTEN = 2_000;
const SELDOM = 15_000;

// The same function always, or each drawing would put the next look off.
const refreshInterval = (pages: readonly Answer<{ readonly items: readonly Run[] }>[] | undefined) =>
  pages?.[0]?.body.items.some((run) => isLive(run.status)) === false ? SELDOM : OFTEN;

/** The runs of an agent, newest first; kept up to date while one of them goes on. */
export function RunList({ agent }: { agent: AgentTabProps["agent"] }) {
  const t = useTranslations("traces.list");
  const [search] = useQuery();
  const [now] = useState(() => Date.now());
  const filters = filtersOf(search);
  const filtered = filters.status !== null || filters.error !== null || filters.span !== "all";
  const { items, error, more, loadMore, loadingMore, mutate } = usePages<Run>(`/agents/${agent.id}/runs`, queryOf(filters, now), {
    refreshInterval,
    keepPreviousData: false,
  });
  const empty = items?.length === 0;
  return (
    <div className="flex flex-col gap-5">
      {empty && !filtered ? null : <RunFilters filters={filters} />}
      {error ? <ErrorState error={error} onRetry={() => void mutate()} /> : null}
      {items && !empty ? <RunTable runs={items} /> : null}
      {empty && filtered ? (
        <EmptyState icon={<SearchX />} title={t("noneFits")}>
          {more ? t("lookFurther") : t("noneFitsHint")}
        </EmptyState>
      ) : null}
      {empty && !filtered ? (
        <EmptyState
          icon={<Activity />}
          title={t("empty")}
          actions={
            <QueryLink values={{ tab: "playground" }} className="font-medium text-accent-ink underline underline-offset-4">
              {t("toPlayground")}
            </QueryLink>
          }
        >
          {t("emptyHint")}
        </EmptyState>
      ) : null}
      {!items && !error ? <Skeleton className="h-96 w-full rounded-xl" /> : null}
      {more ? (
        <Button className="self-center" busy={loadingMore} onClick={() => void loadMore()}>
          {filters.status || filters.error ? t("searchOlder") : t("older")}
        </Button>
      ) : null}
    </div>
  );
}
