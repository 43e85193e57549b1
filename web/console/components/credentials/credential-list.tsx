"use client";

import { useTranslations } from "next-intl";

import { Card, Skeleton } from "@/components/ui/surface";

import { CredentialRow } from "./credential-row";
import type { Credential } from "./lib/draft";

/** Credentials as a table; `undefined` while they come. */
export function CredentialList({ credentials }: { credentials: readonly Credential[] | undefined }) {
  const t = useTranslations("tools.credentials.list");
  return (
    <Card aria-busy={!credentials || undefined}>
      <div aria-hidden className="hidden grid-cols-[minmax(0,2.2fr)_minmax(0,1.6fr)_minmax(0,1fr)_minmax(0,1fr)_2rem] gap-x-4 border-b border-line px-4 py-2 text-xs font-medium text-ink-faint md:grid">
        <span>{t("name")}</span>
        <span>{t("state")}</span>
        <span>{t("usedBy")}</span>
        <span>{t("changed")}</span>
      </div>
      <ul aria-label={t("label")} className="divide-y divide-line">
        {credentials
          ? credentials.map((credential) => <CredentialRow key={credential.id} credential={credential} />)
          : [0, 1, 2].map((number) => (
              <li key={number} className="px-4 py-3">
                <Skeleton className="my-1 h-4 w-48" />
                <Skeleton className="my-1 h-3.5 w-32" />
              </li>
            ))}
      </ul>
    </Card>
  );
}
