"use client";

import { useTranslations } from "next-intl";
import { useDeferredValue, useMemo } from "react";

import { CodeEditor } from "@/components/ui/code-editor";
import { Notice } from "@/components/ui/surface";

import { objectOf } from "../lib/json";
import { schemaFaults } from "../lib/schema-check";
import { SchemaProblems } from "./schema-pane";

interface Props {
  text: string;
  error?: string | undefined;
  /** Without it the schema is only shown. */
  onText?: (text: string) => void;
}

/** The JSON Schema of an input that is not filled in by parameters. */
export function PlainSchema({ text, error, onText }: Props) {
  const t = useTranslations("tools.editor.schema");
  const read = useDeferredValue(text);
  const problem = useMemo(() => {
    const schema = objectOf(read);
    return { faults: schema ? schemaFaults(schema) : [], unused: [], missing: [], unreadable: !schema };
  }, [read]);
  return (
    <div className="flex flex-col gap-3">
      <CodeEditor value={text} {...(onText ? { onChange: onText } : { readOnly: true })} label={t("label")} minHeight="14rem" maxHeight="calc(100dvh - 26rem)" />
      <div role="status" aria-live="polite">
        {onText && (problem.unreadable || problem.faults.length) ? (
          <Notice tone="warn">
            <SchemaProblems {...problem} />
          </Notice>
        ) : null}
      </div>
      {error ? (
        <p role="alert" className="text-[13px] text-bad">
          {error}
        </p>
      ) : null}
    </div>
  );
}
