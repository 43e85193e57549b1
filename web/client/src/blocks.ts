// The blocks that an answer is shown as: text, thinking and tool cards in their order. Values that never change.

import type { CallOutcome, Part, ToolOutcome } from "./wire.js";

/** A piece of the answer's text that begins at `start`. */
export interface TextBlock {
  readonly type: "text";
  readonly start: number;
  readonly text: string;
}

/** What the model thought; `at` is how long the text was then. */
export interface ThinkingBlock {
  readonly type: "thinking";
  readonly at: number;
  readonly text: string;
  readonly stepId: string | null;
}

export type ToolStatus = "running" | "waiting" | "done" | "failed" | "stopped";

/**
 * A tool call. `waiting` is for a person's approval, until `expiresAt`; `stopped` when the run ended before it. `outcome`
 * says what became of one that `failed`, unless it was stored before there were outcomes. `output` is what an agent or a
 * model said that was asked inside the call, `calls` what was called there.
 */
export interface ToolBlock {
  readonly type: "tool";
  readonly at: number;
  readonly id: string;
  readonly name: string;
  readonly input: unknown;
  readonly status: ToolStatus;
  readonly result: unknown;
  readonly error: string | null;
  readonly outcome: CallOutcome | null;
  readonly durationMs: number | null;
  readonly needsReconnect: string | null;
  readonly expiresAt: string | null;
  readonly stepId: string | null;
  readonly output: string;
  readonly calls: readonly ToolBlock[];
}

export type Block = TextBlock | ThinkingBlock | ToolBlock;
export type Blocks = readonly Block[];

export function toolBlock(at: number, id: string, name: string, more: Partial<ToolBlock> = {}): ToolBlock {
  const told = { input: null, result: null, error: null, outcome: null, durationMs: null, needsReconnect: null };
  const unknown = { ...told, expiresAt: null, stepId: null };
  return { type: "tool", at, id, name, status: "running", ...unknown, output: "", calls: [], ...more };
}

/** The card of a tool call. */
export function findTool(blocks: Blocks, id: string): ToolBlock | undefined {
  return blocks.find((block): block is ToolBlock => block.type === "tool" && block.id === id);
}

/** The same blocks with one in another's place. */
export function swapped(blocks: Blocks, old: Block, fresh: Block): Blocks {
  return blocks.map((block) => (block === old ? fresh : block));
}

/** More text at the end of a text that is `length` long. */
export function withText(blocks: Blocks, text: string, length: number): Blocks {
  const last = blocks.at(-1);
  if (last?.type === "text") return [...blocks.slice(0, -1), { ...last, text: last.text + text }];
  return [...blocks, { type: "text", start: length, text }];
}

/** More thinking at the end. */
export function withThinking(blocks: Blocks, text: string, length: number, stepId: string | null): Blocks {
  const last = blocks.at(-1);
  if (last?.type === "thinking" && last.stepId === stepId) {
    return [...blocks.slice(0, -1), { ...last, text: last.text + text }];
  }
  return [...blocks, { type: "thinking", at: length, text, stepId }];
}

/** What was shown when the text was `offset` long: text cut there, nothing that came later. */
export function cut(blocks: Blocks, offset: number): Blocks {
  return blocks
    .filter((block) => placeOf(block) <= offset)
    .map((block) => cutText(block, offset))
    .filter((block) => block.type !== "text" || block.text !== "");
}

/**
 * What is left when a step that began at `offset` is withdrawn, and whether that is sure.
 *
 * Blocks that say their step are judged by it. Of the others a tool that has not answered is the step's own, and so is
 * what stands behind the last card: a step begins when all tools of the one before have been called. A guess: where it
 * takes something away, only the stored message is sure.
 */
export function withoutStep(
  blocks: Blocks, offset: number, stepId: string | null, runId: string,
): { left: Blocks; certain: boolean } {
  const kept = cut(blocks, offset);
  if (stepId === runId) return { left: kept.filter((block) => placeOf(block) < offset), certain: true };
  const border = kept.findLastIndex((block) => block.type === "tool");
  const belongs = (block: Block, index: number): boolean => {
    if (block.type === "text") return false;
    if (saysStep(block, stepId)) return block.stepId === stepId;
    return (index > border || isOpen(block)) && block.at >= offset;
  };
  const taken = kept.filter(belongs);
  const left = kept.filter((block) => !taken.includes(block));
  return { left, certain: taken.every((block) => saysStep(block, stepId)) };
}

