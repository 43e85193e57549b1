// The filters of a list of runs, as they stand in the address.

import { RUN_STATUSES, type RunStatus } from "./run-state";

export const SPANS = ["1h", "24h", "7d", "30d"] as const;
export type Span = (typeof SPANS)[number] | "all" | "custom";

const HOUR = 3_600_000;
const HOURS: Record<(typeof SPANS)[number], number> = { "1h": 1, "24h": 24, "7d": 168, "30d": 720 };

export interface Filters {
  readonly status: RunStatus | null;
  readonly error: string | null;
  readonly span: Span;
  /** Local times as `datetime-local` has them, where `span` is `custom`. */
  readonly from: string;
  readonly to: string;
}

/** What ends a run, as docs/api.md names it; others may be typed into the address. */
export const ERROR_CODES = [
  "provider_auth",
  "provider_rate_limit",
  "provider_overloaded",
  "provider_unavailable",
  "provider_timeout",
  "provider_broken_stream",
  "provider_context_too_long",
  "provider_content_filter",
  "provider_invalid_request",
  "provider_model_not_found",
  "budget_exceeded",
  "answer_not_stored",
  "conversation_deleted",
  "internal_error",
] as const;

export function filtersOf(search: URLSearchParams): Filters {
  const span = search.get("span");
  const from = search.get("since") ?? "";
  const to = search.get("until") ?? "";
  return {
    status: RUN_STATUSES.find((one) => one === search.get("status")) ?? null,
    error: search.get("error") || null,
    span: SPANS.find((one) => one === span) ?? (span === "custom" ? "custom" : "all"),
    from,
    to,
  };
}

function instant(local: string): string | undefined {
  const time = Date.parse(local);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}

/** The same as parameters of the API. `now` is fixed while a list is shown, or its address would never be the same twice. */
export function queryOf({ status, error, span, from, to }: Filters, now: number): Record<string, string | undefined> {
  const own = span === "custom";
  const since = own || span === "all" ? undefined : new Date(now - HOURS[span] * HOUR).toISOString();
  return { status: status ?? undefined, error_code: error ?? undefined, from: own ? instant(from) : since, to: own ? instant(to) : undefined };
}
