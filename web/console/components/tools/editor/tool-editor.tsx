"use client";

import { useTranslations } from "next-intl";
import { useState } from "react";

import { ErrorState } from "@/components/ui/error-state";
import { Skeleton } from "@/components/ui/surface";
import { useResource } from "@/lib/data";

import type { Tool } from "../lib/kinds";
import type { AgentOut, Toolbox } from "../lib/toolbox";
import type { Go, NewKind } from "../lib/view";
import { Panel } from "../panel";
import { AgentEditor } from "./agent-editor";
import { HttpEditor } from "./http-editor";
import { LlmEditor } from "./llm-editor";
import { McpEditor } from "./mcp-editor";
import type { Stored } from "./use-saving";

export interface EditorProps {
  agent: AgentOut;
  toolbox: Toolbox;
  go: Go;
  /** Told that a new tool is saved: the editor stays, under the address of the tool. */
  onMade?: (id: string) => void;
}

/** A tool that is there, of whatever kind. What is typed stays when the list is read again behind it. */
export function ToolEditor({ id, ...shared }: EditorProps & { id: string }) {
  const t = useTranslations("tools.editor");
  const { data, etag, error, mutate } = useResource<Tool>(`/tools/${encodeURIComponent(id)}`);
  const [begun, setBegun] = useState<Stored | null>(null);
  if (data && data.id === id && !begun && shared.toolbox.ready) setBegun({ tool: data, etag });
  if (!begun) {
    return (
      <Panel title={t("loading")} onBack={() => shared.go({ name: "list" })}>
        {error && !data ? <ErrorState error={error} onRetry={() => void mutate()} /> : <Skeleton className="h-96 w-full rounded-xl" />}
      </Panel>
    );
  }
  const { tool, etag: revision } = begun;
  switch (tool.kind) {
    case "http":
      return <HttpEditor begun={{ tool, etag: revision }} {...shared} />;
    case "llm":
      return <LlmEditor begun={{ tool, etag: revision }} {...shared} />;
    case "agent":
      return <AgentEditor begun={{ tool, etag: revision }} {...shared} />;
    case "mcp":
      return <McpEditor begun={{ tool, etag: revision }} {...shared} />;
  }
}

/** A new tool of a kind that is made by hand. */
export function NewTool({ kind, integration, ...shared }: EditorProps & { kind: NewKind; integration: string | null }) {
  if (kind === "llm") return <LlmEditor begun={null} {...shared} />;
  if (kind === "agent") return <AgentEditor begun={null} {...shared} />;
  return <HttpEditor begun={null} integration={integration} {...shared} />;
}
