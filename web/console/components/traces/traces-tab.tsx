"use client";

import type { AgentTabProps } from "@/components/agents/agent-detail";
import { PageBody } from "@/components/shell/page-header";
import { useQuery } from "@/lib/address";

import { RunDetail } from "./run-detail";
import { RunList } from "./run-list";

/** The runs of an agent, or the one that `?run=` names. */
export function TracesTab({ agent }: AgentTabProps) {
  const [search] = useQuery();
  const run = search.get("run");
  return (
    <PageBody>
      {run ? <RunDetail key={run} agent={agent} id={run} /> : <RunList agent={agent} />}
    </PageBody>
  );
}
