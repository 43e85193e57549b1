"use client";

import { ChartColumn, Table2 } from "lucide-react";
import dynamic from "next/dynamic";
import { useTranslations } from "next-intl";
import { useId, useState } from "react";

import { IconButton } from "@/components/ui/button";
import { Card, Skeleton } from "@/components/ui/surface";
import { useFormats } from "@/lib/format";
import { guarded } from "@/components/ui/guarded";

const Inside = guarded(dynamic(() => import("./day-chart-inside"), { ssr: false, loading: () => <Skeleton className="size-full" /> }));

export interface DayRow {
  readonly day: string;
  readonly [series: string]: string | number | null;
}

export interface Series {
  readonly key: string;
  readonly label: string;
  readonly colour: string;
  readonly line?: boolean;
}

export interface DayChartProps {
  readonly rows: readonly DayRow[];
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
}

/** A chart of days with its legend; the same as a table for whoever cannot, or will not, look at it. */
export function DayChart({ title, summary, none, ...chart }: DayChartProps & { title: string; summary: string; none: string }) {
  const t = useTranslations("traces.charts");
  const [table, setTable] = useState(false);
  const heading = useId();
  const some = chart.rows.some((row) => chart.series.some((one) => row[one.key]));
  return (
    <Card className="flex min-w-0 flex-col p-4" role="figure" aria-labelledby={heading}>
      <header className="flex min-h-8 flex-wrap items-center gap-x-4 gap-y-1">
        <h3 id={heading} className="text-sm font-medium text-ink">
          {title}
        </h3>
        <ul className="flex flex-wrap gap-x-3 text-xs text-ink-soft">
          {chart.series.length > 1
            ? chart.series.map((one) => (
                <li key={one.key} className="flex items-center gap-1.5">
                  <span aria-hidden className="size-2 rounded-full" style={{ background: one.colour }} />
                  {one.label}
                </li>
              ))
            : null}
        </ul>
        <IconButton className="ml-auto" label={table ? t("asChart", { title }) : t("asTable", { title })} onClick={() => setTable(!table)}>
          {table ? <ChartColumn aria-hidden /> : <Table2 aria-hidden />}
        </IconButton>
      </header>
      {table ? (
        <DayTable title={title} {...chart} />
      ) : !some ? (
        <p className="mt-2 flex h-56 items-center justify-center text-[13px] text-ink-faint">{none}</p>
      ) : (
        <div role="img" aria-label={summary} className="mt-2 h-56">
          <Inside {...chart} />
        </div>
      )}
    </Card>
  );
}

function DayTable({ title, rows, series, format }: DayChartProps & { title: string }) {
  const t = useTranslations("traces.charts");
  const formats = useFormats();
  return (
    <div className="mt-2 h-56 overflow-y-auto" tabIndex={0} role="group" aria-label={title}>
      <table className="w-full text-[13px] tabular-nums">
        <thead className="sticky top-0 bg-surface text-xs text-ink-soft">
          <tr>
            <th scope="col" className="py-1.5 text-left font-medium">{t("day")}</th>
            {series.map((one) => (
              <th key={one.key} scope="col" className="py-1.5 text-right font-medium">
                {one.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {rows.map((row) => (
            <tr key={row.day}>
              <th scope="row" className="py-1.5 text-left font-normal text-ink-soft">{formats.day(`${row.day}T12:00:00Z`)}</th>
              {series.map((one) => {
                const value = row[one.key];
                return (
                  <td key={one.key} className="py-1.5 text-right text-ink">
                    {typeof value === "number" ? format(value) : "–"}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
