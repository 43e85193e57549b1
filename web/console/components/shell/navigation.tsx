"use client";

import { Bot, ChartColumn, KeyRound, Settings } from "lucide-react";
import { useTranslations } from "next-intl";

import { Link, usePathname } from "@/i18n/navigation";
import { cn } from "@/lib/cn";

export const PLACES = [
  ["agents", "/agents/", Bot],
  ["credentials", "/credentials/", KeyRound],
  ["usage", "/usage/", ChartColumn],
  ["settings", "/settings/", Settings],
] as const;

/** Where one can go. */
export function Navigation() {
  const t = useTranslations("common.places");
  const pathname = usePathname();
  return (
    <nav aria-label={t("label")} className="flex flex-col gap-0.5 px-3">
      {PLACES.map(([name, href, Icon]) => {
        const here = pathname.startsWith(href.slice(0, -1));
        return (
          <Link
            key={name}
            href={href}
            aria-current={here ? "page" : undefined}
            className={cn(
              "flex h-9 items-center gap-2.5 rounded-lg px-2.5 text-sm transition-colors pointer-coarse:h-11",
              here ? "bg-accent-soft font-medium text-accent-ink" : "text-ink-soft hover:bg-hover hover:text-ink",
            )}
          >
            <Icon aria-hidden className="size-4" />
            {t(name)}
          </Link>
        );
      })}
    </nav>
  );
}
