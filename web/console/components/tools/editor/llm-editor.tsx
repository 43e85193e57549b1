"use client";

import { useTranslations } from "next-intl";
import { useState } from "react";

import { Field, Textarea } from "@/components/ui/field";
import { Card } from "@/components/ui/surface";
import { TabPanel, Tabs } from "@/components/ui/tabs";
import type { Schemas } from "@/lib/api";

import { objectOf, pretty, same } from "../lib/json";
import { TestBench } from "../test/test-bench";
import { CallFields, finite, NameFields, type CommonDraft } from "./common-fields";
import { modelOf } from "./enhancement-fields";
import { EditorFrame } from "./frame";
import { ModelFields } from "./model-fields";
import { PlainSchema } from "./plain-schema";
import { useSaving, type Stored } from "./use-saving";
import type { EditorProps } from "./tool-editor";

interface Draft extends CommonDraft {
  readonly model_config: Schemas["LlmConfig"];
  readonly instructions: string;
  readonly schema: string;
}

const QUESTION = { type: "object", properties: { text: { type: "string", description: "" } }, required: ["text"], additionalProperties: false };

function draftOf(tool: Schemas["LlmToolOut"] | null, config: Schemas["LlmConfig"]): Draft {
  return {
    name: tool?.name ?? "",
    description: tool?.description ?? "",
    enabled: tool?.enabled ?? true,
    requires_approval: tool?.requires_approval ?? false,
    approval_seconds: tool?.approval_seconds ?? 3_600,
    timeout_seconds: tool?.timeout_seconds ?? 60,
    model_config: tool?.model_config ?? modelOf(config),
    instructions: tool?.instructions ?? "",
    schema: pretty(tool?.input_schema ?? QUESTION),
  };
}

function toolOf({ schema, timeout_seconds, approval_seconds, ...rest }: Draft): Schemas["LlmTool"] | null {
  const input_schema = objectOf(schema);
  return input_schema && { kind: "llm", ...rest, timeout_seconds: finite(timeout_seconds, 60), approval_seconds: finite(approval_seconds, 3_600), input_schema };
}

/** A tool that is a model with instructions of its own. */
export function LlmEditor({ agent, toolbox, go, onMade, begun }: EditorProps & { begun: Stored | null }) {
  const t = useTranslations("tools.editor");
  const saving = useSaving(agent.id, begun, toolbox);
  const stored = saving.stored?.tool.kind === "llm" ? saving.stored.tool : null;
  const [draft, setDraft] = useState(() => draftOf(begun?.tool.kind === "llm" ? begun.tool : null, agent.model_config));
  const [clean, setClean] = useState(() => toolOf(draft));
  const [side, setSide] = useState<"schema" | "test">("schema");
  const definition = toolOf(draft);
  const dirty = !same(definition, clean);
  const change = (part: Partial<Draft>) => {
    saving.correct(Object.keys(part));
    setDraft((before) => ({ ...before, ...part }));
  };
  const save = async () => {
    const saved = definition ? await saving.save(definition) : null;
    if (!saved) return null;
    setClean(definition);
    if (!stored) onMade?.(saved.tool.id);
    return saved.tool;
  };
  const reset = (tool: Stored["tool"]) => {
    if (tool.kind !== "llm") return;
    const next = draftOf(tool, agent.model_config);
    setDraft(next);
    setClean(toolOf(next));
  };
  const shared = { draft, faults: saving.faults, change };
  return (
    <EditorFrame wide title={draft.name || t("newLlm")} hint={stored ? undefined : t("llmHint")} saving={saving} definition={definition} dirty={dirty} toolbox={toolbox} go={go} onSave={() => void save()} onReset={reset}>
      <div className="grid items-start gap-6 xl:grid-cols-[minmax(0,1.15fr)_minmax(0,1fr)]">
        <div className="flex min-w-0 flex-col gap-6">
          <Card className="flex flex-col gap-5 p-5">
            <NameFields {...shared} taken={toolbox.tools.filter(({ id }) => id !== stored?.id).map(({ name }) => name)} />
          </Card>
          <Card className="flex flex-col gap-5 p-5">
            <ModelFields config={draft.model_config} place="model_config" faults={saving.faults} onChange={(model_config) => change({ model_config })} />
            <Field label={t("instructions")} hint={t("instructionsHint")} error={saving.faults.get("instructions")}>
              <Textarea rows={7} value={draft.instructions} placeholder={t("instructionsPlaceholder")} onChange={(event) => change({ instructions: event.target.value })} />
            </Field>
          </Card>
          <Card className="flex flex-col gap-5 p-5">
            <CallFields {...shared} longest={300} />
          </Card>
        </div>
        <Card className="min-w-0 xl:sticky xl:top-20">
          <div className="border-b border-line px-3">
            <Tabs id="side" label={t("side.label")} tabs={[["schema", t("side.schema")] as const, ["test", t("side.test")] as const]} value={side} onChange={setSide} />
          </div>
          <TabPanel id="side" value={side} className="p-5">
            {side === "schema" ? (
              <PlainSchema text={draft.schema} error={saving.faults.get("input_schema")} onText={(schema) => change({ schema })} />
            ) : (
              <TestBench tool={stored} schema={draft.schema} dirty={dirty} canSave={Boolean(definition)} onSave={save} />
            )}
          </TabPanel>
        </Card>
      </div>
    </EditorFrame>
  );
}
