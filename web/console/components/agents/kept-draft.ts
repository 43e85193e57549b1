// What is typed and not saved, kept through a reload and a new sign-in; for this tab of the browser only.

import { agentKey } from "@/lib/typed";

import type { Draft } from "./draft";
import type { Values } from "./values";

/** What a draft is compared with: an agent's values at a revision. */
export interface Base {
  readonly values: Values;
  readonly etag: string | null;
  readonly version: number;
}

interface Kept {
  readonly base: Base;
  readonly draft: Draft;
}

const FORMAT = 1;

export function keepDraft(id: string, kept: Kept): void {
  try {
    sessionStorage.setItem(agentKey(id), JSON.stringify({ format: FORMAT, ...kept }));
  } catch {
    // Storage that is full or switched off keeps nothing; the guard still asks before leaving.
  }
}

export function keptDraft(id: string): Kept | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(agentKey(id)) ?? "null") as (Kept & { format: number }) | null;
    return kept?.format === FORMAT ? { base: kept.base, draft: kept.draft } : null;
  } catch {
    return null;
  }
}

export function forgetDraft(id: string): void {
  try {
    sessionStorage.removeItem(agentKey(id));
  } catch {
    // Nothing was kept then.
  }
}
