"use client";

import { useTranslations } from "next-intl";

import { Ago } from "@/components/ui/time";
import type { Schemas } from "@/lib/api";
import { useFormats } from "@/lib/format";

import { QueryLink } from "./query-link";
import { Money, StatusBadge, Tokens } from "./run-state";

type Run = Schemas["RunOut"];

const HEAD = "px-4 py-2.5 text-left text-xs font-medium whitespace-nowrap text-ink-soft";
const CELL = "px-4 py-3 align-top whitespace-nowrap";
const STATUS = "hidden max-w-56 sm:table-cell";
const NUMBER = "text-right tabular-nums";

/** Runs in lines; a line leads to its run. */
export function RunTable({ runs }: { runs: readonly Run[] }) {
  const t = useTranslations("traces.columns");
  return (
    <div className="overflow-hidden rounded-xl border border-line bg-surface shadow-low">
      <table className="w-full text-sm">
        <caption className="sr-only">{t("caption")}</caption>
        <thead className="border-b border-line bg-sunken max-sm:sr-only">
          <tr>
            <th scope="col" className={HEAD}>{t("run")}</th>
            <th scope="col" className={`${HEAD} ${STATUS}`}>{t("status")}</th>
            <th scope="col" className={`${HEAD} ${NUMBER}`}>{t("duration")}</th>
            <th scope="col" className={`${HEAD} ${NUMBER} hidden lg:table-cell`}>{t("firstToken")}</th>
            <th scope="col" className={`${HEAD} ${NUMBER} hidden md:table-cell`}>{t("tokens")}</th>
            <th scope="col" className={`${HEAD} ${NUMBER} hidden sm:table-cell`}>{t("cost")}</th>
            <th scope="col" className={`${HEAD} ${NUMBER} hidden md:table-cell`}>{t("version")}</th>
            <th scope="col" className={`${HEAD} hidden lg:table-cell`}>{t("conversation")}</th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {runs.map((run) => (
            <RunLine key={run.id} run={run} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function RunLine({ run }: { run: Run }) {
  const t = useTranslations("traces.columns");
  const formats = useFormats();
  return (
    <tr className="relative transition-colors hover:bg-hover has-[a[data-run]:focus-visible]:bg-hover">
      <td className={CELL}>
        <QueryLink
          data-run={run.id}
          values={{ run: run.id, step: null }}
          title={formats.exact(run.created_at)}
          className="font-medium text-ink after:absolute after:inset-0 after:content-['']"
        >
          <Ago time={run.created_at} />
        </QueryLink>
        <span className="mt-0.5 block font-mono text-xs text-ink-faint">…{run.id.slice(-8)}</span>
        <span className="mt-1 block sm:hidden">
          <Standing run={run} />
        </span>
      </td>
      <td className={`${CELL} ${STATUS}`}>
        <Standing run={run} />
      </td>
      <td className={`${CELL} ${NUMBER}`}>
        {formats.duration(run.duration_ms)}
        <span className="block text-xs text-ink-soft sm:hidden">
          <Money cost={run.cost} />
        </span>
      </td>
      <td className={`${CELL} ${NUMBER} hidden text-ink-soft lg:table-cell`}>{formats.duration(run.first_token_ms)}</td>
      <td className={`${CELL} ${NUMBER} hidden text-ink-soft md:table-cell`}>
        <Tokens usage={run.usage} />
      </td>
      <td className={`${CELL} ${NUMBER} hidden sm:table-cell`}>
        <Money cost={run.cost} />
      </td>
      <td className={`${CELL} ${NUMBER} hidden text-ink-soft md:table-cell`}>{t("versionShort", { version: run.version })}</td>
      <td className={`${CELL} hidden lg:table-cell`}>
        <QueryLink
          values={{ tab: "playground", c: run.conversation_id, run: null, step: null }}
          className="relative z-10 rounded-sm font-mono text-xs text-ink-soft underline decoration-line-strong underline-offset-4 hover:text-ink"
        >
          …{run.conversation_id.slice(-8)}
        </QueryLink>
      </td>
    </tr>
  );
}

function Standing({ run }: { run: Run }) {
  return (
    <>
      <StatusBadge status={run.status} />
      {run.error ? (
        <span className="mt-1 block truncate font-mono text-xs text-bad" title={run.error.detail ?? undefined}>
          {run.error.code}
        </span>
      ) : null}
    </>
  );
}
