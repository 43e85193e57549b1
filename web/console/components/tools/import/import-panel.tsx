"use client";

import { LoaderCircle } from "lucide-react";
import { useTranslations } from "next-intl";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Card, Notice, Skeleton } from "@/components/ui/surface";

import type { AgentOut, Toolbox } from "../lib/toolbox";
import type { Go } from "../lib/view";
import { Panel } from "../panel";
import { ImportDone } from "./import-done";
import { ImportPreview } from "./import-preview";
import { ImportSource } from "./import-source";
import { NO_SOURCE } from "./source-draft";
import { useImport } from "./use-import";

interface Props {
  agent: AgentOut;
  toolbox: Toolbox;
  go: Go;
  id: string | null;
  integration: string | null;
}

/** An OpenAPI description becomes tools: where it is, what becomes of it, what is chosen. */
export function ImportPanel({ agent, toolbox, go, id, integration }: Props) {
  const t = useTranslations("tools.import");
  const { job, operations, error, retry } = useImport(id);
  const again = integration ?? (job?.status === "applied" ? null : (job?.integration_id ?? null));
  const name = toolbox.integrations.find((one) => one.id === again)?.name;
  const [draft, setDraft] = useState(NO_SOURCE);
  const restart = (integration = again) => {
    // After a reload only the import itself knows what was given.
    if (job?.url && !draft.url) setDraft({ ...NO_SOURCE, url: job.url, credential: job.credential_id });
    go({ name: "import", id: null, integration });
  };
  return (
    <Panel title={again ? t("titleAgain", { name: name ?? "…" }) : t("title")} onBack={() => go({ name: "list" })}>
      {id ? null : <ImportSource agent={agent} integration={again} draft={draft} onDraft={setDraft} onBegun={(begun) => go({ name: "import", id: begun, integration: again })} />}
      {id && error && !operations ? <ErrorState error={error} onRetry={retry} /> : null}
      {id && !error && (!job || job.status === "queued" || job.status === "running") ? (
        <Card role="status" className="flex items-center gap-3 p-6 text-sm text-ink-soft">
          <LoaderCircle aria-hidden className="size-4 animate-spin" />
          {job?.status === "running" ? t("reading") : t("waiting")}
        </Card>
      ) : null}
      {job?.status === "failed" ? (
        <Notice tone="bad" role="alert" actions={<Button onClick={() => restart()}>{t("otherSource")}</Button>}>
          <p className="font-medium">{t("failed")}</p>
          {job.url ? <p className="mt-0.5 font-mono text-xs break-all text-ink-soft">{job.url}</p> : null}
          <p className="mt-0.5 break-words whitespace-pre-wrap">{job.error?.detail}</p>
          <p className="mt-1 font-mono text-xs text-ink-soft">{job.error?.code}</p>
        </Notice>
      ) : null}
      {job?.status === "applied" && job.result ? <ImportDone result={job.result} go={go} onAgain={() => restart()} /> : null}
      {job?.status === "ready" && !operations && !error ? <Skeleton className="h-96 w-full rounded-xl" /> : null}
      {job?.status === "ready" && job.description && operations ? (
        <ImportPreview key={job.id} job={job} description={job.description} operations={operations} toolbox={toolbox} onApplied={retry} onRestart={() => restart()} onCompare={restart} />
      ) : null}
    </Panel>
  );
}
