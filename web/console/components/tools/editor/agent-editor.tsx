"use client";

import { useTranslations } from "next-intl";
import { useState } from "react";

import { Field, Select } from "@/components/ui/field";
import { Card } from "@/components/ui/surface";
import type { Schemas } from "@/lib/api";
import { useAllPages } from "@/lib/all-pages";

import { same } from "../lib/json";
import { freeName, plainName } from "../lib/names";
import { TestBench } from "../test/test-bench";
import { CallFields, finite, NameFields, type CommonDraft } from "./common-fields";
import { EditorFrame } from "./frame";
import { useSaving, type Stored } from "./use-saving";
import type { EditorProps } from "./tool-editor";

interface Draft extends CommonDraft {
  readonly target: string;
  readonly version: number | null;
}

function draftOf(tool: Schemas["AgentToolOut"] | null): Draft {
  return {
    name: tool?.name ?? "",
    description: tool?.description ?? "",
    enabled: tool?.enabled ?? true,
    requires_approval: tool?.requires_approval ?? false,
    approval_seconds: tool?.approval_seconds ?? 3_600,
    timeout_seconds: tool?.timeout_seconds ?? 300,
    target: tool?.target_agent_id ?? "",
    version: tool?.version ?? null,
  };
}

function toolOf({ target, timeout_seconds, approval_seconds, ...rest }: Draft): Schemas["AgentTool"] | null {
  return target ? { kind: "agent", ...rest, timeout_seconds: finite(timeout_seconds, 300), approval_seconds: finite(approval_seconds, 3_600), target_agent_id: target } : null;
}

const MESSAGE = JSON.stringify({ type: "object", properties: { message: { type: "string" } }, required: ["message"] });

/** Another agent, asked as a tool. */
export function AgentEditor({ agent, toolbox, go, onMade, begun }: EditorProps & { begun: Stored | null }) {
  const t = useTranslations("tools.editor");
  const saving = useSaving(agent.id, begun, toolbox);
  const stored = saving.stored?.tool.kind === "agent" ? saving.stored.tool : null;
  const [draft, setDraft] = useState(() => draftOf(begun?.tool.kind === "agent" ? begun.tool : null));
  const [clean, setClean] = useState<Draft>(draft);
  const agents = useAllPages<Schemas["AgentOut"]>("/agents");
  const versions = useAllPages<Schemas["AgentVersionOut"]>(draft.target ? `/agents/${draft.target}/versions` : null);
  const lost = Boolean(draft.target) && agents.items !== undefined && !agents.items.some(({ id }) => id === draft.target);
  const definition = toolOf(draft);
  const dirty = !same(draft, clean);
  const taken = toolbox.tools.filter(({ id }) => id !== stored?.id).map(({ name }) => name);
  const change = (part: Partial<Draft>) => {
    saving.correct(Object.keys(part));
    setDraft((before) => ({ ...before, ...part }));
  };
  const choose = (id: string) => {
    const chosen = agents.items?.find((one) => one.id === id);
    const named = chosen && !stored && !draft.name ? { name: freeName(plainName(`ask_${chosen.name}`.toLowerCase()), taken), description: draft.description || chosen.description.slice(0, 1_024) } : {};
    change({ target: id, version: null, ...named });
  };
  const save = async () => {
    const saved = definition ? await saving.save(definition) : null;
    if (!saved) return null;
    setClean(draft);
    if (!stored) onMade?.(saved.tool.id);
    return saved.tool;
  };
  const reset = (tool: Stored["tool"]) => {
    if (tool.kind !== "agent") return;
    setDraft(draftOf(tool));
    setClean(draftOf(tool));
  };
  const shared = { draft, faults: saving.faults, change };
  return (
    <EditorFrame wide title={draft.name || t("newAgent")} hint={stored ? undefined : t("agentHint")} saving={saving} definition={definition} dirty={dirty} toolbox={toolbox} go={go} onSave={() => void save()} onReset={reset}>
      <div className="grid items-start gap-6 xl:grid-cols-[minmax(0,1.15fr)_minmax(0,1fr)]">
        <div className="flex min-w-0 flex-col gap-6">
          <Card className="flex flex-col gap-5 p-5">
            <div className="grid gap-4 sm:grid-cols-[2fr_1fr]">
              <Field label={t("target")} error={saving.faults.get("target_agent_id") ?? (lost ? t("targetGoneHint") : undefined)}>
                <Select value={draft.target} onChange={(event) => choose(event.target.value)}>
                  <option value="" disabled>
                    {t("targetPlaceholder")}
                  </option>
                  {lost ? <option value={draft.target}>{t("targetGone")}</option> : null}
                  {agents.items?.map(({ id, name }) =>
                    id === agent.id ? null : (
                      <option key={id} value={id}>
                        {name}
                      </option>
                    ),
                  )}
                </Select>
              </Field>
              <Field label={t("version")} error={saving.faults.get("version")}>
                <Select value={draft.version ?? ""} disabled={!draft.target} onChange={(event) => change({ version: event.target.value ? Number(event.target.value) : null })}>
                  <option value="">{t("newest")}</option>
                  {versions.items?.map(({ version }) => (
                    <option key={version} value={version}>
                      {t("versionNumber", { version })}
                    </option>
                  ))}
                </Select>
              </Field>
            </div>
            <NameFields {...shared} taken={taken} />
          </Card>
          <Card className="flex flex-col gap-5 p-5">
            <CallFields {...shared} longest={600} />
          </Card>
        </div>
        <Card className="min-w-0 p-5 xl:sticky xl:top-20">
          <TestBench tool={stored} schema={MESSAGE} dirty={dirty} canSave={Boolean(definition)} onSave={save} />
        </Card>
      </div>
    </EditorFrame>
  );
}
