"use client";

import { useTranslations } from "next-intl";

import { Field, Input } from "@/components/ui/field";

import type { Faults } from "../lib/faults";
import { NumberField } from "./common-fields";

interface Shaping {
  readonly select: string;
  readonly max_bytes: number;
}

/** What of an answer the model sees. */
export function ResponseFields({ draft, faults, change }: { draft: Shaping; faults: Faults; change: (part: Partial<Shaping>) => void }) {
  const t = useTranslations("tools.editor.response");
  return (
    <>
      <Field label={t("select")} hint={t("selectHint")} error={faults.get("response.select")}>
        <Input value={draft.select} maxLength={1_000} spellCheck={false} placeholder="items[].{name: name, price: price}" className="font-mono text-[13px]" onChange={(event) => change({ select: event.target.value })} />
      </Field>
      <NumberField label={t("maxBytes")} hint={t("maxBytesHint")} min={256} max={262_144} value={draft.max_bytes} error={faults.get("response.max_bytes")} onChange={(max_bytes) => change({ max_bytes })} />
    </>
  );
}
