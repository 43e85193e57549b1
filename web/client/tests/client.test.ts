// The client over sockets and a clock that the test makes.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  Closed, InvalidContent, PlaygroundClient, Refused, TicketFailed, TooLarge, answerOf, messageSource, playgroundUrl,
  ticketSource, type ClientOptions, type Clock, type ConnectionState, type Socket,
} from "../src/index.js";

class FakeClock implements Clock {
  private time = 0;
  private timers = new Map<number, { at: number; callback: () => void }>();
  private next = 0;

  now(): number {
    return this.time;
  }

  setTimeout(callback: () => void, ms: number): number {
    this.timers.set((this.next += 1), { at: this.time + ms, callback });
    return this.next;
  }

  clearTimeout(handle: unknown): void {
    this.timers.delete(handle as number);
  }

  /** Let time pass, with all timers that come due. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      const due = [...this.timers].filter(([, timer]) => timer.at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      this.timers.delete(due[0]);
      this.time = Math.max(this.time, due[1].at);
      due[1].callback();
      await settle();
    }
    this.time = end;
  }
}

class FakeSocket implements Socket {
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  readonly sent: Record<string, unknown>[] = [];
  closed: number | null = null;
  readonly url: string;
  readonly protocols: string[];

  constructor(url: string, protocols: string[]) {
    this.url = url;
    this.protocols = protocols;
  }

  send(data: string): void {
    this.sent.push(JSON.parse(data) as Record<string, unknown>);
  }

  close(code = 1005): void {
    this.closed = code;
  }

  open(): void {
    this.onopen?.(undefined as never);
  }

  tell(frame: unknown): void {
    this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) } as MessageEvent);
  }

  end(code: number): void {
    this.onclose?.({ code } as CloseEvent);
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface World {
  readonly client: PlaygroundClient;
  readonly clock: FakeClock;
  readonly sockets: FakeSocket[];
  readonly states: ConnectionState[];
  readonly errors: string[];
  latest(): FakeSocket;
}

function world(options: Partial<ClientOptions> = {}): World {
  const [clock, sockets, states, errors] = [new FakeClock(), [] as FakeSocket[], [] as ConnectionState[], [] as string[]];
  let ids = 0;
  const client = new PlaygroundClient({
    url: "ws://test/agt_1",
    clock,
    random: () => 0.5,
    newId: () => `m-${(ids += 1)}`,
    sockets: (url, protocols) => {
      const socket = new FakeSocket(url, protocols);
      sockets.push(socket);
      return socket;
    },
    onState: (state) => states.push(state),
    onError: (error) => errors.push(error.code),
    ...options,
  });
  const latest = (): FakeSocket => sockets.at(-1) ?? assert.fail("no socket");
  return { client, clock, sockets, states, errors, latest };
}

const ids = { conversation_id: "cnv_1", run_id: "run_1", message_id: "msg_2" };
const accepted = { type: "message_accepted", ...ids, message_id: "msg_1", client_message_id: "m-1", queued: false };
const delta = { type: "content_delta", ...ids, delta: "Hello", offset: 0, seq: 2 ** 24 + 1 };
const complete = { type: "message_complete", ...ids, content: "Hello", stop_reason: "end_turn", usage: {}, cost: null };

test("a question and its answer", async () => {
  const { client, latest, states } = world();
  client.connect();
  await settle();
  const sent = client.send("Hi");
  assert.deepEqual(latest().protocols, ["aab.v1"]);
  latest().open();
  assert.deepEqual(latest().sent, [{ type: "user_message", client_message_id: "m-1", content: "Hi" }]);
  let changes = 0;
  sent.conversation.subscribe(() => (changes += 1));
  latest().tell(accepted);
  assert.deepEqual(await sent.accepted(), { conversationId: "cnv_1", runId: "run_1", messageId: "msg_1" });
  latest().tell(delta);
  latest().tell(delta);
  latest().tell({ type: "pong" });
  assert.equal(changes, 2, "told of changes only");
  latest().tell(complete);
  const answer = await sent.answer();
  assert.deepEqual([answer.text, answer.status], ["Hello", "completed"]);
  assert.equal(client.conversation("cnv_1"), sent.conversation);
  assert.equal(sent.conversation.getTranscript(), sent.conversation.transcript);
  client.close();
  assert.equal(latest().closed, 1000);
  assert.deepEqual(states, ["connecting", "open", "closed"]);
});

test("a cut connection", async () => {
  const { client, clock, latest, sockets, states } = world();
  client.connect();
  await settle();
  latest().open();
  const sent = client.send("Hi");
  latest().tell(accepted);
  latest().tell(delta);
  const first = latest();
  first.end(1006);
  await clock.pass(250);
  assert.equal(sockets.length, 2);
  latest().open();
  assert.deepEqual(latest().sent, [{ type: "resume", conversation_id: "cnv_1" }]);
  first.tell({ ...delta, delta: "Wrong", offset: 5, seq: 2 ** 24 + 9 });
  first.end(1006);
  latest().tell(complete);
  assert.equal((await sent.answer()).text, "Hello");
  assert.deepEqual(states, ["connecting", "open", "waiting", "connecting", "open"]);
  client.close();
});

test("a ticket for each connection", async () => {
  let count = 0;
  const { client, clock, latest } = world({ ticket: () => Promise.resolve(`t${(count += 1)}`) });
  client.connect();
  await settle();
  assert.deepEqual(latest().protocols, ["aab.v1", "ticket.t1"]);
  latest().open();
  latest().end(1001);
  await clock.pass(250);
  assert.deepEqual(latest().protocols, ["aab.v1", "ticket.t2"]);
  client.close();
});

test("a ticket that cannot be had for now", async () => {
  let count = 0;
  const ticket = (): Promise<string> => ((count += 1) === 1 ? Promise.reject(new TypeError("offline")) : Promise.resolve("t"));
  const { client, clock, sockets, errors } = world({ ticket });
  client.connect();
  await settle();
  assert.deepEqual([client.state, sockets.length, errors], ["waiting", 0, ["ticket_failed"]]);
  await clock.pass(250);
  assert.equal(sockets.length, 1);
  client.close();
});

test("a ticket that is refused ends it", async () => {
  const ticket = (): Promise<string> => Promise.reject(new TicketFailed("No.", { code: "forbidden", final: true }));
  const { client } = world({ ticket });
  client.connect();
  const sent = client.send("Hi");
  await assert.rejects(sent.accepted(), (error: unknown) => error instanceof Refused && error.code === "forbidden");
  assert.equal(client.state, "refused");
  assert.equal(client.error?.code, "forbidden");
});

test("closed while the ticket is fetched", async () => {
  let give = (_: string): void => undefined;
  const { client, sockets } = world({ ticket: () => new Promise((resolve) => (give = resolve)) });
  client.connect();
  client.close();
  give("t");
  await settle();
  assert.equal(sockets.length, 0);
});

test("who waits is told of the end", async () => {
  const { client, latest } = world();
  client.connect();
  await settle();
  latest().open();
  const sent = client.send("Hi");
  const waiting = assert.rejects(sent.answer(), Closed);
  client.close();
  await waiting;
  assert.throws(() => client.send("again"), Closed);
});

test("what can never be sent is refused at once", () => {
  const { client } = world();
  assert.throws(() => client.send("  "), InvalidContent);
  assert.throws(() => client.send("half \ud83d"), InvalidContent);
  assert.throws(() => client.send("a\0b"), InvalidContent);
  assert.throws(() => client.send("\u00e9".repeat(17_000)), TooLarge);
  assert.ok(client.send("\u00e9".repeat(16_000)));
});

test("a refused message is sent again", async () => {
  const { client, latest } = world();
  client.connect();
  await settle();
  latest().open();
  const sent = client.send("Hi");
  latest().tell({ type: "error", error: "Slow down.", code: "rate_limited", retryable: true, client_message_id: "m-1" });
  await assert.rejects(sent.accepted(), (error: unknown) => error instanceof Refused && error.retryable);
  const again = sent.conversation.retry("m-1");
  assert.equal(latest().sent.length, 2);
  latest().tell(accepted);
  assert.equal((await again.accepted()).runId, "run_1");
  assert.throws(() => sent.conversation.retry("m-0"), RangeError);
  client.close();
});

test("cancel, approve, deny, watch and close of a conversation", async () => {
  const { client, latest } = world();
  client.connect();
  await settle();
  latest().open();
  const conversation = client.watch("cnv_1");
  latest().tell({ type: "approval_required", ...ids, tool_use_id: "t1", tool_name: "pay", input: {}, seq: 2 ** 24 + 1 });
  conversation.approve("run_1", "t1", { amount: 1 });
  conversation.deny("run_1", "t1", "Too much.");
  client.cancel("cnv_1", "run_1");
  conversation.close();
  const about = { run_id: "run_1", tool_use_id: "t1" };
  assert.deepEqual(latest().sent, [
    { type: "resume", conversation_id: "cnv_1" },
    { type: "approval", ...about, decision: "approve", input: { amount: 1 } },
    { type: "approval", ...about, decision: "deny", reason: "Too much." },
    { type: "cancel", conversation_id: "cnv_1", run_id: "run_1" },
  ]);
  const before = conversation.transcript;
  latest().tell(complete);
  assert.equal(conversation.transcript, before);
  client.close();
});

test("nonsense is passed over", async () => {
  const { client, latest } = world();
  client.connect();
  await settle();
  latest().open();
  for (const nonsense of ["{", "null", "[]", "3", '"x"']) latest().tell(nonsense);
  latest().onmessage?.({ data: new ArrayBuffer(2) } as MessageEvent);
  assert.equal(client.state, "open");
  client.close();
});

test("an answer that did not fit is completed from REST", async () => {
  const about = { id: "msg_2", run_id: "run_1", role: "assistant", created_at: "2026-01-01T00:00:00Z" } as const;
  const said = { content: "Hello all", parts: [{ type: "text", text: "Hello all" }], status: "completed" } as const;
  const stored = { ...about, ...said };
  let tries = 0;
  const messages = (): Promise<[typeof stored]> => ((tries += 1) < 3 ? Promise.reject(new Error("503")) : Promise.resolve([stored]));
  const { client, clock, latest } = world({ messages });
  client.connect();
  await settle();
  latest().open();
  const sent = client.send("Hi");
  latest().tell(accepted);
  latest().tell(delta);
  latest().tell({ ...complete, content: undefined, truncated: true });
  const answer = sent.answer();
  await settle();
  await clock.pass(3000);
  assert.equal((await answer).text, "Hello all");
  assert.equal((await answer).whole, true);
  client.close();
});

test("a stored answer that cannot be had is given as it is", async () => {
  const { client, clock, errors, latest } = world({ messages: () => Promise.reject(new Error("503")) });
  client.connect();
  await settle();
  latest().open();
  const sent = client.send("Hi");
  latest().tell(accepted);
  latest().tell(delta);
  latest().tell({ ...complete, content: undefined, truncated: true });
  await settle();
  await clock.pass(10_000);
  assert.deepEqual([(await sent.answer()).text, errors], ["Hello", ["messages_failed"]]);
  client.close();
});

test("a state is waited for", async () => {
  const { client, latest } = world();
  client.connect();
  await settle();
  latest().open();
  const conversation = client.watch("cnv_1");
  const shown = conversation.until((transcript) => answerOf(transcript, "run_1")?.text === "Hello");
  latest().tell(delta);
  assert.equal(answerOf(await shown, "run_1")?.status, "running");
  client.close();
});

test("addresses", () => {
  assert.equal(playgroundUrl("https://x.test/console/", "agt 1"), "wss://x.test/api/v1/playground/agt%201");
  assert.equal(playgroundUrl("http://127.0.0.1:8787", "a"), "ws://127.0.0.1:8787/api/v1/playground/a");
});

test("REST sources", async () => {
  const asked: [string, RequestInit | undefined][] = [];
  const answers = [Response.json({ ticket: "t" }, { status: 201 }), new Response("", { status: 403 }), new Response("", { status: 503 })];
  const fetch = (url: string, init?: RequestInit): Promise<Response> => {
    asked.push([url, init]);
    return Promise.resolve(answers.shift() ?? Response.json({ items: [] }));
  };
  const options = { baseUrl: "http://x.test/", headers: () => ({ Authorization: "Bearer k" }), fetch: fetch as typeof globalThis.fetch };
  const ticket = ticketSource("agt_1", options);
  assert.equal(await ticket(), "t");
  await assert.rejects(ticket(), { code: "forbidden", final: true });
  await assert.rejects(ticket(), { code: "ticket_failed", final: false, retryable: true });
  assert.deepEqual(await messageSource(options)("cnv/1"), []);
  assert.equal(asked[0]?.[0], "http://x.test/api/v1/playground/tickets");
  assert.equal(asked[0]?.[1]?.body, '{"agent_id":"agt_1"}');
  assert.equal(asked[3]?.[0], "http://x.test/api/v1/conversations/cnv%2F1/messages?limit=100");
});
