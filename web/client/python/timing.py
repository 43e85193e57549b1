"""When the client does what. All in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass

SECOND = 1000.0
MINUTE = 60 * SECOND


@dataclass(frozen=True, slots=True)
class Timing:
    """The defaults fit API Gateway: a connection lives 2 hours, and 10 minutes without a message.

    A lost connection is tried again after `random() * min(backoff_cap, backoff_base * 2^n)`.
    """

    open_within: float = 10 * SECOND
    backoff_base: float = 0.5 * SECOND
    backoff_cap: float = 30 * SECOND
    ping_every: float = 5 * MINUTE
    pong_within: float = 10 * SECOND
    late_after: float = 15 * SECOND  # a timer that comes this late was asleep with its machine
    probe_after: float = 30 * SECOND  # silence after which a page that is looked at again asks whether all is well
    resend_after: float = 8 * SECOND
    silence_first: float = 8 * SECOND
    silence_again: float = 5 * SECOND
    gap_again: float = 1 * SECOND
    remind_within: float = 24 * 60 * MINUTE  # the server knows a message by its own id for 7 days
    planned_from: float = 110 * MINUTE
    planned_spread: float = 5 * MINUTE
    planned_latest: float = 118 * MINUTE  # until then a run that goes on is waited for
