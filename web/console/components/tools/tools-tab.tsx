"use client";

import dynamic from "next/dynamic";
import { useState } from "react";

import type { AgentTabProps } from "@/components/agents/agent-detail";
import { PageBody } from "@/components/shell/page-header";
import { Skeleton } from "@/components/ui/surface";
import { useMay } from "@/lib/me";
import { guarded } from "@/components/ui/guarded";

import { useToolbox } from "./lib/toolbox";
import { NAMED, useView, type NewKind } from "./lib/view";
import { NamedTool } from "./named-tool";
import { ToolList } from "./tool-list";

const loading = () => (
  <PageBody>
    <Skeleton className="h-96 w-full rounded-xl" />
  </PageBody>
);
const ToolEditor = guarded(dynamic(() => import("./editor/tool-editor").then((module) => module.ToolEditor), { ssr: false, loading }));
const NewTool = guarded(dynamic(() => import("./editor/tool-editor").then((module) => module.NewTool), { ssr: false, loading }));
const ImportPanel = guarded(dynamic(() => import("./import/import-panel").then((module) => module.ImportPanel), { ssr: false, loading }));
const McpPanel = guarded(dynamic(() => import("./mcp/mcp-panel").then((module) => module.McpPanel), { ssr: false, loading }));

/** The agent's tools: a list, and in its place what `?tool=` opens. */
export function ToolsTab({ agent, etag }: AgentTabProps) {
  const toolbox = useToolbox(agent.id);
  const may = useMay("edit");
  const [view, go] = useView();
  const [made, setMade] = useState<{ id: string; kind: NewKind } | null>(null);
  const stays = view.name === "tool" && view.id === made?.id;
  if (made && !stays && view.name !== "new") setMade(null);
  const shared = { agent, toolbox, go };
  // Whoever only looks finds the list where others make something.
  if (!may && view.name !== "tool") return <ToolList etag={etag} {...shared} />;
  switch (view.name) {
    case "tool":
      if (view.id.startsWith(NAMED)) return <NamedTool name={view.id.slice(NAMED.length)} toolbox={toolbox} go={go} />;
      if (made && stays) return <NewTool key={made.kind} kind={made.kind} integration={null} {...shared} />;
      return <ToolEditor key={view.id} id={view.id} {...shared} />;
    case "new":
      return (
        <NewTool
          key={view.kind}
          kind={view.kind}
          integration={view.integration}
          onMade={(id) => {
            setMade({ id, kind: view.kind });
            go({ name: "tool", id }, { replace: true });
          }}
          {...shared}
        />
      );
    case "import":
      return <ImportPanel id={view.id} integration={view.integration} {...shared} />;
    case "mcp":
      return <McpPanel key={view.integration} integration={view.integration} {...shared} />;
    case "list":
      return <ToolList etag={etag} {...shared} />;
  }
}
