// What the address says is open in the tab of tools.

import { useCallback } from "react";

import { useQuery } from "@/lib/address";

/** Before the name of a tool, in the place of an id: from where only the name is known. */
export const NAMED = "name:";

export const NEW_KINDS = ["http", "llm", "agent"] as const;
export type NewKind = (typeof NEW_KINDS)[number];

export type View =
  | { name: "list" }
  | { name: "tool"; id: string }
  | { name: "new"; kind: NewKind; integration: string | null }
  | { name: "import"; id: string | null; integration: string | null }
  | { name: "mcp"; integration: string | null };

export function viewOf(search: URLSearchParams): View {
  const tool = search.get("tool");
  const integration = search.get("integration");
  if (tool === "new") return { name: "new", kind: NEW_KINDS.find((kind) => kind === search.get("kind")) ?? "http", integration };
  if (tool === "import") return { name: "import", id: search.get("import"), integration };
  if (tool === "mcp") return { name: "mcp", integration };
  return tool ? { name: "tool", id: tool } : { name: "list" };
}

export function paramsOf(view: View): Record<string, string | null> {
  const none = { tool: null, kind: null, import: null, integration: null };
  switch (view.name) {
    case "list":
      return none;
    case "tool":
      return { ...none, tool: view.id };
    case "new":
      return { ...none, tool: "new", kind: view.kind, integration: view.integration };
    case "import":
      return { ...none, tool: "import", import: view.id, integration: view.integration };
    case "mcp":
      return { ...none, tool: "mcp", integration: view.integration };
  }
}

/** What is open, and how to open something else; `replace` makes no entry in the history. */
export function useView() {
  const [search, change] = useQuery();
  const go = useCallback((view: View, options?: { replace?: boolean }) => change(paramsOf(view), options), [change]);
  return [viewOf(new URLSearchParams(search)), go] as const;
}

export type Go = ReturnType<typeof useView>[1];
