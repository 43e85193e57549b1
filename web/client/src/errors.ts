// What can go wrong for those who use the client.
//
// ClientError          has `code` (as in docs/api.md, or one of ours), `retryable`, `final`
//     Refused          the server refused a message, or the whole connection
//     TooLarge         a message that no frame holds; found before it is sent
//     InvalidContent   a message that no JSON carries: empty, or with half a surrogate pair
//     Closed           the client was closed while somebody waited
//     TicketFailed     no ticket could be had; `final` where asking again would not help

export interface ErrorFacts {
  readonly code?: string | undefined;
  readonly retryable?: boolean | undefined;
  readonly final?: boolean | undefined;
  readonly cause?: unknown;
}

/** Anything that this client reports. `final`: the client does not try again by itself. */
export class ClientError extends Error {
  readonly code: string;
  readonly retryable: boolean;
  readonly final: boolean;

  constructor(detail: string, { code = "client_error", retryable = false, final = false, cause }: ErrorFacts = {}) {
    super(detail, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = retryable;
    this.final = final;
  }
}

/** The server said no; `code` says why. */
export class Refused extends ClientError {
  constructor(detail: string, { code = "refused", ...facts }: ErrorFacts = {}) {
    super(detail, { code, ...facts });
  }
}

/** The message does not fit into a frame (32 KB of JSON). */
export class TooLarge extends ClientError {
  constructor(detail: string) {
    super(detail, { code: "payload_too_large" });
  }
}

/** The message is empty or no valid text. */
export class InvalidContent extends ClientError {
  constructor(detail: string) {
    super(detail, { code: "invalid_content" });
  }
}

/** The client was closed. */
export class Closed extends ClientError {
  constructor(detail: string, { code = "closed", ...facts }: ErrorFacts = {}) {
    super(detail, { code, ...facts });
  }
}

/** The ticket for the connection could not be had. */
export class TicketFailed extends ClientError {
  constructor(detail: string, { code = "ticket_failed", ...facts }: ErrorFacts = {}) {
    super(detail, { code, ...facts });
  }
}
