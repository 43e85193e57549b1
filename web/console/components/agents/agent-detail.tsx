"use client";

import { useTranslations } from "next-intl";
import dynamic from "next/dynamic";

import { PageBody, PageHeader } from "@/components/shell/page-header";
import { ErrorState } from "@/components/ui/error-state";
import { Skeleton } from "@/components/ui/surface";
import { TabPanel, Tabs } from "@/components/ui/tabs";
import { useQuery } from "@/lib/address";
import type { Schemas } from "@/lib/api";
import { useResource } from "@/lib/data";

export interface AgentTabProps {
  agent: Schemas["AgentOut"];
  /** The revision that `agent` is of, to be given as `If-Match`. */
  etag: string | null;
}

const loading = () => <Skeleton className="m-8 h-64" />;
const PANELS = {
  playground: dynamic(() => import("@/components/playground/playground").then((module) => module.Playground), { ssr: false, loading }),
  settings: dynamic(() => import("@/components/agents/agent-settings").then((module) => module.AgentSettings), { ssr: false, loading }),
  tools: dynamic(() => import("@/components/tools/tools-tab").then((module) => module.ToolsTab), { ssr: false, loading }),
  credentials: dynamic(() => import("@/components/credentials/credentials-tab").then((module) => module.CredentialsTab), { ssr: false, loading }),
  versions: dynamic(() => import("@/components/agents/versions-tab").then((module) => module.VersionsTab), { ssr: false, loading }),
  traces: dynamic(() => import("@/components/traces/traces-tab").then((module) => module.TracesTab), { ssr: false, loading }),
  usage: dynamic(() => import("@/components/usage/usage-tab").then((module) => module.UsageTab), { ssr: false, loading }),
};

export type AgentTabName = keyof typeof PANELS;

const TABS = Object.keys(PANELS) as AgentTabName[];

/** One agent: `?id=` and the tab in `?tab=`. */
export function AgentDetail() {
  const t = useTranslations("agents.detail");
  const [search, change] = useQuery();
  const id = search.get("id");
  const { data: agent, etag, error, mutate } = useResource<Schemas["AgentOut"]>(id ? `/agents/${encodeURIComponent(id)}` : null);
  const wanted = search.get("tab") as AgentTabName | null;
  const tab = wanted && TABS.includes(wanted) ? wanted : "playground";
  if (error && !agent) {
    return (
      <PageBody>
        <ErrorState error={error} onRetry={() => void mutate()} />
      </PageBody>
    );
  }
  const Panel = PANELS[tab];
  return (
    <div className="flex h-full min-h-0 flex-col">
      <PageHeader title={agent ? agent.name : <Skeleton className="h-7 w-48" />}>
        <Tabs id="agent" label={t("tabs.label")} tabs={TABS.map((name) => [name, t(`tabs.${name}`)] as const)} value={tab} onChange={(next) => change({ tab: next })} />
      </PageHeader>
      <TabPanel id="agent" value={tab} className="min-h-0 flex-1 overflow-y-auto">
        {agent ? <Panel agent={agent} etag={etag} /> : loading()}
      </TabPanel>
    </div>
  );
}
