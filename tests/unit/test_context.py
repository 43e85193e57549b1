"""What of a conversation the model gets to see, and how much of it fits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_builder.messages import Message, TextPart, ToolCallPart, ToolResultPart, user_message
from agent_builder.models.conversations import StoredMessage
from agent_builder.services.context import HISTORY_PAGE, Histories, History, model_history
from agent_builder.services.history import drop_oldest, fit, message_tokens


def said(text: str, run: str = "run_1") -> StoredMessage:
    return StoredMessage("msg", run, user_message(text), 0)


def answered(*parts: Any, run: str = "run_1") -> StoredMessage:
    given = tuple(TextPart(text=part) if isinstance(part, str) else part for part in parts)
    return StoredMessage("msg", run, Message(role="assistant", parts=given), 0)


def texts(messages: list[Message]) -> list[str]:
    return [message.text for message in messages]


def test_history_is_oldest_first_and_begins_with_the_user() -> None:
    newest_first = [said("c"), answered("b"), said("a"), answered("the page began here")]
    assert texts(model_history(newest_first)) == ["a", "b", "c"]


def test_an_answer_that_said_nothing_is_left_out() -> None:
    assert texts(model_history([said("b"), answered(), said("a")])) == ["a", "b"]


def test_what_was_answered_here_is_whole_only_under_the_next_fence() -> None:
    history = History(4, [answered("b", run="run_7"), said("a", run="run_7")])
    assert history.holds(5, "run_7")
    assert history.holds(4, "run_7"), "the same claim goes on with the next run"
    assert not history.holds(6, "run_7"), "somebody else answered meanwhile"
    assert not history.holds(2**40 + 1, "run_7"), "it was deleted"
    assert not history.holds(5, "run_8"), "the question is not among what was read"
    assert History(None, history.messages).holds(9, "run_7"), "read whole, whoever answered"


def test_only_so_many_conversations_and_messages_are_kept() -> None:
    cache = Histories(kept=2)
    for name in "abc":
        cache.keep("t", name, History(1, [said(str(n)) for n in range(HISTORY_PAGE + 50)]))
    assert cache.known("t", "a") is None
    assert cache.known("other", "c") is None
    known = cache.known("t", "c")
    assert known is not None
    assert len(known.messages) == HISTORY_PAGE
    cache.forget("t", "c")
    assert cache.known("t", "c") is None


def exchange(number: int, size: int = 300, tools: int = 0) -> list[Message]:
    parts: list[Any] = []
    for n in range(tools):
        parts.append(ToolCallPart(tool_use_id=f"t{number}{n}", name="x", input={}))
        parts.append(ToolResultPart(tool_use_id=f"t{number}{n}", name="x", result={"text": "r" * size}))
    parts.append(TextPart(text="a" * size))
    return [user_message(f"question {number}"), Message(role="assistant", parts=tuple(parts))]


def fitted(messages: list[Message], window: int) -> list[Message]:
    return fit(messages, system="", tools=[], context_window=window, max_output=10)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8), st.integers(50, 3_000))
def test_whole_exchanges_are_dropped_oldest_first(tools: list[int], window: int) -> None:
    messages = [message for n, count in enumerate(tools) for message in exchange(n, tools=count)]
    messages.append(user_message("and now?"))
    kept = fitted(messages, window)
    assert kept[-1] == messages[-1]
    assert kept[0].role == "user"
    assert texts(kept) == texts(messages)[-len(kept) :]
    if len(kept) > 1:
        assert sum(map(message_tokens, kept)) <= window
    for message in kept:
        called = {p.tool_use_id for p in message.parts if isinstance(p, ToolCallPart)}
        answered_ = {p.tool_use_id for p in message.parts if isinstance(p, ToolResultPart)}
        assert called == answered_


def test_what_fits_is_left_alone() -> None:
    messages = [*exchange(1), *exchange(2), user_message("x")]
    assert fitted(messages, 100_000) == messages


def test_a_single_exchange_that_is_too_large_loses_its_oldest_results() -> None:
    question, answer = exchange(1, size=3_000, tools=3)
    kept = fitted([question, answer], 3_000)
    results = [part for part in kept[1].parts if isinstance(part, ToolResultPart)]
    assert "left_out" in results[0].result
    assert len(results) == 3
    assert kept[0] == question


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_dropping_the_oldest_always_makes_progress_or_stops(count: int) -> None:
    messages = [message for n in range(count) for message in exchange(n)]
    shorter = drop_oldest(messages)
    if count > 1:
        assert len(shorter) < len(messages)
        assert shorter == messages[-len(shorter) :]
        assert shorter[0].role == "user"
    else:
        assert shorter == messages