/** Blocks and text of a message's parts, as REST and snapshots give them. */
export function built(parts: readonly Part[]): { blocks: Blocks; text: string } {
  let blocks: Blocks = [];
  let text = "";
  for (const part of parts) {
    if (part.type === "text" && part.text) {
      blocks = withText(blocks, part.text, text.length);
      text += part.text;
    } else if (part.type === "thinking" && part.text) {
      blocks = [...blocks, { type: "thinking", at: text.length, text: part.text, stepId: null }];
    } else if (part.type === "tool_call") {
      blocks = [...blocks, toolBlock(text.length, part.tool_use_id, part.name, { input: part.input ?? null })];
    } else if (part.type === "tool_result") {
      const card = findTool(blocks, part.tool_use_id);
      if (card) blocks = swapped(blocks, card, finished(card, part));
    }
  }
  return { blocks, text };
}

/** A card with its result. */
export function finished(card: ToolBlock, outcome: ToolOutcome): ToolBlock {
  const error = outcome.error ?? null;
  return {
    ...card,
    status: error === null ? "done" : "failed",
    result: outcome.result ?? null,
    error,
    outcome: outcome.outcome ?? null,
    durationMs: outcome.duration_ms ?? null,
    needsReconnect: outcome.needs_reconnect ?? null,
    expiresAt: null,
    calls: card.calls.map(stoppedCard),
  };
}

/** The cards of a run that has ended: none of them runs any more. */
export function stopped(blocks: Blocks): Blocks {
  return blocks.map((block) => (block.type === "tool" ? stoppedCard(block) : block));
}

function stoppedCard(card: ToolBlock): ToolBlock {
  if (!isOpen(card)) return card;
  return { ...card, status: "stopped", expiresAt: null, calls: card.calls.map(stoppedCard) };
}

/** Whether it is a tool call without a result yet. */
export function isOpen(block: Block): block is ToolBlock {
  return block.type === "tool" && (block.status === "running" || block.status === "waiting");
}

/** Whether people have to decide on a tool call, and no other is under way. */
export function waits(blocks: Blocks): boolean {
  const open = blocks.filter(isOpen);
  return open.length > 0 && open.every((card) => card.status === "waiting");
}

/** The same blocks, each the old object where nothing changed. */
export function shared(blocks: Blocks, before: Blocks): Blocks {
  const known = new Map(before.map((block) => [nameOf(block), block]));
  return blocks.map((block) => same(block, known.get(nameOf(block))));
}

function nameOf(block: Block): string {
  return block.type === "tool" ? `tool ${block.id}` : `${block.type} ${placeOf(block)}`;
}

function same(block: Block, old: Block | undefined): Block {
  if (old === undefined) return block;
  if (block.type === "text" || old.type === "text") return equal(block, old) ? old : block;
  let fresh: Block = { ...block, stepId: old.stepId };
  if (fresh.type === "tool" && old.type === "tool") {
    const calls = isOpen(fresh) ? old.calls : old.calls.map(stoppedCard);
    fresh = { ...fresh, durationMs: fresh.durationMs ?? old.durationMs, output: old.output, calls };
  }
  return equal(fresh, old) ? old : fresh;
}

/** Whether two values of JSON are equal, whatever the order of their names. */
export function equal(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [mine, theirs] = [Object.entries(one), new Map(Object.entries(other))];
  return mine.length === theirs.size && mine.every(([name, value]) => theirs.has(name) && equal(value, theirs.get(name)));
}

function saysStep(block: Block, stepId: string | null): boolean {
  return stepId !== null && block.type !== "text" && block.stepId !== null;
}

function placeOf(block: Block): number {
  return block.type === "text" ? block.start : block.at;
}

function cutText(block: Block, offset: number): Block {
  if (block.type !== "text" || block.start + block.text.length <= offset) return block;
  return { ...block, text: block.text.slice(0, offset - block.start) };
}
