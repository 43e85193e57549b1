// A client of one agent's playground: what `session.ts` decides, carried out with WebSockets and timers.

import { Archive, type Messages } from "./archive.js";
import { CLOCK, type Clock } from "./clock.js";
import type { Action, ConnectionState } from "./connection.js";
import { checkContent } from "./content.js";
import { Conversation, Sent } from "./conversation.js";
import { ClientError, Closed } from "./errors.js";
import { Line, type Socket, type Sockets, type Ticket } from "./line.js";
import type { Thread } from "./outbox.js";
import { Session } from "./session.js";
import type { Timing } from "./timing.js";
import type { ClientFrame, ServerFrame } from "./wire.js";

export interface ClientOptions {
  /** Address of the agent's WebSocket; or `agentId`, and `baseUrl` where it is not the page's own origin. */
  readonly url?: string;
  readonly agentId?: string;
  readonly baseUrl?: string;
  /** Fetches a ticket for each connection; null where nobody has to sign in. See `ticketSource`. */
  readonly ticket?: Ticket;
  /** Fetches stored messages, to complete answers that did not fit into frames. See `messageSource`. */
  readonly messages?: Messages;
  readonly onState?: (state: ConnectionState, error: ClientError | null) => void;
  /** Told what concerns no message: a refused frame, a ticket that could not be had. */
  readonly onError?: (error: ClientError) => void;
  /** Told every frame. */
  readonly onFrame?: (direction: "in" | "out", frame: ServerFrame | ClientFrame) => void;
  readonly timing?: Partial<Timing>;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly sockets?: Sockets;
  readonly newId?: () => string;
}

/** The WebSocket address of an agent, from the address that serves REST. */
export function playgroundUrl(baseUrl: string, agentId: string): string {
  const address = new URL(`/api/v1/playground/${encodeURIComponent(agentId)}`, baseUrl);
  address.protocol = address.protocol.replace("http", "ws");
  return address.href;
}

/** A name that is unique, without a secure context too. */
export function freshId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Talks to one agent until it is closed, through lost connections and restarted servers. */
export class PlaygroundClient {
  readonly url: string;
  /** @internal */
  readonly archive: Archive;
  private readonly options: ClientOptions;
  private readonly clock: Clock;
  private readonly session: Session;
  private readonly conversations = new Map<Thread, Conversation>();
  private readonly listeners = new Set<() => void>();
  private complaints: ClientError[] = [];
  private told: ConnectionState = "idle";
  private line: Line | null = null;
  private timer: unknown = null;
  private readonly wakeUp = (): void => {
    if (globalThis.document?.visibilityState !== "hidden") this.wake();
  };

  constructor(options: ClientOptions) {
    const { clock = CLOCK, timing, random, ticket, messages = null } = options;
    this.options = options;
    this.url = options.url ?? playgroundUrl(options.baseUrl ?? location.href, options.agentId ?? "");
    this.clock = clock;
    this.session = new Session({ timing, random, renewable: ticket !== undefined });
    this.archive = new Archive(messages, clock);
  }

  /** State of the connection: idle, connecting, open, waiting (for the next attempt), refused, closed. */
  get state(): ConnectionState {
    return this.session.state;
  }

  /** Why the connection was refused. */
  get error(): ClientError | null {
    return this.session.error;
  }

  /** Begin; again after a refusal. */
  connect(): this {
    globalThis.addEventListener?.("online", this.wakeUp);
    globalThis.document?.addEventListener("visibilitychange", this.wakeUp);
    this.act((session, now) => session.connect(now));
    return this;
  }

  /** A conversation; without an id one that begins with its first message. */
  conversation(conversationId: string | null = null): Conversation {
    return this.handle(this.session.thread(conversationId));
  }

  /** A stored conversation, with what goes on in it. An answer that runs is shown from its beginning. */
  watch(conversationId: string): Conversation {
    const conversation = this.conversation(conversationId);
    this.act((session, now) => session.watch(now, conversation.thread));
    return conversation;
  }

  /**
   * Say something; without a conversation a new one begins. It is sent when there is a connection and those before it
   * are accepted, and again until it is accepted. Throws InvalidContent or TooLarge for what could never be sent.
   */
  send(content: string, conversationId?: string): Sent {
    return this.conversation(conversationId ?? null).send(content);
  }

