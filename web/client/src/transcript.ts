// A conversation as it is known so far: questions and answers in their order. Pure: a transcript and a frame make a
// transcript, and what did not change stays the same object.

import { givenUp, isOver, newAnswer, settled, type Answer, type Failure } from "./answer.js";
import { equal } from "./blocks.js";
import { apply } from "./frames.js";
import type { MessageAccepted, RunFrame, ServerFrame, StoredMessage } from "./wire.js";

/** A message of the user. `clientMessageId` only where this client said it; `runId` once it is accepted. */
export interface Question {
  readonly role: "user";
  readonly content: string;
  readonly status: "sending" | "accepted" | "refused";
  readonly clientMessageId: string | null;
  readonly runId: string | null;
  readonly messageId: string | null;
  readonly error: Failure | null;
  readonly createdAt: string | null;
}

export type Entry = Question | Answer;

/** Entries in the order of acceptance; what is not accepted comes last. */
export interface Transcript {
  readonly entries: readonly Entry[];
}

export const EMPTY: Transcript = { entries: [] };

/** Answers that have not ended: one that runs, others that wait. */
export function activeAnswers(transcript: Transcript): readonly Answer[] {
  return transcript.entries.filter((entry): entry is Answer => entry.role === "assistant" && !isOver(entry));
}

/** Whether text was lost, so that a snapshot is needed. */
export function isMissing(transcript: Transcript): boolean {
  return transcript.entries.some((entry) => entry.role === "assistant" && entry.missing);
}

/** Answers of which REST knows more: ended ones that are not whole, and those whose question others asked. */
export function wantingAnswers(transcript: Transcript): readonly Answer[] {
  const asked = new Set(transcript.entries.map((entry) => (entry.role === "user" ? entry.runId : null)));
  return transcript.entries.filter(
    (entry): entry is Answer => entry.role === "assistant" && (!asked.has(entry.runId) || (isOver(entry) && !entry.whole)),
  );
}

export function answerOf(transcript: Transcript, runId: string): Answer | undefined {
  return transcript.entries.find((entry): entry is Answer => entry.role === "assistant" && entry.runId === runId);
}

/** What was said under an id of this client. */
export function questionOf(transcript: Transcript, clientMessageId: string): Question | undefined {
  return transcript.entries.find(
    (entry): entry is Question => entry.role === "user" && entry.clientMessageId === clientMessageId,
  );
}

/** The transcript after a frame of its conversation; the same object where nothing changed. */
export function reduce(transcript: Transcript, frame: ServerFrame): Transcript {
  if (!("run_id" in frame) || typeof frame.run_id !== "string") return transcript;
  if (frame.type === "message_accepted") return accepted(transcript, frame);
  const before = answerOf(transcript, frame.run_id);
  const after = apply(before ?? newAnswer(frame.run_id, firstStatus(frame)), frame);
  return put(transcript, before, after);
}

/** With a message that the server does not know yet. One that was refused takes its place again. */
export function said(transcript: Transcript, clientMessageId: string, content: string): Transcript {
  const before = questionOf(transcript, clientMessageId);
  if (before && before.status !== "refused") return transcript;
  return put(transcript, before, question({ content, clientMessageId }));
}

/** With a message marked as refused. */
export function refused(transcript: Transcript, clientMessageId: string, error: Failure): Transcript {
  const before = questionOf(transcript, clientMessageId);
  if (!before || before.status === "accepted") return transcript;
  return put(transcript, before, { ...before, status: "refused", error });
}

/** Without a message that was never accepted. */
export function forgotten(transcript: Transcript, clientMessageId: string): Transcript {
  const before = questionOf(transcript, clientMessageId);
  if (!before || before.status === "accepted") return transcript;
  return { entries: transcript.entries.filter((entry) => entry !== before) };
}

/**
 * Open runs before one that has begun, for they go in their order: true. False: before one that was cancelled, and that
 * was `shown` from the store, as the last one is when none is at work.
 */
export function overtaken({ entries }: Transcript, shown = ""): ReadonlyMap<string, boolean> {
  const found = new Map<string, boolean>();
  let passed: boolean | null = null;
  for (const entry of [...entries].reverse()) {
    if (entry.role !== "assistant") continue;
    if (!isOver(entry) && passed !== null) found.set(entry.runId, passed);
    if (entry.status === "running" || entry.status === "completed" || entry.status === "failed") passed = true;
    else if (entry.status === "cancelled" && entry.runId === shown) passed ??= false;
  }
  return found;
}

/** With a run counted as ended, of which nobody says how. */
export function closed(transcript: Transcript, runId: string): Transcript {
  const answer = answerOf(transcript, runId);
  return answer ? put(transcript, answer, givenUp(answer)) : transcript;
}

/** With stored messages of REST, in any order. */
export function loaded(transcript: Transcript, messages: readonly StoredMessage[]): Transcript {
  return messages.reduce(stored, transcript);
}

function question(facts: Partial<Question> & { readonly content: string }): Question {
  const unknown = { clientMessageId: null, runId: null, messageId: null, error: null, createdAt: null };
  return { role: "user", status: "sending", ...unknown, ...facts };
}

function stored(transcript: Transcript, message: StoredMessage): Transcript {
  const { run_id: runId } = message;
  if (message.role === "assistant") {
    const before = answerOf(transcript, runId);
    const after = settled(before ?? newAnswer(runId), message);
    return after.messageId === null ? transcript : put(transcript, before, after);
  }
  const known = transcript.entries.find((entry): entry is Question => entry.role === "user" && entry.runId === runId);
  const after = question({
    content: message.content,
    status: "accepted",
    clientMessageId: known?.clientMessageId ?? null,
    runId,
    messageId: message.id,
    createdAt: message.created_at ?? null,
  });
  return put(transcript, known, after);
}

function accepted(transcript: Transcript, frame: MessageAccepted): Transcript {
  const { run_id: runId, message_id: messageId } = frame;
  const own = frame.client_message_id === undefined ? undefined : questionOf(transcript, frame.client_message_id);
  let next = transcript;
  if (own && own.status !== "accepted") {
    const others = transcript.entries.filter((entry) => !(entry.role === "user" && entry.runId === runId));
    next = put({ entries: others }, own, { ...own, status: "accepted", runId, messageId, error: null });
  }
  if (answerOf(next, runId)) return next;
  return put(next, undefined, newAnswer(runId, frame.queued ? "queued" : "running"));
}

function firstStatus(frame: RunFrame): "queued" | "running" {
  return frame.type === "content_snapshot" && frame.status === "queued" ? "queued" : "running";
}

/** Replace an entry, or add one where it belongs; run ids rise in the order of acceptance. */
function put(transcript: Transcript, old: Entry | undefined, fresh: Entry): Transcript {
  if (equal(old, fresh)) return transcript;
  if (old && old.runId === fresh.runId) {
    return { entries: transcript.entries.map((entry) => (entry === old ? fresh : entry)) };
  }
  const kept = transcript.entries.filter((entry) => entry !== old);
  return { entries: [...kept, fresh].sort(byRank) };
}

function byRank(one: Entry, other: Entry): number {
  const [mine, theirs] = [one.runId, other.runId];
  if (mine === null || theirs === null) return Number(mine === null) - Number(theirs === null);
  if (mine !== theirs) return mine < theirs ? -1 : 1;
  return Number(one.role === "assistant") - Number(other.role === "assistant");
}
