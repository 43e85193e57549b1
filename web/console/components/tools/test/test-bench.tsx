"use client";

import { Play } from "lucide-react";
import { useTranslations } from "next-intl";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { CodeEditor } from "@/components/ui/code-editor";
import { ErrorState } from "@/components/ui/error-state";
import { Notice } from "@/components/ui/surface";
import type { Schemas } from "@/lib/api";
import { api, data } from "@/lib/api";

import { exampleOf } from "../lib/examples";
import { isObject, objectOf, pretty } from "../lib/json";
import { effectOf, type Tool } from "../lib/kinds";
import { ArgumentsForm } from "./arguments-form";
import { TestResult } from "./test-result";

interface Props {
  /** As it is saved; null before that. */
  tool: Tool | null;
  /** JSON Schema of the input, as a text. */
  schema: string;
  /** Something is not saved: a test saves it first, since it is the saved tool that is called. */
  dirty: boolean;
  canSave: boolean;
  onSave: () => Promise<Tool | null>;
}

function exampleText(schema: string): string {
  const read = objectOf(schema);
  const example = read ? exampleOf(read) : {};
  return pretty(isObject(example) ? example : {});
}

/** Calls the tool once and shows what was sent, what came, and what a model would see. */
export function TestBench({ tool, schema, dirty, canSave, onSave }: Props) {
  const t = useTranslations("tools.test");
  const [typed, setTyped] = useState<string | null>(null);
  const [raw, setRaw] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [result, setResult] = useState<Schemas["ToolTestOut"] | null>(null);
  const text = typed ?? exampleText(schema);
  const values = objectOf(text);
  const root = objectOf(schema);
  const first = !tool || dirty;

  const run = async () => {
    if (!values) return;
    setBusy(true);
    setError(null);
    try {
      const saved = first ? await onSave() : tool;
      if (!saved) return;
      const approve = saved.requires_approval ?? false;
      setResult(await data(api.POST("/api/v1/tools/{tool_id}/test", { params: { path: { tool_id: saved.id } }, body: { arguments: values, ...(approve ? { approve } : {}) } })));
    } catch (failure) {
      setResult(null);
      setError(failure);
    } finally {
      setBusy(false);
    }
  };

  return (
    <div className="flex flex-col gap-4">
      <div className="flex items-center justify-between gap-3">
        <h3 className="text-[13px] font-medium">{t("arguments")}</h3>
        <span className="flex gap-1">
          {typed === null ? null : (
            <Button size="sm" kind="ghost" onClick={() => setTyped(null)}>
              {t("example")}
            </Button>
          )}
          <Button size="sm" kind="ghost" aria-pressed={raw} disabled={raw && !values} onClick={() => setRaw(!raw)}>
            {raw ? t("asForm") : t("asJson")}
          </Button>
        </span>
      </div>
      {raw || !values || !root ? (
        <CodeEditor value={text} onChange={setTyped} label={t("arguments")} minHeight="6rem" maxHeight="16rem" />
      ) : (
        <ArgumentsForm schema={root} values={values} onChange={(next) => setTyped(pretty(next))} />
      )}
      {values ? null : (
        <p role="alert" className="text-[13px] text-bad">
          {t("noObject")}
        </p>
      )}
      {tool && effectOf(tool) === "write" ? <Notice tone="warn">{t("writes")}</Notice> : null}
      <Button kind="primary" className="self-start" icon={<Play aria-hidden />} busy={busy} disabled={!values || (first && !canSave)} onClick={() => void run()}>
        {first ? t("saveAndRun") : tool.requires_approval ? t("approveAndRun") : t("run")}
      </Button>
      <div aria-live="polite" className="min-w-0">
        {error ? <ErrorState error={error} onRetry={() => void run()} /> : null}
        {result ? <TestResult result={result} /> : null}
      </div>
    </div>
  );
}
