"use client";

import { useTranslations } from "next-intl";

import type { Schemas } from "@/lib/api";
import { useResource } from "@/lib/data";

import type { Tool } from "./lib/kinds";
import { pathPieces } from "./lib/names";

/** What a tool calls: an address, a model, another agent. */
export function Target({ tool }: { tool: Tool }) {
  return (
    <p className="mt-0.5 flex min-w-0 items-baseline gap-2 text-[13px] text-ink-soft">
      <span className="min-w-0 truncate">{tool.kind === "agent" ? <AgentName id={tool.target_agent_id} version={tool.version ?? null} /> : <Address tool={tool} />}</span>
      {tool.description ? <span className="hidden min-w-0 flex-1 truncate text-ink-faint md:block">{tool.description}</span> : null}
    </p>
  );
}

function Address({ tool }: { tool: Exclude<Tool, { kind: "agent" }> }) {
  if (tool.kind === "llm") return <span className="font-mono text-xs">{`${tool.model_config.provider} · ${tool.model_config.model}`}</span>;
  if (tool.kind === "mcp") return <span className="font-mono text-xs">{tool.remote_name}</span>;
  return (
    <span className="font-mono text-xs">
      <span className="font-semibold text-ink">{tool.method}</span> {tool.base_url ?? ""}
      <PathText path={tool.path ?? ""} />
    </span>
  );
}

/** A path whose parameters stand out. */
export function PathText({ path }: { path: string }) {
  return pathPieces(path).map((piece, index) =>
    piece.name ? (
      <span key={index} className="rounded bg-accent-soft px-1 text-accent-ink">{`{${piece.text}}`}</span>
    ) : (
      <span key={index}>{piece.text}</span>
    ),
  );
}

function AgentName({ id, version }: { id: string; version: number | null }) {
  const t = useTranslations("tools.list");
  const { data, error } = useResource<Schemas["AgentOut"]>(`/agents/${id}`);
  if (error) return <span className="text-bad">{t("agentGone")}</span>;
  return <>{`${data?.name ?? "…"} · ${version ? t("version", { version }) : t("newestVersion")}`}</>;
}
