"""The run engine over a model and tools made for the test: no vendor, no store, no connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_builder.errors import OutboundFailed, ProviderError, ToolError
from agent_builder.messages import (
    CallOutcome,
    Cost,
    Effect,
    Json,
    ModelEvent,
    ModelFinished,
    ModelRequest,
    TextDelta,
    TextPart,
    ThinkingDelta,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
    ToolSpec,
    Usage,
    rounds,
    user_message,
)
from agent_builder.models.conversations import Outcome
from agent_builder.services.account import UNKNOWN, Account
from agent_builder.services.budget import Limits
from agent_builder.services.engine import Engine
from agent_builder.services.events import Checkpoint, EngineEvent, RunEnded, ToolFinished, ToolStarted
from agent_builder.services.transcript import Transcript
from agent_builder.tools.base import CallContext
from agent_builder.tools.outcomes import InvalidArguments

USAGE = Usage(input_tokens=10, output_tokens=2)
Script = Sequence[ModelEvent | Exception]


@dataclass
class Model:
    """Plays one script a call and keeps what it was asked."""

    scripts: list[Script]
    asked: list[ModelRequest] = field(default_factory=list)

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        self.asked.append(request)
        for event in self.scripts[min(len(self.asked), len(self.scripts)) - 1]:
            if isinstance(event, Exception):
                raise event
            yield event
            await asyncio.sleep(0)


@dataclass
class FakeTool:
    """A tool that does what the test says."""

    name: str
    do: Callable[[Json], Awaitable[Json]]
    effect: Effect = "write"
    keys: list[str] = field(default_factory=list)

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(self.name, "", {"type": "object"}, self.effect)

    async def call(self, arguments: Json, context: CallContext) -> Json:
        self.keys.append(context.idempotency_key)
        return await self.do(arguments)


def says(text: str, stop: Any = "end_turn") -> list[ModelEvent]:
    return [TextDelta(text), ModelFinished((TextPart(text=text),), stop, USAGE, "model-1")]


def calls(*asked: ToolCallPart, text: str = "", stop: Any = "tool_use") -> list[ModelEvent]:
    said: tuple[Any, ...] = (TextPart(text=text), *asked) if text else asked
    return [*([TextDelta(text)] if text else []), ModelFinished(said, stop, USAGE, "model-1")]


def call(name: str, call_id: str = "c1", invalid: str | None = None, **arguments: Any) -> ToolCallPart:
    return ToolCallPart(tool_use_id=call_id, name=name, input=arguments, invalid=invalid)


def tool(name: str, do: Callable[[Json], Awaitable[Json]], effect: Effect = "write") -> dict[str, FakeTool]:
    return {name: FakeTool(name, do, effect)}


async def echo(arguments: Json) -> Json:
    return {"echo": arguments}


def engine(model: Model, tools: dict[str, FakeTool] | None = None, **limits: Any) -> Engine:
    return Engine(
        stream=model.stream,
        tools=tools or {},
        price=lambda name, usage: Cost(amount_nanousd=usage.input_tokens, unpriced_steps=0),
        limits=Limits(**{"retry_seconds": 0.0, **limits}),
        label={"provider": "fake"},
        clock=lambda: 1_000,
    )


async def run(
    model: Model, tools: dict[str, FakeTool] | None = None, transcript: Transcript | None = None, **limits: Any
) -> tuple[list[EngineEvent], Outcome]:
    request = ModelRequest(model="m", messages=[user_message("hello")])
    transcript = transcript if transcript is not None else Transcript()
    events = []
    async for event in engine(model, tools, **limits).run(request, transcript):
        events.append(event)
        if isinstance(event, Checkpoint):
            transcript.saved(transcript.take_unsaved())
    ends = [event for event in events if isinstance(event, RunEnded)]
    assert len(ends) == 1
    assert events[-1] is ends[0]
    return events, ends[0].outcome


def kinds(events: Sequence[EngineEvent]) -> list[str]:
    return [type(event).__name__ for event in events]


async def test_a_plain_answer() -> None:
    transcript = Transcript()
    events, outcome = await run(Model([says("Hello")]), transcript=transcript)
    assert kinds(events) == ["TextDelta", "RunEnded"], "a plain run stores its only step with its end"
    assert outcome.status == "completed"
    assert outcome.stop_reason == "end_turn"
    assert outcome.message.text == "Hello"
    assert outcome.usage == USAGE
    assert outcome.cost == Cost(amount_nanousd=10)
    (step,) = transcript.take_unsaved()
    assert (step.number, step.kind, step.started_at, step.status, step.error) == (1, "model", 1_000, "succeeded", None)
    assert step.detail["provider"] == "fake"
    assert step.detail["answered_by"] == "model-1"


async def test_thinking_is_told_and_kept() -> None:
    finished = ModelFinished((ThinkingPart(text="hm"), TextPart(text="yes")), "end_turn", USAGE)
    events, outcome = await run(Model([[ThinkingDelta("hm"), TextDelta("yes"), finished]]))
    assert kinds(events)[:2] == ["ThinkingDelta", "TextDelta"]
    assert [part.type for part in outcome.message.parts] == ["thinking", "text"]
    assert outcome.message.text == "yes"


async def test_a_tool_and_what_the_model_makes_of_it() -> None:
    model = Model([calls(call("echo", x=1), text="Let me see. "), says("Done.")])
    events, outcome = await run(model, tool("echo", echo))
    assert kinds(events) == [
        "TextDelta",
        "Checkpoint",
        "ToolStarted",
        "Checkpoint",
        "Checkpoint",
        "ToolFinished",
        "TextDelta",
        "RunEnded",
    ]
    assert outcome.message.text == "Let me see. Done."
    assert outcome.usage == USAGE + USAGE
    assert outcome.cost == Cost(amount_nanousd=20)
    said = list(rounds(model.asked[1].messages[-1]))
    assert said[0].results == (
        ToolResultPart(
            tool_use_id="c1", name="echo", result={"echo": {"x": 1}}, duration_ms=said[0].results[0].duration_ms
        ),
    )


async def test_tools_run_side_by_side_and_results_stand_in_the_order_of_the_calls() -> None:
    both, first = asyncio.Event(), asyncio.Event()

    async def slow(_: Json) -> Json:
        first.set()
        await both.wait()
        return {"from": "slow"}

    async def quick(_: Json) -> Json:
        await first.wait()
        both.set()
        return {"from": "quick"}

    model = Model([calls(call("slow", "a"), call("quick", "b")), says("ok")])
    events, outcome = await run(model, tool("slow", slow) | tool("quick", quick))
    started = [event.call.tool_use_id for event in events if isinstance(event, ToolStarted)]
    assert started == ["a", "b"]
    assert kinds(events).index("ToolFinished") > kinds(events).index("ToolStarted") + 1
    results = [part for part in outcome.message.parts if isinstance(part, ToolResultPart)]
    assert [(part.tool_use_id, part.result["from"]) for part in results] == [("a", "slow"), ("b", "quick")]


@pytest.mark.parametrize(
    ("asked", "told", "became"),
    [
        (call("echo", invalid='{"x": '), "not a JSON object", "invalid_arguments"),
        (call("nothing"), "no tool named 'nothing'", "unknown_tool"),
        (call("fails"), "It cannot be done on Sundays.", "failed"),
        (call("picky"), "Say when.", "invalid_arguments"),
        (call("hangs"), "did not answer within 0.01 seconds", "timeout"),
        (call("slow"), "did not answer within 0.01 seconds", "unknown"),
        (call("far"), "The server did not answer in time.", "timeout"),
        (call("broken"), "a fault on our side", "failed"),
    ],
    ids=["no object", "unknown tool", "tool error", "arguments", "timeout", "slow write", "slow server", "broken"],
)
async def test_a_failing_tool_is_told_to_the_model(asked: ToolCallPart, told: str, became: CallOutcome) -> None:
    raised = {
        "fails": ToolError("It cannot be done on Sundays."),
        "picky": InvalidArguments("Say when."),
        "far": OutboundFailed("timeout", "The server did not answer in time.", sent=False),
        "broken": KeyError("a fault of ours"),
    }

    async def fails(_: Json) -> Json:
        raise raised[asked.name]

    async def hangs(_: Json) -> Json:
        await asyncio.Event().wait()
        return {}

    model = Model([calls(asked), says("I see.")])
    tools = tool("echo", echo) | tool("hangs", hangs, "read") | tool("slow", hangs, "write")
    for name in raised:
        tools |= tool(name, fails, "read")
    events, outcome = await run(model, tools, tool_seconds=0.01)
    finished = next(event.result for event in events if isinstance(event, ToolFinished))
    assert told in (finished.error or "")
    assert (finished.result, finished.outcome) == ({}, became)
    assert outcome.status == "completed"
    assert outcome.message.text == "I see."
    shown = next(rounds(model.asked[1].messages[-1])).results[0]
    assert shown.error == finished.error


async def test_a_tool_that_breaks_is_told_to_the_model_too() -> None:
    async def broken(_: Json) -> Json:
        raise KeyError("a fault of ours")

    model = Model([calls(call("broken")), says("Never mind.")])
    events, outcome = await run(model, tool("broken", broken))
    finished = next(event.result for event in events if isinstance(event, ToolFinished))
    assert finished.error
    assert "a fault of ours" not in finished.error
    assert outcome.status == "completed"


async def test_the_limit_of_model_calls() -> None:
    model = Model([calls(call("echo"), text="again ")])
    events, outcome = await run(model, tool("echo", echo), model_steps=3)
    assert len(model.asked) == 3
    assert (outcome.status, outcome.stop_reason) == ("completed", "step_limit")
    assert "limit of 3 model calls" in outcome.message.text
    shown = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert shown == outcome.message.text


async def test_the_limit_of_tool_calls() -> None:
    model = Model([calls(*(call("echo", f"c{n}") for n in range(3))), calls(call("echo", "c4"))])
    events, outcome = await run(model, tool("echo", echo), tool_calls=3)
    assert [event.result.error for event in events if isinstance(event, ToolFinished)] == [None] * 3
    assert (outcome.status, outcome.stop_reason) == ("completed", "tool_call_limit")
    assert "limit of 3 tool calls" in outcome.message.text
    last = [part for part in outcome.message.parts if isinstance(part, ToolResultPart)][-1]
    assert "limit of 3 tool calls" in (last.error or "")


async def test_the_limit_of_the_same_call_with_the_same_result() -> None:
    model = Model([calls(call("echo", x=1), text="again ")])
    _, outcome = await run(model, tool("echo", echo), same_calls=3)
    assert (len(model.asked), outcome.status, outcome.stop_reason) == (3, "completed", "repeated_call")
    assert "same tool call" in outcome.message.text


async def test_the_same_call_with_other_results_goes_on() -> None:
    count = iter(range(100))

    async def poll(_: Json) -> Json:
        return {"waited": next(count)}

    model = Model([*[calls(call("poll"))] * 6, says("Ready.")])
    _, outcome = await run(model, tool("poll", poll), same_calls=3)
    assert outcome.stop_reason == "end_turn"


async def test_the_limit_of_tokens() -> None:
    model = Model([calls(call("echo"), text="again ")])
    _, outcome = await run(model, tool("echo", echo), tokens=24)
    assert (len(model.asked), outcome.stop_reason) == (2, "token_limit")


async def test_the_limit_of_time_counts_from_the_first_runner() -> None:
    model = Model([calls(call("echo"))])
    transcript = Transcript(Account(begun_at=1_000 - 60_000))
    _, outcome = await run(model, tool("echo", echo), transcript, run_seconds=60.0)
    assert (len(model.asked), outcome.stop_reason) == (0, "time_limit")


async def test_a_provider_error_before_any_text() -> None:
    error = ProviderError("rate_limit", "Wait a little.", retry_after=3)
    events, outcome = await run(Model([[error]]))
    assert kinds(events) == ["RunEnded"]
    assert (outcome.status, outcome.error_code, outcome.error) == ("failed", "provider_rate_limit", "Wait a little.")
    assert outcome.retryable
    assert outcome.message.parts == ()
    assert outcome.cost.amount_nanousd is None


async def test_a_provider_error_after_some_text_keeps_it() -> None:
    model = Model([[ThinkingDelta("hm"), TextDelta("Half an ans"), ProviderError("auth", "No.")]])
    _, outcome = await run(model)
    assert (outcome.status, outcome.message.text, outcome.retryable) == ("failed", "Half an ans", False)
    assert [part.type for part in outcome.message.parts] == ["thinking", "text"]


async def test_a_stream_without_its_end_is_broken() -> None:
    transcript = Transcript()
    model = Model([[TextDelta("Half")]])
    events, outcome = await run(model, transcript=transcript)
    assert (outcome.status, outcome.error_code, len(model.asked)) == ("failed", "provider_broken_stream", 3)
    assert outcome.message.text == "Half"
    assert (transcript.account.steps, [step.error for step in transcript.take_unsaved()]) == (
        3,
        ["provider_broken_stream"],
    )
    again = ("Checkpoint", "StepReset")
    assert outcome.cost == Cost(unpriced_steps=3)
    assert kinds(events) == ["TextDelta", *again, "TextDelta", *again, "TextDelta", "RunEnded"]


async def test_a_step_that_broke_in_mid_stream_is_asked_again() -> None:
    broken: Script = [TextDelta("Wrong st"), ProviderError("broken_stream", "It broke off.")]
    model = Model([calls(call("echo"), text="First. "), broken, says("Second.")])
    events, outcome = await run(model, tool("echo", echo))
    assert outcome.message.text == "First. Second."
    assert "Wrong" not in str(model.asked[-1])
    assert kinds(events)[-4:] == ["Checkpoint", "StepReset", "TextDelta", "RunEnded"]
    assert outcome.cost == Cost(amount_nanousd=20, unpriced_steps=1)


async def test_one_id_for_two_calls_is_made_two() -> None:
    asked = calls(call("echo", "same", x=1), call("echo", "same", x=2), call("echo", "", x=3))
    _, outcome = await run(Model([asked, says("ok")]), tool("echo", echo))
    results = {p.tool_use_id: p.result["echo"]["x"] for p in outcome.message.parts if isinstance(p, ToolResultPart)}
    assert sorted(results.values()) == [1, 2, 3]


async def test_a_step_that_failed_says_how_often_it_was_tried_in_vain() -> None:
    failure, transcript = ProviderError("unavailable", "Down."), Transcript()
    failure.retries = 2
    await run(Model([[failure]]), transcript=transcript)
    [step] = transcript.take_unsaved()
    assert (step.status, step.detail["retries"]) == ("failed", 2)


async def test_a_stream_without_anything_is_broken() -> None:
    _, outcome = await run(Model([[]]))
    assert (outcome.status, outcome.error_code) == ("failed", "provider_broken_stream")


async def test_calls_that_were_cut_off_are_not_carried_out() -> None:
    events, outcome = await run(Model([calls(call("echo"), text="I will", stop="max_tokens")]), tool("echo", echo))
    assert "ToolStarted" not in kinds(events)
    assert (outcome.status, outcome.stop_reason) == ("completed", "max_tokens")
    assert [part.type for part in outcome.message.parts] == ["text"]


async def test_a_failure_in_the_second_step_keeps_the_first() -> None:
    model = Model([calls(call("echo"), text="First. "), [TextDelta("Sec"), ProviderError("overloaded", "Busy.")]])
    _, outcome = await run(model, tool("echo", echo))
    assert outcome.status == "failed"
    assert outcome.message.text == "First. Sec"
    assert [part.type for part in outcome.message.parts] == ["text", "tool_call", "tool_result", "text"]
    assert outcome.usage == USAGE


async def test_cancelled_in_mid_stream_the_transcript_has_what_there_was() -> None:
    reached = asyncio.Event()

    class Endless(Model):
        async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
            yield TextDelta("So far")
            reached.set()
            await asyncio.Event().wait()

    transcript = Transcript()
    task = asyncio.create_task(run(Endless([]), transcript=transcript))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    transcript.cancel(2_000)
    outcome = transcript.outcome("cancelled")
    assert (outcome.status, outcome.message.text) == ("cancelled", "So far")
    assert outcome.cost == Cost(unpriced_steps=1), "nobody says what the half answer cost"


@pytest.mark.parametrize(("effect", "told", "status"), [("read", "cancelled", "failed"), ("write", UNKNOWN, "unknown")])
async def test_cancelled_while_tools_run_they_are_cancelled_and_settled(effect: Effect, told: str, status: str) -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def hangs(_: Json) -> Json:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return {}

    transcript = Transcript()
    model = Model([calls(call("hangs"), text="Wait. ")])
    task = asyncio.create_task(run(model, tool("hangs", hangs, effect), transcript))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(5):
        await ended.wait()
    transcript.cancel(2_000)
    parts = transcript.outcome("cancelled").message.parts
    assert [part.type for part in parts] == ["text", "tool_call", "tool_result"]
    assert isinstance(parts[-1], ToolResultPart)
    assert told in (parts[-1].error or "")
    assert parts[-1].outcome == ("cancelled" if effect == "read" else "unknown")
    assert transcript.take_unsaved()[-1].status == status


async def test_closing_the_engine_drops_the_models_stream() -> None:
    closed = asyncio.Event()

    class Watched(Model):
        async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
            try:
                yield TextDelta("x")
                await asyncio.Event().wait()
            finally:
                closed.set()

    request = ModelRequest(model="m", messages=[user_message("hello")])
    async with aclosing(engine(Watched([])).run(request, Transcript())) as events:  # type: ignore[type-var]
        await anext(events)
    async with asyncio.timeout(5):
        await closed.wait()


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=20))
def test_deltas_however_they_are_cut_are_the_text(pieces: list[str]) -> None:
    text = "".join(pieces)
    script = [*(TextDelta(piece) for piece in pieces), ModelFinished((TextPart(text=text),), "end_turn", USAGE)]
    transcript = Transcript()
    events, outcome = asyncio.run(run(Model([script]), transcript=transcript))
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == text
    assert outcome.message.text == transcript.text == text
