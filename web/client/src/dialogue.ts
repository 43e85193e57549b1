// What is said over a connection: conversations that are watched, messages on their way, wishes. No I/O.

import type { Failure } from "./answer.js";
import { waits } from "./blocks.js";
import type { Chore, Connection } from "./connection.js";
import { Refused, type ClientError } from "./errors.js";
import { Letter, Outbox, type Thread } from "./outbox.js";
import { Overdue } from "./overdue.js";
import { Standing, cancelWish, type Wish } from "./standing.js";
import type { Timing } from "./timing.js";
import { activeAnswers, closed, forgotten, isMissing, reduce, refused, said } from "./transcript.js";
import { BLAMED, HARMLESS, MAX_TRIES, RETRIED, failureOf } from "./verdicts.js";
import type { ApprovalRequired, MessageAccepted, Objection, ServerFrame } from "./wire.js";

const EARLY_KEPT = 1000;

/** All conversations of one agent's client. */
export class Dialogue {
  threads: Thread[] = [];
  readonly outbox = new Outbox();
  reports: ClientError[] = [];
  private readonly standing = new Standing();
  private readonly overdue: Overdue;
  private early: ServerFrame[] = [];
  private readonly connection: Connection;
  private readonly timing: Timing;
  private readonly chance: () => number;

  constructor(connection: Connection, timing: Timing, chance: () => number) {
    this.connection = connection;
    this.timing = timing;
    this.chance = chance;
    this.overdue = new Overdue(this.outbox, timing);
  }

  /** Whether an answer is waited for. */
  get busy(): boolean {
    return this.threads.some((thread) => activeAnswers(thread.transcript).length > 0);
  }

  // ---------------------------------------------------------- what the user wants

  /** The thread of a conversation. */
  find(conversationId: string | null | undefined): Thread | undefined {
    return this.threads.find((thread) => thread.id !== null && thread.id === conversationId);
  }

  /** Put a message in line; one that was refused takes its old place in the conversation. */
  say(now: number, thread: Thread, clientMessageId: string, content: string): void {
    if (!this.threads.includes(thread)) this.threads.push(thread);
    thread.kept = true;
    thread.transcript = said(thread.transcript, clientMessageId, content);
    if (!this.outbox.find(clientMessageId)) this.outbox.add(new Letter(thread, clientMessageId, content));
    this.flush(now);
  }

  /** End one run, or all of a conversation, with its messages that are not accepted. */
  cancel(now: number, thread: Thread, runId: string | null): void {
    const mine = this.outbox.letters.filter((letter) => letter.thread === thread && letter.runId === null);
    if (runId === null) for (const letter of mine) this.withdraw(letter);
    if (thread.id === null) return;
    const { id } = thread;
    const runs = activeAnswers(thread.transcript).filter((answer) => runId === null || answer.runId === runId);
    for (const run of runs) this.wish(now, cancelWish(thread, id, run.runId));
    if (runs.length > 0 || !this.connection.open) return;
    const frame = { type: "cancel", conversation_id: id } as const;
    this.connection.post(now, runId === null ? frame : { ...frame, run_id: runId });
  }

  /** Take back one message that is not accepted. */
  takeBack(thread: Thread, clientMessageId: string): void {
    const letter = this.outbox.find(clientMessageId);
    if (letter?.thread === thread && letter.runId === null) this.withdraw(letter);
    else if (!letter) thread.transcript = forgotten(thread.transcript, clientMessageId);
  }

  /** Send a frame, and again on each new connection until it shows that it was heard. */
  wish(now: number, wish: Wish): void {
    if (this.rests(wish.thread)) wish.thread.heardAt = now; // from now on there is something to wait for
    this.standing.add(wish);
    if (this.connection.open) this.connection.post(now, wish.frame);
  }

  /** Ask for what a conversation is at. */
  resume(now: number, thread: Thread): void {
    if (thread.id === null || thread.gone || !this.connection.open) return;
    thread.askedAt = now;
    this.connection.post(now, { type: "resume", conversation_id: thread.id });
  }

