"use client";

import { Bar, CartesianGrid, ComposedChart, Line, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";

import { useFormats } from "@/lib/format";

import type { DayChartProps, DayRow } from "./day-chart";

const AXIS = { fontSize: 11, fill: "var(--ink-faint)" };
const dayIn = (day: string) => `${day}T12:00:00Z`;

/** Days from left to right: bars, on one another, or lines. */
export default function DayChartInside({ rows, series, format }: DayChartProps) {
  const formats = useFormats();
  return (
    <ResponsiveContainer width="100%" height="100%">
      <ComposedChart data={rows as DayRow[]} margin={{ top: 8, right: 4, bottom: 0, left: 0 }} accessibilityLayer={false}>
        <CartesianGrid vertical={false} stroke="var(--line)" />
        <XAxis dataKey="day" tick={AXIS} tickLine={false} axisLine={{ stroke: "var(--line-strong)" }} minTickGap={28} padding={{ left: 10, right: 10 }} tickFormatter={(day: string) => formats.day(dayIn(day))} />
        <YAxis tick={AXIS} tickLine={false} axisLine={false} width={62} tickCount={4} tickFormatter={format} allowDecimals={false} />
        <Tooltip
          isAnimationActive={false}
          cursor={{ fill: "var(--hover)", stroke: "var(--line-strong)" }}
          content={({ active, label, payload }) =>
            active && payload.length ? (
              <div className="rounded-lg border border-line bg-surface px-3 py-2 text-xs shadow-high">
                <p className="mb-1 font-medium text-ink">{formats.day(dayIn(String(label)))}</p>
                {payload.map((one) => (
                  <p key={String(one.dataKey)} className="flex items-center gap-2 text-ink-soft tabular-nums">
                    <span aria-hidden className="size-2 rounded-full" style={{ background: one.color }} />
                    {one.name}
                    <span className="ml-auto pl-4 text-ink">{format(Number(one.value))}</span>
                  </p>
                ))}
              </div>
            ) : null
          }
        />
        {series.map((one, index) =>
          one.line ? (
            <Line key={one.key} type="monotone" dataKey={one.key} name={one.label} stroke={one.colour} strokeWidth={2} dot={{ r: 2.5, strokeWidth: 0, fill: one.colour }} activeDot={{ r: 4 }} isAnimationActive={false} />
          ) : (
            <Bar
              key={one.key}
              dataKey={one.key}
              name={one.label}
              stackId="day"
              fill={one.colour}
              maxBarSize={28}
              radius={index === series.length - 1 ? [3, 3, 0, 0] : 0}
              isAnimationActive={false}
            />
          ),
        )}
      </ComposedChart>
    </ResponsiveContainer>
  );
}
