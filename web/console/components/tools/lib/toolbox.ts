"use client";

import { useCallback } from "react";

import type { Credential } from "@/components/credentials/lib/draft";
import type { Schemas } from "@/lib/api";
import { useAllPages } from "@/lib/all-pages";
import { useRefresh } from "@/lib/data";

import type { Integration, Tool } from "./kinds";

/** All that an agent's tools are made of. */
export function useToolbox(agent: string) {
  const tools = useAllPages<Tool>(`/agents/${agent}/tools`);
  const integrations = useAllPages<Integration>(`/agents/${agent}/integrations`);
  const credentials = useAllPages<Credential>("/credentials");
  const refresh = useRefresh();
  const lists = [tools, integrations, credentials];
  const failed = lists.find(({ error, items }) => error && !items);
  return {
    ready: Boolean(tools.items && integrations.items && credentials.items),
    tools: tools.items ?? [],
    integrations: integrations.items ?? [],
    credentials: credentials.items ?? [],
    error: failed?.error,
    retry: () => lists.forEach(({ mutate }) => void mutate()),
    /** Reads again what a change of a tool changes: a new version of the agent. */
    refresh: useCallback(() => refresh(`/agents/${agent}`, "/tools/", "/integrations/", "/credentials"), [agent, refresh]),
  };
}

export type Toolbox = ReturnType<typeof useToolbox>;
export type AgentOut = Schemas["AgentOut"];
