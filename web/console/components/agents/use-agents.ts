"use client";

import { useTranslations } from "next-intl";
import { useCallback, useState } from "react";
import { useSWRConfig } from "swr";

import { useErrorText } from "@/components/ui/error-state";
import { api, revised } from "@/lib/api";
import { address, useRefresh, type Answer } from "@/lib/data";
import { toast } from "@/lib/toast";

import { duplicateAgent } from "./duplicate";
import type { AgentOut, Status } from "./values";

const SHOWN_MS = 4_000;

export const agentPath = (id: string) => `/agents/${encodeURIComponent(id)}`;

/** Puts an agent that the API answered where everybody reads it. */
export function useKeepAgent() {
  const { mutate } = useSWRConfig();
  const refresh = useRefresh();
  return useCallback(
    async (body: AgentOut, etag: string | null) => {
      await mutate<Answer<AgentOut>>(address(agentPath(body.id)), { body, etag }, { revalidate: false });
      void refresh("/agents?", `${agentPath(body.id)}/versions`);
    },
    [mutate, refresh],
  );
}

/** What was done here and is not confirmed yet: a new status, or `gone`. */
export type Overlay = Readonly<Record<string, Status | "gone">>;

/** An agent as it will be once what was done is confirmed; null once it is gone. */
export function overlaid(agent: AgentOut, overlay: Overlay): AgentOut | null {
  const change = overlay[agent.id];
  if (!change) return agent;
  return change === "gone" ? null : { ...agent, status: change };
}

/** What can be done to an agent as a whole. It is shown at once, and taken back when it fails. `settled` reads the list again. */
export function useAgentActions(settled?: () => Promise<unknown>) {
  const t = useTranslations("agents.actions");
  const text = useErrorText();
  const keep = useKeepAgent();
  const refresh = useRefresh();
  const [overlay, setOverlay] = useState<Overlay>({});

  const drop = (id: string) => setOverlay((before) => Object.fromEntries(Object.entries(before).filter(([one]) => one !== id)));

  const setStatus = async (agent: AgentOut, status: Status) => {
    setOverlay((before) => ({ ...before, [agent.id]: status }));
    try {
      const { body, etag } = await revised(api.PATCH("/api/v1/agents/{agent_id}", { params: { path: { agent_id: agent.id } }, body: { status } }));
      await keep(body, etag);
      await settled?.();
      toast.success(t(`became.${status}`, { name: agent.name }));
    } catch (error) {
      toast.error(t("statusFailed", { name: agent.name }), { description: text(error) });
    }
    drop(agent.id);
  };

  const remove = async (agent: AgentOut): Promise<boolean> => {
    setOverlay((before) => ({ ...before, [agent.id]: "gone" }));
    try {
      await api.DELETE("/api/v1/agents/{agent_id}", { params: { path: { agent_id: agent.id } } });
      await Promise.all([refresh("/agents?"), settled?.()]);
      toast.success(t("deleted", { name: agent.name }));
      return true;
    } catch (error) {
      drop(agent.id);
      toast.error(t("deleteFailed", { name: agent.name }), { description: text(error) });
      return false;
    }
  };

  const duplicate = async (agent: AgentOut): Promise<AgentOut | null> => {
    const note = { id: `duplicate-${agent.id}`, duration: SHOWN_MS };
    toast(t("duplicating", { name: agent.name }), { ...note, duration: Infinity });
    try {
      const { copy, missing } = await duplicateAgent(agent, t("copyName", { name: agent.name }));
      await Promise.all([refresh("/agents?"), settled?.()]);
      if (missing.length) toast.warning(t("duplicatedPartly", { name: copy.name }), { ...note, description: t("missing", { names: missing.join(", ") }), duration: 4 * SHOWN_MS });
      else toast.success(t("duplicated", { name: copy.name }), note);
      return copy;
    } catch (error) {
      toast.error(t("duplicateFailed", { name: agent.name }), { ...note, description: text(error) });
      return null;
    }
  };

  return { overlay, setStatus, remove, duplicate };
}
