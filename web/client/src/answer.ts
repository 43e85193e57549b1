// One run's answer as it is known so far.
//
// Frames may come twice, late, or after a hole; applying one again changes nothing. `offset` says where text belongs,
// `seq` what is newer: it is `fence * 2^24 + n`, and a higher fence is another runner, whose word counts.

import { built, cut, shared, stopped, withText, type Blocks } from "./blocks.js";
import type { Cost, RunStatus, StoredMessage, Usage } from "./wire.js";

export const FENCE = 2 ** 24;
/** The `seq` of what comes from the store, behind which nothing can come. */
export const STORED = 2 ** 53 - 1;

/** Why an answer failed, or a message was refused. */
export interface Failure {
  readonly code: string;
  readonly detail: string;
  readonly retryable: boolean;
}

/**
 * What a run has said and done.
 *
 * `missing` says that text was lost and `resume` has to be sent. `whole` is false when the stored message may hold more
 * than is here (REST has it). Up to `sure` the text is known to be what the server has: beyond it stands what was shown
 * before the last snapshot, until deltas confirm or replace it.
 */
export interface Answer {
  readonly role: "assistant";
  readonly runId: string;
  readonly messageId: string | null;
  readonly status: RunStatus;
  readonly phase: string | null;
  readonly text: string;
  readonly sure: number;
  readonly blocks: Blocks;
  readonly seq: number;
  readonly floor: number;
  readonly missing: boolean;
  readonly whole: boolean;
  readonly stopReason: string | null;
  readonly usage: Usage | null;
  readonly cost: Cost | null;
  readonly error: Failure | null;
  readonly createdAt: string | null;
}

export function newAnswer(runId: string, status: RunStatus = "running"): Answer {
  return {
    role: "assistant", runId, messageId: null, status, phase: null, text: "", sure: 0, blocks: [], seq: -1, floor: -1,
    missing: false, whole: true, stopReason: null, usage: null, cost: null, error: null, createdAt: null,
  };
}

/** Whether it has ended, well or not. */
export function isOver({ status }: { readonly status: RunStatus }): boolean {
  return status === "completed" || status === "failed" || status === "cancelled";
}

/** The answer as REST has it stored; taken when its run is over. */
export function settled(answer: Answer, message: StoredMessage): Answer {
  const status = message.status ?? "completed";
  if (!isOver({ status })) return answer;
  const { blocks, text } = built(message.parts);
  return {
    ...answer,
    messageId: message.id,
    createdAt: message.created_at ?? null,
    status,
    phase: null,
    text,
    sure: text.length,
    blocks: shared(stopped(blocks), answer.blocks),
    missing: false,
    whole: true,
    stopReason: message.stop_reason ?? null,
    usage: message.usage ?? null,
    cost: message.cost ?? null,
    error: answer.error ?? failureOf(message),
  };
}

function failureOf({ error }: StoredMessage): Failure | null {
  return error ? { code: error.code, detail: error.detail ?? "", retryable: false } : null;
}

/** The answer of a run that has ended nobody knows how; REST may. */
export function givenUp(answer: Answer): Answer {
  if (isOver(answer)) return answer;
  const known = cutBack(answer, answer.sure);
  return { ...known, status: "completed", phase: null, missing: false, whole: false, blocks: stopped(known.blocks) };
}

/** Which runner said it. */
export function fenceOf(seq: number): number {
  return Math.floor(seq / FENCE);
}

/** Whether a frame is of now, of what was withdrawn, or of a runner whose beginning was not heard. */
export function verdictOf(answer: Answer, frame: { readonly seq?: number }): "take" | "stale" | "gap" {
  const { seq } = frame;
  if (typeof seq !== "number") return "take";
  const [known, fence] = [fenceOf(answer.seq), fenceOf(seq)];
  if (seq < answer.floor || fence < known) return "stale";
  return known > 0 && known < fence ? "gap" : "take";
}

/** Something was lost: only a snapshot can tell what. */
export function withGap(answer: Answer): Answer {
  return answer.missing || isOver(answer) ? answer : { ...answer, missing: true, whole: false };
}

/** Its run is at work, and has said this. */
export function begun(answer: Answer, frame: { readonly seq?: number }): Answer {
  const seq = Math.max(answer.seq, frame.seq ?? -1);
  const status = answer.status === "queued" ? "running" : answer.status;
  if (seq === answer.seq && status === answer.status && answer.phase === null) return answer;
  return { ...answer, seq, status, phase: null };
}

/** Text that belongs at `sure`: new, or a confirmation of what is shown there, or other words in its place. */
export function extended(answer: Answer, fresh: string): Answer {
  if (!fresh) return answer;
  const ahead = answer.text.slice(answer.sure);
  if (ahead.startsWith(fresh)) return { ...answer, sure: answer.sure + fresh.length };
  if (fresh.startsWith(ahead)) return appended(answer, fresh.slice(ahead.length));
  return appended(cutBack(answer, answer.sure), fresh);
}

/** More text at the end of what is shown. */
export function appended(answer: Answer, more: string): Answer {
  if (!more) return answer;
  const text = answer.text + more;
  return { ...answer, text, sure: text.length, blocks: withText(answer.blocks, more, answer.text.length) };
}

/** Only the text before `offset`, and what was shown until then. */
export function cutBack(answer: Answer, offset: number): Answer {
  if (answer.text.length <= offset) return answer;
  const sure = Math.min(answer.sure, offset);
  return { ...answer, text: answer.text.slice(0, offset), sure, blocks: cut(answer.blocks, offset) };
}
