// What agents did lately, from the usage of each day.

import type { Schemas } from "@/lib/api";

type Usage = Pick<Schemas["UsageOut"], "agent_id" | "day" | "runs" | "cost">;

/** `last`: the newest day (UTC) with a run, null without one. `cost` in nano-dollars, null where none is known. */
export interface RunsOf {
  readonly runs: number;
  readonly cost: number | null;
  readonly last: string | null;
}

/** The sums of each agent's days. */
export function runsByAgent(days: readonly Usage[]): ReadonlyMap<string, RunsOf> {
  const found = new Map<string, RunsOf>();
  for (const { agent_id: id, day, runs, cost } of days) {
    if (!id) continue;
    const before = found.get(id);
    const amount = cost?.amount_nanousd ?? null;
    const last = runs && day && day > (before?.last ?? "") ? day : (before?.last ?? null);
    found.set(id, { runs: (before?.runs ?? 0) + runs, cost: amount === null ? (before?.cost ?? null) : (before?.cost ?? 0) + amount, last });
  }
  return found;
}
