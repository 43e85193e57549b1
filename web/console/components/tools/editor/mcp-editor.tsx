"use client";

import { useTranslations } from "next-intl";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { Field, Input, Select } from "@/components/ui/field";
import { Card } from "@/components/ui/surface";
import { TabPanel, Tabs } from "@/components/ui/tabs";
import type { Schemas } from "@/lib/api";

import { Disclosure } from "../disclosure";
import { pretty, same } from "../lib/json";
import { TestBench } from "../test/test-bench";
import { CallFields, finite, NameFields, type CommonDraft } from "./common-fields";
import { EnhancementFields } from "./enhancement-fields";
import { EditorFrame } from "./frame";
import { PlainSchema } from "./plain-schema";
import { ResponseFields } from "./response-fields";
import { useSaving, type Stored } from "./use-saving";
import type { EditorProps } from "./tool-editor";

type McpTool = Schemas["McpToolOut"];

interface Draft extends CommonDraft {
  readonly effect: "read" | "write";
  readonly select: string;
  readonly max_bytes: number;
  readonly enhancement: Schemas["Enhancement"] | null;
}

function draftOf(tool: McpTool): Draft {
  return {
    name: tool.name,
    description: tool.description ?? "",
    enabled: tool.enabled ?? true,
    requires_approval: tool.requires_approval ?? false,
    approval_seconds: tool.approval_seconds ?? 3_600,
    timeout_seconds: tool.timeout_seconds ?? 30,
    effect: tool.effect ?? "write",
    select: tool.response?.select ?? "",
    max_bytes: tool.response?.max_bytes ?? 32_768,
    enhancement: tool.enhancement ?? null,
  };
}

function toolOf(tool: McpTool, { select, max_bytes, timeout_seconds, approval_seconds, ...rest }: Draft): Schemas["McpTool"] {
  const { integration_id, remote_name, input_schema, fingerprint } = tool;
  const response = { ...(select.trim() ? { select: select.trim() } : {}), max_bytes: finite(max_bytes, 32_768) };
  return { kind: "mcp", integration_id, remote_name, input_schema, fingerprint, ...rest, timeout_seconds: finite(timeout_seconds, 30), approval_seconds: finite(approval_seconds, 3_600), response };
}

/** A tool of an MCP server: what it is is the server's, how it is used can be changed. */
export function McpEditor(props: EditorProps & { begun: Stored }) {
  return props.begun.tool.kind === "mcp" ? <Editor {...props} first={props.begun.tool} /> : null;
}

function Editor({ agent, toolbox, go, begun, first }: EditorProps & { begun: Stored; first: McpTool }) {
  const t = useTranslations("tools.editor");
  const mcp = useTranslations("tools.mcp");
  const saving = useSaving(agent.id, begun, toolbox);
  const stored = saving.stored?.tool.kind === "mcp" ? saving.stored.tool : first;
  const [draft, setDraft] = useState(() => draftOf(first));
  const [clean, setClean] = useState<Draft>(draft);
  const [side, setSide] = useState<"schema" | "test">("test");
  const definition = toolOf(stored, draft);
  const dirty = !same(draft, clean);
  const change = (part: Partial<Draft>) => {
    saving.correct(Object.keys(part));
    setDraft((before) => ({ ...before, ...part }));
  };
  const save = async () => {
    const saved = await saving.save(definition);
    if (saved) setClean(draft);
    return saved?.tool ?? null;
  };
  const reset = (tool: Stored["tool"]) => {
    if (tool.kind !== "mcp") return;
    setDraft(draftOf(tool));
    setClean(draftOf(tool));
  };
  const shared = { draft, faults: saving.faults, change };
  const server = toolbox.integrations.find(({ id }) => id === stored.integration_id);
  return (
    <EditorFrame wide title={draft.name} saving={saving} definition={definition} dirty={dirty} toolbox={toolbox} go={go} onSave={() => void save()} onReset={reset}>
      <div className="grid items-start gap-6 xl:grid-cols-[minmax(0,1.15fr)_minmax(0,1fr)]">
        <div className="flex min-w-0 flex-col gap-6">
          <Card className="flex flex-col gap-5 p-5">
            <Field
              label={t("remote")}
              aside={
                server ? (
                  <Button size="sm" kind="ghost" className="-my-1.5 h-7" onClick={() => go({ name: "mcp", integration: server.id })}>
                    {mcp("now")}
                  </Button>
                ) : null
              }
              hint={server ? `${server.name} · ${server.base_url}` : t("serverGone")}>
              <Input value={stored.remote_name} readOnly className="bg-sunken font-mono text-[13px]" />
            </Field>
            <NameFields {...shared} taken={toolbox.tools.filter(({ id }) => id !== stored.id).map(({ name }) => name)} />
          </Card>
          <Card className="flex flex-col gap-5 p-5">
            <Field label={t("effect")} hint={t(`effects.${draft.effect}.hint`)} error={saving.faults.get("effect")}>
              <Select value={draft.effect} onChange={(event) => change({ effect: event.target.value as "read" | "write" })}>
                <option value="read">{t("effects.read.name")}</option>
                <option value="write">{t("effects.write.name")}</option>
              </Select>
            </Field>
            <CallFields {...shared} longest={300} />
          </Card>
          <Disclosure title={t("response.title")} open={Boolean(draft.select)}>
            <ResponseFields {...shared} />
          </Disclosure>
          <EnhancementFields first={agent.model_config} value={draft.enhancement} approved={draft.requires_approval} faults={saving.faults} onChange={(enhancement) => change({ enhancement })} />
        </div>
        <Card className="min-w-0 xl:sticky xl:top-20">
          <div className="border-b border-line px-3">
            <Tabs id="side" label={t("side.label")} tabs={[["schema", t("side.schema")] as const, ["test", t("side.test")] as const]} value={side} onChange={setSide} />
          </div>
          <TabPanel id="side" value={side} className="p-5">
            {side === "schema" ? <PlainSchema text={pretty(stored.input_schema)} /> : <TestBench tool={stored} schema={pretty(stored.input_schema)} dirty={dirty} canSave onSave={save} />}
          </TabPanel>
        </Card>
      </div>
    </EditorFrame>
  );
}
