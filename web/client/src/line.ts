// One attempt at a connection, and the connection that came of it.

import { TicketFailed, ClientError } from "./errors.js";
import type { ClientFrame, ServerFrame } from "./wire.js";

export const SUBPROTOCOL = "aab.v1";

/** As much of a WebSocket as is used; the browser's and Node's are such. */
export interface Socket {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

export type Sockets = (url: string, protocols: string[]) => Socket;
export type Ticket = () => Promise<string | null>;

export interface LineEvents {
  opened(): void;
  heard(frame: ServerFrame): void;
  lost(code: number | null): void;
  failed(error: ClientError): void;
}

/** After `drop` it says nothing more. */
export class Line {
  private socket: Socket | null = null;
  private events: LineEvents | null;

  constructor(events: LineEvents) {
    this.events = events;
  }

  /** Get a ticket and open a WebSocket. */
  async open(url: string, ticket: Ticket | null, sockets: Sockets): Promise<void> {
    try {
      const token = await ticket?.();
      if (this.events) this.listen(sockets(url, token ? [SUBPROTOCOL, `ticket.${token}`] : [SUBPROTOCOL]));
    } catch (cause) {
      const facts = { retryable: true, cause };
      const error = cause instanceof ClientError ? cause : new TicketFailed(`No connection: ${String(cause)}`, facts);
      this.events?.failed(error);
    }
  }

  send(frame: ClientFrame): void {
    this.socket?.send(JSON.stringify(frame));
  }

  /** Nothing of this connection counts any more. */
  drop(): void {
    this.events = null;
    this.socket?.close(1000);
  }

  private listen(socket: Socket): void {
    this.socket = socket;
    socket.onopen = () => (this.events ? this.events.opened() : socket.close(1000));
    socket.onmessage = ({ data }) => this.received(data);
    socket.onclose = ({ code }) => this.over(code);
    socket.onerror = () => undefined; // a close event follows
  }

  private over(code: number): void {
    const { events } = this;
    this.events = null;
    events?.lost(code);
  }

  /** What is no frame is passed over. */
  private received(data: unknown): void {
    if (typeof data !== "string" || !this.events) return;
    let frame: unknown;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    if (typeof frame === "object" && frame !== null && !Array.isArray(frame)) this.events.heard(frame as ServerFrame);
  }
}
