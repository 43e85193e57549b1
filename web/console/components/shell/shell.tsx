"use client";

import { Menu as MenuIcon, Search, X } from "lucide-react";
import dynamic from "next/dynamic";
import { useTranslations } from "next-intl";
import { useEffect, useState, type ReactNode } from "react";

import { ErrorBoundary } from "@/components/shell/error-boundary";
import { Logo } from "@/components/shell/logo";
import { Navigation } from "@/components/shell/navigation";
import { Offline } from "@/components/shell/offline";
import { SessionGate } from "@/components/shell/session-gate";
import { UserMenu } from "@/components/shell/user-menu";
import { IconButton } from "@/components/ui/button";
import { Link, usePathname } from "@/i18n/navigation";
import { cn } from "@/lib/cn";
import { guarded } from "@/components/ui/guarded";

const Palette = guarded(dynamic(() => import("@/components/shell/palette").then((module) => module.Palette), { ssr: false }));

/** Pages that stand alone. */
const BARE = /^\/(sign-in|signed-in|invitation)\/?$/;

/** The frame of all pages: navigation at the side, on phones behind a button; the command palette. */
export function Shell({ children }: { children: ReactNode }) {
  const t = useTranslations("common.shell");
  const pathname = usePathname();
  const [open, setOpen] = useState(false);
  const [palette, setPalette] = useState(false);
  const [shown, setShown] = useState(pathname);
  if (shown !== pathname) {
    setShown(pathname);
    setOpen(false);
  }
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key === "Escape") setOpen(false);
      if (event.key.toLowerCase() !== "k" || !(event.metaKey || event.ctrlKey)) return;
      event.preventDefault();
      setPalette((before) => !before);
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);

  if (BARE.test(pathname)) {
    return (
      <ErrorBoundary>
        {pathname.startsWith("/invitation") ? <SessionGate /> : null}
        {children}
      </ErrorBoundary>
    );
  }
  return (
    <div className="flex h-dvh">
      <SessionGate />
      <a href="#main" className="fixed top-2 left-2 z-50 -translate-y-16 rounded-lg bg-accent px-3 py-2 text-on-accent focus:translate-y-0">
        {t("skip")}
      </a>
      {open ? <div aria-hidden className="fixed inset-0 z-30 animate-fade bg-black/40 md:hidden" onClick={() => setOpen(false)} /> : null}
      <aside
        id="sidebar"
        aria-label={t("sidebar")}
        className={cn(
          "fixed inset-y-0 left-0 z-40 flex w-64 shrink-0 flex-col border-r border-line bg-sunken md:static md:z-auto md:flex md:w-60",
          open ? "animate-slide shadow-high md:shadow-none" : "hidden",
        )}
      >
        <div className="flex h-14 items-center justify-between pr-2 pl-4">
          <Link href="/agents/" className="flex items-center gap-2.5 rounded-md font-semibold text-ink">
            <Logo />
            {t("brand")}
          </Link>
          <IconButton label={t("closeMenu")} className="md:hidden" onClick={() => setOpen(false)}>
            <X aria-hidden />
          </IconButton>
        </div>
        <div className="px-3 pb-3">
          <button
            type="button"
            onClick={() => setPalette(true)}
            className="flex h-9 w-full items-center gap-2 rounded-lg border border-line bg-surface px-2.5 text-[13px] text-ink-faint shadow-low transition-colors hover:border-line-strong"
          >
            <Search aria-hidden className="size-4" />
            <span className="flex-1 text-left">{t("search")}</span>
            <kbd className="rounded border border-line px-1.5 font-sans text-[11px]">{t("searchKeys")}</kbd>
          </button>
        </div>
        <Navigation />
        <div className="mt-auto border-t border-line p-2">
          <UserMenu />
        </div>
      </aside>
      <div className="flex min-w-0 flex-1 flex-col">
        <header className="flex h-13 shrink-0 items-center justify-between border-b border-line bg-surface px-2 md:hidden">
          <IconButton label={t("openMenu")} aria-expanded={open} aria-controls="sidebar" onClick={() => setOpen(true)}>
            <MenuIcon aria-hidden />
          </IconButton>
          <Link href="/agents/" className="flex items-center gap-2 rounded-md font-semibold">
            <Logo />
            {t("brand")}
          </Link>
          <IconButton label={t("search")} onClick={() => setPalette(true)}>
            <Search aria-hidden />
          </IconButton>
        </header>
        <Offline />
        <main id="main" tabIndex={-1} className="min-h-0 flex-1 overflow-y-auto outline-none">
          <ErrorBoundary key={pathname}>{children}</ErrorBoundary>
        </main>
      </div>
      {palette ? <Palette onClose={() => setPalette(false)} /> : null}
    </div>
  );
}