  /** End a run, or all that run and wait in a conversation. */
  cancel(conversationId: string, runId?: string): void {
    this.conversation(conversationId).cancel(runId);
  }

  /** Called after each change of anything: state of the connection, a transcript. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  /** The network is back, or the page is looked at again: try now. Called by itself in browsers. */
  wake(): void {
    this.act((session, now) => session.wake(now));
  }

  /** End it. Who waits gets `Closed`; what runs on the server goes on. */
  close(): void {
    globalThis.removeEventListener?.("online", this.wakeUp);
    globalThis.document?.removeEventListener("visibilitychange", this.wakeUp);
    this.act((session) => session.close());
  }

  // ---------------------------------------------------------- for conversations

  /** @internal */
  say(conversation: Conversation, content: string, clientMessageId?: string): Sent {
    checkContent(content);
    if (this.state === "closed") throw new Closed("The client is closed.");
    this.conversations.set(conversation.thread, conversation);
    const own = clientMessageId ?? (this.options.newId ?? freshId)();
    this.act((session, now) => session.say(now, conversation.thread, own, content));
    return new Sent(conversation, own);
  }

  /** @internal Tell the session something, and do what it asks for. */
  act(what: (session: Session, now: number) => void): void {
    what(this.session, this.clock.now());
    for (const action of this.session.takeActions()) this.carryOut(action);
    this.arm();
    this.complete();
    this.tell();
  }

  /** @internal Throw what ended the client, if something did. */
  check(): void {
    if (this.session.error) throw this.session.error;
    if (this.state === "closed") throw new Closed("The client was closed.");
  }

  /** @internal Wait until something has happened. */
  changed(): Promise<void> {
    return new Promise((resolve) => {
      const stop = this.subscribe(() => {
        stop();
        resolve();
      });
    });
  }

  // ---------------------------------------------------------- inside

  private handle(thread: Thread): Conversation {
    let known = this.conversations.get(thread);
    if (!known) this.conversations.set(thread, (known = new Conversation(this, thread)));
    return known;
  }

  private carryOut(action: Action): void {
    if (action.do === "send") {
      this.options.onFrame?.("out", action.frame);
      this.line?.send(action.frame);
    } else if (action.do === "connect") {
      this.dial();
    } else {
      this.line?.drop();
      this.line = null;
    }
  }

  private dial(): void {
    const { ticket = null, sockets = (url, protocols) => new WebSocket(url, protocols) as Socket } = this.options;
    this.line = new Line({
      opened: () => this.act((session, now) => session.opened(now)),
      lost: (code) => this.act((session, now) => session.lost(now, code)),
      failed: (error) => this.act((session, now) => session.failed(now, error)),
      heard: (frame) => {
        this.options.onFrame?.("in", frame);
        this.act((session, now) => session.heard(now, frame));
      },
    });
    void this.line.open(this.url, ticket, sockets);
  }

  private arm(): void {
    if (this.timer !== null) this.clock.clearTimeout(this.timer);
    const { deadline } = this.session;
    const tick = (): void => this.act((session, now) => session.tick(now));
    this.timer = deadline === null ? null : this.clock.setTimeout(tick, Math.max(0, deadline - this.clock.now()));
  }

  private complete(): void {
    for (const thread of this.session.threads) {
      if (this.state !== "closed" && this.archive.wants(thread)) void this.fetch(thread);
    }
  }

  private async fetch(thread: Thread): Promise<void> {
    await this.archive.fetch(thread).catch((error: unknown) => {
      if (error instanceof ClientError) this.complaints.push(error);
    });
    this.act(() => undefined);
  }

  private tell(): void {
    if (this.told !== this.state) {
      this.told = this.state;
      this.options.onState?.(this.state, this.error);
    }
    const reports = [...this.complaints, ...this.session.takeReports()];
    this.complaints = [];
    for (const report of reports) this.options.onError?.(report);
    for (const [thread, conversation] of this.conversations) {
      conversation.tell();
      if (!this.session.threads.includes(thread)) this.conversations.delete(thread);
    }
    for (const listener of [...this.listeners]) listener();
  }
}
