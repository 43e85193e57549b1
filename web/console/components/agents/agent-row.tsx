"use client";

import { useTranslations } from "next-intl";

import { Ago, Day } from "@/components/ui/time";
import { Skeleton } from "@/components/ui/surface";
import { Link } from "@/i18n/navigation";
import { cn } from "@/lib/cn";
import { useFormats } from "@/lib/format";

import type { RunsOf } from "./activity";
import { agentHref, AgentMenu } from "./agent-menu";
import { StatusBadge } from "./status";
import type { useAgentActions } from "./use-agents";
import type { AgentOut } from "./values";

/** The same columns in the head, the rows and their skeletons; on phones a card. */
export const COLUMNS = "md:grid md:grid-cols-[minmax(0,1fr)_6rem_minmax(0,13rem)_8.5rem_8rem_2.5rem] md:items-center md:gap-4";

interface Props {
  agent: AgentOut;
  /** What it did lately, null where nobody may know; undefined while it is being read. */
  runs: RunsOf | null | undefined;
  actions: ReturnType<typeof useAgentActions>;
}

export function AgentRow({ agent, runs, actions }: Props) {
  const t = useTranslations("agents");
  return (
    <li className={`relative flex flex-col gap-3 px-4 py-3.5 transition-colors hover:bg-hover/60 has-[a:focus-visible]:bg-hover ${COLUMNS}`}>
      <div className="min-w-0 pr-10 md:pr-0">
        <Link href={agentHref(agent.id)} className="block truncate font-medium text-ink outline-offset-4 after:absolute after:inset-0 after:content-['']">
          {agent.name}
        </Link>
        <p className="line-clamp-2 text-[13px] text-ink-soft md:line-clamp-1">{agent.description || <span className="text-ink-faint">{t("list.noDescription")}</span>}</p>
      </div>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2 md:contents">
        <div>
          <StatusBadge status={agent.status} />
        </div>
        <div className="min-w-0 text-[13px] md:text-sm">
          <p className="truncate text-ink">{agent.model_config.model}</p>
          <p className="hidden truncate text-[13px] text-ink-faint md:block">{t(`providers.${agent.model_config.provider}`)}</p>
        </div>
        <Runs runs={runs} />
        <Activity agent={agent} last={runs?.last ?? null} />
      </div>
      <div className="absolute top-2.5 right-2.5 z-10 md:static md:justify-self-end">
        <AgentMenu agent={agent} actions={actions} elsewhere label={t("list.menu", { name: agent.name })} />
      </div>
    </li>
  );
}

/** When it last ran or was changed. Of runs only the day is known, in UTC. */
function Activity({ agent, last }: { agent: AgentOut; last: string | null }) {
  const t = useTranslations("agents.list");
  const ran = last !== null && last >= agent.updated_at.slice(0, 10);
  return (
    <div className="text-[13px] text-ink-soft md:text-sm">
      <p>{ran ? <Day day={last} /> : <Ago time={agent.updated_at} />}</p>
      <p className="hidden text-[13px] text-ink-faint md:block">{t(ran ? "ran" : "changed")}</p>
    </div>
  );
}

function Runs({ runs }: { runs: RunsOf | null | undefined }) {
  const t = useTranslations("agents.list");
  const formats = useFormats();
  if (runs === undefined) return <Skeleton className="hidden h-4 w-16 md:block" />;
  if (runs === null) return <span className="hidden md:block" />;
  return (
    <div className={cn("text-[13px] text-ink-soft md:block md:text-sm", !runs.runs && "hidden")}>
      <p>{t("runsShort", { count: runs.runs })}</p>
      {runs.runs ? <p className="hidden text-[13px] text-ink-faint md:block">{runs.cost === null ? t("costUnknown") : formats.money(runs.cost)}</p> : null}
    </div>
  );
}

/** Rows that are still to come. */
export function RowSkeletons({ count = 5 }: { count?: number }) {
  return Array.from({ length: count }, (_, index) => (
    <li key={index} className={`flex flex-col gap-3 px-4 py-3.5 ${COLUMNS}`}>
      <div className="flex flex-col gap-2 py-0.5">
        <Skeleton className="h-4 w-40 max-w-full" />
        <Skeleton className="h-3.5 w-64 max-w-full" />
      </div>
      <div className="flex gap-3 md:contents">
        <Skeleton className="h-5.5 w-16 rounded-full" />
        <Skeleton className="h-4 w-28" />
        <Skeleton className="hidden h-4 w-16 md:block" />
        <Skeleton className="h-4 w-20" />
      </div>
    </li>
  ));
}
