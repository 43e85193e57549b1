// What is shown of a conversation, from what is stored and what is known live.

import { isOver, type Answer, type CallOutcome, type Entry, type Question, type ToolBlock } from "@melton/client";

import type { Schemas } from "@/lib/api";

/** Stored entries with the live ones in their places; what is live is newer. Both are in their order. */
export function merged(stored: readonly Entry[], live: readonly Entry[]): readonly Entry[] {
  if (live.length === 0) return stored;
  const known = new Set(live.map(rankOf));
  const all: Entry[] = [];
  let next = 0;
  for (const entry of stored) {
    const rank = rankOf(entry);
    if (known.has(rank)) continue;
    for (let one = live[next]; one && rankOf(one) < rank; one = live[next]) {
      all.push(one);
      next += 1;
    }
    all.push(entry);
  }
  return all.length === 0 ? live : [...all, ...live.slice(next)];
}

/** Run ids rise in the order of acceptance; what has none yet comes last. */
function rankOf(entry: Entry): string {
  return entry.runId === null ? "~" : `${entry.runId} ${entry.role === "user" ? 0 : 1}`;
}

/** A name for React that stays when a message is accepted. */
export function keyOf(entry: Entry): string {
  if (entry.role === "assistant") return `a ${entry.runId}`;
  return `q ${entry.clientMessageId ?? entry.runId ?? ""}`;
}

export type Outcome = Exclude<ToolBlock["status"], "stopped"> | CallOutcome;

/** What became of a call: `failed` in more words, where they are known. */
export function outcomeOf({ status, outcome }: Pick<ToolBlock, "status" | "outcome">): Outcome {
  if (status === "stopped") return "skipped";
  return status === "failed" ? (outcome ?? status) : status;
}

/** Whether the result is nothing but what was said inside of the call, which is shown already. */
export function saidAlready({ output, result }: Pick<ToolBlock, "output" | "result">): boolean {
  if (!output || typeof result !== "object" || result === null) return false;
  const values = Object.values(result);
  return values.length === 1 && typeof values[0] === "string" && values[0].trim() === output.trim();
}

/** The answer that is being made, or waits for its turn, first. */
export function underWay(entries: readonly Entry[]): Answer | undefined {
  return entries.find((entry): entry is Answer => entry.role === "assistant" && !isOver(entry));
}

/** Calls that wait for a person. */
export function waiting(entries: readonly Entry[]): readonly ToolBlock[] {
  return entries.flatMap((entry) =>
    entry.role === "assistant" ? entry.blocks.filter((block): block is ToolBlock => block.type === "tool" && block.status === "waiting") : [],
  );
}

/** What its user said last. */
export function lastQuestion(entries: readonly Entry[]): Question | undefined {
  return entries.findLast((entry): entry is Question => entry.role === "user");
}

export type Age = "today" | "yesterday" | "week" | "month" | "older";

/** Conversations by how old they are; within, in their order. */
export function grouped(items: readonly Schemas["ConversationOut"][], now: Date): readonly (readonly [Age, readonly Schemas["ConversationOut"][]])[] {
  const groups = new Map<Age, Schemas["ConversationOut"][]>();
  for (const item of items) {
    const age = ageOf(new Date(item.created_at), now);
    groups.set(age, [...(groups.get(age) ?? []), item]);
  }
  return [...groups];
}

function ageOf(time: Date, now: Date): Age {
  const midnight = (date: Date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  // Days of 23 and 25 hours are days too.
  const days = Math.round((midnight(now) - midnight(time)) / 86_400_000);
  if (days <= 0) return "today";
  if (days === 1) return "yesterday";
  if (days < 7) return "week";
  return days < 30 ? "month" : "older";
}

/** Values of JSON as people read them; a text alone as it is. */
export function pretty(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");
}

/** Arguments as typed: an object, or null. */
export function parsedObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
