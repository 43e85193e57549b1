// What refusals, close codes and handshake answers mean: what is final, what is tried again.

import type { Failure } from "./answer.js";
import { Refused, type ClientError } from "./errors.js";
import type { Objection } from "./wire.js";

/** The server closes the connection after these, and would again. */
export const LAST: ReadonlySet<string> = new Set(["agent_not_found", "agent_inactive", "unauthenticated"]);
/** Faults of whole frames that cannot name their message. */
export const BLAMED: ReadonlySet<string> = new Set(["malformed_request", "payload_too_large"]);
/** Whether the message was stored is not known; the client sends it again by itself. */
export const RETRIED: ReadonlySet<string> = new Set(["internal_error", "store_unavailable", "runner_unavailable"]);
/** What was wished for is so already. */
export const HARMLESS: ReadonlySet<string> = new Set(["nothing_to_cancel", "nothing_to_decide", "already_decided"]);
export const MAX_TRIES = 5;

const STRIKES = 3;
const PASSING: ReadonlySet<number> = new Set([4408, 4429]);
const NAMES: Readonly<Record<number, string>> = { 401: "unauthenticated", 403: "forbidden", 404: "agent_not_found" };

/** What an `error` frame says. */
export function failureOf(frame: Objection): Failure {
  return { code: frame.code, detail: frame.error, retryable: frame.retryable === true };
}

/** Close codes 44xx speak as HTTP's 4xx do; all others are worth another try. */
export function closedForGood(code: number | null): ClientError | null {
  if (code === null || code < 4400 || code > 4499 || PASSING.has(code)) return null;
  return new Refused(`The server closed the connection with code ${code}.`, { code: NAMES[code - 4000], final: true });
}

/** A status that will not change by itself. Browsers hide it; there the ticket's route says who may come in. */
export function handshakeRefusal(status: number | null, strikes: number, renewable: boolean): ClientError | null {
  if (status !== 401 && status !== 403 && status !== 404) return null;
  if (renewable && status !== 404 && strikes < STRIKES) return null;
  return new Refused(`The server refused the connection with status ${status}.`, { code: NAMES[status], final: true });
}
