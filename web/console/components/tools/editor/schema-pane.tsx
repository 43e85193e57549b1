"use client";

import { useTranslations } from "next-intl";
import { useDeferredValue, useMemo } from "react";

import { Button } from "@/components/ui/button";
import { CodeEditor } from "@/components/ui/code-editor";
import { Notice } from "@/components/ui/surface";

import { objectOf } from "../lib/json";
import { disagreement, type Shape } from "../lib/rows";
import { schemaFaults } from "../lib/schema-check";

interface Props {
  draft: Shape & { readonly schema: string };
  error?: string | undefined;
  onText: (text: string) => void;
  onRebuild: () => void;
}

/** The JSON Schema of the input beside the form that says the same; what is wrong with it is told while it is written. */
export function SchemaPane({ draft, error, onText, onRebuild }: Props) {
  const t = useTranslations("tools.editor.schema");
  const { rows, body } = draft;
  const text = useDeferredValue(draft.schema);
  const problem = useMemo(() => {
    const schema = objectOf(text);
    if (!schema) return { faults: [], unused: [], missing: [], unreadable: true };
    return { faults: schemaFaults(schema), ...disagreement({ rows, body }, schema), unreadable: false };
  }, [rows, body, text]);
  const bad = problem.unreadable || problem.faults.length > 0 || problem.unused.length > 0 || problem.missing.length > 0;
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-start justify-between gap-2">
        <p className="min-w-0 flex-1 text-[13px] text-ink-soft">{t("hint")}</p>
        <Button size="sm" onClick={onRebuild}>
          {t("rebuild")}
        </Button>
      </div>
      <CodeEditor value={draft.schema} onChange={onText} label={t("label")} minHeight="18rem" maxHeight="calc(100dvh - 26rem)" />
      <div role="status" aria-live="polite">
        {bad ? (
          <Notice tone={error || problem.unreadable ? "bad" : "warn"}>
            <SchemaProblems {...problem} />
          </Notice>
        ) : (
          <p className="text-[13px] text-good">{t("good")}</p>
        )}
      </div>
      {error ? (
        <p role="alert" className="text-[13px] text-bad">
          {error}
        </p>
      ) : null}
    </div>
  );
}

/** What is wrong with a schema, as a list. */
export function SchemaProblems({ faults, unused, missing, unreadable }: { faults: ReturnType<typeof schemaFaults>; unused: readonly string[]; missing: readonly string[]; unreadable: boolean }) {
  const t = useTranslations("tools.editor.schema");
  if (unreadable) return <p>{t("unreadable")}</p>;
  return (
    <ul className="list-disc space-y-0.5 pl-5 text-[13px]">
      {missing.map((name) => (
        <li key={`missing ${name}`}>{t("missing", { name })}</li>
      ))}
      {unused.map((name) => (
        <li key={`unused ${name}`}>{t("unused", { name })}</li>
      ))}
      {faults.map(({ at, code, word }) => (
        <li key={`${at} ${code} ${word}`}>
          <code className="font-mono text-xs">{at || "/"}</code> {t(`faults.${code}`, { word })}
        </li>
      ))}
    </ul>
  );
}
