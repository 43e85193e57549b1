"use client";

import { Ellipsis, FileInput, Pencil, Plus, RefreshCw, Trash2 } from "lucide-react";
import { useTranslations } from "next-intl";
import { useState } from "react";

import { CredentialState } from "@/components/credentials/credential-state";
import { Button, IconButton } from "@/components/ui/button";
import { Menu, MenuItem } from "@/components/ui/menu";
import { Badge, Card } from "@/components/ui/surface";
import { useMay } from "@/lib/me";

import { DeleteIntegration } from "./delete-integration";
import { IntegrationDialog } from "./integration-dialog";
import type { Integration, Tool } from "./lib/kinds";
import type { AgentOut, Toolbox } from "./lib/toolbox";
import type { Go } from "./lib/view";
import { ToolRows } from "./tool-rows";

interface Props {
  agent: AgentOut;
  integration: Integration;
  tools: readonly Tool[];
  toolbox: Toolbox;
  go: Go;
}

/** An integration with its tools. */
export function IntegrationGroup({ agent, integration, tools, toolbox, go }: Props) {
  const t = useTranslations("tools.integrations");
  const common = useTranslations("common.actions");
  const may = useMay("edit");
  const [open, setOpen] = useState<"edit" | "delete" | null>(null);
  const credential = toolbox.credentials.find(({ id }) => id === integration.credential_id);
  const mcp = integration.kind === "mcp";
  const again = () => go(mcp ? { name: "mcp", integration: integration.id } : { name: "import", id: null, integration: integration.id });
  return (
    <Card className="overflow-hidden">
      <header className="flex items-center gap-3 border-b border-line bg-sunken px-4 py-2.5">
        <div className="min-w-0 flex-1">
          <h3 className="flex flex-wrap items-center gap-2 text-sm font-semibold">
            <span className="min-w-0 truncate">{integration.name}</span>
            <Badge>{mcp ? "MCP" : t("count", { count: tools.length })}</Badge>
            {credential ? <CredentialState credential={credential} /> : null}
            {integration.credential_id && !credential ? (
              <Badge tone="bad" dot>
                {t("credentialGone")}
              </Badge>
            ) : null}
          </h3>
          <p className="truncate font-mono text-xs text-ink-soft">{integration.base_url}</p>
        </div>
        {may ? (
          <>
            <Button size="sm" kind="ghost" className="max-sm:hidden" icon={mcp ? <RefreshCw aria-hidden /> : <FileInput aria-hidden />} onClick={again}>
              {mcp ? t("list") : t("again")}
            </Button>
            <Menu
              trigger={
                <IconButton label={t("menu", { name: integration.name })}>
                  <Ellipsis aria-hidden />
                </IconButton>
              }
            >
              {mcp ? null : (
                <MenuItem icon={<Plus aria-hidden />} onSelect={() => go({ name: "new", kind: "http", integration: integration.id })}>
                  {t("addTool")}
                </MenuItem>
              )}
              <MenuItem icon={mcp ? <RefreshCw aria-hidden /> : <FileInput aria-hidden />} onSelect={again}>
                {mcp ? t("list") : t("again")}
              </MenuItem>
              <MenuItem icon={<Pencil aria-hidden />} onSelect={() => setOpen("edit")}>
                {common("edit")}
              </MenuItem>
              <MenuItem danger icon={<Trash2 aria-hidden />} onSelect={() => setOpen("delete")}>
                {common("delete")}
              </MenuItem>
            </Menu>
          </>
        ) : null}
      </header>
      {tools.length ? (
        <ToolRows flat label={integration.name} tools={tools} toolbox={toolbox} go={go} />
      ) : (
        <p className="flex flex-wrap items-center justify-between gap-2 px-4 py-3 text-[13px] text-ink-soft">
          {t("none")}
          {may ? (
            <Button size="sm" onClick={() => (mcp ? again() : go({ name: "new", kind: "http", integration: integration.id }))}>
              {mcp ? t("choose") : t("addTool")}
            </Button>
          ) : null}
        </p>
      )}
      {open === "edit" ? <IntegrationDialog agent={agent.id} integration={integration} onClose={() => setOpen(null)} onSaved={() => void toolbox.refresh()} /> : null}
      {open === "delete" ? <DeleteIntegration integration={integration} tools={tools} onClose={() => setOpen(null)} onDeleted={() => void toolbox.refresh()} /> : null}
    </Card>
  );
}
