// What became of an agent between two of its versions.

import { diffLines, diffWordsWithSpace } from "diff";

import type { Schemas } from "@/lib/api";

import { contentOf, same, type Content } from "./values";

type Version = Schemas["AgentVersionOut"];
type Part = Schemas["PartRefOut"];

export type Setting = Exclude<keyof Content, "system_prompt">;

const SETTINGS: readonly Setting[] = ["name", "description", "model", "base_url", "temperature", "top_p", "max_tokens", "reasoning_effort", "options", "builtin_tools"];

export interface SettingChange {
  readonly field: Setting;
  readonly before: Content[Setting];
  readonly after: Content[Setting];
}

export interface PartChange {
  readonly id: string;
  readonly name: string;
  /** Its name before, where that was another. */
  readonly formerly: string | null;
  readonly change: "added" | "removed" | "changed";
}

export interface Piece {
  readonly text: string;
  readonly changed: boolean;
}

export type Line =
  | { readonly kind: "same" | "added" | "removed"; readonly before: number | null; readonly after: number | null; readonly pieces: readonly Piece[] }
  | { readonly kind: "gap"; readonly hidden: number };

export interface VersionDiff {
  readonly settings: readonly SettingChange[];
  /** Empty where the instructions are the same. */
  readonly instructions: readonly Line[];
  readonly tools: readonly PartChange[];
  readonly integrations: readonly PartChange[];
}

export function diffOf(before: Version, after: Version): VersionDiff {
  const [from, to] = [contentOf(before), contentOf(after)];
  return {
    settings: SETTINGS.filter((field) => !same(from[field], to[field])).map((field) => ({ field, before: from[field], after: to[field] })),
    instructions: from.system_prompt === to.system_prompt ? [] : folded(linesOf(from.system_prompt, to.system_prompt)),
    tools: partsOf(before.tools, after.tools),
    integrations: partsOf(before.integrations, after.integrations),
  };
}

export function isEmpty(diff: VersionDiff): boolean {
  return !diff.settings.length && !diff.instructions.length && !diff.tools.length && !diff.integrations.length;
}

/** What changed, by name; for a line in a list, which needs no look at the texts. */
export function summaryOf(before: Version, after: Version): readonly (keyof Content | "tools" | "integrations")[] {
  const [from, to] = [contentOf(before), contentOf(after)];
  const fields = (["system_prompt", ...SETTINGS] as const).filter((field) => !same(from[field], to[field]));
  const parts = (["tools", "integrations"] as const).filter((name) => partsOf(before[name], after[name]).length);
  return [...fields, ...parts];
}

function partsOf(before: readonly Part[], after: readonly Part[]): PartChange[] {
  const [old, now] = [new Map(before.map((part) => [part.id, part])), new Map(after.map((part) => [part.id, part]))];
  const gone = before.filter((part) => !now.has(part.id)).map((part) => ({ id: part.id, name: part.name, formerly: null, change: "removed" as const }));
  const here = after.flatMap(({ id, name, revision }): PartChange[] => {
    const was = old.get(id);
    if (!was) return [{ id, name, formerly: null, change: "added" }];
    if (was.revision === revision && was.name === name) return [];
    return [{ id, name, formerly: was.name === name ? null : was.name, change: "changed" }];
  });
  return [...here, ...gone];
}

type TextLine = Exclude<Line, { kind: "gap" }>;

/** Line by line; where lines were replaced by as many others, the words that differ are marked. */
export function linesOf(before: string, after: string): TextLine[] {
  const lines: TextLine[] = [];
  let [left, right] = [0, 0];
  const end = (text: string) => (text.endsWith("\n") || !text ? text : `${text}\n`);
  const split = (text: string) => text.replace(/\n$/, "").split("\n");
  const blocks = diffLines(end(before), end(after));
  blocks.forEach((block, index) => {
    const [previous, next] = [blocks[index - 1], blocks[index + 1]];
    const partner = block.removed ? (next?.added ? next : null) : block.added && previous?.removed ? previous : null;
    const paired = partner && partner.count === block.count ? split(partner.value) : null;
    split(block.value).forEach((text, at) => {
      if (block.removed) lines.push({ kind: "removed", before: ++left, after: null, pieces: paired ? words(text, paired[at] ?? "", "removed") : plain(text) });
      else if (block.added) lines.push({ kind: "added", before: null, after: ++right, pieces: paired ? words(paired[at] ?? "", text, "added") : plain(text) });
      else lines.push({ kind: "same", before: ++left, after: ++right, pieces: plain(text) });
    });
  });
  return lines;
}

const plain = (text: string): Piece[] => [{ text, changed: false }];

function words(before: string, after: string, side: "added" | "removed"): Piece[] {
  const other = side === "added" ? "removed" : "added";
  return diffWordsWithSpace(before, after).flatMap((part) => (part[other] ? [] : [{ text: part.value, changed: Boolean(part[side]) }]));
}

const CONTEXT = 3;

/** Long stretches without a change are folded into a gap. */
export function folded(lines: readonly TextLine[]): Line[] {
  const near = new Set<number>();
  lines.forEach((line, at) => {
    if (line.kind === "same") return;
    for (let index = at - CONTEXT; index <= at + CONTEXT; index += 1) near.add(index);
  });
  const result: Line[] = [];
  let hidden: TextLine[] = [];
  const flush = () => {
    if (hidden.length > 1) result.push({ kind: "gap", hidden: hidden.length });
    else result.push(...hidden);
    hidden = [];
  };
  lines.forEach((line, at) => {
    if (!near.has(at)) {
      hidden.push(line);
      return;
    }
    flush();
    result.push(line);
  });
  flush();
  return result;
}
