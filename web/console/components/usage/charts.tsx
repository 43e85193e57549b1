"use client";

import { useTranslations } from "next-intl";

import type { Schemas } from "@/lib/api";
import { useFormats } from "@/lib/format";

import { DayChart } from "./day-chart";
import { daysOf } from "./ranges";

const RUN_SERIES = ["completed", "cancelled", "errors"] as const;
const COLOURS = { completed: "var(--accent)", cancelled: "var(--line-strong)", errors: "var(--bad)" };

/** Cost, runs and latency of each day. Days without runs are there, with nothing in them. */
export function Charts({ report }: { report: Schemas["UsageReportOut"] }) {
  const t = useTranslations("traces.charts");
  const f = useFormats();
  const items = new Map(report.items.map((item) => [item.day, item]));
  const rows = daysOf(report).map((day) => {
    const item = items.get(day);
    return {
      day,
      cost: item?.cost?.amount_nanousd ?? null,
      completed: item?.completed ?? 0,
      cancelled: item?.cancelled ?? 0,
      errors: item?.errors ?? 0,
      p50: item?.duration_ms?.p50 ?? null,
      p90: item?.duration_ms?.p90 ?? null,
      p99: item?.duration_ms?.p99 ?? null,
      first: item?.first_token_ms?.p50 ?? null,
    };
  });
  const { total } = report;
  const range = { from: f.day(`${report.from}T12:00:00Z`), to: f.day(`${report.to}T12:00:00Z`) };
  const latency = total.duration_ms;
  return (
    <div className="grid gap-4 lg:grid-cols-2">
      <DayChart
        title={t("cost")}
        summary={t("costSummary", { ...range, amount: f.money(total.cost?.amount_nanousd, t("unknown")) })}
        rows={rows}
        none={total.cost?.unpriced_steps ? t("costUnknown") : t("costNone")}
        series={[{ key: "cost", label: t("cost"), colour: "var(--accent)" }]}
        format={(value) => f.money(value)}
      />
      <DayChart
        title={t("runs")}
        summary={t("runsSummary", { ...range, runs: f.number(total.runs), errors: f.number(total.errors) })}
        rows={rows}
        none={t("none")}
        series={RUN_SERIES.map((key) => ({ key, label: t(key), colour: COLOURS[key] }))}
        format={(value) => f.number(value)}
      />
      <div className="lg:col-span-2">
        <DayChart
          title={t("latency")}
          summary={t("latencySummary", { ...range, p50: f.duration(latency?.p50), p90: f.duration(latency?.p90) })}
          rows={rows}
          none={t("none")}
          series={[
            { key: "p50", label: t("p50"), colour: "var(--accent)", line: true },
            { key: "p90", label: t("p90"), colour: "var(--info)", line: true },
            { key: "p99", label: t("p99"), colour: "var(--warn)", line: true },
            { key: "first", label: t("first"), colour: "var(--ink-faint)", line: true },
          ]}
          format={(value) => f.duration(value)}
        />
      </div>
    </div>
  );
}
