// The life of a connection: attempts with pauses between them, pings, a planned end before the gateway's. No I/O.

import { Refused, type ClientError } from "./errors.js";
import type { Timing } from "./timing.js";
import { closedForGood, handshakeRefusal } from "./verdicts.js";
import type { ClientFrame } from "./wire.js";

export type ConnectionState = "idle" | "connecting" | "open" | "waiting" | "refused" | "closed";
export type Action = { readonly do: "connect" | "drop" } | { readonly do: "send"; readonly frame: ClientFrame };
export type Chore = readonly [when: number, chore: (now: number) => void];

/** One agent's connection, again and again. What is to be done stands in `actions`, in order. */
export class Connection {
  state: ConnectionState = "idle";
  error: ClientError | null = null;
  actions: Action[] = [];
  private attempt = 0;
  private strikes = 0;
  private expired = false;
  private changedAt = 0;
  private heardAt = 0;
  private sentAt = 0;
  private plannedAt = 0;
  private retryAt = 0;
  private probedAt: number | null = null;
  private readonly timing: Timing;
  private readonly chance: () => number;
  private readonly renewable: boolean;

  constructor(timing: Timing, chance: () => number, renewable: boolean) {
    this.timing = timing;
    this.chance = chance;
    this.renewable = renewable;
  }

  /** Whether frames can be sent. */
  get open(): boolean {
    return this.state === "open";
  }

  /** Whether the answer to a ping is waited for. */
  get probing(): boolean {
    return this.probedAt !== null;
  }

  /** Make an attempt now. */
  dial(now: number): void {
    this.state = "connecting";
    this.error = null;
    this.changedAt = now;
    this.actions.push({ do: "connect" });
  }

  /** The attempt succeeded. */
  opened(now: number): void {
    this.state = "open";
    this.changedAt = this.heardAt = this.sentAt = now;
    this.probedAt = null;
    this.expired = false;
    this.plannedAt = now + this.timing.plannedFrom + this.chance() * this.timing.plannedSpread;
  }

  /** A frame came; one that shows that the server works ends the growth of the pauses. */
  heard(now: number, kind: unknown): void {
    this.heardAt = now;
    this.probedAt = null;
    if (typeof kind === "string" && kind !== "error" && kind !== "agent_loaded") this.attempt = this.strikes = 0;
  }

  /** Send a frame; only while it is open. */
  post(now: number, frame: ClientFrame): void {
    this.sentAt = now;
    this.actions.push({ do: "send", frame });
  }

  /** Ask for a sign of life; without one the connection is given up. */
  probe(now: number): void {
    this.post(now, { type: "ping" });
    this.probedAt ??= now;
  }

  /** The network is back, or the page is looked at again. */
  wake(now: number): void {
    if (this.state === "waiting") {
      this.attempt = 0;
      this.dial(now);
    } else if (this.open && now - this.heardAt > this.timing.probeAfter) {
      this.probe(now);
    }
  }

  /** A timer that comes late slept with its machine: the connection may be dead without having said so. */
  noticeLateness(now: number, due: number): void {
    const expected = Math.max(due, this.changedAt, this.heardAt, this.sentAt);
    if (this.open && now - expected > this.timing.lateAfter) this.probe(now);
  }

  /** The server says that the sign-in has ended; it closes the connection next. */
  expire(): void {
    this.expired = true;
  }

  /** It ended with a close code, or the handshake was answered by an HTTP status, or neither is known. */
  lost(now: number, code: number | null, status: number | null): void {
    this.state = "waiting";
    if (this.expired && !this.renewable) {
      this.giveUp(new Refused("The sign-in has ended.", { code: "token_expired", final: true }));
      return;
    }
    if (status === 401 || status === 403) this.strikes += 1;
    const final = closedForGood(code) ?? handshakeRefusal(status, this.strikes, this.renewable);
    if (final) this.giveUp(final);
    else this.pause(now);
  }

  /** Wait for the next attempt: longer each time, by chance, so that many clients do not come at once. */
  pause(now: number): void {
    this.state = "waiting";
    const longest = Math.min(this.timing.backoffCap, this.timing.backoffBase * 2 ** Math.min(this.attempt, 16));
    this.attempt += 1;
    this.retryAt = now + this.chance() * longest;
  }

  /** Trying again would change nothing. */
  giveUp(error: ClientError): void {
    if (this.open) this.actions.push({ do: "drop" });
    this.state = "refused";
    this.error = error;
  }

  /** The user is done with it. */
  close(): void {
    if (this.state === "connecting" || this.open) this.actions.push({ do: "drop" });
    this.state = "closed";
  }

  /** It does not answer: leave it and try another. */
  drop(now: number): void {
    this.actions.push({ do: "drop" });
    this.pause(now);
  }

  /** Another one at once, before the gateway ends this one in the middle of something. */
  renew(now: number): void {
    this.actions.push({ do: "drop" });
    this.dial(now);
  }

  /** When the attempt, or the wait for a pong, has lasted too long. */
  timeout(): number | null {
    if (this.state === "connecting") return this.changedAt + this.timing.openWithin;
    return this.open && this.probedAt !== null ? this.probedAt + this.timing.pongWithin : null;
  }

  /** What this does by itself, and when. */
  chores(): Chore[] {
    if (this.state === "waiting") return [[this.retryAt, (now) => this.dial(now)]];
    if (!this.open || this.probing) return [];
    return [[this.sentAt + this.timing.pingEvery, (now) => this.probe(now)]];
  }

  /** When the planned reconnect is due; later while a run goes on. */
  renewal(busy: boolean): number {
    return busy ? this.changedAt + this.timing.plannedLatest : this.plannedAt;
  }
}
