// The client's behaviour without sockets and timers: what happens goes in, what is to be done comes out.
//
// Every input has the time in milliseconds, from any origin. Actions are to be carried out in order; `deadline` says when
// `tick` is due. The same machine exists in Python (`python/session.py`); the vectors of both are the same files.

import { Connection, type Action, type Chore, type ConnectionState } from "./connection.js";
import { Dialogue } from "./dialogue.js";
import { Refused, type ClientError } from "./errors.js";
import { Thread } from "./outbox.js";
import { decisionWish } from "./standing.js";
import { TIMING, type Timing } from "./timing.js";
import { LAST } from "./verdicts.js";
import type { ApprovalFrame, Objection, ServerFrame } from "./wire.js";

export interface SessionOptions {
  readonly timing?: Partial<Timing> | undefined;
  /** A number in [0, 1), anew at each call. */
  readonly random?: (() => number) | undefined;
  /** Whether a new ticket can be had, so that a refused handshake is worth another try. */
  readonly renewable?: boolean | undefined;
}

/** One agent's connection and the conversations that are watched over it. */
export class Session {
  private readonly connection: Connection;
  private readonly dialogue: Dialogue;

  constructor({ timing, random = Math.random, renewable = false }: SessionOptions = {}) {
    const times = { ...TIMING, ...timing };
    this.connection = new Connection(times, random, renewable);
    this.dialogue = new Dialogue(this.connection, times, random);
  }

  get state(): ConnectionState {
    return this.connection.state;
  }

  /** Why it was refused. */
  get error(): ClientError | null {
    return this.connection.error;
  }

  /** Conversations that are kept up to date. */
  get threads(): readonly Thread[] {
    return this.dialogue.threads;
  }

  /** When `tick` is due next; null when nothing is to be waited for. */
  get deadline(): number | null {
    const times = this.chores().map(([when]) => when);
    return times.length ? Math.min(...times) : null;
  }

  /** What is to be done now. */
  takeActions(): readonly Action[] {
    const { actions } = this.connection;
    this.connection.actions = [];
    return actions;
  }

  /** What went wrong and concerns no message. */
  takeReports(): readonly ClientError[] {
    const { reports } = this.dialogue;
    this.dialogue.reports = [];
    return reports;
  }

  // ---------------------------------------------------------- what the user wants

  /** Begin, or begin again after a refusal. */
  connect(now: number): void {
    if (this.state === "idle" || this.state === "refused" || this.state === "waiting") this.connection.dial(now);
  }

  /** The thread of a conversation, made where there is none; a new one without an id. */
  thread(conversationId: string | null): Thread {
    let known = this.dialogue.find(conversationId);
    if (!known) this.dialogue.threads.push((known = new Thread(conversationId)));
    known.kept = true;
    return known;
  }

  /** Ask for what a conversation is at. */
  watch(now: number, thread: Thread): void {
    this.dialogue.resume(now, thread);
  }

  /** Forget a conversation; what is on its way is still sent. */
  unwatch(thread: Thread): void {
    thread.kept = false;
    this.dialogue.sweep();
  }

  /** Send a message as soon as it is its turn. */
  say(now: number, thread: Thread, clientMessageId: string, content: string): void {
    this.dialogue.say(now, thread, clientMessageId, content);
    this.despair();
  }

  /** End one run, or all of a conversation with those messages that are not accepted yet. */
  cancel(now: number, thread: Thread, runId: string | null = null): void {
    this.dialogue.cancel(now, thread, runId);
  }

  /** Take back a message that is not accepted, or was refused; one that is on its way is cancelled once it is accepted. */
  takeBack(thread: Thread, clientMessageId: string): void {
    this.dialogue.takeBack(thread, clientMessageId);
  }

  /** Send an `approval` frame, again after a reconnect until the tool has gone on. */
  decide(now: number, thread: Thread, frame: ApprovalFrame): void {
    this.dialogue.wish(now, decisionWish(thread, frame));
  }

  /** End it for good. */
  close(): void {
    this.connection.close();
  }

  // ---------------------------------------------------------- what happens

  /** The handshake succeeded. */
  opened(now: number): void {
    this.connection.opened(now);
    this.dialogue.opened(now);
  }

  /** A frame came. */
  heard(now: number, frame: ServerFrame): void {
    const kind: unknown = frame.type;
    this.connection.heard(now, kind);
    if (typeof kind !== "string") this.dialogue.again(now, this.dialogue.outbox.flying); // the gateway's own words
    else if (isObjection(frame)) this.objected(now, frame);
    else this.dialogue.heard(now, frame);
    this.dialogue.mind(now);
  }

  /** The connection ended with a close code, or the handshake was answered by an HTTP status, or neither is known. */
  lost(now: number, code: number | null = null, status: number | null = null): void {
    if (this.state !== "connecting" && this.state !== "open") return;
    const { flying } = this.dialogue.outbox;
    if (code === 1009 && flying) {
      const detail = "The message is too large for the connection.";
      this.dialogue.refuse(flying, { code: "payload_too_large", detail, retryable: false });
    }
    this.dialogue.landed();
    this.connection.lost(now, code, status);
    this.despair();
  }

  /** The connection could not even be tried: no ticket. */
  failed(now: number, error: ClientError): void {
    if (this.state !== "connecting") return;
    if (error.final) {
      this.connection.giveUp(error);
      this.despair();
    } else {
      this.dialogue.reports.push(error);
      this.connection.pause(now);
    }
  }

  /** The network is back, or the page is looked at again. */
  wake(now: number): void {
    this.connection.wake(now);
  }

  /** Do what is due. */
  tick(now: number): void {
    const due = this.deadline;
    if (due === null) return;
    const { state } = this;
    this.connection.noticeLateness(now, due);
    for (const [when, chore] of this.chores()) if (when <= now && this.state === state) chore(now);
  }

  // ---------------------------------------------------------- inside

  private chores(): Chore[] {
    const chores = this.connection.chores();
    const timeout = this.connection.timeout();
    if (timeout !== null) chores.unshift([timeout, (now) => this.drop(now)]);
    if (!this.connection.open) return chores;
    chores.push(...this.dialogue.chores());
    if (!this.dialogue.outbox.first) {
      chores.push([this.connection.renewal(this.dialogue.busy), (now) => this.renew(now)]);
    }
    return chores;
  }

  private drop(now: number): void {
    this.dialogue.landed();
    this.connection.drop(now);
  }

  private renew(now: number): void {
    this.dialogue.landed();
    this.connection.renew(now);
  }

  /** An `error` about the connection, or about one frame. */
  private objected(now: number, frame: Objection): void {
    if (LAST.has(frame.code)) {
      this.connection.giveUp(new Refused(frame.error, { code: frame.code, final: true }));
      this.despair();
    } else if (frame.code === "token_expired") {
      this.connection.expire(); // a message that met it goes again, with a new ticket
    } else {
      this.dialogue.objected(now, frame);
    }
  }

  /** Where nothing can be sent any more, nobody waits for it. */
  private despair(): void {
    if (this.connection.error) this.dialogue.refuseAll(this.connection.error);
  }
}

function isObjection(frame: ServerFrame): frame is Objection {
  return frame.type === "error" && frame.run_id === undefined;
}
