import { Bot, Globe, Server, Sparkles, type LucideIcon } from "lucide-react";

import type { Schemas } from "@/lib/api";

export type Tool = Schemas["ToolOut"];
export type Integration = Schemas["IntegrationOut"];

export const KIND_ICONS: Record<Tool["kind"], LucideIcon> = { http: Globe, llm: Sparkles, agent: Bot, mcp: Server };

/** What a tool does to the world: nobody knows what another agent does. */
export function effectOf(tool: Tool): "read" | "write" {
  if (tool.kind === "agent") return "write";
  return tool.effect ?? (tool.kind === "mcp" ? "write" : "read");
}

/** The credential that calls of the tool carry: its own, or its integration's. */
export function credentialOf(tool: Tool, integrations: readonly Integration[]): string | null {
  if (tool.kind === "http" && tool.credential_id) return tool.credential_id;
  if (tool.kind !== "http" && tool.kind !== "mcp") return null;
  return integrations.find(({ id }) => id === tool.integration_id)?.credential_id ?? null;
}

export function integrationOf(tool: Tool): string | null {
  return tool.kind === "http" || tool.kind === "mcp" ? (tool.integration_id ?? null) : null;
}

/** The tools of each integration, and those of none. */
export function grouped(tools: readonly Tool[], integrations: readonly Integration[]): { single: Tool[]; groups: { integration: Integration; tools: Tool[] }[] } {
  const groups = integrations.map((integration) => ({ integration, tools: tools.filter((tool) => integrationOf(tool) === integration.id) }));
  const known = new Set(integrations.map(({ id }) => id));
  return { single: tools.filter((tool) => !known.has(integrationOf(tool) ?? "")), groups };
}
