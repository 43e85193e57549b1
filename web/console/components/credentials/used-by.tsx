"use client";

import { useTranslations } from "next-intl";

import { ErrorState } from "@/components/ui/error-state";
import { Skeleton } from "@/components/ui/surface";
import { Link } from "@/i18n/navigation";
import type { Schemas } from "@/lib/api";
import { useResource } from "@/lib/data";

import { placeOf } from "./lib/state";

/** What uses a credential, with the way there. */
export function UsedBy({ id, onFollow }: { id: string; onFollow?: () => void }) {
  const t = useTranslations("tools.credentials.uses");
  const { data, error, mutate } = useResource<Schemas["CredentialDetailOut"]>(`/credentials/${id}`);
  const agents = useResource<Schemas["AgentPage"]>(data?.used_by.length ? "/agents" : null, { limit: 100 });
  if (error && !data) return <ErrorState error={error} onRetry={() => void mutate()} />;
  if (!data) return <Skeleton className="h-10 w-full" />;
  if (!data.used_by.length) return <p className="text-sm text-ink-soft">{t("none")}</p>;
  const nameOf = (agent: string | null) => agents.data?.items.find(({ id: one }) => one === agent)?.name;
  return (
    <ul className="divide-y divide-line rounded-lg border border-line">
      {data.used_by.map((use) => (
        <li key={`${use.kind} ${use.id}`} className="flex flex-wrap items-baseline justify-between gap-x-3 px-3 py-2 text-sm">
          <Link href={placeOf(use)} {...(onFollow ? { onClick: onFollow } : {})} className="min-w-0 truncate font-medium text-accent-ink underline-offset-2 hover:underline">
            {use.name || use.id}
          </Link>
          <span className="min-w-0 truncate text-[13px] text-ink-soft">
            {t(`kinds.${use.kind}`)}
            {nameOf(use.agent_id) ? ` · ${nameOf(use.agent_id)}` : ""}
          </span>
        </li>
      ))}
      {data.uses > data.used_by.length ? <li className="px-3 py-2 text-[13px] text-ink-soft">{t("more", { count: data.uses - data.used_by.length })}</li> : null}
    </ul>
  );
}
