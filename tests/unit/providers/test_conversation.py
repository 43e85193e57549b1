from __future__ import annotations

from typing import Any

import pytest

from agent_builder.messages import (
    Message,
    ModelRequest,
    Round,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
    Usage,
    user_message,
)
from agent_builder.providers.conversation import NO_RESULT, NO_TEXT, START, UserTurn, finished, turns, vendor_id

USER = user_message


def call(tool_use_id: str, **more: Any) -> ToolCallPart:
    return ToolCallPart(tool_use_id=tool_use_id, name="t", input={}, **more)


def result(tool_use_id: str, **more: Any) -> ToolResultPart:
    return ToolResultPart(tool_use_id=tool_use_id, name="t", result={"ok": 1}, **more)


def assistant(*parts: Any) -> Message:
    return Message(role="assistant", parts=tuple(TextPart(text=p) if isinstance(p, str) else p for p in parts))


def test_rounds_stand_between_user_turns() -> None:
    step = assistant("a", call("1"), call("2"), result("2"), result("1"), "b")
    first, tools, last, again = turns([USER("hi"), step, USER("more")])
    assert first == UserTurn(("hi",))
    assert isinstance(tools, Round)
    assert [r.tool_use_id for r in tools.results] == ["1", "2"], "in the order of the calls"
    assert isinstance(last, Round)
    assert not last.results
    assert again == UserTurn(("more",))


def test_user_messages_in_a_row_are_one_turn_and_none_is_empty() -> None:
    assert list(turns([USER("a"), USER(" \n"), USER("b")])) == [UserTurn(("a", NO_TEXT, "b"))]
    assert list(turns([])) == [UserTurn((NO_TEXT,))]


def test_a_conversation_begins_with_a_user_turn() -> None:
    first, step = turns([assistant("hello")])
    assert first == UserTurn((START,))
    assert isinstance(step, Round)


def test_a_call_without_result_gets_one() -> None:
    _, step, _ = turns([USER("hi"), assistant(call("1"), call("2"), result("1")), USER("go on")])
    assert isinstance(step, Round)
    assert [(r.tool_use_id, r.error) for r in step.results] == [("1", None), ("2", NO_RESULT)]


def test_a_result_without_call_is_dropped() -> None:
    _, step = turns([USER("hi"), assistant("said", result("9"))])
    assert isinstance(step, Round)
    assert not step.results


@pytest.mark.parametrize("nothing", [(), ("  ",), (ThinkingPart(text="hm"),)])
def test_an_answer_that_says_nothing_is_left_out(nothing: tuple[Any, ...]) -> None:
    assert list(turns([USER("a"), assistant(*nothing), USER("b")])) == [UserTurn(("a", "b"))]


def test_ids_of_other_vendors_are_made_acceptable() -> None:
    assert vendor_id("toolu_1-A") == "toolu_1-A"
    odd = [vendor_id("functions.get:0"), vendor_id("functions.get:1"), vendor_id("x" * 65), vendor_id("é")]
    assert len(set(odd)) == 4
    assert all(one.startswith("call_") and len(one) <= 40 for one in odd)


def _finished(parts: list[Any], stop: Any, *before: Message) -> tuple[list[Any], str]:
    last = finished(ModelRequest(model="m", messages=list(before)), parts, stop, Usage(), "m", "vendor")
    return list(last.parts), last.stop_reason


@pytest.mark.parametrize("stop", ["max_tokens", "content_filter", "refusal"])
def test_calls_of_an_answer_that_did_not_end_well_are_never_run(stop: str) -> None:
    parts, found = _finished([call("1", invalid=None), call("2", invalid='{"a')], stop)
    assert found == stop
    assert [part.invalid for part in parts] == ["{}", '{"a']


def test_calls_decide_about_tool_use() -> None:
    assert _finished([call("1")], "end_turn")[1] == "tool_use"
    assert _finished([call("1")], "stop_sequence")[1] == "tool_use"
    assert _finished([], "tool_use")[1] == "end_turn"
    assert _finished([], "stop_sequence")[1] == "stop_sequence"


def test_ids_are_unique_in_the_whole_conversation() -> None:
    parts, _ = _finished([call("0"), call("1"), call("1"), call("")], "tool_use", assistant(call("0")))
    ids = [part.tool_use_id for part in parts]
    assert ids[1] == "1"
    assert len({*ids, "0", ""}) == 6
