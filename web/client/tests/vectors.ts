// Reads the vectors that both languages share.

import { readFileSync, readdirSync } from "node:fs";

export interface Vector<Step> {
  readonly name: string;
  readonly why: string;
  readonly steps: readonly Step[];
}

const FOLDER = new URL("../../vectors/", import.meta.url);

export function vectors<V>(folder: string): readonly V[] {
  const place = new URL(`${folder}/`, FOLDER);
  const names = readdirSync(place).filter((name) => name.endsWith(".json"));
  return names.flatMap((name) => JSON.parse(readFileSync(new URL(name, place), "utf8")) as V[]);
}

/** Whether what was found has all that is expected; names that the expectation leaves out are free. */
export function matches(found: unknown, expected: unknown): boolean {
  if (Array.isArray(expected)) {
    const same = Array.isArray(found) && found.length === expected.length;
    return same && expected.every((value, index) => matches(found[index], value));
  }
  if (typeof expected === "object" && expected !== null) {
    if (typeof found !== "object" || found === null) return false;
    const known = new Map<string, unknown>(Object.entries(found));
    return Object.entries(expected).every(([name, value]) => matches(known.get(name) ?? null, value));
  }
  return found === expected;
}
