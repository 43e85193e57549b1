// What users hold: a conversation, and a message that they sent.

import { isOver, type Answer } from "./answer.js";
import type { PlaygroundClient } from "./client.js";
import { Closed, Refused } from "./errors.js";
import type { Thread } from "./outbox.js";
import { answerOf, questionOf, type Transcript } from "./transcript.js";

/** Ids of a message that the server has stored. `messageId` is that of the message itself. */
export interface Accepted {
  readonly conversationId: string;
  readonly runId: string;
  readonly messageId: string;
}

/** One conversation, kept up to date while the client is open. Made by `client.conversation()` or `client.watch()`. */
export class Conversation {
  /** @internal */
  readonly thread: Thread;
  private readonly client: PlaygroundClient;
  private readonly listeners = new Set<() => void>();
  private told: Transcript;

  /** @internal */
  constructor(client: PlaygroundClient, thread: Thread) {
    this.client = client;
    this.thread = thread;
    this.told = thread.transcript;
  }

  /** Its id; null until the first message of a new one is accepted. */
  get id(): string | null {
    return this.thread.id;
  }

  /** What is known of it. A new object after each change, and only then. */
  get transcript(): Transcript {
    return this.thread.transcript;
  }

  /** Whether the server says that it does not exist (any more). */
  get gone(): boolean {
    return this.thread.gone;
  }

  /** For `useSyncExternalStore` together with `getTranscript`: called after each change. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  readonly getTranscript = (): Transcript => this.thread.transcript;

  /** Say something. See `PlaygroundClient.send`. */
  send(content: string, clientMessageId?: string): Sent {
    return this.client.say(this, content, clientMessageId);
  }

  /** Send a refused message again: under its own id, so that it can never be there twice. */
  retry(clientMessageId: string): Sent {
    const question = questionOf(this.transcript, clientMessageId);
    if (!question) throw new RangeError(`There is no message ${clientMessageId}.`);
    return this.client.say(this, question.content, clientMessageId);
  }

  /** Take back a message that is not accepted, or was refused. One that is on its way is cancelled once it is accepted. */
  takeBack(clientMessageId: string): void {
    this.client.act((session) => session.takeBack(this.thread, clientMessageId));
  }

  /** End one run, or all that run and wait, with what is not accepted yet. */
  cancel(runId?: string): void {
    this.client.act((session, now) => session.cancel(now, this.thread, runId ?? null));
  }

  /** Let a tool call go on, with other arguments if `input` is given. */
  approve(runId: string, toolUseId: string, input?: Readonly<Record<string, unknown>>): void {
    this.decide(runId, toolUseId, "approve", input === undefined ? {} : { input });
  }

  /** Do not let a tool call go on; the model is told the reason. */
  deny(runId: string, toolUseId: string, reason?: string): void {
    this.decide(runId, toolUseId, "deny", reason === undefined ? {} : { reason });
  }

  /** Wait for a state of the transcript. Rejects with ClientError when the client is refused for good, or closed. */
  async until(happened: (transcript: Transcript) => boolean): Promise<Transcript> {
    while (!happened(this.transcript)) {
      this.client.check();
      await this.client.changed();
    }
    return this.transcript;
  }

  /** Wait for the end of a run; with `messages` given to the client, until the answer is whole. */
  async ended(runId: string): Promise<Answer> {
    const find = (transcript: Transcript): Answer | undefined => answerOf(transcript, runId);
    const over = (answer: Answer | undefined): answer is Answer => answer !== undefined && isOver(answer);
    const transcript = await this.until((known) => over(find(known)) && !this.client.archive.loading(runId));
    return find(transcript) as Answer;
  }

  /** Look at it no longer. What runs there goes on. */
  close(): void {
    this.listeners.clear();
    this.client.act((session) => session.unwatch(this.thread));
  }

  /** @internal */
  tell(): void {
    if (this.told === this.thread.transcript) return;
    this.told = this.thread.transcript;
    for (const listener of [...this.listeners]) listener();
  }

  private decide(runId: string, toolUseId: string, decision: "approve" | "deny", more: object): void {
    const frame = { type: "approval", run_id: runId, tool_use_id: toolUseId, decision, ...more } as const;
    this.client.act((session, now) => session.decide(now, this.thread, frame));
  }
}

/** A message on its way. */
export class Sent {
  readonly conversation: Conversation;
  readonly clientMessageId: string;

  constructor(conversation: Conversation, clientMessageId: string) {
    this.conversation = conversation;
    this.clientMessageId = clientMessageId;
  }

  /** Wait until the server has stored it. Rejects with Refused, or with Closed where it was withdrawn. */
  async accepted(): Promise<Accepted> {
    const { conversation, clientMessageId } = this;
    const decided = (known: Transcript): boolean => questionOf(known, clientMessageId)?.status !== "sending";
    const question = questionOf(await conversation.until(decided), clientMessageId);
    if (!question) throw new Closed("The message was withdrawn before it was sent.", { code: "withdrawn" });
    if (question.error) throw new Refused(question.error.detail, question.error);
    const { runId, messageId } = question;
    if (conversation.id === null || runId === null || messageId === null) throw new Closed("The message has no ids.");
    return { conversationId: conversation.id, runId, messageId };
  }

  /** Wait for the end of the run. A failed or cancelled one is an answer too: see `status`. */
  async answer(): Promise<Answer> {
    const { runId } = await this.accepted();
    return this.conversation.ended(runId);
  }
}
