// The operations of an imported description: which are shown, which are chosen, what is asked of the API.

import type { Schemas } from "@/lib/api";

export type Operation = Schemas["OperationOut"];
export const FILTERS = ["all", "accepted", "changed", "skipped", "chosen"] as const;
export const CHANGES = ["added", "changed", "same"] as const;
export type Filter = (typeof FILTERS)[number];
export type Change = (typeof CHANGES)[number] | "any";

/** No more keys than this are given one by one. */
export const MOST_KEYS = 500;
export const MOST_TOOLS = 128;

export interface Wanted {
  readonly text: string;
  readonly filter: Filter;
  readonly change: Change;
}

export function canBeTool(operation: Operation): boolean {
  return operation.status !== "skipped";
}

/** What is chosen when a preview opens: all of a few; of a re-import what is a tool already. */
export function firstChoice(operations: readonly Operation[], again: boolean): Set<string> {
  const able = operations.filter(canBeTool);
  if (again) return new Set(able.filter(({ tool_id }) => tool_id).map(({ key }) => key));
  return new Set(able.length <= 30 ? able.map(({ key }) => key) : []);
}

export function shownOf(operations: readonly Operation[], { text, filter, change }: Wanted, chosen: ReadonlySet<string>): Operation[] {
  const words = text.trim().toLowerCase().split(/\s+/).filter(Boolean);
  return operations.filter((operation) => {
    if (filter === "chosen" ? !chosen.has(operation.key) : filter !== "all" && operation.status !== filter) return false;
    if (change !== "any" && operation.change !== change) return false;
    if (!words.length) return true;
    const said = `${operation.key} ${operation.name ?? ""} ${operation.summary} ${operation.tags.join(" ")}`.toLowerCase();
    return words.every((word) => said.includes(word));
  });
}

export interface TagGroup {
  readonly tag: string;
  readonly operations: readonly Operation[];
}

/** By their first tag, in the order of the description; those of none have the tag "". */
export function byTag(operations: readonly Operation[]): TagGroup[] {
  const groups = new Map<string, Operation[]>();
  for (const operation of operations) {
    const tag = operation.tags[0] ?? "";
    const list = groups.get(tag);
    if (list) list.push(operation);
    else groups.set(tag, [operation]);
  }
  return [...groups].map(([tag, list]) => ({ tag, operations: list }));
}

/** All or none of these keys beside what is chosen. */
export function toggled(chosen: ReadonlySet<string>, keys: readonly string[], on: boolean): Set<string> {
  const next = new Set(chosen);
  for (const key of keys) if (on) next.add(key); else next.delete(key);
  return next;
}

/** The choice in the API's words: keys, or `all` where it is all. */
export function choiceOf(operations: readonly Operation[], chosen: ReadonlySet<string>): "all" | string[] {
  const able = operations.filter(canBeTool);
  const keys = able.filter(({ key }) => chosen.has(key)).map(({ key }) => key);
  return keys.length === able.length && keys.length > MOST_KEYS ? "all" : keys;
}

/** How many tools there will be: chosen operations that are no tool yet come to those that there are. */
export function toolsAfter(operations: readonly Operation[], chosen: ReadonlySet<string>, now: number, removed: number): number {
  return now - removed + operations.filter(({ key, tool_id }) => chosen.has(key) && !tool_id).length;
}
