"use client";

import { useTranslations } from "next-intl";
import { useRef, useState } from "react";

import { FormError } from "@/components/credentials/form-error";
import { Button } from "@/components/ui/button";
import { Card, Notice } from "@/components/ui/surface";
import { api, once, type Schemas } from "@/lib/api";

import { choiceOf, firstChoice, MOST_KEYS, MOST_TOOLS, toolsAfter, type Operation } from "../lib/operations";
import type { Toolbox } from "../lib/toolbox";
import { GoneTools } from "./gone-tools";
import { ImportHead } from "./import-head";
import { ImportTarget, targetOf, type Target } from "./import-target";
import { OperationList } from "./operation-list";
import type { Import } from "./use-import";

interface Props {
  job: Import;
  description: Schemas["DescriptionOut"];
  operations: readonly Operation[];
  toolbox: Toolbox;
  onApplied: () => void;
  onRestart: () => void;
  /** Reads it again, to be compared with the tools of this integration. */
  onCompare: (integration: string) => void;
}

/** What becomes of a description: what is chosen of it, and where calls go. */
export function ImportPreview({ job, description, operations, toolbox, onApplied, onRestart, onCompare }: Props) {
  const t = useTranslations("tools.import");
  const again = toolbox.integrations.find(({ id }) => id === job.integration_id);
  const twin = again ? undefined : toolbox.integrations.find(({ kind, name, base_url }) => kind !== "mcp" && (name === description.title.slice(0, 100) || base_url === description.base_url));
  const [chosen, setChosen] = useState(() => firstChoice(operations, Boolean(job.integration_id)));
  const [removed, setRemoved] = useState<ReadonlySet<string>>(new Set());
  const [target, setTarget] = useState<Target>(() => targetOf(description, again));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [headers] = useState(once);
  const aim = useRef<HTMLDivElement>(null);
  const gone = description.removed ?? [];
  const after = toolsAfter(operations, chosen, toolbox.tools.length, removed.size);
  const choice = choiceOf(operations, chosen);
  const tooMany = choice !== "all" && choice.length > MOST_KEYS;
  const nothing = chosen.size === 0 && removed.size === 0;

  const apply = async () => {
    setBusy(true);
    setError(null);
    const { approval, name, base_url, credential_id } = target;
    try {
      await api.POST("/api/v1/openapi-imports/{import_id}/apply", {
        params: { path: { import_id: job.id } },
        body: {
          operations: choice,
          ...(removed.size ? { remove: [...removed] } : {}),
          integration: { name: name.trim() || null, base_url: base_url.trim() || null, credential_id },
          requires_approval_for_writes: approval,
        },
        headers: error ? once() : headers,
      });
      await toolbox.refresh();
      onApplied();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <div className="flex flex-col gap-6">
      <ImportHead description={description} onRestart={onRestart} />
      {twin ? (
        <Notice tone="warn" actions={<Button size="sm" onClick={() => onCompare(twin.id)}>{t("compare")}</Button>}>
          {t("twin", { name: twin.name })}
        </Notice>
      ) : null}
      <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <div className="flex min-w-0 flex-col gap-6">
          <OperationList operations={operations} again={Boolean(job.integration_id)} chosen={chosen} onChosen={setChosen} />
          {gone.length ? <GoneTools gone={gone} tools={toolbox.tools} chosen={removed} onChosen={setRemoved} /> : null}
        </div>
        <Card ref={aim} className="flex scroll-mt-20 flex-col gap-4 p-5 lg:sticky lg:top-20">
          <ImportTarget description={description} target={target} error={error} again={Boolean(again)} onChange={(part) => setTarget((before) => ({ ...before, ...part }))} />
          {after > MOST_TOOLS ? <Notice tone="warn">{t("tooManyTools", { count: after, most: MOST_TOOLS })}</Notice> : null}
          {tooMany ? <Notice tone="warn">{t("tooManyKeys", { most: MOST_KEYS })}</Notice> : null}
          <FormError error={error} />
          <p role="status" className="text-[13px] text-ink-soft">
            {t("summary", { chosen: chosen.size, removed: removed.size })}
          </p>
          <Button kind="primary" busy={busy} disabled={nothing || tooMany || after > MOST_TOOLS} onClick={() => void apply()}>
            {again ? t("applyAgain") : t("apply", { count: chosen.size })}
          </Button>
        </Card>
      </div>
      <div className="sticky bottom-0 z-10 -mx-4 flex flex-wrap items-center justify-between gap-x-4 gap-y-2 border-t border-line bg-page/95 px-4 py-3 backdrop-blur sm:-mx-8 sm:px-8 lg:hidden">
        <span className="text-[13px] text-ink-soft">{t("summary", { chosen: chosen.size, removed: removed.size })}</span>
        <Button size="sm" disabled={nothing} onClick={() => aim.current?.scrollIntoView({ block: "start" })}>
          {t("toTarget")}
        </Button>
      </div>
    </div>
  );
}
