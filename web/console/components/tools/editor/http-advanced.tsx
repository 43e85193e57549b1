"use client";

import { useTranslations } from "next-intl";

import { Field, Input, Select } from "@/components/ui/field";
import { Card } from "@/components/ui/surface";

import { Disclosure } from "../disclosure";
import type { Faults } from "../lib/faults";
import type { HttpDraft } from "../lib/http-draft";
import type { AgentOut } from "../lib/toolbox";
import { CallFields, NumberField } from "./common-fields";
import { EnhancementFields } from "./enhancement-fields";
import { ResponseFields } from "./response-fields";

interface Props {
  draft: HttpDraft;
  faults: Faults;
  change: (part: Partial<HttpDraft>) => void;
  agent: AgentOut;
}

/** How a call behaves, what of its answer is seen, and what few tools need. */
export function HttpAdvanced({ draft, faults, change, agent }: Props) {
  const t = useTranslations("tools.editor");
  return (
    <>
      <Card className="flex flex-col gap-5 p-5">
        <Field label={t("effect")} hint={t(`effects.${draft.effect}.hint`)} error={faults.get("effect")}>
          <Select value={draft.effect} onChange={(event) => change({ effect: event.target.value as "read" | "write" })}>
            <option value="read">{t("effects.read.name")}</option>
            <option value="write">{t("effects.write.name")}</option>
          </Select>
        </Field>
        <CallFields draft={draft} faults={faults} change={change} longest={300} />
      </Card>
      <Disclosure title={t("response.title")} open={Boolean(draft.select)}>
        <ResponseFields draft={draft} faults={faults} change={change} />
      </Disclosure>
      <Disclosure title={t("repetition.title")}>
        <div className="grid gap-4 sm:grid-cols-2">
          <NumberField label={t("repetition.retries")} hint={t("repetition.retriesHint")} min={0} max={5} value={draft.retries} error={faults.get("retries")} onChange={(retries) => change({ retries })} />
          {draft.effect === "read" ? (
            <NumberField label={t("repetition.cache")} hint={t("repetition.cacheHint")} min={0} max={86_400} value={draft.cache_seconds} error={faults.get("cache_seconds")} onChange={(cache_seconds) => change({ cache_seconds })} />
          ) : (
            <Field label={t("repetition.header")} hint={t("repetition.headerHint")} error={faults.get("idempotency_header")}>
              <Input value={draft.idempotency_header} spellCheck={false} className="font-mono text-[13px]" onChange={(event) => change({ idempotency_header: event.target.value })} />
            </Field>
          )}
        </div>
      </Disclosure>
      <EnhancementFields first={agent.model_config} value={draft.enhancement} approved={draft.requires_approval} faults={faults} onChange={(enhancement) => change({ enhancement })} />
    </>
  );
}