  /** Drop the threads that nobody looks at and no message waits for. */
  sweep(): void {
    const waiting = new Set(this.outbox.letters.map((letter) => letter.thread));
    this.threads = this.threads.filter((thread) => thread.kept || waiting.has(thread));
  }

  // ---------------------------------------------------------- what happens

  /** There is a new connection: it knows nothing of the one before. */
  opened(now: number): void {
    this.landed();
    for (const thread of this.threads) {
      thread.openAgain(now);
      this.resume(now, thread);
    }
    for (const frame of this.standing.left()) this.connection.post(now, frame);
    this.flush(now);
  }

  /** The connection is gone, and what was on its way over it. */
  landed(): void {
    this.outbox.landed();
    this.early = [];
  }

  /** A frame of a conversation came. */
  heard(now: number, frame: ServerFrame): void {
    if (frame.type === "message_accepted") this.accepted(now, frame);
    const thread = "conversation_id" in frame ? this.find(frame.conversation_id) : undefined;
    if (thread) {
      thread.note(now, frame);
      thread.transcript = reduce(thread.transcript, frame);
      if (frame.type === "approval_required") this.decideAgain(now, frame);
    } else if (this.outbox.flying?.thread.id === null && this.early.length < EARLY_KEPT) {
      this.early.push(frame);
    }
  }

  /** After each frame: forget wishes that came true, ask for what was lost, send what may go. */
  mind(now: number): void {
    this.standing.prune();
    for (const thread of this.threads) {
      this.overdue.notice(now, thread);
      if (isMissing(thread.transcript) && now - thread.askedAt >= this.timing.gapAgain) this.resume(now, thread);
    }
    const needless = ({ sentAt, runId, thread }: Letter): boolean =>
      sentAt === null && runId !== null && !thread.traces.has(runId);
    for (const letter of this.outbox.letters.filter(needless)) this.outbox.remove(letter);
    this.flush(now);
  }

  /** An `error` frame about one frame came. */
  objected(now: number, frame: Objection): void {
    const named = this.outbox.find(frame.client_message_id);
    const letter = named ?? (BLAMED.has(frame.code) ? this.outbox.flying : undefined);
    if (!letter) this.report(frame);
    else if (RETRIED.has(frame.code) && letter.tries < MAX_TRIES) this.again(now, letter);
    else this.refuse(letter, failureOf(frame));
  }

  /** Send a message again after a pause that grows: whether it was stored is not known, its id makes that safe. */
  again(now: number, letter: Letter | undefined): void {
    if (!letter || letter.sentAt === null) return;
    letter.sentAt = null;
    letter.retryAt = now + this.timing.backoffBase * 2 ** letter.tries * (0.5 + this.chance() / 2);
    letter.tries += 1;
  }

  /** A message will not be accepted. */
  refuse(letter: Letter, failure: Failure): void {
    this.outbox.remove(letter);
    this.early = [];
    if (letter.runId !== null) this.overdue.putOff(letter, !failure.retryable);
    letter.thread.transcript = refused(letter.thread.transcript, letter.clientMessageId, failure);
    this.sweep();
  }

  /** No message will be accepted. */
  refuseAll({ code, message: detail, retryable }: ClientError): void {
    for (const letter of this.outbox.letters) {
      if (letter.runId === null) this.refuse(letter, { code, detail, retryable });
      else this.outbox.remove(letter);
    }
    this.sweep();
  }

  /** Send the message whose turn it is. */
  flush(now: number): void {
    const letter = this.outbox.due(now);
    if (!letter || !this.connection.open) return;
    letter.sentAt = now;
    this.connection.post(now, letter.sealed());
  }

