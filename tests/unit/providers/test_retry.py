from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from agent_builder.errors import ProviderError
from agent_builder.messages import ModelEvent, ModelFinished, ModelRequest, TextDelta, Usage, user_message
from agent_builder.providers.retry import stream_with_retries

REQUEST = ModelRequest(model="m", messages=[user_message("Hello")])
GOOD: list[Any] = [TextDelta("a"), ModelFinished((), "end_turn", Usage())]


def good_after(retries: int, *, lost: bool = False) -> list[Any]:
    return [GOOD[0], replace(GOOD[1], retries=retries, lost=lost)]


class Playing:
    """A provider whose attempts are lists of events and errors."""

    name = "playing"

    def __init__(self, *attempts: list[Any]) -> None:
        self.attempts = list(attempts)
        self.closed = 0

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        try:
            for event in self.attempts.pop(0):
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            self.closed += 1


class Clock:
    def __init__(self) -> None:
        self.now = 100.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


async def _play(playing: Playing, clock: Clock, seconds: float = 60, **settings: Any) -> list[ModelEvent]:
    deadline = clock.now + seconds
    stream = stream_with_retries(playing, REQUEST, deadline=deadline, sleep=clock.sleep, clock=clock, **settings)
    return [event async for event in stream]


async def test_a_passing_failure_before_the_first_event_is_tried_again() -> None:
    clock, told = Clock(), []
    playing = Playing([ProviderError("overloaded", "x")], [ProviderError("timeout", "y")], GOOD)
    assert await _play(playing, clock, on_retry=lambda *retry: told.append(retry)) == good_after(2, lost=True)
    assert len(clock.waits) == 2
    assert clock.waits[1] < 3
    assert [(failure.kind, attempt, wait) for failure, attempt, wait in told] == [
        ("overloaded", 1, clock.waits[0]),
        ("timeout", 2, clock.waits[1]),
    ]


@pytest.mark.parametrize(("kind", "retries"), [("unavailable", 2), ("rate_limit", 2), ("auth", 0)])
async def test_what_failed_at_last_says_how_often_it_was_tried_in_vain(kind: Any, retries: int) -> None:
    with pytest.raises(ProviderError) as raised:
        await _play(Playing(*[[ProviderError(kind, "x")] for _ in range(3)]), Clock())
    assert raised.value.retries == retries


async def test_not_after_the_first_event() -> None:
    playing = Playing([TextDelta("a"), ProviderError("broken_stream", "x")], GOOD)
    with pytest.raises(ProviderError) as raised:
        await _play(playing, Clock())
    assert raised.value.kind == "broken_stream"
    assert len(playing.attempts) == 1


@pytest.mark.parametrize("kind", ["auth", "invalid_request", "context_too_long", "content_filter", "model_not_found"])
async def test_what_would_fail_again_is_not_tried_again(kind: Any) -> None:
    playing = Playing([ProviderError(kind, "x")], GOOD)
    with pytest.raises(ProviderError):
        await _play(playing, Clock())
    assert len(playing.attempts) == 1


async def test_no_money_is_not_tried_again() -> None:
    playing = Playing([ProviderError("rate_limit", "x", retryable=False)], GOOD)
    with pytest.raises(ProviderError):
        await _play(playing, Clock())
    assert len(playing.attempts) == 1


async def test_the_vendors_wait_is_kept() -> None:
    clock = Clock()
    assert await _play(Playing([ProviderError("rate_limit", "x", retry_after=7)], GOOD), clock) == good_after(1)
    assert 7 <= clock.waits[0] <= 7.7


async def test_a_wait_beyond_the_deadline_fails_at_once() -> None:
    clock = Clock()
    playing = Playing([ProviderError("rate_limit", "x", retry_after=61)], GOOD)
    with pytest.raises(ProviderError) as raised:
        await _play(playing, clock)
    assert raised.value.retry_after == 61
    assert not clock.waits


async def test_attempts_are_bounded() -> None:
    playing = Playing(*([ProviderError("unavailable", "x")] for _ in range(5)))
    with pytest.raises(ProviderError):
        await _play(playing, Clock())
    assert len(playing.attempts) == 2
    assert playing.closed == 3


async def test_closing_closes_the_provider() -> None:
    playing, clock = Playing(GOOD), Clock()
    stream = stream_with_retries(playing, REQUEST, deadline=clock.now + 1, sleep=clock.sleep, clock=clock)
    assert await anext(stream) == GOOD[0]
    await stream.aclose()
    assert playing.closed == 1
