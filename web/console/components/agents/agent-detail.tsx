"use client";

import { SearchX } from "lucide-react";
import { useTranslations } from "next-intl";
import dynamic from "next/dynamic";
import { useEffect } from "react";

import { PageBody } from "@/components/shell/page-header";
import { ButtonLink } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { EmptyState, Skeleton } from "@/components/ui/surface";
import { TabPanel, Tabs } from "@/components/ui/tabs";
import { useQuery } from "@/lib/address";
import type { Schemas } from "@/lib/api";
import { useResource } from "@/lib/data";
import { ApiError } from "@/lib/errors";
import { guarded } from "@/components/ui/guarded";

import { AgentHeader, AgentHeaderSkeleton } from "./agent-header";
import { agentPath } from "./use-agents";

export interface AgentTabProps {
  agent: Schemas["AgentOut"];
  /** The revision that `agent` is of, to be given as `If-Match`. */
  etag: string | null;
}

const loading = () => <TabSkeleton />;
const PANELS = {
  playground: guarded(dynamic(() => import("@/components/playground/playground").then((module) => module.Playground), { ssr: false, loading })),
  settings: guarded(dynamic(() => import("@/components/agents/agent-settings").then((module) => module.AgentSettings), { ssr: false, loading })),
  tools: guarded(dynamic(() => import("@/components/tools/tools-tab").then((module) => module.ToolsTab), { ssr: false, loading })),
  credentials: guarded(dynamic(() => import("@/components/credentials/credentials-tab").then((module) => module.CredentialsTab), { ssr: false, loading })),
  versions: guarded(dynamic(() => import("@/components/agents/versions-tab").then((module) => module.VersionsTab), { ssr: false, loading })),
  traces: guarded(dynamic(() => import("@/components/traces/traces-tab").then((module) => module.TracesTab), { ssr: false, loading })),
  usage: guarded(dynamic(() => import("@/components/usage/usage-tab").then((module) => module.UsageTab), { ssr: false, loading })),
};

export type AgentTabName = keyof typeof PANELS;

const TABS = Object.keys(PANELS) as AgentTabName[];

/** One agent: `?id=` and the tab in `?tab=`. */
export function AgentDetail() {
  const t = useTranslations("agents.detail");
  const [search, change] = useQuery();
  const id = search.get("id");
  const { data, etag, error, mutate } = useResource<Schemas["AgentOut"]>(id ? agentPath(id) : null);
  const agent = data?.id === id ? data : undefined;
  const wanted = search.get("tab") as AgentTabName | null;
  const tab = wanted && TABS.includes(wanted) ? wanted : "playground";
  useEffect(() => {
    if (agent) document.title = document.title.replace(/^.* · (?=[^·]*$)/, `${agent.name} · `);
  }, [agent]);
  if (!id || (error && (!agent || error.status === 404))) return <NoAgent error={id ? error : null} onRetry={() => void mutate()} />;
  const Panel = PANELS[tab];
  const show = (next: AgentTabName) => (next === tab ? undefined : change({ tab: next }));
  const tabs = <Tabs id="agent" label={t("tabs.label")} tabs={TABS.map((name) => [name, t(`tabs.${name}`)] as const)} value={tab} onChange={show} />;
  return (
    <div className="flex h-full min-h-0 flex-col">
      {agent ? (
        <AgentHeader key={agent.id} agent={agent} onTab={show}>
          {tabs}
        </AgentHeader>
      ) : (
        <AgentHeaderSkeleton>{tabs}</AgentHeaderSkeleton>
      )}
      <TabPanel id="agent" value={tab} className="min-h-0 flex-1 overflow-y-auto">
        {agent ? <Panel key={agent.id} agent={agent} etag={etag} /> : loading()}
      </TabPanel>
    </div>
  );
}

/** A tab that is still to come: something long beside something narrow. */
function TabSkeleton() {
  return (
    <PageBody className="grid gap-x-10 gap-y-6 lg:grid-cols-[minmax(0,1fr)_21rem]">
      <div className="flex flex-col gap-4">
        <Skeleton className="h-5 w-40" />
        <Skeleton className="h-80 rounded-xl" />
      </div>
      <div className="flex flex-col gap-4">
        <Skeleton className="h-5 w-24" />
        <Skeleton className="h-64 rounded-xl" />
      </div>
    </PageBody>
  );
}

function NoAgent({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const t = useTranslations("agents.detail");
  const missing = error === null || (error instanceof ApiError && (error.status === 404 || error.status === 422));
  const titles = useTranslations("common.titles");
  return (
    <PageBody>
      <h1 className="sr-only">{titles("agent")}</h1>
      {missing ? (
        <EmptyState icon={<SearchX />} title={t("gone")} actions={<ButtonLink href="/agents/">{t("back")}</ButtonLink>}>
          {error ? t("goneText") : t("noId")}
        </EmptyState>
      ) : (
        <ErrorState error={error} onRetry={onRetry} />
      )}
    </PageBody>
  );
}
