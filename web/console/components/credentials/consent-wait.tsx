"use client";

import { ExternalLink, LoaderCircle } from "lucide-react";
import { useTranslations } from "next-intl";

import { Button } from "@/components/ui/button";

import { CopiedAddress } from "./copied-address";
import type { Consent } from "./use-consent";

/** A person is away to give consent: the way to that page again, and what it may ask for. */
export function ConsentWait({ consent, onStop }: { consent: Consent; onStop: () => void }) {
  const t = useTranslations("tools.credentials.connect");
  return (
    <div className="flex w-full min-w-0 flex-col gap-1.5 text-[13px] text-ink-soft">
      <span role="status" className="flex items-center gap-2">
        <LoaderCircle aria-hidden className="size-3.5 shrink-0 animate-spin text-accent-ink" />
        {t("waiting")}
      </span>
      <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <a href={consent.url} target="_blank" rel="noopener noreferrer" className="inline-flex items-center gap-1 py-1 text-accent-ink underline underline-offset-2">
          {t("open")}
          <ExternalLink aria-hidden className="size-3.5" />
        </a>
        <Button size="sm" kind="ghost" onClick={onStop}>
          {t("stop")}
        </Button>
      </span>
      <details>
        <summary className="w-fit cursor-pointer rounded py-0.5 hover:text-ink">{t("trouble")}</summary>
        <p className="mt-1">{t("redirect")}</p>
        <CopiedAddress address={consent.redirectUri} />
      </details>
    </div>
  );
}
