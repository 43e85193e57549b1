"use client";

import { ChevronsUpDown, CircleUser } from "lucide-react";
import { useLocale, useTranslations } from "next-intl";
import { useTheme } from "next-themes";
import { useSearchParams } from "next/navigation";
import { Suspense } from "react";

import { Menu, MenuChoice, MenuLine } from "@/components/ui/menu";
import { usePathname, useRouter } from "@/i18n/navigation";
import type { Locale } from "@/i18n/routing";

const LANGUAGES = [["en", "English"], ["de", "Deutsch"]] as const;

/** Who is signed in, the theme, the language. */
export function UserMenu() {
  return (
    <Suspense fallback={<div className="h-10" />}>
      <UserMenuInside />
    </Suspense>
  );
}

function UserMenuInside() {
  const t = useTranslations("common.user");
  const { theme = "system", setTheme } = useTheme();
  const locale = useLocale();
  const router = useRouter();
  const pathname = usePathname();
  const search = useSearchParams();
  const speak = (language: Locale) => {
    const query = search.toString();
    router.replace(query ? `${pathname}?${query}` : pathname, { locale: language });
  };
  return (
    <Menu
      align="start"
      side="top"
      trigger={
        <button type="button" className="flex h-10 w-full items-center gap-2.5 rounded-lg px-2.5 text-sm text-ink-soft transition-colors hover:bg-hover hover:text-ink">
          <CircleUser aria-hidden className="size-4" />
          <span className="min-w-0 flex-1 truncate text-left">{t("local")}</span>
          <ChevronsUpDown aria-hidden className="size-3.5" />
        </button>
      }
    >
      <MenuChoice
        label={t("theme")}
        value={theme}
        onChange={setTheme}
        choices={[["system", t("themeSystem")], ["light", t("themeLight")], ["dark", t("themeDark")]]}
      />
      <MenuLine />
      <MenuChoice label={t("language")} value={locale} onChange={speak} choices={LANGUAGES} />
    </Menu>
  );
}