  /** What this does by itself, and when. */
  chores(): Chore[] {
    const chores: Chore[] = [];
    const { first } = this.outbox;
    if (first?.sentAt === null) chores.push([first.retryAt, (now) => this.flush(now)]);
    else if (first) chores.push([(first.sentAt ?? 0) + this.timing.resendAfter, (now) => this.resend(now)]);
    for (const thread of this.threads) {
      if (thread.id === null || thread.gone || activeAnswers(thread.transcript).length === 0) continue;
      const asks = isMissing(thread.transcript) || !this.rests(thread);
      if (asks) chores.push([this.questionAt(thread), (now) => this.ask(now, thread)]);
      for (const [when, runId] of this.overdue.due(thread)) chores.push([when, (now) => this.remind(now, thread, runId)]);
    }
    return chores;
  }

  // ---------------------------------------------------------- inside

  /** Whether its run waits for people and nobody here has decided: then silence is as it should be. */
  private rests(thread: Thread): boolean {
    const running = activeAnswers(thread.transcript).filter((answer) => answer.status === "running");
    const waiting = running.filter((answer) => waits(answer.blocks) && !this.standing.expects(answer.runId));
    return running.length > 0 && waiting.length === running.length;
  }

  /** What was decided already is asked again: a decision may be lost without its connection. */
  private decideAgain(now: number, frame: ApprovalRequired): void {
    const decision = this.standing.asked(frame.run_id, frame.tool_use_id);
    if (decision && this.connection.open) this.connection.post(now, decision);
  }

  /** When to ask about a conversation that is silent although something runs, or of which text was lost. */
  private questionAt(thread: Thread): number {
    const { silenceFirst, silenceAgain, gapAgain } = this.timing;
    const due = Math.max(thread.heardAt + silenceFirst, thread.askedAt + silenceAgain);
    return isMissing(thread.transcript) ? Math.min(due, thread.askedAt + gapAgain) : due;
  }

  private ask(now: number, thread: Thread): void {
    this.resume(now, thread);
    if (now - thread.heardAt >= this.timing.silenceFirst && !this.connection.probing) this.connection.probe(now);
  }

  private remind(now: number, thread: Thread, runId: string): void {
    const letter = this.overdue.reminder(now, thread, runId);
    if (letter) {
      this.outbox.add(letter);
      this.flush(now);
    } else {
      thread.transcript = closed(thread.transcript, runId);
      this.mind(now);
    }
  }

  private resend(now: number): void {
    this.outbox.landed();
    this.flush(now);
  }

  /** A new conversation has its id from now on; what came before this frame is its too. */
  private accepted(now: number, frame: MessageAccepted): void {
    const letter = this.outbox.find(frame.client_message_id);
    if (!letter) return;
    this.outbox.remove(letter);
    const { thread } = letter;
    const { early } = this;
    this.early = [];
    thread.id ??= frame.conversation_id;
    for (const one of [frame, ...early]) {
      const mine = "conversation_id" in one && one.conversation_id === thread.id;
      if (mine) thread.transcript = reduce(thread.transcript, one);
    }
    this.remember(now, letter, frame.run_id);
    if (letter.cancel) this.wish(now, cancelWish(thread, thread.id, frame.run_id));
    this.sweep();
  }

  /** Until its run has ended, a message may have to be sent again. */
  private remember(now: number, letter: Letter, runId: string): void {
    const trace = letter.thread.trace(runId);
    if (letter.runId === null) [trace.letter, trace.acceptedAt] = [letter, now];
    else trace.answers += 1;
  }

  /** An error that names no message: perhaps the answer to a `resume`. */
  private report(frame: Objection): void {
    const asked = this.threads.filter((thread) => thread.id !== null && thread.askedAt > thread.heardAt);
    const [only] = asked;
    if (frame.code === "conversation_not_found" && only && asked.length === 1) only.gone = true;
    if (HARMLESS.has(frame.code)) return;
    this.reports.push(new Refused(frame.error, { code: frame.code, retryable: frame.retryable === true }));
  }

  /** One that was never sent is forgotten; one that may have been stored is cancelled when it is accepted. */
  private withdraw(letter: Letter): void {
    if (letter.frame !== null) {
      letter.cancel = true;
      return;
    }
    this.outbox.remove(letter);
    letter.thread.transcript = forgotten(letter.thread.transcript, letter.clientMessageId);
    this.sweep();
  }
}
