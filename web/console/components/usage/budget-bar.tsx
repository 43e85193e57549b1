"use client";

import { useTranslations } from "next-intl";

import { cn } from "@/lib/cn";
import { useFormats } from "@/lib/format";

const WARN = 0.8;

interface Props {
  label: string;
  used: number;
  held: number;
  limit: number;
  format: (value: number) => string;
}

/** How far a budget is used, what is held for calls that go on in a paler colour, with a mark at 80 %. */
export function BudgetBar({ label, used, held, limit, format }: Props) {
  const t = useTranslations("traces.budgets");
  const f = useFormats();
  const share = limit > 0 ? used / limit : 1;
  const shown = Math.min(1, share);
  const waiting = limit > 0 ? Math.min(1 - shown, held / limit) : 0;
  const colour = share >= 1 ? "bg-bad" : share >= WARN ? "bg-warn" : "bg-accent";
  return (
    <div>
      <div className="flex items-baseline justify-between gap-3 text-[13px]">
        <span className="text-ink tabular-nums">{t("used", { used: format(used), limit: format(limit) })}</span>
        <span className={cn("tabular-nums", share >= 1 ? "font-medium text-bad" : share >= WARN ? "font-medium text-warn" : "text-ink-soft")}>{f.percent(share)}</span>
      </div>
      <div
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={Math.max(limit, used)}
        aria-valuenow={used}
        aria-valuetext={t("used", { used: format(used), limit: format(limit) })}
        className="relative mt-1.5 h-2 overflow-hidden rounded-full bg-hover"
      >
        <span className={cn("absolute inset-y-0 left-0 rounded-full", colour)} style={{ width: `${shown * 100}%` }} />
        <span className={cn("absolute inset-y-0 opacity-35", colour)} style={{ left: `${shown * 100}%`, width: `${waiting * 100}%` }} />
        <span aria-hidden title={t("mark")} className="absolute inset-y-0 left-4/5 w-px bg-ink-faint" />
      </div>
      {held ? <p className="mt-1 text-xs text-ink-faint">{t("held", { amount: format(held) })}</p> : null}
    </div>
  );
}
