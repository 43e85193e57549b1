import type { Schemas } from "@/lib/api";
import { valuesOf, type AgentOut, type Values } from "@/components/agents/values";

export const AGENT: AgentOut = {
  id: "agt_1",
  name: "Helper",
  description: "",
  status: "draft",
  system_prompt: "Be kind.",
  model_config: { provider: "anthropic", model: "claude-sonnet-4-5", temperature: 0.2, options: { metadata: { user: "a", team: "b" }, tags: ["x"] } },
  builtin_tools: ["calculator", "current_time"],
  version: 3,
  created_at: "2026-01-01T00:00:00Z",
  updated_at: "2026-01-02T00:00:00Z",
};

export const BASE: Values = valuesOf(AGENT);

export function version(number: number, change: Partial<Schemas["AgentVersionOut"]> = {}): Schemas["AgentVersionOut"] {
  const { name, description, system_prompt, model_config, builtin_tools } = AGENT;
  return { agent_id: "agt_1", version: number, name, description, system_prompt, model_config, builtin_tools, tools: [], integrations: [], created_by: "ada", created_at: "2026-01-01T00:00:00Z", restored_from: null, ...change };
}
