"use client";

import { useTranslations } from "next-intl";
import { useState } from "react";

import { Card } from "@/components/ui/surface";
import { TabPanel, Tabs } from "@/components/ui/tabs";

import { httpDraft, httpTool, rebuilt, reshaped, schemed, type HttpDraft } from "../lib/http-draft";
import { same } from "../lib/json";
import { TestBench } from "../test/test-bench";
import { NameFields } from "./common-fields";
import { EditorFrame } from "./frame";
import { HttpAdvanced } from "./http-advanced";
import { ParametersTable } from "./parameters-table";
import { RequestFields } from "./request-fields";
import { SchemaPane } from "./schema-pane";
import { useSaving, type Stored } from "./use-saving";
import type { EditorProps } from "./tool-editor";

interface Props extends EditorProps {
  begun: Stored | null;
  integration?: string | null;
}

/** An HTTP tool: what is sent beside the schema of its input, and a bench to try it on. */
export function HttpEditor({ agent, toolbox, go, onMade, begun, integration = null }: Props) {
  const t = useTranslations("tools.editor");
  const saving = useSaving(agent.id, begun, toolbox);
  const tool = saving.stored?.tool.kind === "http" ? saving.stored.tool : null;
  const [draft, setDraft] = useState(() => httpDraft(begun?.tool.kind === "http" ? begun.tool : null, integration));
  const [clean, setClean] = useState(() => httpTool(draft));
  const [side, setSide] = useState<"schema" | "test">(begun ? "test" : "schema");
  const definition = httpTool(draft);
  const dirty = !same(definition, clean) || !definition;
  const change = (part: Partial<HttpDraft>) => {
    saving.correct(Object.keys(part));
    setDraft((before) => ({ ...before, ...part }));
  };
  const taken = toolbox.tools.filter(({ id }) => id !== tool?.id).map(({ name }) => name);

  const save = async () => {
    if (!definition) return null;
    const saved = await saving.save(definition);
    if (!saved) return null;
    setClean(definition);
    if (!tool) onMade?.(saved.tool.id);
    return saved.tool;
  };
  const shared = { draft, faults: saving.faults, change };
  return (
    <EditorFrame
      wide
      title={draft.name || t("newHttp")}
      saving={saving}
      definition={definition}
      dirty={dirty}
      toolbox={toolbox}
      go={go}
      onSave={() => void save()}
      onReset={(theirs) => {
        if (theirs.kind !== "http") return;
        const next = httpDraft(theirs);
        setDraft(next);
        setClean(httpTool(next));
      }}
    >
      <div className="grid items-start gap-6 xl:grid-cols-[minmax(0,1.15fr)_minmax(0,1fr)]">
        <div className="flex min-w-0 flex-col gap-6">
          <Card className="flex flex-col gap-5 p-5">
            <NameFields {...shared} taken={taken} />
          </Card>
          <Card className="flex flex-col gap-5 p-5">
            <RequestFields {...shared} tried={saving.error !== null} agent={agent} toolbox={toolbox} onPath={(path, rows) => {
                saving.correct(["path"]);
                setDraft((before) => ({ ...reshaped(before, { rows }), path }));
              }} />
          </Card>
          <Card className="flex flex-col gap-5 p-5">
            <ParametersTable draft={draft} faults={saving.faults} onShape={(shape) => setDraft((before) => reshaped(before, shape))} />
          </Card>
          <HttpAdvanced {...shared} agent={agent} />
        </div>
        <Card className="min-w-0 xl:sticky xl:top-20">
          <div className="border-b border-line px-3">
            <Tabs id="side" label={t("side.label")} tabs={[["schema", t("side.schema")] as const, ["test", t("side.test")] as const]} value={side} onChange={setSide} />
          </div>
          <TabPanel id="side" value={side} className="p-5">
            {side === "schema" ? (
              <SchemaPane draft={draft} error={saving.faults.get("input_schema")} onText={(text) => setDraft((before) => schemed(before, text))} onRebuild={() => setDraft(rebuilt)} />
            ) : (
              <TestBench tool={tool} schema={draft.schema} dirty={dirty} canSave={Boolean(definition)} onSave={save} />
            )}
          </TabPanel>
        </Card>
      </div>
    </EditorFrame>
  );
}
