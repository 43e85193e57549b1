"use client";

import { useTranslations } from "next-intl";
import type { ReactNode } from "react";

import { Card, Skeleton } from "@/components/ui/surface";
import { Link } from "@/i18n/navigation";
import type { Schemas } from "@/lib/api";
import { useFormats } from "@/lib/format";

const GRID = "grid grid-cols-2 gap-3 md:grid-cols-3 xl:grid-cols-6";

function Tile({ name, value, hint }: { name: ReactNode; value: ReactNode; hint?: ReactNode }) {
  return (
    <Card className="flex min-w-0 flex-col p-4">
      <dt className="text-[13px] text-ink-soft">{name}</dt>
      <dd className="mt-1 min-w-0">
        <span className="block truncate text-xl font-semibold text-ink tabular-nums">{value}</span>
        <span className="mt-1 block text-xs text-ink-faint tabular-nums">{hint}</span>
      </dd>
    </Card>
  );
}

/** The sums of a report at a glance. */
export function Tiles({ total }: { total: Schemas["UsageOut"] }) {
  const t = useTranslations("traces.tiles");
  const f = useFormats();
  const { runs, errors, usage, cost, duration_ms: latency, first_token_ms: first } = total;
  const tokens = (usage?.input_tokens ?? 0) + (usage?.output_tokens ?? 0);
  const unpriced = cost?.unpriced_steps ?? 0;
  const amount = cost?.amount_nanousd ?? null;
  const known = amount !== null;
  return (
    <dl className={GRID}>
      <Tile name={t("runs")} value={f.number(runs)} hint={[t("runsHint", { completed: f.number(total.completed ?? 0), cancelled: f.number(total.cancelled ?? 0) }), ...(total.tests ? [t("tests", { count: total.tests })] : [])].join(" · ")} />
      <Tile
        name={t("cost")}
        value={known ? f.money(amount) : unpriced ? t("unknown") : "–"}
        hint={
          unpriced ? (
            <Link href="/settings/?tab=prices" className="text-warn underline underline-offset-2">
              {t("unpriced", { count: unpriced })}
            </Link>
          ) : runs && known ? (
            t("perRun", { amount: f.money(Math.round(amount / runs)) })
          ) : null
        }
      />
      <Tile name={t("errorRate")} value={runs ? f.percent(errors / runs) : "–"} hint={t("errors", { count: errors })} />
      <Tile name={t("tokens")} value={f.compact(tokens)} hint={t("inOut", { input: f.compact(usage?.input_tokens ?? 0), output: f.compact(usage?.output_tokens ?? 0) })} />
      <Tile name={t("latency")} value={f.duration(latency?.p50)} hint={latency ? t("p90", { value: f.duration(latency.p90) }) : null} />
      <Tile name={t("firstToken")} value={f.duration(first?.p50)} hint={first ? t("p90", { value: f.duration(first.p90) }) : null} />
    </dl>
  );
}

export function TilesSkeleton() {
  return (
    <div className={GRID}>
      {Array.from({ length: 6 }, (_, index) => (
        <Skeleton key={index} className="h-27 rounded-xl" />
      ))}
    </div>
  );
}
