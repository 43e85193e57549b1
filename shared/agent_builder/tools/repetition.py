"""When a call is made again by itself, and what is known of one that failed.

A call that reads may be made again. One that acts only where it certainly did not act: nothing of it was sent, or the
server refused to take it (429). All else that goes wrong with it is an outcome that nobody knows.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from agent_builder.errors import OutboundFailed
from agent_builder.messages import Effect

_BUSY = frozenset({425, 429, 502, 503, 504})
_REFUSED = frozenset({425, 429})
# Answers by which a server, or what stands before it, says that it took the call and lost the thread.
_LOST = frozenset({408, 500, 502, 504, *range(520, 530)})
_PAUSE_SECONDS = 0.4
_LONGEST_PAUSE = 8.0


def repeats_after_failure(effect: Effect, failure: OutboundFailed) -> bool:
    """Whether a call that failed may be made again."""
    if failure.kind in ("too_large", "redirect"):
        return False
    return not failure.sent or (effect == "read" and failure.kind != "timeout")


def repeats_after_status(effect: Effect, status: int) -> bool:
    """Whether a call that was answered so may be made again."""
    return status in (_BUSY if effect == "read" else _REFUSED)


def is_lost(effect: Effect, status: int) -> bool:
    """Whether a call that was answered so may have acted, and nobody can tell."""
    return effect == "write" and status in _LOST


def pause(attempt: int, headers: Mapping[str, str] | None = None) -> float:
    """Seconds to wait before the next attempt: what the server asks for, else longer each time, with jitter."""
    asked = retry_after(headers or {})
    if asked is not None:
        return asked
    longest: float = min(_LONGEST_PAUSE, _PAUSE_SECONDS * 2**attempt)
    return longest * (0.5 + random.random() / 2)  # noqa: S311 (jitter)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that `Retry-After` asks for; None where it does not, or cannot be read."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
