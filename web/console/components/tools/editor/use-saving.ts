"use client";

import { useTranslations } from "next-intl";
import { useMemo, useState } from "react";
import { toast } from "@/lib/toast";

import type { Schemas } from "@/lib/api";
import { api, once, revised } from "@/lib/api";
import { asApiError } from "@/lib/errors";

import { faultsOf, NO_FAULTS, without, type Faults } from "../lib/faults";
import { mergePatch, type JsonObject } from "../lib/json";
import type { Tool } from "../lib/kinds";
import type { Toolbox } from "../lib/toolbox";

/** A tool at the revision that a form began with. */
export interface Stored {
  readonly tool: Tool;
  readonly etag: string | null;
}

export type Definition = Schemas["HttpTool"] | Schemas["LlmTool"] | Schemas["AgentTool"] | Schemas["McpTool"];

export interface Saving {
  readonly stored: Stored | null;
  readonly busy: boolean;
  readonly error: unknown;
  readonly faults: Faults;
  /** What somebody else has made of the tool meanwhile. */
  readonly conflict: Stored | null;
  save: (definition: Definition) => Promise<Stored | null>;
  /** These fields were changed: what was wrong with them may be right now. */
  correct: (fields: readonly string[]) => void;
  /** Goes on from what somebody else has made. */
  settle: () => void;
}

/** Saves a tool: a new one by POST, one that is there by what is different, if nobody else has changed it meanwhile. */
export function useSaving(agent: string, begun: Stored | null, toolbox: Toolbox): Saving {
  const t = useTranslations("tools.editor");
  const [stored, setStored] = useState(begun);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [corrected, setCorrected] = useState<ReadonlySet<string>>(new Set());
  const [conflict, setConflict] = useState<Stored | null>(null);
  const [headers, setHeaders] = useState(once);

  const change = async ({ tool, etag }: Stored, definition: Definition): Promise<Stored> => {
    const after = definition as unknown as JsonObject;
    const before = Object.fromEntries(Object.entries(tool as unknown as JsonObject).filter(([name]) => name in after));
    const { body, etag: next } = await revised(
      api.PATCH("/api/v1/tools/{tool_id}", { params: { path: { tool_id: tool.id } }, body: mergePatch(before, after), ...(etag ? { headers: { "If-Match": etag } } : {}) }),
    );
    return { tool: body, etag: next };
  };
  const create = async (definition: Definition): Promise<Stored> => {
    const { body, etag } = await revised(api.POST("/api/v1/agents/{agent_id}/tools", { params: { path: { agent_id: agent } }, body: definition, headers }));
    return { tool: body, etag };
  };

  const save = async (definition: Definition): Promise<Stored | null> => {
    setBusy(true);
    setError(null);
    setCorrected(new Set());
    try {
      const saved = stored ? await change(conflict ?? stored, definition) : await create(definition);
      setStored(saved);
      setConflict(null);
      toast.success(t("saved", { name: saved.tool.name }));
      await toolbox.refresh();
      return saved;
    } catch (failure) {
      setError(failure);
      // Another body under the same key would be refused.
      setHeaders(once());
      if (stored && asApiError(failure).status === 412) {
        const now = await revised(api.GET("/api/v1/tools/{tool_id}", { params: { path: { tool_id: stored.tool.id } } })).catch(() => null);
        if (now) setConflict({ tool: now.body, etag: now.etag });
      }
      return null;
    } finally {
      setBusy(false);
    }
  };
  const settle = () => {
    setStored(conflict);
    setConflict(null);
    setError(null);
  };
  const correct = (fields: readonly string[]) => error !== null && setCorrected((before) => new Set([...before, ...fields]));
  const faults = useMemo(() => (error ? without(faultsOf(error), corrected) : NO_FAULTS), [corrected, error]);
  return { stored, busy, error: conflict ? null : error, faults, conflict, save, correct, settle };
}
