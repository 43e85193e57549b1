// Completes transcripts from REST: what others asked, and answers of which frames did not tell everything.

import { isOver, type Answer } from "./answer.js";
import type { Clock } from "./clock.js";
import { ClientError } from "./errors.js";
import type { Thread } from "./outbox.js";
import { loaded, wantingAnswers } from "./transcript.js";
import type { StoredMessage } from "./wire.js";

export type Messages = (conversationId: string) => Promise<readonly StoredMessage[]>;
const PAUSES = [500, 1000, 2000, 4000]; // before each further try

/** Fetches a conversation when a run is met that others began, and once more when it has ended. */
export class Archive {
  private readonly fetched = new Map<string, boolean>();
  private readonly messages: Messages | null;
  private readonly clock: Clock;

  constructor(messages: Messages | null, clock: Clock) {
    this.messages = messages;
    this.clock = clock;
  }

  /** Whether `fetch` should be called now; says so once for each reason. */
  wants(thread: Thread): boolean {
    if (this.messages === null || thread.id === null) return false;
    const fresh = reasonsOf(thread).filter((reason) => !this.fetched.has(reason));
    for (const reason of fresh) this.fetched.set(reason, false);
    return fresh.length > 0;
  }

  /** Take in the stored messages. Throws ClientError when they could not be had, several times. */
  async fetch(thread: Thread): Promise<void> {
    const reasons = reasonsOf(thread).filter((reason) => this.fetched.has(reason));
    try {
      const messages = await this.persistently(thread.id ?? "");
      thread.transcript = loaded(thread.transcript, messages);
    } finally {
      for (const reason of reasons) this.fetched.set(reason, true);
    }
  }

  /** Whether the whole of an ended answer is still on its way. */
  loading(runId: string): boolean {
    return this.fetched.get(reason(runId, true)) === false;
  }

  private async persistently(conversationId: string): Promise<readonly StoredMessage[]> {
    for (let tries = 0; ; tries += 1) {
      try {
        return (await this.messages?.(conversationId)) ?? [];
      } catch (cause) {
        const pause = PAUSES[tries];
        const facts = { code: "messages_failed", retryable: true, cause };
        if (pause === undefined) throw new ClientError(`Stored messages could not be had: ${String(cause)}`, facts);
        await new Promise<void>((resolve) => void this.clock.setTimeout(resolve, pause));
      }
    }
  }
}

const reason = (runId: string, over: boolean): string => `${runId} ${over}`;

function reasonsOf(thread: Thread): readonly string[] {
  return wantingAnswers(thread.transcript).map((answer: Answer) => reason(answer.runId, isOver(answer)));
}
