// The two things that a client needs from REST: tickets, and stored messages.

import type { Messages } from "./archive.js";
import { ClientError, TicketFailed } from "./errors.js";
import type { StoredMessage } from "./wire.js";

export interface RestOptions {
  readonly baseUrl: string;
  /** Headers such as `Authorization`; a function is asked anew for each request. */
  readonly headers?: Readonly<Record<string, string>> | (() => Readonly<Record<string, string>>);
  readonly fetch?: typeof fetch;
}

const CODES: Readonly<Record<number, string>> = { 401: "unauthenticated", 403: "forbidden", 404: "agent_not_found" };

/** What fetches a ticket for an agent. */
export function ticketSource(agentId: string, options: RestOptions): () => Promise<string | null> {
  return async () => {
    const answer = await request(options, "/playground/tickets", { agent_id: agentId });
    if (answer.ok) return ((await answer.json()) as { ticket: string }).ticket;
    const { status } = answer;
    const final = status >= 400 && status < 500 && status !== 408 && status !== 429;
    const facts = { code: CODES[status], final, retryable: !final };
    throw new TicketFailed(`The ticket was refused with status ${status}.`, facts);
  };
}

/** What fetches the newest 100 messages of a conversation. */
export function messageSource(options: RestOptions): Messages {
  return async (conversationId) => {
    const path = `/conversations/${encodeURIComponent(conversationId)}/messages?limit=100`;
    const answer = await request(options, path);
    if (!answer.ok) throw new ClientError(`Stored messages were refused with status ${answer.status}.`);
    return ((await answer.json()) as { items: StoredMessage[] }).items;
  };
}

function request({ baseUrl, headers, fetch: get = fetch }: RestOptions, path: string, body?: unknown): Promise<Response> {
  const own = typeof headers === "function" ? headers() : headers;
  const url = `${baseUrl.replace(/\/$/, "")}/api/v1${path}`;
  if (body === undefined) return get(url, { headers: { ...own } });
  return get(url, { method: "POST", headers: { ...own, "Content-Type": "application/json" }, body: JSON.stringify(body) });
}
