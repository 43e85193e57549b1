from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from agent_builder.errors import OutboundFailed, OutboundFailureKind
from agent_builder.messages import Effect
from agent_builder.tools.repetition import (
    is_lost,
    pause,
    repeats_after_failure,
    repeats_after_status,
    retry_after,
)


@pytest.mark.parametrize(
    ("effect", "kind", "sent", "again"),
    [
        ("read", "connect", False, True),
        ("read", "protocol", True, True),
        ("read", "timeout", True, False),  # there is no time left
        ("read", "too_large", True, False),
        ("read", "redirect", True, False),
        ("write", "connect", False, True),
        ("write", "protocol", True, False),
        ("write", "timeout", True, False),
        ("write", "timeout", False, True),
        ("write", "too_large", True, False),
    ],
)
def test_failures(effect: Effect, kind: OutboundFailureKind, sent: bool, again: bool) -> None:
    assert repeats_after_failure(effect, OutboundFailed(kind, "", sent=sent)) is again


def test_statuses() -> None:
    reads = {status for status in range(200, 600) if repeats_after_status("read", status)}
    writes = {status for status in range(200, 600) if repeats_after_status("write", status)}
    lost = {status for status in range(200, 600) if is_lost("write", status)}
    assert reads == {425, 429, 502, 503, 504}
    assert writes == {425, 429}
    assert {408, 500, 502, 504, 524} <= lost
    assert not lost & {400, 401, 403, 404, 409, 422, 429, 501, 503}
    assert not [status for status in range(200, 600) if is_lost("read", status)]


def test_what_a_server_asks_for_is_waited_for() -> None:
    assert pause(1, {"retry-after": "7"}) == 7
    assert 0.2 <= pause(0) <= 0.4
    assert 4 <= pause(30) <= 8
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert 25 < (retry_after({"retry-after": soon}) or 0) <= 30
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0


@pytest.mark.parametrize("text", ["", "soon", "-1", "1.5", "nan", "٣", "Wed, 99 Foo 2015", "\0"])
def test_what_cannot_be_read_is_left_out(text: str) -> None:
    assert retry_after({"retry-after": text}) is None
