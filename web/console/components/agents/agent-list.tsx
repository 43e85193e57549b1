"use client";

import { Bot, Plus, SearchX } from "lucide-react";
import { useTranslations } from "next-intl";
import { useEffect, useMemo, useState } from "react";

import { PageBody, PageHeader } from "@/components/shell/page-header";
import { Button, ButtonLink } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Card, EmptyState } from "@/components/ui/surface";
import { Locked } from "@/components/ui/locked";
import { useQuery } from "@/lib/address";
import type { Schemas } from "@/lib/api";
import { usePages, useResource, useRest } from "@/lib/data";
import { useMay } from "@/lib/me";

import { runsByAgent, type RunsOf } from "./activity";
import { AgentRow, COLUMNS, RowSkeletons } from "./agent-row";
import { ListFilters } from "./list-filters";
import { overlaid, useAgentActions } from "./use-agents";
import { STATUSES, type AgentOut } from "./values";

const NO_RUNS: RunsOf = { runs: 0, cost: null, last: null };

/** Whether an agent has all the words in its name or description. */
export function matches(agent: Pick<AgentOut, "name" | "description">, search: string): boolean {
  const text = `${agent.name}\n${agent.description}`.toLocaleLowerCase();
  return search.toLocaleLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** What is typed into the search. The address follows a moment later, so it is read only where one goes back or forward. */
function useSearch(given: string, change: ReturnType<typeof useQuery>[1]) {
  const [search, setSearch] = useState(given);
  useEffect(() => {
    const read = () => setSearch(new URLSearchParams(window.location.search).get("q") ?? "");
    window.addEventListener("popstate", read);
    return () => window.removeEventListener("popstate", read);
  }, []);
  const look = (words: string) => {
    setSearch(words);
    change({ q: words || null }, { replace: true });
  };
  return [search, look] as const;
}

/** What agents used, day by day; where that is too much for one answer, in all. */
function useUsage() {
  const quiet = { shouldRetryOnError: false };
  const daily = useResource<Schemas["UsageReportOut"]>("/usage", { group_by: "agent", per_day: true }, quiet);
  const whole = useResource<Schemas["UsageReportOut"]>(daily.error?.code === "validation_failed" ? "/usage" : null, { group_by: "agent" }, quiet);
  return [daily.data ?? whole.data, daily.error && (daily.error.code !== "validation_failed" || whole.error)] as const;
}

/** All agents; words in `?q=` and the status in `?status=`. */
export function AgentList() {
  const t = useTranslations("agents.list");
  const titles = useTranslations("common.titles");
  const actionWords = useTranslations("common.actions");
  const [query, change] = useQuery();
  const [search, look] = useSearch(query.get("q") ?? "", change);
  const status = STATUSES.find((one) => one === query.get("status")) ?? null;
  const pages = usePages<AgentOut>("/agents", { status });
  const { items, error, more, loadMore, loadingMore, isLoading, mutate } = pages;
  const [usage, usageError] = useUsage();
  const actions = useAgentActions(mutate);
  const may = useMay("edit");

  const searching = useRest(pages, search !== "");

  const runs = useMemo(() => runsByAgent(usage?.items ?? []), [usage]);
  const runsOf = (id: string) => (usage ? (runs.get(id) ?? NO_RUNS) : usageError ? null : undefined);
  const shown = useMemo(() => {
    const now = items?.flatMap((agent) => overlaid(agent, actions.overlay) ?? []);
    return now?.filter((agent) => (status === null || agent.status === status) && matches(agent, search));
  }, [actions.overlay, items, search, status]);

  const showAll = () => {
    look("");
    change({ status: null });
  };
  const filtered = search !== "" || status !== null;
  const create = may ? (
    <ButtonLink href="/agents/new/" kind="primary" icon={<Plus aria-hidden />}>
      {t("new")}
    </ButtonLink>
  ) : null;
  const empty = items?.length === 0 && !filtered && !isLoading;
  return (
    <>
      <PageHeader title={titles("agents")} hint={t("hint")} actions={create} />
      <PageBody className="flex flex-col gap-4">
        {error ? <ErrorState error={error} onRetry={() => void mutate()} /> : null}
        {empty ? (
          <EmptyState
            icon={<Bot />}
            title={t("emptyTitle")}
            actions={
              may ? (
                <ButtonLink href="/agents/new/" kind="primary" icon={<Plus aria-hidden />}>
                  {t("emptyAction")}
                </ButtonLink>
              ) : (
                <Locked need="edit" />
              )
            }
          >
            {t("emptyText")}
          </EmptyState>
        ) : error && !items ? null : (
          <>
            <ListFilters search={search} status={status} onSearch={look} onStatus={(one) => change({ status: one })} />
            <p role="status" className="sr-only">
              {shown ? (searching ? t("searching") : t(more ? "countMore" : "count", { count: shown.length })) : t("loading")}
            </p>
            {shown && shown.length === 0 && !searching && !isLoading ? (
              <EmptyState icon={<SearchX />} title={t("noneTitle")} actions={<Button onClick={showAll}>{t("noneAction")}</Button>}>
                {t("noneText")}
              </EmptyState>
            ) : (
              <Card className="overflow-hidden">
                <div aria-hidden className={`hidden border-b border-line bg-sunken px-4 py-2 text-xs font-medium text-ink-soft ${COLUMNS}`}>
                  {(["name", "status", "model", "runs", "activity"] as const).map((name) => (
                    <span key={name}>{t(`columns.${name}`)}</span>
                  ))}
                </div>
                <ul className="divide-y divide-line">
                  {shown?.map((agent) => <AgentRow key={agent.id} agent={agent} runs={runsOf(agent.id)} actions={actions} />)}
                  {!shown || searching ? <RowSkeletons count={shown ? 2 : 6} /> : null}
                </ul>
              </Card>
            )}
            {more && !searching ? (
              <Button className="self-center" busy={loadingMore} onClick={() => void loadMore()}>
                {actionWords("loadMore")}
              </Button>
            ) : null}
          </>
        )}
      </PageBody>
    </>
  );
}
