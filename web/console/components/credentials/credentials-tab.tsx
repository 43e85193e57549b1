"use client";

import type { AgentTabProps } from "@/components/agents/agent-detail";
import { PageBody } from "@/components/shell/page-header";

export function CredentialsTab({ agent }: AgentTabProps) {
  return <PageBody>{agent.name}</PageBody>;
}
