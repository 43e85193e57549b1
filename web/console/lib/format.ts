"use client";

import { useLocale } from "next-intl";

const NANO = 1_000_000_000;

/** Numbers, money and times in the page's language. Money is integer nano-dollars, `null` where the price is unknown. */
export function formats(locale: string) {
  const number = new Intl.NumberFormat(locale);
  const compact = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 });
  const percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "long" });
  const dateTime = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
  const exact = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });
  const day = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
  const decimals = (value: number, digits: number) =>
    new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);

  return {
    number: (value: number) => number.format(value),
    compact: (value: number) => compact.format(value),
    percent: (value: number) => percent.format(value),
    /** Dollars with as many decimals as are needed to see three figures. */
    money(nanousd: number | null | undefined, unknown = "–"): string {
      if (nanousd === null || nanousd === undefined) return unknown;
      const dollars = nanousd / NANO;
      const digits = dollars === 0 || Math.abs(dollars) >= 1 ? 2 : Math.min(9, 2 - Math.floor(Math.log10(Math.abs(dollars))));
      return new Intl.NumberFormat(locale, {
        style: "currency",
        currency: "USD",
        currencyDisplay: "narrowSymbol",
        minimumFractionDigits: 2,
        maximumFractionDigits: digits,
      }).format(dollars);
    },
    /** 840 ms, 2.4 s, 1 min 12 s. */
    duration(milliseconds: number | null | undefined, unknown = "–"): string {
      if (milliseconds === null || milliseconds === undefined) return unknown;
      if (milliseconds < 1_000) return `${number.format(Math.round(milliseconds))} ms`;
      if (milliseconds < 60_000) return `${decimals(milliseconds / 1_000, milliseconds < 10_000 ? 2 : 1)} s`;
      const seconds = Math.round(milliseconds / 1_000);
      return `${number.format(Math.floor(seconds / 60))} min ${seconds % 60} s`;
    },
    /** 3 minutes ago. */
    ago(time: string | Date, now: Date = new Date()): string {
      const seconds = Math.round((new Date(time).getTime() - now.getTime()) / 1_000);
      const units = [["second", 60], ["minute", 60], ["hour", 24], ["day", 7], ["week", 4.35], ["month", 12]] as const;
      let value = seconds;
      for (const [unit, size] of units) {
        if (Math.abs(value) < size) return relative.format(Math.trunc(value), unit);
        value /= size;
      }
      return relative.format(Math.trunc(value), "year");
    },
    /** Today, yesterday, 3 days ago; days are `2026-11-23`, in UTC. */
    daysAgo(day: string, now: Date = new Date()): string {
      const days = Math.round((Date.parse(day) - Date.parse(now.toISOString().slice(0, 10))) / 86_400_000);
      return relative.format(days, "day");
    },
    dateTime: (time: string | Date) => dateTime.format(new Date(time)),
    exact: (time: string | Date) => exact.format(new Date(time)),
    day: (time: string | Date) => day.format(new Date(time)),
  };
}

export type Formats = ReturnType<typeof formats>;

/** `formats` of the page's language. */
export function useFormats(): Formats {
  const locale = useLocale();
  const known = made.get(locale) ?? formats(locale);
  made.set(locale, known);
  return known;
}

/** To make them takes milliseconds, and each message needs them. */
const made = new Map<string, Formats>();
