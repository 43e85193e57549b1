"""Calls that people must approve, in the engine alone: whatever dies and whoever decides when, nothing is doubled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_builder.errors import ToolError
from agent_builder.messages import (
    Cost,
    Effect,
    Json,
    ModelEvent,
    ModelFinished,
    ModelRequest,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolSpec,
    Usage,
    rounds,
    user_message,
)
from agent_builder.models.approvals import Decision, Verdict
from agent_builder.models.conversations import Outcome, Step
from agent_builder.services.account import UNKNOWN, Account
from agent_builder.services.budget import Limits
from agent_builder.services.engine import Engine
from agent_builder.services.events import ApprovalRequired, Checkpoint, EngineEvent, Parked, RunEnded, ToolStarted
from agent_builder.services.transcript import Transcript
from agent_builder.tools.base import CallContext

# Names of the calls of each round: what begins with "ask" needs approval.
ROUNDS: tuple[tuple[str, ...], ...] = (("ask_write", "free", "ask_read", "ask_write"), ("ask_write",), ())
ASKING = ("c0-0", "c0-2", "c0-3", "c1-0")


@dataclass
class World:
    """What outlives an engine: the stored steps, what was decided, and what was done outside."""

    rounds: tuple[tuple[str, ...], ...] = ROUNDS
    stored: dict[int, Step] = field(default_factory=dict)
    decided: dict[str, Decision] = field(default_factory=dict)
    done: list[tuple[str, Json]] = field(default_factory=list)
    events: list[EngineEvent] = field(default_factory=list)
    limits: Limits = field(default_factory=Limits)

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        last = request.messages[-1]
        number = len(list(rounds(last))) if last.role == "assistant" else 0
        names = self.rounds[number] if number < len(self.rounds) else ()
        asked = tuple(
            ToolCallPart(tool_use_id=f"c{number}-{place}", name=name, input={"call": f"c{number}-{place}"})
            for place, name in enumerate(names)
        )
        stop: Any = "tool_use" if asked else "end_turn"
        yield ModelFinished((TextPart(text=f"Round {number}. "), *asked), stop, Usage(), "m")

    async def decisions(self, steps: Sequence[Step]) -> Mapping[int, Decision]:
        found = {step.number: self.decided.get(step.detail["tool_use_id"]) for step in steps}
        return {number: decision for number, decision in found.items() if decision is not None}

    async def go(self, dies_at: int | None = None) -> EngineEvent | None:
        """Drive an engine to its end, or until the event with this number; answers the last event."""
        transcript = Transcript(Account(begun_at=1))
        transcript.restore([self.stored[number] for number in sorted(self.stored)])
        tools = {name: Tool(self, name) for name in ("free", "ask_read", "ask_write")}
        engine = Engine(
            stream=self.stream,
            tools=tools,
            price=lambda model, usage: Cost(),
            clock=lambda: 1_000,
            limits=self.limits,
            decisions=self.decisions,
        )
        count = 0
        async for event in engine.run(ModelRequest(model="m", messages=[user_message("go")]), transcript):
            self.events.append(event)
            count += 1
            if count == dies_at:
                return None
            if isinstance(event, Checkpoint):
                steps = transcript.take_unsaved()
                self.stored |= {step.number: step for step in steps}
                transcript.saved(steps)
            if isinstance(event, RunEnded | Parked):
                return event
        raise AssertionError("no end")

    def decide(self, call: str, verdict: Verdict = "approved", **more: Any) -> None:
        self.decided.setdefault(call, Decision(verdict, 2_000, "ann", **more))

    @property
    def asked(self) -> set[str]:
        return {step.detail["tool_use_id"] for step in self.stored.values() if "expires_at" in step.detail}

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@dataclass
class Tool:
    world: World
    name: str

    @property
    def spec(self) -> ToolSpec:
        effect: Effect = "write" if self.name.endswith("write") else "read"
        return ToolSpec(self.name, "", {}, effect, approval_seconds=60 if self.name.startswith("ask") else 0)

    async def call(self, arguments: Json, context: CallContext) -> Json:
        if "call" not in arguments:
            raise ToolError("Say which call this is.")
        self.world.done.append((context.idempotency_key, arguments))
        return {"did": arguments["call"]}


def results(outcome: Outcome) -> dict[str, ToolResultPart]:
    return {part.tool_use_id: part for part in outcome.message.parts if isinstance(part, ToolResultPart)}


async def test_what_needs_no_approval_is_done_before_it_parks() -> None:
    world = World()
    parked = await world.go()
    assert parked == Parked(61_000)
    assert [arguments["call"] for _, arguments in world.done] == ["c0-1"]
    assert [(event.call.tool_use_id, event.expires_at) for event in world.of(ApprovalRequired)] == [
        ("c0-0", 61_000),
        ("c0-2", 61_000),
        ("c0-3", 61_000),
    ]
    assert [world.stored[number].status for number in (2, 3, 4, 5)] == ["waiting", "succeeded", "waiting", "waiting"]


async def test_it_parks_again_until_all_are_decided() -> None:
    world = World()
    await world.go()
    world.decide("c0-2")
    assert isinstance(await world.go(), Parked)
    assert [arguments["call"] for _, arguments in world.done] == ["c0-1", "c0-2"]
    world.events.clear()
    world.decide("c0-0", "denied", reason="No.")
    world.decide("c0-3", "expired")
    assert isinstance(await world.go(), Parked), "the next round asks too"
    assert [event.call.tool_use_id for event in world.of(ApprovalRequired)] == ["c1-0"], "what is decided is not asked"
    world.decide("c1-0")
    ended = await world.go()
    assert isinstance(ended, RunEnded)
    told = results(ended.outcome)
    assert list(told) == ["c0-0", "c0-1", "c0-2", "c0-3", "c1-0"]
    assert "No." in str(told["c0-0"].error)
    assert "in time" in str(told["c0-3"].error)
    assert (told["c0-0"].outcome, told["c0-3"].outcome, told["c1-0"].outcome) == ("denied", "expired", None)
    assert told["c1-0"].result == {"did": "c1-0"}


async def test_a_call_with_arguments_that_are_no_object_asks_nobody() -> None:
    world = World(rounds=((),))

    async def stream(request: ModelRequest) -> AsyncIterator[ModelEvent]:
        if request.messages[-1].role == "user":
            call = ToolCallPart(tool_use_id="c", name="ask_write", input={}, invalid="{")
            yield ModelFinished((call,), "tool_use", Usage(), "m")
        else:
            yield ModelFinished((TextPart(text="So be it."),), "end_turn", Usage(), "m")

    world.stream = stream  # type: ignore[method-assign]
    ended = await world.go()
    assert isinstance(ended, RunEnded)
    assert world.of(ApprovalRequired) == []
    assert "not a JSON object" in str(results(ended.outcome)["c"].error)


@pytest.mark.parametrize(("given", "fails"), [({"call": "other"}, False), ({"else": 1}, True)])
async def test_other_arguments_are_what_is_called_and_the_model_is_told(given: Json, fails: bool) -> None:
    world = World(rounds=(("ask_write",), ()))
    await world.go()
    world.decide("c0-0", input=given)
    ended = await world.go()
    assert isinstance(ended, RunEnded)
    told = results(ended.outcome)["c0-0"]
    assert [event.call.input for event in world.of(ToolStarted)] == [given]
    if fails:
        assert str(told.error).startswith("Say which call this is. A person changed the arguments")
        assert str(told.error).endswith('The arguments they gave are {"else": 1}.'), "nobody says it was called"
    else:
        assert told.result["result"] == {"did": "other"}
        assert told.result["edited_input"] == given
    (call,) = [part for part in ended.outcome.message.parts if isinstance(part, ToolCallPart)]
    assert call.input == {"call": "c0-0"}, "what the model said stays as it said it"


async def test_calls_that_wait_count_before_they_are_made_and_denied_ones_too() -> None:
    world = World(rounds=(("ask_write",),) * 4, limits=Limits(tool_calls=2))
    for call in ("c0-0", "c1-0"):
        assert isinstance(await world.go(), Parked)
        world.decide(call, "denied")
    ended = await world.go()
    assert isinstance(ended, RunEnded)
    assert ended.outcome.stop_reason == "tool_call_limit"
    assert world.done == []


VERDICTS = st.sampled_from(["approved", "denied", "expired"])
MOVES = st.lists(
    st.one_of(st.integers(1, 16), st.tuples(st.sampled_from(ASKING), VERDICTS, st.booleans())), max_size=14
)


def play(world: World, moves: Sequence[Any]) -> None:
    """An engine is killed at an event, or somebody decides on what was asked."""
    for move in moves:
        if isinstance(move, int):
            asyncio.run(world.go(move))
        elif move[0] in world.asked:
            call, verdict, edits = move
            world.decide(call, verdict, input={"call": call, "edited": True} if edits else None)


def finish(world: World) -> Outcome:
    """Decide all that is left, until it ends."""
    for _ in range(len(ASKING) + 1):
        ended = asyncio.run(world.go())
        if isinstance(ended, RunEnded):
            return ended.outcome
        for call in world.asked:
            world.decide(call)
    raise AssertionError("it did not end")


def check(world: World, call: str, result: ToolResultPart) -> None:
    """That a call was made as it was decided, and told as it was made."""
    decision = world.decided[call]
    made = [(key, arguments) for key, arguments in world.done if arguments["call"] == call]
    if decision.verdict != "approved":
        assert made == []
        assert (result.error, result.outcome) == (decision.refusal, decision.verdict)
        return
    assert all(arguments == (decision.input or {"call": call}) for _, arguments in made)
    assert len({key for key, _ in made}) <= 1
    if call == "c0-2":  # one that reads is made again
        assert result.error is None
    else:
        assert len(made) <= 1
        assert (result.error is None and len(made) == 1) or UNKNOWN in str(result.error)


@settings(deadline=None)
@given(MOVES)
def test_killed_anywhere_and_decided_at_any_time_nothing_is_lost_or_done_twice(moves: list[Any]) -> None:
    world = World()
    play(world, moves)
    told = results(finish(world))
    assert list(told) == ["c0-0", "c0-1", "c0-2", "c0-3", "c1-0"]
    for call in ASKING:
        check(world, call, told[call])
