"use client";

import { useTranslations } from "next-intl";

import type { AgentTabProps } from "@/components/agents/agent-detail";
import { PageBody } from "@/components/shell/page-header";
import { ErrorState } from "@/components/ui/error-state";
import { useQuery } from "@/lib/address";
import type { Schemas } from "@/lib/api";
import { cn } from "@/lib/cn";
import { usePages, useResource } from "@/lib/data";

import { agentPath } from "./use-agents";
import { VersionCompare, CompareSkeleton } from "./version-compare";
import { VersionList } from "./version-list";

type Version = Schemas["AgentVersionOut"];

/** All versions, and what became of the agent between two of them: `?version=` and `?against=current`. */
export function VersionsTab({ agent, etag }: AgentTabProps) {
  const t = useTranslations("agents.versions");
  const [search, change] = useQuery();
  const list = usePages<Version>(`${agentPath(agent.id)}/versions`);
  const given = Number(search.get("version"));
  const picked = Number.isInteger(given) && given > 0 ? given : null;
  const number = picked ?? agent.version;
  const current = search.get("against") === "current" && number !== agent.version;

  const loaded = (wanted: number) => list.items?.find((one) => one.version === wanted);
  const other = current ? agent.version : number - 1;
  const path = (wanted: number) => (wanted < 1 || loaded(wanted) || !list.items ? null : `${agentPath(agent.id)}/versions/${wanted}`);
  const one = useResource<Version>(path(number));
  const two = useResource<Version>(path(other));
  const version = loaded(number) ?? (one.data?.version === number ? one.data : undefined);
  const against = loaded(other) ?? (two.data?.version === other ? two.data : undefined);
  const error = list.error ?? (version ? null : one.error) ?? (against ? null : two.error);
  const retry = () => void Promise.all([list.mutate(), one.mutate(), two.mutate()]);

  return (
    <PageBody className="grid items-start gap-x-8 gap-y-6 lg:grid-cols-[19rem_minmax(0,1fr)]">
      <div className={cn("min-w-0 lg:sticky lg:top-6", picked && "hidden lg:block")}>
        <h2 className="text-[15px] font-semibold text-ink">{t("title")}</h2>
        <p className="mt-0.5 mb-4 text-[13px] text-ink-soft">{t("hint")}</p>
        <VersionList list={list} shown={number} current={agent.version} onPick={(version) => change({ version: String(version) })} />
      </div>
      <div className={cn("min-w-0", !picked && "hidden lg:block")}>
        {error ? (
          <ErrorState error={error} onRetry={retry} />
        ) : version && (other < 1 || against) ? (
          <VersionCompare agent={agent} etag={etag} version={version} against={against ?? null} current={current} onAgainst={(now) => change({ against: now ? "current" : null, version: String(number) })} onBack={() => change({ version: null, against: null })} />
        ) : (
          <CompareSkeleton />
        )}
      </div>
    </PageBody>
  );
}
