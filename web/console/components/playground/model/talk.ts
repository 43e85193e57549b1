// One agent's client, kept for as long as its playground is shown, and while something is still on its way.

import { PlaygroundClient, isOver, ticketSource, type ClientError, type ConnectionState, type Conversation, type StoredMessage } from "@melton/client";

import { api, data } from "@/lib/api";
import { signedInFetch } from "@/lib/auth";

import { Drafts } from "./drafts";
import { History } from "./history";

/** The connection: `since` when it is in this state, `again` whether it was open before. */
export interface Connection {
  readonly state: ConnectionState;
  readonly error: ClientError | null;
  readonly since: number;
  readonly again: boolean;
}

const KEPT = 8;
const RECENT = 20;
const LINGER = 30_000;

/** What completes answers of which frames did not tell everything; all of a conversation is read by its history. */
async function newest(conversationId: string): Promise<readonly StoredMessage[]> {
  const params = { path: { conversation_id: conversationId }, query: { limit: RECENT } };
  const page = await data(api.GET("/api/v1/conversations/{conversation_id}/messages", { params }));
  return page.items as StoredMessage[];
}

/** While somebody has to sign in again first, attempts to connect go by; one request is enough for all of them. */
function oneAtATime<T>(ask: () => Promise<T>): () => Promise<T> {
  let pending: Promise<T> | null = null;
  return () => (pending ??= ask().finally(() => (pending = null)));
}

export class Talk {
  readonly client: PlaygroundClient;
  readonly drafts: Drafts;
  private readonly agentId: string;
  private begun: Conversation | null = null;
  private readonly histories = new Map<string, History>();
  private readonly names = new WeakMap<Conversation, string>();
  private readonly shown = new Map<string, Conversation>();
  private connection: Connection = { state: "idle", error: null, since: 0, again: false };
  private readonly listeners = new Set<() => void>();
  private readonly complaints = new Set<(error: ClientError) => unknown>();
  private users = 0;
  private named = 0;
  private leaving: ReturnType<typeof setTimeout> | undefined;

  constructor(agentId: string) {
    this.agentId = agentId;
    this.drafts = new Drafts(agentId);
    this.client = new PlaygroundClient({
      agentId,
      baseUrl: location.origin,
      ticket: oneAtATime(ticketSource(agentId, { baseUrl: location.origin, fetch: signedInFetch })),
      messages: newest,
      onState: (state, error) => this.turned(state, error),
      onError: (error) => this.complaints.forEach((told) => told(error)),
    });
  }

  /** A conversation; null is the one that begins with the next message. */
  conversation(id: string | null): Conversation {
    if (id !== null) return this.client.conversation(id);
    return (this.begun ??= this.client.conversation());
  }

  /** The next message begins another one. */
  renew(): void {
    this.begun = null;
  }

  /** A name for React: the same before and after a conversation has its id. */
  nameOf(conversation: Conversation): string {
    let name = this.names.get(conversation);
    if (!name) this.names.set(conversation, (name = `talk ${(this.named += 1)}`));
    return name;
  }

  history(conversation: Conversation): History | null {
    const { id } = conversation;
    if (id === null) return null;
    let known = this.histories.get(id);
    if (!known) this.histories.set(id, (known = new History(id, conversation === this.begun)));
    return known;
  }

  /** It is looked at: follow it. A few are kept up to date after others are looked at, and all in which something goes on. */
  look(id: string): void {
    const conversation = this.client.conversation(id);
    const known = this.shown.has(id);
    this.shown.delete(id);
    this.shown.set(id, conversation);
    if (!known && conversation.transcript.entries.length === 0) this.client.watch(id);
    for (const [other, one] of this.shown) {
      if (this.shown.size <= KEPT) break;
      if (other !== id && !isBusy(one)) this.drop(other);
    }
  }

  /** It was deleted, or need not be followed. */
  drop(id: string): void {
    this.client.conversation(id).close();
    this.shown.delete(id);
    this.histories.delete(id);
    if (this.begun?.id === id) this.begun = null;
  }

  readonly getConnection = (): Connection => this.connection;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  /** Told what concerns no message. */
  readonly complain = (told: (error: ClientError) => unknown): (() => void) => {
    this.complaints.add(told);
    return () => void this.complaints.delete(told);
  };

  /** Connect for as long as somebody uses it. */
  use(): () => void {
    this.users += 1;
    clearTimeout(this.leaving);
    if (this.client.state === "idle" || this.client.state === "refused") this.client.connect();
    return () => {
      this.users -= 1;
      this.leave();
    };
  }

  private leave(): void {
    clearTimeout(this.leaving);
    this.leaving = setTimeout(() => {
      if (this.users > 0) return;
      if ([...this.shown.values(), ...(this.begun ? [this.begun] : [])].some(isUnsent)) {
        this.leave();
        return;
      }
      talks.delete(this.agentId);
      this.client.close();
    }, LINGER);
  }

  private turned(state: ConnectionState, error: ClientError | null): void {
    const { again, since, state: before } = this.connection;
    const waits = (one: ConnectionState) => one === "waiting" || one === "connecting";
    // Attempts and the pauses between them are one state to people.
    const kept = waits(state) && waits(before) ? since : Date.now();
    this.connection = { state, error, since: kept, again: again || before === "open" };
    for (const listener of [...this.listeners]) listener();
  }
}

const talks = new Map<string, Talk>();

/** The one client of an agent. */
export function talkOf(agentId: string): Talk {
  let known = talks.get(agentId);
  if (!known) talks.set(agentId, (known = new Talk(agentId)));
  return known;
}

function isUnsent({ transcript }: Conversation): boolean {
  return transcript.entries.some((entry) => entry.role === "user" && entry.status === "sending");
}

function isBusy(conversation: Conversation): boolean {
  return isUnsent(conversation) || conversation.transcript.entries.some((entry) => entry.role === "assistant" && !isOver(entry));
}
