"use client";

import { Ellipsis, Pencil, Power, PowerOff, Trash2 } from "lucide-react";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { toast } from "@/lib/toast";

import { CredentialState } from "@/components/credentials/credential-state";
import { IconButton } from "@/components/ui/button";
import { useErrorText } from "@/components/ui/error-state";
import { Menu, MenuItem } from "@/components/ui/menu";
import { Badge } from "@/components/ui/surface";
import { api } from "@/lib/api";
import { cn } from "@/lib/cn";
import { useMay } from "@/lib/me";

import { DeleteTool } from "./delete-tool";
import { credentialOf, effectOf, KIND_ICONS, type Tool } from "./lib/kinds";
import type { Toolbox } from "./lib/toolbox";
import { paramsOf, type Go } from "./lib/view";
import { Target } from "./target";

/** One tool: what it calls, what it may do, whether it can. */
export function ToolRow({ tool, toolbox, go }: { tool: Tool; toolbox: Toolbox; go: Go }) {
  const t = useTranslations("tools.list");
  const common = useTranslations("common.actions");
  const words = useErrorText();
  const may = useMay("edit");
  const [deleting, setDeleting] = useState(false);
  const Icon = KIND_ICONS[tool.kind];
  const wanted = credentialOf(tool, toolbox.integrations);
  const credential = toolbox.credentials.find(({ id }) => id === wanted);
  const enabled = tool.enabled ?? true;
  const open = () => go({ name: "tool", id: tool.id });
  const toggle = async () => {
    try {
      await api.PATCH("/api/v1/tools/{tool_id}", { params: { path: { tool_id: tool.id } }, body: { enabled: !enabled } });
      await toolbox.refresh();
    } catch (error) {
      toast.error(words(error));
    }
  };
  return (
    <li className="relative flex items-center gap-3 px-4 py-3 transition-colors hover:bg-hover/40">
      <span className={cn("flex size-8 shrink-0 items-center justify-center rounded-lg bg-accent-soft text-accent-ink", !enabled && "bg-hover text-ink-faint")}>
        <Icon aria-label={t(`kinds.${tool.kind}`)} role="img" className="size-4" />
      </span>
      <div className="min-w-0 flex-1">
        <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <a
            href={`?${hrefOf(tool.id)}`}
            onClick={(event) => {
              if (event.metaKey || event.ctrlKey || event.shiftKey) return;
              event.preventDefault();
              open();
            }}
            className={cn("min-w-0 truncate font-mono text-[13px] font-medium text-ink after:absolute after:inset-0", !enabled && "text-ink-soft")}
          >
            {tool.name}
          </a>
          {enabled ? null : <Badge>{t("disabled")}</Badge>}
          {effectOf(tool) === "write" ? <Badge tone="warn">{t("write")}</Badge> : <Badge>{t("read")}</Badge>}
          {tool.requires_approval ? <Badge tone="info">{t("approval")}</Badge> : null}
          {credential && credential.status !== "ready" ? <CredentialState credential={credential} /> : null}
          {wanted && !credential ? (
            <Badge tone="bad" dot>
              {t("credentialGone")}
            </Badge>
          ) : null}
        </div>
        <Target tool={tool} />
      </div>
      {may ? <span className="relative">
        <Menu
          trigger={
            <IconButton label={t("menu", { name: tool.name })}>
              <Ellipsis aria-hidden />
            </IconButton>
          }
        >
          <MenuItem icon={<Pencil aria-hidden />} onSelect={open}>
            {common("edit")}
          </MenuItem>
          <MenuItem icon={enabled ? <PowerOff aria-hidden /> : <Power aria-hidden />} onSelect={() => void toggle()}>
            {enabled ? t("disable") : t("enable")}
          </MenuItem>
          <MenuItem danger icon={<Trash2 aria-hidden />} onSelect={() => setDeleting(true)}>
            {common("delete")}
          </MenuItem>
        </Menu>
      </span> : null}
      {deleting ? <DeleteTool tool={tool} onClose={() => setDeleting(false)} onDeleted={() => void toolbox.refresh()} /> : null}
    </li>
  );
}

/** The address that opens a tool, for a new window. */
function hrefOf(id: string): string {
  const next = new URLSearchParams(typeof window === "undefined" ? "" : window.location.search);
  for (const [name, value] of Object.entries(paramsOf({ name: "tool", id }))) {
    if (value === null) next.delete(name);
    else next.set(name, value);
  }
  return next.toString();
}
