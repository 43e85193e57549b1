"use client";

import type { AgentTabProps } from "@/components/agents/agent-detail";
import { PageBody } from "@/components/shell/page-header";

export function VersionsTab({ agent }: AgentTabProps) {
  return <PageBody>{agent.name}</PageBody>;
}
