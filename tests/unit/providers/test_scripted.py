from __future__ import annotations

from typing import Any

import pytest

from agent_builder.errors import ProviderError
from agent_builder.messages import (
    Message,
    ModelEvent,
    ModelFinished,
    ModelRequest,
    TextDelta,
    TextPart,
    ThinkingDelta,
    ToolCallPart,
    ToolResultPart,
    Usage,
    user_message,
)
from agent_builder.providers.scripted import Scripted

waits: list[float] = []


async def sleep(seconds: float) -> None:
    if seconds:
        waits.append(seconds)


async def play(*messages: Message | str, provider: Scripted | None = None, **settings: Any) -> list[ModelEvent]:
    waits.clear()
    said = [user_message(one) if isinstance(one, str) else one for one in messages]
    request = ModelRequest(**{"model": "scripted", "messages": said, **settings})
    return [event async for event in (provider or Scripted(sleep)).stream(request)]


def last(events: list[ModelEvent]) -> ModelFinished:
    finished = events[-1]
    assert isinstance(finished, ModelFinished)
    return finished


def text(events: list[ModelEvent]) -> str:
    streamed = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert streamed == "".join(part.text for part in last(events).parts if isinstance(part, TextPart))
    return streamed


async def test_echo_in_pieces() -> None:
    events = await play("Hello  you\nthere \u2028 x ")
    assert text(events) == "You said: Hello  you\nthere \u2028 x "
    assert len(events) > 5
    assert last(events).stop_reason == "end_turn"
    assert last(events).usage.output_tokens > 0


async def test_echo_follows_no_commands() -> None:
    assert text(await play("/error auth", model="echo")) == "You said: /error auth"


async def test_a_tool_round() -> None:
    events = await play('/say Let me see.\n/tool current_time {"time_zone": "Europe/Vienna"}\n/tool b\n/say Bye.')
    calls = [part for part in last(events).parts if isinstance(part, ToolCallPart)]
    assert [(call.name, call.input) for call in calls] == [("current_time", {"time_zone": "Europe/Vienna"}), ("b", {})]
    assert last(events).stop_reason == "tool_use"
    assert text(events) == "Let me see."


def _with_results(question: str, finished: ModelFinished) -> tuple[Message, Message]:
    calls = [part for part in finished.parts if isinstance(part, ToolCallPart)]
    results = tuple(ToolResultPart(tool_use_id=c.tool_use_id, name=c.name, result={"at": "12:00"}) for c in calls)
    return user_message(question), Message(role="assistant", parts=(*finished.parts, *results))


async def test_after_the_tools_the_next_acts_or_the_results() -> None:
    for question, answer in [("/tool t\n/say Bye.", "Bye."), ("/tool t", 't answered: {"at":"12:00"}')]:
        so_far = _with_results(question, last(await play(question)))
        assert text(await play(*so_far)) == answer


async def test_it_remembers() -> None:
    history = (user_message("I am Ada."), Message(role="assistant", parts=(TextPart(text="Hello"),)))
    assert text(await play(*history, "/recall")) == "Your first message was: I am Ada."


async def test_errors_and_how_often() -> None:
    provider = Scripted(sleep)
    for _ in range(2):
        with pytest.raises(ProviderError) as raised:
            await play("/error overloaded 2\n/say Now.", provider=provider)
        assert raised.value.kind == "overloaded"
    assert text(await play("/error overloaded 2\n/say Now.", provider=provider)) == "Now."


async def test_an_error_that_does_not_exist() -> None:
    with pytest.raises(ProviderError) as raised:
        await play("/error nonsense")
    assert raised.value.kind == "invalid_request"


async def test_an_early_end_comes_after_the_text() -> None:
    stream = Scripted(sleep).stream(ModelRequest(model="s", messages=[user_message("/say Hi\n/break")]))
    assert await anext(stream) == TextDelta("Hi")
    with pytest.raises(ProviderError, match="early"):
        await anext(stream)


async def test_long_and_slow() -> None:
    events = await play("/wait 5\n/slow 50\n/long 100")
    assert text(events).split() == [f"word{n}" for n in range(1, 101)]
    assert waits == [0.005] + [0.05] * 100


async def test_a_script() -> None:
    script = [
        {"thinking": "Hm, so."},
        {"text": "Well."},
        {"usage": {"input_tokens": 7, "output_tokens": 3, "reasoning_tokens": 1}},
        {"tool": "t", "input": {"a": 1}, "id": "one"},
        {"tool": "t", "raw": '{"a": '},
        {"text": "Done."},
        {"stop": "max_tokens"},
    ]
    events = await play("x", options={"script": script})
    assert "".join(e.text for e in events if isinstance(e, ThinkingDelta)) == "Hm, so."
    first, second = (part for part in last(events).parts if isinstance(part, ToolCallPart))
    assert (first.tool_use_id, first.input, second.invalid) == ("one", {"a": 1}, '{"a": ')
    assert last(events).usage == Usage(input_tokens=7, output_tokens=3, reasoning_tokens=1)
    then = await play(*_with_results("x", last(events)), options={"script": script})
    assert (text(then), last(then).stop_reason) == ("Done.", "max_tokens")


@pytest.mark.parametrize("odd", [None, "x", [], [1], [{}], [{"delay_ms": "x"}], [{"usage": 1}], [{"tool": 5}]])
async def test_an_odd_script_is_a_providers_error_or_nothing(odd: Any) -> None:
    try:
        assert last(await play("x", options={"script": odd}))
    except ProviderError as error:
        assert error.kind == "invalid_request"


async def test_a_script_cannot_say_that_it_used_less_than_nothing() -> None:
    script = [{"text": "x"}, {"usage": {"input_tokens": -7, "cache_read_tokens": 5, "output_tokens": 3}}]
    usage = last(await play("go", options={"script": script})).usage
    assert usage == Usage(input_tokens=0, cache_read_tokens=0, output_tokens=3)
