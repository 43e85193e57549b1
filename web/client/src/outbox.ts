// Messages on their way to the server: one at a time until it is accepted, so that their order is the server's.

import { STORED } from "./answer.js";
import { EMPTY, type Transcript } from "./transcript.js";
import type { ClientFrame, ServerFrame } from "./wire.js";

/**
 * One conversation that is looked at.
 *
 * `id` is null until the first message of a new one is accepted. `heardAt` is when it was last spoken of (or the
 * connection opened), `askedAt` when `resume` was last sent. `gone`: the server does not know it. `kept`: a user looks
 * at it. `openedAt`: when the connection that it was resumed on opened. `shown` is the newest
 * run that came from the store. `traces` are of its open runs.
 */
export class Thread {
  id: string | null;
  transcript: Transcript = EMPTY;
  heardAt = 0;
  askedAt = -Infinity;
  openedAt = -Infinity;
  gone = false;
  kept = true;
  shown = "";
  traces = new Map<string, Trace>();

  constructor(id: string | null) {
    this.id = id;
  }

  /** What is remembered of an open run. */
  trace(runId: string): Trace {
    let known = this.traces.get(runId);
    if (!known) this.traces.set(runId, (known = new Trace()));
    return known;
  }

  /** There is a new connection. */
  openAgain(now: number): void {
    this.heardAt = this.openedAt = now;
    for (const trace of this.traces.values()) trace.answers = 0;
  }

  /** Remember that a frame came, beyond what the transcript shows of it. */
  note(now: number, frame: ServerFrame): void {
    this.heardAt = now;
    if (!("run_id" in frame) || typeof frame.run_id !== "string") return;
    this.trace(frame.run_id).heardAt = now;
    if (frame.type !== "content_snapshot" || frame.seq !== STORED) return;
    if (frame.run_id > this.shown) this.shown = frame.run_id;
  }
}

/**
 * What is remembered of a run until it has ended.
 *
 * `letter` began it, where this client sent it, and was accepted at `acceptedAt`. `heardAt` is when the run was last
 * spoken of; `askedAt` when its message was last sent again, which was answered `answers` times on this connection.
 * Since `overtakenAt` a later run is known that makes its end likely; `proven`: that makes it certain.
 */
export class Trace {
  letter: Letter | null = null;
  acceptedAt = 0;
  heardAt = -Infinity;
  askedAt = -Infinity;
  answers = 0;
  overtakenAt: number | null = null;
  proven = false;
}

/**
 * A message that is not accepted. Its frame is made once: a resend must be the same to the letter. `runId`: it was
 * accepted before, and is sent again to hear what became of this run.
 */
export class Letter {
  readonly thread: Thread;
  readonly clientMessageId: string;
  readonly content: string;
  readonly runId: string | null;
  frame: ClientFrame | null = null;
  sentAt: number | null = null;
  retryAt = -Infinity;
  tries = 0;
  cancel = false;

  constructor(thread: Thread, clientMessageId: string, content: string, runId: string | null = null) {
    this.thread = thread;
    this.clientMessageId = clientMessageId;
    this.content = content;
    this.runId = runId;
  }

  sealed(): ClientFrame {
    const place = this.thread.id === null ? {} : { conversation_id: this.thread.id };
    const { clientMessageId: client_message_id, content } = this;
    this.frame ??= { type: "user_message", client_message_id, content, ...place };
    return this.frame;
  }
}

/** Letters in the order in which they were written; only the first is ever on its way. */
export class Outbox {
  letters: Letter[] = [];

  /** The one whose turn it is. */
  get first(): Letter | undefined {
    return this.letters[0];
  }

  /** The one that was sent on this connection and is not answered. */
  get flying(): Letter | undefined {
    return this.first?.sentAt === null ? undefined : this.first;
  }

  add(letter: Letter): void {
    this.letters.push(letter);
  }

  remove(letter: Letter): void {
    this.letters = this.letters.filter((other) => other !== letter);
  }

  find(clientMessageId: string | undefined): Letter | undefined {
    return this.letters.find((letter) => letter.clientMessageId === clientMessageId);
  }

  /** The letter that may be sent now, for the first time on this connection. */
  due(now: number): Letter | undefined {
    const { first } = this;
    return first?.sentAt === null && first.retryAt <= now ? first : undefined;
  }

  /** The connection is gone: nothing is on its way any more. */
  landed(): void {
    for (const letter of this.letters) letter.sentAt = null;
  }
}
