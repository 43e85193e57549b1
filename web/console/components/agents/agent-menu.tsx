"use client";

import { Copy, Ellipsis, Power, PowerOff, SlidersHorizontal, SquareArrowOutUpRight, Trash2 } from "lucide-react";
import { useTranslations } from "next-intl";
import dynamic from "next/dynamic";
import { useState, type ReactNode } from "react";

import { IconButton } from "@/components/ui/button";
import { Menu, MenuItem, MenuLine } from "@/components/ui/menu";
import { useRouter } from "@/i18n/navigation";
import { useMay } from "@/lib/me";
import { guarded } from "@/components/ui/guarded";

import type { useAgentActions } from "./use-agents";
import type { AgentOut } from "./values";

const DeleteAgent = guarded(dynamic(() => import("./delete-agent").then((module) => module.DeleteAgent), { ssr: false }));

interface Props {
  agent: AgentOut;
  actions: Pick<ReturnType<typeof useAgentActions>, "setStatus" | "remove" | "duplicate">;
  label: string;
  /** The way to the agent is offered too: not where one is there already. */
  elsewhere?: boolean;
  onDeleted?: () => void;
  children?: ReactNode;
}

export const agentHref = (id: string, tab?: string) => `/agents/detail/?id=${encodeURIComponent(id)}${tab ? `&tab=${tab}` : ""}`;

/** What can be done to one agent. */
export function AgentMenu({ agent, actions, label, elsewhere = false, onDeleted, children }: Props) {
  const t = useTranslations("agents.actions");
  const router = useRouter();
  const may = useMay("edit");
  const [deleting, setDeleting] = useState(false);
  const duplicate = async () => {
    const copy = await actions.duplicate(agent);
    if (copy && !elsewhere) router.push(agentHref(copy.id));
  };
  const active = agent.status === "active";
  return (
    <>
      <Menu
        trigger={
          <IconButton label={label}>
            <Ellipsis aria-hidden />
          </IconButton>
        }
      >
        {elsewhere ? (
          <>
            <MenuItem icon={<SquareArrowOutUpRight aria-hidden />} onSelect={() => router.push(agentHref(agent.id))}>
              {t("open")}
            </MenuItem>
            <MenuItem icon={<SlidersHorizontal aria-hidden />} onSelect={() => router.push(agentHref(agent.id, "settings"))}>
              {t("settings")}
            </MenuItem>
          </>
        ) : null}
        {children}
        {may ? (
          <>
            <MenuItem icon={<Copy aria-hidden />} onSelect={() => void duplicate()}>
              {t("duplicate")}
            </MenuItem>
            <MenuItem icon={active ? <PowerOff aria-hidden /> : <Power aria-hidden />} onSelect={() => void actions.setStatus(agent, active ? "inactive" : "active")}>
              {t(active ? "deactivate" : "activate")}
            </MenuItem>
            <MenuLine />
            <MenuItem danger icon={<Trash2 aria-hidden />} onSelect={() => setDeleting(true)}>
              {t("delete")}
            </MenuItem>
          </>
        ) : null}
      </Menu>
      {deleting ? <DeleteAgent agent={agent} remove={actions.remove} onClose={() => setDeleting(false)} onDeleted={onDeleted} /> : null}
    </>
  );
}
