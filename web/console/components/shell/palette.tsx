"use client";

import { Bot, Languages, Monitor, Moon, Plus, Sun } from "lucide-react";
import { Command } from "cmdk";
import { useLocale, useTranslations } from "next-intl";
import { useTheme } from "next-themes";
import { useState } from "react";

import { PLACES } from "@/components/shell/navigation";
import { usePathname, useRouter } from "@/i18n/navigation";
import { LANGUAGES } from "@/i18n/routing";
import { usePages, useRest } from "@/lib/data";
import { useMay } from "@/lib/me";
import type { Schemas } from "@/lib/api";

const ITEM = "flex h-10 cursor-pointer items-center gap-3 rounded-lg px-3 text-sm text-ink data-[selected=true]:bg-hover [&_svg]:size-4 [&_svg]:text-ink-faint";

const THEMES = [["system", Monitor], ["light", Sun], ["dark", Moon]] as const;
const SHORTCUTS = ["palette", "conversation", "save"] as const;
const THEME_WORDS = { system: "themeSystem", light: "themeLight", dark: "themeDark" } as const;

/** What has all the words comes first where it begins with them; letters that are far apart are no match. */
export function fits(value: string, search: string, keywords: readonly string[] = []): number {
  const text = [value, ...keywords].join(" ").toLocaleLowerCase();
  const words = search.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  if (!words.every((word) => text.includes(word))) return 0;
  return words[0] && text.startsWith(words[0]) ? 1 : 0.5;
}

/** Everything by keyboard: places, agents, what can be done. */
export function Palette({ onClose }: { onClose: () => void }) {
  const t = useTranslations("common.palette");
  const places = useTranslations("common.places");
  const router = useRouter();
  const may = useMay("edit");
  const user = useTranslations("common.user");
  const locale = useLocale();
  const pathname = usePathname();
  const { setTheme } = useTheme();
  const [search, setSearch] = useState("");
  const pages = usePages<Schemas["AgentOut"]>("/agents", { limit: 100 });
  const { items: agents } = pages;
  const searching = useRest(pages, search.trim() !== "");
  const go = (href: string) => {
    onClose();
    router.push(href);
  };
  return (
    <Command.Dialog
      open
      onOpenChange={onClose}
      label={t("label")}
      filter={fits}
      overlayClassName="fixed inset-0 z-40 animate-fade bg-black/40"
      contentClassName="fixed inset-x-3 top-[12vh] z-50 mx-auto max-w-xl animate-rise overflow-hidden rounded-2xl border border-line bg-surface shadow-high"
    >
      <Command.Input value={search} onValueChange={setSearch} placeholder={t("placeholder")} className="h-13 w-full border-b border-line bg-transparent px-5 text-[15px] text-ink outline-none placeholder:text-ink-faint" />
      <Command.List className="max-h-[50vh] overflow-y-auto p-2 [&_[cmdk-group-heading]]:px-3 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-ink-faint">
        <Command.Empty className="px-3 py-8 text-center text-sm text-ink-soft">{t(searching ? "searching" : "empty")}</Command.Empty>
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
        <Command.Group heading={user("theme")}>
          {THEMES.map(([name, Icon]) => (
            <Command.Item
              key={name}
              keywords={[user("theme")]}
              className={ITEM}
              onSelect={() => {
                setTheme(name);
                onClose();
              }}
            >
              <Icon aria-hidden />
              {user(THEME_WORDS[name])}
            </Command.Item>
          ))}
        </Command.Group>
        <Command.Group heading={user("language")}>
          {LANGUAGES.filter(([language]) => language !== locale).map(([language, name]) => (
            <Command.Item
              key={language}
              keywords={[user("language")]}
              className={ITEM}
              onSelect={() => {
                onClose();
                router.replace(pathname + window.location.search, { locale: language });
              }}
            >
              <Languages aria-hidden />
              {name}
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
      <p className="flex flex-wrap gap-x-4 gap-y-1 border-t border-line px-5 py-2.5 text-xs text-ink-soft max-sm:hidden">
        {SHORTCUTS.map((name) => (
          <span key={name}>{t.rich(`shortcuts.${name}`, { kbd: (keys) => <kbd className="font-mono text-ink">{keys}</kbd> })}</span>
        ))}
      </p>
    </Command.Dialog>
  );
}
