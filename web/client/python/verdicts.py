"""What refusals, close codes and handshake answers mean: what is final, what is tried again."""

from __future__ import annotations

from web.client.python.answer import Failure, Frame
from web.client.python.errors import ClientError, Refused

# The server closes the connection after these, and would again.
LAST = frozenset({"agent_not_found", "agent_inactive", "unauthenticated"})
# Faults of whole frames that cannot name their message.
BLAMED = frozenset({"malformed_request", "payload_too_large"})
# Whether the message was stored is not known; the client sends it again by itself.
RETRIED = frozenset({"internal_error", "store_unavailable", "runner_unavailable"})
# What was wished for is so already.
HARMLESS = frozenset({"nothing_to_cancel", "nothing_to_decide", "already_decided"})
MAX_TRIES = 5
_STRIKES = 3
_PASSING = frozenset({4408, 4429})


def failure_of(frame: Frame) -> Failure:
    """What an `error` frame says."""
    return Failure(frame["code"], frame["error"], bool(frame.get("retryable")))


def closed_for_good(code: int | None) -> ClientError | None:
    """Close codes 44xx speak as HTTP's 4xx do; all others are worth another try."""
    if code is None or not 4400 <= code <= 4499 or code in _PASSING:
        return None
    names = {4401: "unauthenticated", 4403: "forbidden", 4404: "agent_not_found"}
    return Refused(f"The server closed the connection with code {code}.", code=names.get(code), final=True)


def handshake_refusal(status: int | None, strikes: int, *, renewable: bool) -> ClientError | None:
    """A status that will not change by itself. Browsers hide it; there the ticket's route says who may come in."""
    if status not in (401, 403, 404):
        return None
    if renewable and status != 404 and strikes < _STRIKES:
        return None
    code = {401: "unauthenticated", 403: "forbidden", 404: "agent_not_found"}[status]
    return Refused(f"The server refused the connection with status {status}.", code=code, final=True)
