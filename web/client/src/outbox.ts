// Messages on their way to the server: one at a time until it is accepted, so that their order is the server's.

import { EMPTY, type Transcript } from "./transcript.js";
import type { ClientFrame } from "./wire.js";

/**
 * One conversation that is looked at.
 *
 * `id` is null until the first message of a new one is accepted. `heardAt` is when it was last spoken of (or the
 * connection opened), `askedAt` when `resume` was last sent. `gone`: the server does not know it. `kept`: a user looks
 * at it.
 */
export class Thread {
  id: string | null;
  transcript: Transcript = EMPTY;
  heardAt = 0;
  askedAt = -Infinity;
  gone = false;
  kept = true;

  constructor(id: string | null) {
    this.id = id;
  }
}

/** A message that is not accepted. Its frame is made once: a resend must be the same to the letter. */
export class Letter {
  readonly thread: Thread;
  readonly clientMessageId: string;
  readonly content: string;
  frame: ClientFrame | null = null;
  sentAt: number | null = null;
  retryAt = -Infinity;
  tries = 0;
  cancel = false;

  constructor(thread: Thread, clientMessageId: string, content: string) {
    this.thread = thread;
    this.clientMessageId = clientMessageId;
    this.content = content;
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
