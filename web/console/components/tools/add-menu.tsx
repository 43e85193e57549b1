"use client";

import { Bot, FileInput, Globe, Plug, Plus, Server, Sparkles, type LucideIcon } from "lucide-react";
import { useTranslations } from "next-intl";

import { Button } from "@/components/ui/button";
import { Menu, MenuItem, MenuLine } from "@/components/ui/menu";

import type { View } from "./lib/view";

type Choice = "http" | "import" | "mcp" | "agent" | "llm";

const CHOICES: readonly (readonly [Choice, LucideIcon, View])[] = [
  ["http", Globe, { name: "new", kind: "http", integration: null }],
  ["import", FileInput, { name: "import", id: null, integration: null }],
  ["mcp", Server, { name: "mcp", integration: null }],
  ["agent", Bot, { name: "new", kind: "agent", integration: null }],
  ["llm", Sparkles, { name: "new", kind: "llm", integration: null }],
];

/** All ways to get a tool. */
export function AddMenu({ go, onIntegration, further = false }: { go: (view: View) => void; onIntegration: () => void; /** Stands beside other ways. */ further?: boolean }) {
  const t = useTranslations("tools.add");
  return (
    <Menu
      trigger={
        further ? (
          <Button>{t("more")}</Button>
        ) : (
          <Button kind="primary" icon={<Plus aria-hidden />}>
            {t("button")}
          </Button>
        )
      }
    >
      {CHOICES.map(([name, Icon, view]) => (
        <MenuItem key={name} icon={<Icon aria-hidden className="mt-0.5 self-start" />} onSelect={() => go(view)}>
          <Words title={t(`${name}.title`)} hint={t(`${name}.hint`)} />
        </MenuItem>
      ))}
      <MenuLine />
      <MenuItem icon={<Plug aria-hidden className="mt-0.5 self-start" />} onSelect={onIntegration}>
        <Words title={t("integration.title")} hint={t("integration.hint")} />
      </MenuItem>
    </Menu>
  );
}

function Words({ title, hint }: { title: string; hint: string }) {
  return (
    <span className="flex max-w-72 flex-col">
      <span className="font-medium">{title}</span>
      <span className="text-[13px] text-ink-soft">{hint}</span>
    </span>
  );
}
