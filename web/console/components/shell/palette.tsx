"use client";

import { Bot, Plus } from "lucide-react";
import { Command } from "cmdk";
import { useTranslations } from "next-intl";

import { PLACES } from "@/components/shell/navigation";
import { useRouter } from "@/i18n/navigation";
import { usePages } from "@/lib/data";
import { useMay } from "@/lib/me";
import type { Schemas } from "@/lib/api";

const ITEM = "flex h-10 cursor-pointer items-center gap-3 rounded-lg px-3 text-sm text-ink data-[selected=true]:bg-hover [&_svg]:size-4 [&_svg]:text-ink-faint";

/** Everything by keyboard: places, agents, what can be done. */
export function Palette({ onClose }: { onClose: () => void }) {
  const t = useTranslations("common.palette");
  const places = useTranslations("common.places");
  const router = useRouter();
  const may = useMay("edit");
  const { items: agents } = usePages<Schemas["AgentOut"]>("/agents", { limit: 100 });
  const go = (href: string) => {
    onClose();
    router.push(href);
  };
  return (
    <Command.Dialog
      open
      onOpenChange={onClose}
      label={t("label")}
      overlayClassName="fixed inset-0 z-40 animate-fade bg-black/40"
      contentClassName="fixed inset-x-3 top-[12vh] z-50 mx-auto max-w-xl animate-rise overflow-hidden rounded-2xl border border-line bg-surface shadow-high"
    >
      <Command.Input placeholder={t("placeholder")} className="h-13 w-full border-b border-line bg-transparent px-5 text-[15px] text-ink outline-none placeholder:text-ink-faint" />
      <Command.List className="max-h-[50vh] overflow-y-auto p-2 [&_[cmdk-group-heading]]:px-3 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-ink-faint">
        <Command.Empty className="px-3 py-8 text-center text-sm text-ink-soft">{t("empty")}</Command.Empty>
        {may ? (
          <Command.Group heading={t("actions")}>
            <Command.Item className={ITEM} onSelect={() => go("/agents/new/")}>
              <Plus aria-hidden />
              {t("newAgent")}
            </Command.Item>
          </Command.Group>
        ) : null}
        <Command.Group heading={t("places")}>
          {PLACES.map(([name, href, Icon]) => (
            <Command.Item key={name} className={ITEM} onSelect={() => go(href)}>
              <Icon aria-hidden />
              {places(name)}
            </Command.Item>
          ))}
        </Command.Group>
        {agents?.length ? (
          <Command.Group heading={places("agents")}>
            {agents.map((agent) => (
              <Command.Item key={agent.id} value={`${agent.name} ${agent.id}`} className={ITEM} onSelect={() => go(`/agents/detail/?id=${agent.id}`)}>
                <Bot aria-hidden />
                <span className="truncate">{agent.name}</span>
              </Command.Item>
            ))}
          </Command.Group>
        ) : null}
      </Command.List>
    </Command.Dialog>
  );
}
