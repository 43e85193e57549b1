"""A run that dies anywhere and goes on from its stored steps: nothing is paid or done twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_builder.messages import (
    Cost,
    Effect,
    Json,
    ModelEvent,
    ModelFinished,
    ModelRequest,
    TextDelta,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolSpec,
    Usage,
    rounds,
    user_message,
)
from agent_builder.models.conversations import Outcome, Step
from agent_builder.services.account import UNKNOWN, Account
from agent_builder.services.engine import Engine
from agent_builder.services.events import Checkpoint, RunEnded, Suspended, ToolFinished
from agent_builder.services.transcript import Transcript
from agent_builder.tools.base import CallContext

ROUNDS: tuple[tuple[str, ...], ...] = (("write", "read"), ("write",), ())


@dataclass
class World:
    """What outlives a runner: the stored steps, and what was done outside."""

    stored: dict[int, Step] = field(default_factory=dict)
    answered: list[int] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)

    def restored(self) -> Transcript:
        transcript = Transcript(Account(begun_at=1))
        transcript.restore([self.stored[number] for number in sorted(self.stored)])
        return transcript


class Killed(Exception):
    """The runner dies here."""


@dataclass
class Runner:
    """Drives an engine until the event with this number, or until a call of a tool has had its effect."""

    world: World
    dies_at: int | None = None
    dies_in_effect: int | None = None

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        done = list(rounds(request.messages[-1])) if request.messages[-1].role == "assistant" else []
        number = len(done)
        asked = tuple(
            ToolCallPart(tool_use_id=f"c{n}", name=name, input={"round": number, "n": n})
            for n, name in enumerate(ROUNDS[number])
        )
        text = f"Round {number}. "
        yield TextDelta(text[:4])
        yield TextDelta(text[4:])
        self.world.answered.append(number)
        stop: Any = "tool_use" if asked else "end_turn"
        yield ModelFinished((TextPart(text=text), *asked), stop, Usage(input_tokens=1), "m")

    def tool(self, effect: Effect) -> Any:
        runner = self

        @dataclass
        class Acting:
            spec: ToolSpec = field(default_factory=lambda: ToolSpec(effect, "", {}, effect))

            async def call(self, arguments: Json, context: CallContext) -> Json:
                runner.world.effects.append(f"{effect} {context.idempotency_key}")
                if effect == "write" and runner.dies_in_effect == arguments["round"]:
                    await asyncio.Event().wait()
                return {"did": arguments}

        return Acting()

    async def go(self) -> Outcome | None:
        engine = Engine(
            stream=self.stream,
            tools={"read": self.tool("read"), "write": self.tool("write")},
            price=lambda model, usage: Cost(amount_nanousd=1),
            clock=lambda: 1,
        )
        transcript = self.world.restored()
        request = ModelRequest(model="m", messages=[user_message("go")])
        count = 0
        try:
            async with asyncio.timeout(0.05 if self.dies_in_effect is not None else None):
                async for event in engine.run(request, transcript):
                    count += 1
                    if count == self.dies_at:
                        return None
                    if isinstance(event, Checkpoint):
                        steps = transcript.take_unsaved()
                        self.world.stored |= {step.number: step for step in steps}
                        transcript.saved(steps)
                    if isinstance(event, RunEnded):
                        return event.outcome
        except TimeoutError:
            return None
        raise AssertionError("no end")


def run(*deaths: Runner, world: World) -> Outcome:
    for runner in deaths:
        if (outcome := asyncio.run(runner.go())) is not None:
            return outcome
    outcome = asyncio.run(Runner(world).go())
    assert outcome is not None
    return outcome


def plain() -> tuple[World, Outcome]:
    world = World()
    return world, run(world=world)


@given(st.lists(st.integers(1, 24), max_size=4))
def test_killed_at_any_event_the_answer_is_the_same_and_no_write_is_done_twice(deaths: list[int]) -> None:
    _, whole = plain()
    world = World()
    outcome = run(*(Runner(world, dies_at=number) for number in deaths), world=world)
    assert outcome.message.text == whole.message.text == "Round 0. Round 1. Round 2. "
    writes = [effect for effect in world.effects if effect.startswith("write")]
    assert len(writes) == len(set(writes))
    results = [part for part in outcome.message.parts if isinstance(part, ToolResultPart)]
    assert len(results) == 3
    for result in results:
        assert result.error is None or result.error == UNKNOWN
        assert result.outcome == ("unknown" if result.error else None)
        if result.error == UNKNOWN:
            assert result.name == "write"
    stored_models = [step for step in world.stored.values() if step.kind == "model"]
    assert world.answered.count(0) >= 1
    assert all(step.status == "succeeded" for step in stored_models)


@pytest.mark.parametrize("round_number", [0, 1])
def test_killed_behind_a_write_it_is_unknown_told_and_not_repeated(round_number: int) -> None:
    world = World()
    outcome = run(Runner(world, dies_in_effect=round_number), world=world)
    writes = [effect for effect in world.effects if effect.startswith("write")]
    assert len(writes) == len(set(writes)) == 2
    unknown = [p for p in outcome.message.parts if isinstance(p, ToolResultPart) and p.error == UNKNOWN]
    assert len(unknown) == 1
    statuses = [step.status for step in world.stored.values() if step.kind == "tool"]
    assert statuses.count("unknown") == 1


def test_a_read_that_was_cut_off_is_made_again_under_the_same_key() -> None:
    world = World()
    run(Runner(world, dies_in_effect=0), world=world)
    reads = [effect for effect in world.effects if effect.startswith("read")]
    assert set(reads) == {"read 3"}


def test_a_finished_model_step_is_never_asked_again() -> None:
    for death in range(1, 25):
        world = World()
        run(Runner(world, dies_at=death), world=world)
        finished = [step for step in world.stored.values() if step.kind == "model"]
        assert len(finished) == 2
        # At most the one step that was not stored when the runner died was asked a second time.
        assert len(world.answered) <= 4


async def test_without_room_it_is_suspended_with_everything_stored() -> None:
    world = World()
    hops = 0
    for _ in range(20):
        runner, begun = Runner(world), [0]

        def room(kind: str, begun: list[int] = begun) -> bool:
            begun[0] += 1
            return begun[0] <= 1

        engine = Engine(
            stream=runner.stream,
            tools={"read": runner.tool("read"), "write": runner.tool("write")},
            price=lambda model, usage: Cost(amount_nanousd=1),
            clock=lambda: 1,
            room=room,
        )
        transcript = world.restored()
        request = ModelRequest(model="m", messages=[user_message("go")])
        last: Any = None
        async for event in engine.run(request, transcript):
            last = event
            if isinstance(event, Checkpoint):
                world.stored |= {step.number: step for step in transcript.take_unsaved()}
        if isinstance(last, RunEnded):
            break
        assert isinstance(last, Suspended)
        hops += 1
    assert hops == 4
    assert last.outcome.message.text == "Round 0. Round 1. Round 2. "
    assert world.answered == [0, 1, 2]
    assert last.outcome.cost == Cost(amount_nanousd=3)
    assert ToolFinished not in map(type, [last])
