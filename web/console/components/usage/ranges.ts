// The time that a report is about: days of UTC, both ends included, as the API counts them.

export const RANGES = ["7d", "30d", "90d", "month", "custom"] as const;
export type RangeName = (typeof RANGES)[number];

export interface Range {
  readonly name: RangeName;
  readonly from: string;
  readonly to: string;
}

/** The API reports on no more days than these at once. */
export const MOST_DAYS = 92;

const DAY = 86_400_000;
const LENGTHS: Partial<Record<RangeName, number>> = { "7d": 7, "30d": 30, "90d": 90 };
const FORM = /^\d{4}-\d{2}-\d{2}$/;

export function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

function timeOf(day: string | null): number | null {
  const time = day && FORM.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  return Number.isNaN(time) || dayOf(time) !== day ? null : time;
}

/** The range that an address asks for; what makes no sense becomes one that does. */
export function rangeOf(search: URLSearchParams, now: number): Range {
  const wanted = search.get("range");
  const name = RANGES.find((one) => one === wanted) ?? "30d";
  const today = dayOf(now);
  if (name === "month") return { name, from: `${today.slice(0, 8)}01`, to: today };
  if (name !== "custom") return { name, from: dayOf(now - ((LENGTHS[name] ?? 30) - 1) * DAY), to: today };
  const to = Math.min(timeOf(search.get("to")) ?? now, now);
  const from = timeOf(search.get("from")) ?? to - 29 * DAY;
  const least = to - (MOST_DAYS - 1) * DAY;
  return { name, from: dayOf(Math.min(Math.max(from, least), to)), to: dayOf(to) };
}

/** All days of a range. */
export function daysOf({ from, to }: Pick<Range, "from" | "to">): string[] {
  const begin = timeOf(from);
  const end = timeOf(to);
  if (begin === null || end === null) return [];
  return Array.from({ length: Math.max(0, Math.round((end - begin) / DAY) + 1) }, (_, index) => dayOf(begin + index * DAY));
}
