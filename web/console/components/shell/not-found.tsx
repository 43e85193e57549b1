"use client";

import { Compass } from "lucide-react";
import { useTranslations } from "next-intl";

import { ButtonLink } from "@/components/ui/button";

/** What stands at an address that leads nowhere. */
export function NotFound() {
  const t = useTranslations("common.notFound");
  return (
    <div className="mx-auto flex min-h-full max-w-md flex-col items-center justify-center px-6 py-16 text-center">
      <span aria-hidden className="flex size-12 items-center justify-center rounded-xl bg-accent-soft text-accent-ink">
        <Compass className="size-6" />
      </span>
      <h1 className="mt-5 text-lg font-semibold text-ink">{t("title")}</h1>
      <p className="mt-1.5 text-sm text-ink-soft">{t("text")}</p>
      <ButtonLink kind="primary" href="/agents/" className="mt-6">
        {t("home")}
      </ButtonLink>
    </div>
  );
}
