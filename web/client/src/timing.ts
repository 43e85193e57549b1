// When the client does what. All in milliseconds.

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** A lost connection is tried again after `random() * min(backoffCap, backoffBase * 2^n)`. */
export interface Timing {
  readonly openWithin: number;
  readonly backoffBase: number;
  readonly backoffCap: number;
  readonly pingEvery: number;
  readonly pongWithin: number;
  /** A timer that comes this late was asleep with its machine. */
  readonly lateAfter: number;
  /** Silence after which a page that is looked at again asks whether all is well. */
  readonly probeAfter: number;
  readonly resendAfter: number;
  readonly silenceFirst: number;
  readonly silenceAgain: number;
  readonly gapAgain: number;
  /** The server knows a message by its own id for 7 days. */
  readonly remindWithin: number;
  readonly plannedFrom: number;
  readonly plannedSpread: number;
  /** Until then a run that goes on is waited for. */
  readonly plannedLatest: number;
}

/** Fits API Gateway: a connection lives 2 hours, and 10 minutes without a message. */
export const TIMING: Timing = {
  openWithin: 10 * SECOND,
  backoffBase: 0.5 * SECOND,
  backoffCap: 30 * SECOND,
  pingEvery: 5 * MINUTE,
  pongWithin: 10 * SECOND,
  lateAfter: 15 * SECOND,
  probeAfter: 30 * SECOND,
  resendAfter: 8 * SECOND,
  silenceFirst: 8 * SECOND,
  silenceAgain: 5 * SECOND,
  gapAgain: 1 * SECOND,
  remindWithin: 24 * 60 * MINUTE,
  plannedFrom: 110 * MINUTE,
  plannedSpread: 5 * MINUTE,
  plannedLatest: 118 * MINUTE,
};
