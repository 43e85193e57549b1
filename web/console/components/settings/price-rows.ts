// The tenant's prices while they are edited: texts, and what is wrong with them.

import type { Schemas } from "@/lib/api";
import { newId } from "@/lib/ids";

export type TenantPrice = Schemas["TenantPrice"];
export const PROVIDERS: readonly TenantPrice["provider"][] = ["openai_compatible", "anthropic", "openai", "google", "local", "scripted"];
export const AMOUNTS = ["input", "cached_input", "cache_write", "output"] as const;
export type AmountName = (typeof AMOUNTS)[number];
export const MOST_PRICES = 200;

export interface PriceRow extends Record<AmountName, string> {
  readonly key: string;
  readonly provider: TenantPrice["provider"];
  readonly model: string;
}

export type RowFault = "model" | AmountName;

const AMOUNT = /^[0-9]{1,6}(\.[0-9]{1,9})?$/;

/** USD a million tokens as the API takes them: decimal text, with a point. */
export function amountOf(text: string): string {
  return text.trim().replace(/^\$\s*/, "").replace(",", ".").replace(/^\./, "0.").replace(/\.$/, "");
}

export function emptyRow(): PriceRow {
  return { key: newId(), provider: "openai_compatible", model: "", input: "", cached_input: "", cache_write: "", output: "" };
}

/** A price as it is typed in a language with this decimal sign. */
export function rowOf(price: TenantPrice, sign = "."): PriceRow {
  const text = (amount: string | null | undefined) => (amount ?? "").replace(".", sign);
  return {
    key: newId(),
    provider: price.provider,
    model: price.model,
    input: text(price.input),
    cached_input: text(price.cached_input),
    cache_write: text(price.cache_write),
    output: text(price.output),
  };
}

export function faultsOf(row: PriceRow): RowFault[] {
  const faults: RowFault[] = row.model.trim() ? [] : ["model"];
  for (const name of AMOUNTS) {
    const text = amountOf(row[name]);
    const needed = name === "input" || name === "output";
    if (text === "" ? needed : !AMOUNT.test(text)) faults.push(name);
  }
  return faults;
}

export function priceOf(row: PriceRow): TenantPrice {
  return {
    provider: row.provider,
    model: row.model.trim(),
    input: amountOf(row.input),
    cached_input: amountOf(row.cached_input) || null,
    cache_write: amountOf(row.cache_write) || null,
    output: amountOf(row.output),
  };
}

/** The list with one line a place further up or down. */
export function moved<T>(rows: readonly T[], at: number, by: -1 | 1): T[] {
  const next = [...rows];
  const [row] = next.splice(at, 1);
  if (row !== undefined) next.splice(Math.min(Math.max(at + by, 0), next.length), 0, row);
  return next;
}
