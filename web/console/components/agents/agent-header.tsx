"use client";

import { ArrowLeft, ChevronDown, Hash } from "lucide-react";
import { useTranslations } from "next-intl";
import type { ReactNode } from "react";

import { PageHeader } from "@/components/shell/page-header";
import { Menu, MenuChoice, MenuItem } from "@/components/ui/menu";
import { Skeleton } from "@/components/ui/surface";
import { Link, useRouter } from "@/i18n/navigation";
import { useMay } from "@/lib/me";
import { toast } from "@/lib/toast";

import { AgentMenu } from "./agent-menu";
import { Rename } from "./rename";
import { StatusBadge } from "./status";
import { overlaid, useAgentActions } from "./use-agents";
import { STATUSES, type AgentOut } from "./values";

function Back() {
  const t = useTranslations("agents.detail");
  return (
    <Link href="/agents/" className="inline-flex items-center gap-1 rounded hover:text-ink">
      <ArrowLeft aria-hidden className="size-3.5" />
      {t("back")}
    </Link>
  );
}

/** The head while the agent is being read: of the same height. */
export function AgentHeaderSkeleton({ children }: { children: ReactNode }) {
  const t = useTranslations("agents.detail");
  return (
    <PageHeader
      back={<Back />}
      title={
        <>
          <span className="sr-only">{t("loading")}</span>
          <Skeleton className="my-0.5 h-7 w-48" />
        </>
      }
      hint={<Skeleton className="mt-1 h-4 w-64 max-w-full" />}
    >
      {children}
    </PageHeader>
  );
}

/** Which agent this is, whether it answers, what it runs on; `children` are the tabs. */
export function AgentHeader({ agent, onTab, children }: { agent: AgentOut; onTab: (tab: "settings" | "versions") => void; children: ReactNode }) {
  const t = useTranslations("agents");
  const router = useRouter();
  const actions = useAgentActions();
  const may = useMay("edit");
  const status = overlaid(agent, actions.overlay)?.status ?? agent.status;
  const copyId = async () => {
    await navigator.clipboard?.writeText(agent.id);
    toast.success(t("detail.copied"), { description: agent.id });
  };
  return (
    <PageHeader
      back={<Back />}
      title={<Rename agent={agent} />}
      hint={
        <span className="flex min-w-0 flex-wrap items-center gap-x-2 text-[13px]">
          <button type="button" onClick={() => onTab("settings")} className="max-w-full truncate rounded hover:text-ink hover:underline">
            {agent.model_config.model}
          </button>
          <span aria-hidden className="hidden sm:inline">
            ·
          </span>
          <span className="hidden sm:inline">{t(`providers.${agent.model_config.provider}`)}</span>
          <span aria-hidden>·</span>
          <button type="button" onClick={() => onTab("versions")} className="rounded tabular-nums hover:text-ink hover:underline">
            {t("detail.version", { number: agent.version })}
          </button>
        </span>
      }
      actions={
        <>
          {may ? (
            <Menu
              trigger={
                <button type="button" aria-label={t("detail.statusIs", { status: t(`status.${status}`) })} className="inline-flex h-8 items-center gap-1 rounded-lg px-1.5 transition-colors hover:bg-hover pointer-coarse:h-10">
                  <StatusBadge status={status} />
                  <ChevronDown aria-hidden className="size-3.5 text-ink-faint" />
                </button>
              }
            >
              <MenuChoice
                label={t("detail.status")}
                value={status}
                onChange={(next) => (next === status ? undefined : void actions.setStatus(agent, next))}
                choices={STATUSES.map((one) => [
                  one,
                  <span key={one}>
                    <span className="block">{t(`status.${one}`)}</span>
                    <span className="block text-xs text-ink-faint">{t(`statusHints.${one}`)}</span>
                  </span>,
                ])}
              />
            </Menu>
          ) : (
            <StatusBadge status={status} />
          )}
          <AgentMenu agent={{ ...agent, status }} actions={actions} label={t("detail.menu")} onDeleted={() => router.push("/agents/")}>
            <MenuItem icon={<Hash aria-hidden />} onSelect={() => void copyId()}>
              {t("detail.copyId")}
            </MenuItem>
          </AgentMenu>
        </>
      }
    >
      {children}
    </PageHeader>
  );
}
