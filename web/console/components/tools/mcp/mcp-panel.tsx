"use client";

import { Server } from "lucide-react";
import { useTranslations } from "next-intl";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import { Card, Skeleton } from "@/components/ui/surface";

import { IntegrationDialog } from "../integration-dialog";
import type { AgentOut, Toolbox } from "../lib/toolbox";
import type { Go } from "../lib/view";
import { Panel } from "../panel";
import { McpFailure } from "./mcp-failure";
import { McpOffers } from "./mcp-offers";
import { McpServer } from "./mcp-server";
import { useOffers } from "./use-offers";

interface Props {
  agent: AgentOut;
  toolbox: Toolbox;
  go: Go;
  integration: string | null;
}

/** Tools of an MCP server: which server, what it offers, what is chosen. */
export function McpPanel({ agent, toolbox, go, integration }: Props) {
  const t = useTranslations("tools.mcp");
  const server = toolbox.integrations.find(({ id }) => id === integration);
  const servers = toolbox.integrations.filter(({ kind }) => kind === "mcp");
  const [editing, setEditing] = useState(false);
  const { offers, error, asking, ask } = useOffers(integration);
  if (!integration) {
    return (
      <Panel title={t("title")} hint={t("hint")} onBack={() => go({ name: "list" })}>
        {servers.length ? (
          <Card className="flex flex-col divide-y divide-line">
            {servers.map(({ id, name, base_url }) => (
              <div key={id} className="flex flex-wrap items-center gap-3 px-4 py-3">
                <Server aria-hidden className="size-4 text-ink-faint" />
                <span className="min-w-0 flex-1">
                  <span className="block font-medium">{name}</span>
                  <span className="block truncate font-mono text-xs text-ink-soft">{base_url}</span>
                </span>
                <Button size="sm" onClick={() => go({ name: "mcp", integration: id })}>
                  {t("choose")}
                </Button>
              </div>
            ))}
          </Card>
        ) : null}
        <McpServer agent={agent} toolbox={toolbox} onMade={(id) => go({ name: "mcp", integration: id }, { replace: true })} />
      </Panel>
    );
  }
  return (
    <Panel
      title={server?.name ?? t("title")}
      onBack={() => go({ name: "list" })}
      actions={
        <Button size="sm" busy={asking} onClick={() => void ask()}>
          {t("askAgain")}
        </Button>
      }
    >
      {server ? <p className="-mt-2 truncate font-mono text-xs text-ink-soft">{server.base_url}</p> : null}
      {error ? <McpFailure error={error} busy={asking} onRetry={() => void ask()} {...(server ? { onEdit: () => setEditing(true) } : {})} /> : null}
      {!offers && !error ? (
        <div role="status" aria-label={t("asking")}>
          <Skeleton className="h-72 w-full rounded-xl" />
        </div>
      ) : null}
      {offers ? (
        <McpOffers
          key={offers.asked}
          integration={integration}
          offers={offers.list}
          toolbox={toolbox}
          onChosen={() => {
            void toolbox.refresh();
            go({ name: "list" });
          }}
          onStale={() => void ask()}
        />
      ) : null}
      {editing && server ? (
        <IntegrationDialog
          agent={agent.id}
          integration={server}
          onClose={() => setEditing(false)}
          onSaved={() => {
            void toolbox.refresh();
            void ask();
          }}
        />
      ) : null}
    </Panel>
  );
}
