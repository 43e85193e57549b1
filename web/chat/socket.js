// The playground's WebSocket to one agent: queues until open, reconnects, and sends again what was never accepted.

const SUBPROTOCOL = "aab.v1";
const PAUSES = [400, 1000, 2000, 4000, 8000, 15000];
const PING_EVERY = 4 * 60_000;
const OPEN_WITHIN = 10_000;
const RESEND_AFTER = 8000;
// Errors after which the server closes the connection because trying again would change nothing.
const FINAL = new Set(["agent_not_found", "agent_inactive", "unauthenticated", "forbidden"]);

/** A name that is unique without a secure context. */
export function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * One agent's connection. `onFrame` gets each frame, `onState` one of connecting, open, waiting, refused, closed:
 * a new connection says `connecting`, then `open`; a lost one `waiting` until it is tried again.
 */
export class PlaygroundSocket {
  constructor(agentId, { onFrame, onState }) {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    this.url = `${scheme}//${location.host}/api/v1/playground/${encodeURIComponent(agentId)}`;
    this.onFrame = onFrame;
    this.onState = onState;
    this.unaccepted = new Map();
    this.queue = [];
    this.attempt = 0;
    this.state = "closed";
    this.wake = () => this.retryNow();
    addEventListener("online", this.wake);
    document.addEventListener("visibilitychange", this.wake);
    this.chores = setInterval(() => this.lookAfter(), 1000);
    this.connect();
  }

  /** Send a frame now, or as soon as there is a connection. A user's message is kept until it is accepted. */
  send(frame) {
    if (frame.type === "user_message") this.unaccepted.set(frame.client_message_id, { frame, sentAt: Date.now() });
    else if (this.state !== "open") this.queue.push(frame);
    if (this.state === "open") this.post(frame);
  }

  /** Drop the connection and make another; whoever comes anew is told everything. */
  reconnect() {
    this.drop();
    this.connect();
  }

  /** Milliseconds since the server said anything. */
  get silence() {
    return Date.now() - this.heardAt;
  }

  /** From now on there is something to be heard. */
  attend() {
    this.heardAt = Date.now();
  }

  /** End it for good. */
  close() {
    removeEventListener("online", this.wake);
    document.removeEventListener("visibilitychange", this.wake);
    clearInterval(this.chores);
    this.drop();
    this.become("closed");
  }

  connect() {
    clearTimeout(this.timer);
    this.become("connecting");
    const socket = new WebSocket(this.url, [SUBPROTOCOL]);
    this.socket = socket;
    this.timer = setTimeout(() => socket.close(), OPEN_WITHIN);
    socket.addEventListener("open", () => this.socket === socket && this.opened());
    socket.addEventListener("message", (event) => this.socket === socket && this.heard(event.data));
    socket.addEventListener("close", () => this.socket === socket && this.lost());
  }

  opened() {
    clearTimeout(this.timer);
    this.heardAt = this.pingedAt = Date.now();
    this.become("open");
    for (const entry of this.unaccepted.values()) this.repeat(entry);
    for (const frame of this.queue.splice(0)) this.post(frame);
  }

  heard(text) {
    this.heardAt = Date.now();
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      return;
    }
    this.attempt = 0;
    if (frame.client_message_id) this.unaccepted.delete(frame.client_message_id);
    if (frame.type === "error" && !frame.run_id && FINAL.has(frame.code)) this.become("refused");
    this.onFrame(frame);
  }

  lost() {
    clearTimeout(this.timer);
    this.socket = null;
    if (this.state === "refused" || this.state === "closed") return;
    const pause = PAUSES[Math.min(this.attempt, PAUSES.length - 1)] * (0.75 + Math.random() / 2);
    this.attempt += 1;
    this.become("waiting");
    this.timer = setTimeout(() => this.connect(), pause);
  }

  retryNow() {
    if (this.state === "waiting" && document.visibilityState === "visible") this.connect();
  }

  /** Keep the connection from being closed as idle, and repeat a message that nobody answered. */
  lookAfter() {
    if (this.state !== "open") return;
    const now = Date.now();
    if (now - this.pingedAt > PING_EVERY) {
      this.pingedAt = now;
      this.post({ type: "ping" });
    }
    for (const entry of this.unaccepted.values()) if (now - entry.sentAt > RESEND_AFTER) this.repeat(entry);
  }

  repeat(entry) {
    entry.sentAt = Date.now();
    this.post(entry.frame);
  }

  post(frame) {
    this.socket.send(JSON.stringify(frame));
  }

  drop() {
    clearTimeout(this.timer);
    const socket = this.socket;
    this.socket = null;
    if (socket?.readyState === WebSocket.CONNECTING) socket.addEventListener("open", () => socket.close(1000));
    else socket?.close(1000);
  }

  become(state) {
    if (this.state === state) return;
    this.state = state;
    this.onState(state);
  }
}
