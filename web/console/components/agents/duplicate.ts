// A second agent like the first, with its integrations and tools.

import { api, data, once, type Schemas } from "@/lib/api";

import type { AgentOut } from "./values";

type Tool = Schemas["HttpToolOut"] | Schemas["LlmToolOut"] | Schemas["AgentToolOut"] | Schemas["McpToolOut"];

interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

async function all<T>(page: (cursor: string | undefined) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const { items: more, next_cursor } = await page(cursor);
    items.push(...more);
    cursor = next_cursor ?? undefined;
  } while (cursor);
  return items;
}

const OWN = new Set(["id", "agent_id", "revision", "created_at", "updated_at"]);

/** What to send to make another of the same: no ids of its own, nothing that has no value. */
export function recipeOf<T extends object>(part: T): Omit<T, "id" | "agent_id" | "revision" | "created_at" | "updated_at"> {
  const given = Object.entries(part).filter(([name, value]) => !OWN.has(name) && value !== null);
  return Object.fromEntries(given) as Omit<T, "id" | "agent_id" | "revision" | "created_at" | "updated_at">;
}

/** Makes a copy, a draft. What cannot be copied is named in `missing`, such as tools whose credential is gone. */
export async function duplicateAgent(agent: AgentOut, name: string): Promise<{ copy: AgentOut; missing: string[] }> {
  const path = { agent_id: agent.id };
  const page = (cursor: string | undefined) => ({ params: { path, query: { limit: 100, ...(cursor ? { cursor } : {}) } } });
  const [integrations, tools] = await Promise.all([
    all((cursor) => data(api.GET("/api/v1/agents/{agent_id}/integrations", page(cursor)))),
    all<Tool>((cursor) => data(api.GET("/api/v1/agents/{agent_id}/tools", page(cursor))) as Promise<Page<Tool>>),
  ]);
  const { description, system_prompt, model_config, builtin_tools } = agent;
  const copy = await data(
    api.POST("/api/v1/agents", { params: { header: once() }, body: { name: [...name].slice(0, 100).join(""), description, system_prompt, model_config, builtin_tools, status: "draft" } }),
  );
  const target = { path: { agent_id: copy.id } };
  const missing: string[] = [];
  const made = new Map<string, string>();
  for (const integration of integrations.reverse()) {
    try {
      const body = recipeOf(integration) as Schemas["IntegrationInput"];
      made.set(integration.id, (await data(api.POST("/api/v1/agents/{agent_id}/integrations", { params: { ...target, header: once() }, body }))).id);
    } catch {
      missing.push(integration.name);
    }
  }
  for (const tool of tools.reverse()) {
    try {
      const recipe = recipeOf(tool);
      const link = "integration_id" in tool ? tool.integration_id : null;
      const moved = link ? { ...recipe, integration_id: made.get(link) } : recipe;
      await api.POST("/api/v1/agents/{agent_id}/tools", { params: { ...target, header: once() }, body: moved as Schemas["HttpTool"] });
    } catch {
      missing.push(tool.name);
    }
  }
  return { copy, missing };
}
