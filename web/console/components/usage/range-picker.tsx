"use client";

import { useTranslations } from "next-intl";
import { useId } from "react";

import { Input, Select } from "@/components/ui/field";
import { useQuery } from "@/lib/address";

import { RANGES, type Range } from "./ranges";

/** Which days the report is about. It stands in the address. */
export function RangePicker({ range, today }: { range: Range; today: string }) {
  const t = useTranslations("traces.range");
  const [, change] = useQuery();
  const label = useId();
  return (
    <div role="group" aria-labelledby={label} className="flex flex-wrap items-center gap-2">
      <span id={label} className="sr-only">
        {t("label")}
      </span>
      <Select
        aria-label={t("label")}
        className="w-44"
        value={range.name}
        onChange={(event) => {
          const custom = event.target.value === "custom";
          change({ range: event.target.value, from: custom ? range.from : null, to: custom ? range.to : null }, { replace: true });
        }}
      >
        {RANGES.map((name) => (
          <option key={name} value={name}>
            {t(name)}
          </option>
        ))}
      </Select>
      {range.name === "custom" ? (
        <>
          <Input type="date" aria-label={t("from")} className="!w-38" value={range.from} max={range.to} onChange={(event) => change({ from: event.target.value }, { replace: true })} />
          <Input type="date" aria-label={t("to")} className="!w-38" value={range.to} min={range.from} max={today} onChange={(event) => change({ to: event.target.value }, { replace: true })} />
        </>
      ) : null}
    </div>
  );
}
