"use client";

import { ChevronsUpDown, CircleUser, LogOut } from "lucide-react";
import { useLocale, useTranslations } from "next-intl";
import { useTheme } from "next-themes";
import { useSearchParams } from "next/navigation";
import { Suspense } from "react";

import { PersonLabel } from "@/components/shell/person-label";
import { Menu, MenuChoice, MenuItem, MenuLine } from "@/components/ui/menu";
import { usePathname, useRouter } from "@/i18n/navigation";
import { LANGUAGES, type Locale } from "@/i18n/routing";
import { REMEMBERED, currentSession, forgetSession, signedOut, useSession } from "@/lib/session";
import { forgetTyped } from "@/lib/typed";

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
  const { standing, person } = useSession();
  const signOut = async () => {
    const session = currentSession();
    const { endAddress, revoke } = await import("@/lib/oidc");
    const [address] = await Promise.all([
      endAddress(locale, session?.idToken ?? null).catch(() => null),
      // Without an answer it is good until it ends by itself.
      session ? revoke(session).catch(() => undefined) : null,
    ]);
    localStorage.removeItem(REMEMBERED);
    forgetTyped();
    if (person) signedOut(person.subject);
    forgetSession();
    window.location.assign(address ?? `/${locale}/sign-in/`);
  };
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
          <span className="min-w-0 flex-1 truncate text-left">{standing === "free" || standing === "unknown" ? t("local") : person?.name || person?.email || person?.subject}</span>
          <ChevronsUpDown aria-hidden className="size-3.5" />
        </button>
      }
    >
      {standing === "in" ? <PersonLabel /> : null}
      <MenuChoice
        label={t("theme")}
        value={theme}
        onChange={setTheme}
        choices={[["system", t("themeSystem")], ["light", t("themeLight")], ["dark", t("themeDark")]]}
      />
      <MenuLine />
      <MenuChoice label={t("language")} value={locale} onChange={speak} choices={LANGUAGES} />
      {standing === "in" || standing === "ended" ? (
        <>
          <MenuLine />
          <MenuItem icon={<LogOut aria-hidden />} onSelect={() => void signOut()}>
            {t("signOut")}
          </MenuItem>
        </>
      ) : null}
    </Menu>
  );
}
