"use client";

import { Search, Wrench } from "lucide-react";
import { useTranslations } from "next-intl";
import { useState } from "react";

import { PageBody } from "@/components/shell/page-header";
import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Input } from "@/components/ui/field";
import { Locked } from "@/components/ui/locked";
import { EmptyState, Section, Skeleton } from "@/components/ui/surface";
import { useMay } from "@/lib/me";

import { AddMenu } from "./add-menu";
import { BuiltinTools } from "./builtin-tools";
import { IntegrationDialog } from "./integration-dialog";
import { IntegrationGroup } from "./integration-group";
import { grouped } from "./lib/kinds";
import type { AgentOut, Toolbox } from "./lib/toolbox";
import type { Go } from "./lib/view";
import { ToolRows } from "./tool-rows";

interface Props {
  agent: AgentOut;
  etag: string | null;
  toolbox: Toolbox;
  go: Go;
}

const MANY = 8;

/** All tools of an agent, those of an integration together. */
export function ToolList({ agent, etag, toolbox, go }: Props) {
  const t = useTranslations("tools.list");
  const may = useMay("edit");
  const [adding, setAdding] = useState(false);
  const [wanted, setWanted] = useState("");
  const text = wanted.trim().toLowerCase();
  const tools = toolbox.tools.filter((tool) => !text || `${tool.name} ${tool.description} ${tool.kind === "http" ? `${tool.method} ${tool.path}` : ""}`.toLowerCase().includes(text));
  const { single, groups } = grouped(tools, toolbox.integrations);
  const empty = toolbox.ready && !toolbox.tools.length && !toolbox.integrations.length;
  return (
    <PageBody className="flex flex-col gap-8">
      <Section title={t("title")} hint={t("hint")} actions={empty || !may ? null : <AddMenu go={go} onIntegration={() => setAdding(true)} />}>
        {may ? null : <Locked need="edit" />}
        {toolbox.error ? <ErrorState error={toolbox.error} onRetry={toolbox.retry} /> : null}
        {toolbox.tools.length > MANY ? (
          <span className="relative block sm:max-w-xs">
            <Search aria-hidden className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-ink-faint" />
            <Input type="search" value={wanted} aria-label={t("search")} placeholder={t("search")} className="pl-9" onChange={(event) => setWanted(event.target.value)} />
          </span>
        ) : null}
        {!toolbox.ready && !toolbox.error ? (
          <div aria-busy="true" className="flex flex-col gap-3">
            <Skeleton className="h-16 w-full rounded-xl" />
            <Skeleton className="h-16 w-full rounded-xl" />
          </div>
        ) : null}
        {empty ? (
          <EmptyState
            icon={<Wrench />}
            title={t("empty.title")}
            actions={
              !may ? null : (
              <>
                <Button kind="primary" onClick={() => go({ name: "import", id: null, integration: null })}>
                  {t("empty.import")}
                </Button>
                <Button onClick={() => go({ name: "new", kind: "http", integration: null })}>{t("empty.http")}</Button>
                <AddMenu further go={go} onIntegration={() => setAdding(true)} />
              </>
              )
            }
          >
            {t("empty.text")}
          </EmptyState>
        ) : null}
        {text && !tools.length ? (
          <p role="status" className="py-6 text-center text-sm text-ink-soft">
            {t("nothingFound")}
          </p>
        ) : null}
        {single.length ? <ToolRows label={t("single")} tools={single} toolbox={toolbox} go={go} /> : null}
        {groups.map((group) => (text && !group.tools.length ? null : <IntegrationGroup key={group.integration.id} {...group} agent={agent} toolbox={toolbox} go={go} />))}
      </Section>
      {toolbox.ready || toolbox.error ? <BuiltinTools agent={agent} etag={etag} /> : null}
      {adding ? <IntegrationDialog agent={agent.id} onClose={() => setAdding(false)} onSaved={() => void toolbox.refresh()} /> : null}
    </PageBody>
  );
}
