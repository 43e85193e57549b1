"""Agents that are asked by agents: what is told, counted, limited, cut off and taken up again."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_builder.errors import ToolError
from agent_builder.messages import Cost, ModelEvent, ModelRequest, ToolResultPart, Usage
from agent_builder.models.conversations import Outcome
from agent_builder.services.account import UNKNOWN
from agent_builder.services.budget import Limits
from tests.unit.nested import Act, Say, World, overloaded, sums


def chain(*names: str, leaf: list[Say]) -> World:
    """Each agent asks the next, the last does what `leaf` says."""
    scripts: dict[str, list[Say]] = {"leaf": leaf}
    world = World(scripts)
    below = "leaf"
    for name in reversed(names):
        scripts[name] = [[f"{name} asks. ", (below, {"message": f"from {name}"})], [f"{name} is done."]]
        world.tools[name] = world.agent_tool(below)
        below = name
    return world


def result(outcome: Outcome) -> ToolResultPart:
    (found,) = (part for part in outcome.message.parts if isinstance(part, ToolResultPart))
    return found


def test_an_agent_answers_another_with_its_own_prompt_and_tools() -> None:
    world = chain("root", leaf=[["Looking. ", ("act", {"n": 1})], ["All is well."]])
    world.tools["leaf"] = {"act": Act(world)}
    outcome = asyncio.run(world.finish())
    assert outcome.message.text == "root asks. root is done."
    assert result(outcome).result == {"text": "Looking. All is well."}
    assert [name for name, _ in world.asked] == ["root", "leaf", "leaf", "root"]
    request = world.asked[1][1]
    assert (request.system, request.messages[0].text) == ("You are leaf.", "from root")
    assert world.shown() == [
        "root asks. ",
        "+c0.1",
        ("c0.1", "Looking. "),
        ("c0.1", "+c0.1/c0.1"),
        ("c0.1", "-c0.1/c0.1"),
        ("c0.1", "All is well."),
        "-c0.1",
        "root is done.",
    ]


def test_its_steps_are_the_runs_with_their_parent_and_counted_once() -> None:
    world = chain("root", leaf=[[("act", {})], ["Yes."]])
    world.tools["leaf"] = {"act": Act(world)}
    outcome = asyncio.run(world.finish())
    steps = [world.stored[number] for number in sorted(world.stored)]
    assert [(s.number, s.kind, s.parent, s.status) for s in steps] == [
        (1, "model", None, "succeeded"),
        (2, "tool", None, "succeeded"),
        (3, "model", 2, "succeeded"),
        (4, "tool", 2, "succeeded"),
        (5, "model", 2, "succeeded"),
        (6, "model", None, "succeeded"),
    ]
    assert (steps[2].detail["agent_id"], steps[2].detail["agent_version"]) == ("leaf", 7)
    assert (
        (outcome.usage, outcome.cost)
        == sums(world)
        == (Usage(input_tokens=12, output_tokens=4), Cost(amount_nanousd=12))
    )


def test_depth_has_an_end() -> None:
    world = chain("root", "a", "b", "c", leaf=[["never"]])
    outcome = asyncio.run(world.finish())
    assert outcome.message.text == "root asks. root is done."
    assert [name for name, _ in world.asked] == ["root", "a", "b", "c", "c", "b", "a", "root"]
    errors = [step.detail["result"]["error"] for step in world.stored.values() if step.error]
    assert errors == ["Agents may ask agents at most 3 deep; do this without asking another one."]


def test_agents_never_ask_in_a_circle() -> None:
    world = chain("root", "a", leaf=[["never"]])
    world.tools["a"] = world.agent_tool("root", "leaf")
    outcome = asyncio.run(world.finish())
    assert [name for name, _ in world.asked] == ["root", "a", "a", "root"]
    assert outcome.status == "completed"
    errors = [step.detail["result"]["error"] for step in world.stored.values() if step.error]
    assert errors == ["This agent is already at work on this, or waits for you: agents may not ask in a circle."]


@pytest.mark.parametrize(
    ("arrange", "error"),
    [
        (lambda world: world.statuses.update(leaf="inactive"), "is switched off"),
        (lambda world: world.scripts.pop("leaf"), "does not exist any more"),
        (lambda world: world.scripts.update(leaf=[["Half", overloaded()]]), "failed. The model is busy."),
        (lambda world: world.scripts["root"].__setitem__(0, [("leaf", {"message": " "})]), "must be"),
        (lambda world: world.scripts["root"].__setitem__(0, [("leaf", {"message": "x", "y": 1})]), "must be"),
        (lambda world: world.scripts["root"].__setitem__(0, [("leaf", {"message": "x" * 100_001})]), "at most 100,000"),
    ],
)
def test_what_goes_wrong_is_told_in_our_words(arrange: Any, error: str) -> None:
    world = chain("root", leaf=[["never"]])
    arrange(world)
    outcome = asyncio.run(world.finish())
    assert error in (result(outcome).error or "")
    assert outcome.message.text.endswith("root is done.")
    assert (outcome.usage, outcome.cost) == sums(world)


def test_its_schema_is_plain_enough_for_every_vendor() -> None:
    world = chain("root", leaf=[["never"]])
    spec = world.tools["root"]["leaf"].spec
    assert spec.input_schema == {
        "type": "object",
        "additionalProperties": False,
        "required": ["message"],
        "properties": {
            "message": {
                "type": "string",
                "description": "What the agent is asked or told to do. It knows nothing else of this conversation.",
            }
        },
    }
    assert (spec.effect, spec.resumable, spec.strict, spec.timeout_seconds) == ("write", True, True, 300)


def test_a_tool_that_needs_a_person_is_not_called_there() -> None:
    world = chain("root", leaf=[[("act", {})], ["I could not."]])
    world.tools["leaf"] = {"act": Act(world, approval_seconds=60)}
    asyncio.run(world.finish())
    assert not world.effects
    (error,) = (step.detail["result"]["error"] for step in world.stored.values() if step.error)
    assert "cannot wait for a person" in error


def test_text_that_broke_off_is_taken_back_where_it_was_shown_and_nowhere_else() -> None:
    world = chain("root", leaf=[["One. ", ("act", {})], ["Two."]])
    world.tools["leaf"] = {"act": Act(world, effect="read")}
    world.scripts["leaf"] = [["One. ", ("act", {})], ["Tw", overloaded()], ["Two."]]
    outcome = asyncio.run(world.finish())
    assert ("c0.1", "back to 'One. '") in world.shown()
    assert outcome.message.text == "root asks. root is done."
    assert (outcome.usage, outcome.cost) == sums(world)
    assert outcome.cost.unpriced_steps == 3


# ---------------------------------------------------------------- limits


@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 30), st.integers(1, 30))
def test_agents_side_by_side_share_one_budget_exactly(agents: int, rounds: int, models: int, calls: int) -> None:
    names = [f"a{n}" for n in range(agents)]
    world = World({"root": [[(name, {"message": "go"}) for name in names], ["End."]]})
    world.limits = Limits(model_steps=models, tool_calls=calls, same_calls=100, retry_seconds=0.0)
    world.tools["root"] = {}
    for name in names:
        world.scripts[name] = [*([("act", {"n": n})] for n in range(rounds)), ["Done."]]
        world.tools["root"] |= world.agent_tool(name)
        world.tools[name] = {"act": Act(world)}
    outcome = asyncio.run(world.finish())
    steps = list(world.stored.values())
    made = sum(step.kind == "model" and step.status == "succeeded" for step in steps)
    called = sum(step.kind == "tool" and bool(step.duration_ms or step.status == "succeeded") for step in steps)
    assert made == len(world.asked) <= models
    assert len(world.effects) <= calls
    assert called <= calls
    wanted = agents * (rounds + 1) + 2
    assert made == min(models, wanted) or called + agents >= calls or outcome.stop_reason == "tool_call_limit"
    assert (outcome.usage, outcome.cost) == sums(world)


@given(st.integers(2, 5), st.integers(1, 12), st.lists(st.integers(1, 40), min_size=1, max_size=3))
def test_killed_and_gone_on_with_they_never_make_more_calls_than_the_limit(
    agents: int, calls: int, killed: list[int]
) -> None:
    names = [f"a{n}" for n in range(agents)]
    world = World({"root": [[(name, {"message": "go"}) for name in names], ["End."]]})
    world.limits = Limits(model_steps=100, tool_calls=calls, same_calls=100, retry_seconds=0.0)
    world.tools["root"] = {}
    for name in names:
        world.scripts[name] = [[("act", {"n": 1}), ("act", {"n": 2})], [("act", {"n": 3})], ["Done."]]
        world.tools["root"] |= world.agent_tool(name)
        world.tools[name] = {"act": Act(world)}
    for death in killed:
        world.dies_at = world.events + death
        if asyncio.run(world.go()) is not None:
            break
    else:
        world.dies_at = None
        asyncio.run(world.finish())
    assert len(world.effects) == len(set(world.effects)) <= calls
    assert sums(world) == (world.transcript.account.usage, world.transcript.account.cost)


def test_the_limit_is_said_to_the_agent_that_asked() -> None:
    world = chain("root", leaf=[[("act", {})]])
    world.tools["leaf"] = {"act": Act(world)}
    world.limits = Limits(same_calls=3, retry_seconds=0.0)
    outcome = asyncio.run(world.finish())
    assert result(outcome).result == {
        "text": "Stopped: the same tool call gave the same result 3 times.",
        "stop_reason": "repeated_call",
    }
    assert outcome.stop_reason == "end_turn"


def test_its_time_ends_its_work_and_what_it_had_begun_is_unknown() -> None:
    world = chain("root", leaf=[[("act", {})], ["never"]])
    world.tools["leaf"] = {"act": Act(world, hangs=True)}
    tool = world.agent_tool("leaf", timeout_seconds=1.0)["leaf"]
    world.tools["root"] = {"leaf": Hurried(tool)}
    outcome = asyncio.run(world.finish())
    assert UNKNOWN in (result(outcome).error or "")
    assert [step.status for step in world.stored.values() if step.kind == "tool"] == ["unknown", "unknown"]
    assert (outcome.usage, outcome.cost) == sums(world)


class Hurried:
    """A tool with little time: enough to begin what it does inside also on a busy machine."""

    def __init__(self, tool: Any) -> None:
        from dataclasses import replace

        self.tool, self.spec = tool, replace(tool.spec, timeout_seconds=2.0)

    async def call(self, arguments: Any, context: Any) -> Any:
        return await self.tool.call(arguments, context)


# ---------------------------------------------------------------- cancel, hand over, kill


async def test_cancelled_it_stops_at_once_and_every_step_is_settled() -> None:
    world = chain("root", "a", leaf=[[("act", {})], ["never"]])
    acting = asyncio.Event()
    world.tools["leaf"] = {"act": Act(world, hangs=True, begun=acting.set)}
    going = asyncio.create_task(world.go())
    await acting.wait()
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
    world.transcript.cancel(1)
    world.store()
    assert {step.number: step.status for step in world.stored.values() if step.kind == "tool"} == {
        2: "unknown",
        4: "unknown",
        6: "unknown",
    }
    assert sums(world) == (world.transcript.account.usage, world.transcript.account.cost)


async def test_whoever_stops_reading_has_ended_all_that_goes_on_side_by_side() -> None:
    whole = two_deep()
    await whole.finish()
    for death in range(1, whole.events + 1):
        world = two_deep()
        world.dies_at = death
        assert await world.go() is None
        at_work = {task for task in asyncio.all_tasks() if inspect.iscoroutine(task.get_coro())}
        assert at_work == {asyncio.current_task()}, death  # besides, iterators are closed that have no tasks


def test_where_there_is_no_room_inside_the_whole_run_is_handed_over_and_goes_on_there() -> None:
    world = chain("root", "a", leaf=[["x ", ("act", {})], ["y"]])
    world.tools["leaf"] = {"act": Act(world)}
    hops = 0
    for _ in range(30):
        left = iter([True] * 4)
        world.room = lambda kind, left=left: next(left, False)  # type: ignore[misc]
        outcome = asyncio.run(world.go())
        if outcome:
            break
        hops += 1
    assert outcome is not None
    assert hops == 3
    assert outcome.message.text == "root asks. root is done."
    assert [name for name, _ in world.asked] == ["root", "a", "leaf", "leaf", "a", "root"]
    assert len(world.effects) == 1
    assert (outcome.usage, outcome.cost) == sums(world)


def deaths(world_of: Any) -> Iterator[int]:
    whole = world_of()
    asyncio.run(whole.finish())
    yield from range(1, whole.events + 1)


def two_deep() -> World:
    world = chain("root", "a", leaf=[["x ", ("act", {"n": 1}), ("look", {})], [("act", {"n": 2})], ["y"]])
    world.tools["leaf"] = {"act": Act(world), "look": Act(world, "look", "read")}
    world.scripts["root"][0].append(("act", {"n": 3}))
    world.tools["root"]["act"] = Act(world)
    return world


def test_killed_anywhere_no_nested_write_is_made_twice_and_no_finished_step_paid_again() -> None:
    for death in deaths(two_deep):
        world = two_deep()
        world.dies_at = death
        outcome = asyncio.run(world.finish())
        assert outcome.message.text == "root asks. root is done.", death
        writes = [effect.rsplit(" ", 1)[0] for effect in world.effects if effect.startswith("act")]
        assert len(writes) == len(set(writes)), (death, writes)
        keys = [effect.rsplit(" ", 1)[1] for effect in world.effects if effect.startswith("act")]
        assert len(keys) == len(set(keys))
        assert (outcome.usage, outcome.cost) == sums(world)
        assert all(step.status not in ("reserved", "running") for step in world.stored.values())
        assert len(world.asked) <= 7 + 2


@given(st.lists(st.integers(1, 40), max_size=4), st.integers(0, 3), st.integers(0, 2))
def test_a_run_costs_the_sum_of_its_steps_whatever_happens(killed: list[int], width: int, faults: int) -> None:
    names = [f"a{n}" for n in range(width)]
    world = World({"root": [[*((name, {"message": "go"}) for name in names), ("act", {})], ["End."]]})
    world.tools["root"] = {"act": Act(world, raises=ToolError("No.") if faults == 1 else None)}
    for place, name in enumerate(names):
        world.scripts[name] = [[("act", {"n": place}), *([(names[0], {"message": "x"})] if place else [])], ["Done."]]
        world.tools["root"] |= world.agent_tool(name)
        world.tools[name] = {"act": Act(world), **(world.agent_tool(names[0]) if place else {})}
        if faults == 2:
            world.scripts[name].insert(1, ["Half", overloaded()])
    for death in killed:
        world.dies_at = world.events + death
        if asyncio.run(world.go()) is not None:
            return
    world.dies_at = None
    outcome = asyncio.run(world.finish())
    assert (outcome.usage, outcome.cost) == sums(world)
    writes = [effect for effect in world.effects if effect.startswith("act")]
    assert len(writes) == len(set(writes))


# ---------------------------------------------------------------- what nobody says the price of


@pytest.mark.parametrize("a", range(5))
@pytest.mark.parametrize("leaf", [0, 3])
def test_killed_anywhere_every_call_of_a_model_is_a_step(a: int, leaf: int) -> None:
    def slowed() -> World:
        world = two_deep()
        world.slow = {"a": a, "leaf": leaf}  # whatever the call beside it comes before
        return world

    for death in deaths(slowed):
        world = slowed()
        world.dies_at = death
        outcome = asyncio.run(world.finish())
        models = [step for step in world.stored.values() if step.kind == "model"]
        lost = [step for step in models if step.error == "runner_lost"]
        assert len(world.asked) <= len(models) <= len(world.asked) + 1, death
        assert outcome.cost.unpriced_steps == len(lost), death
        assert (outcome.usage, outcome.cost) == sums(world)


def killed_inside(*names: str) -> World:
    """The runner dies while agents side by side wait for their models."""
    world = World({"root": [[(name, {"message": "go"}) for name in names], ["End."]]})
    world.tools["root"] = {}
    for name in names:
        world.scripts[name] = [["Done."]]
        world.tools["root"] |= world.agent_tool(name)
    for death in range(1, 40):
        world.asked.clear()
        world.stored.clear()
        world.dies_at, world.events, world.died = death, 0, False
        assert asyncio.run(world.go()) is None
        if len(world.asked) > len(names):
            return world
    raise AssertionError("it never asked")


def test_each_of_those_side_by_side_is_a_step_that_nobody_can_price() -> None:
    world = killed_inside("a", "b")
    assert [step.kind for step in world.stored.values()] == ["model", "tool", "tool"]
    outcome = asyncio.run(world.finish())
    lost = [step for step in world.stored.values() if step.error == "runner_lost"]
    assert [(step.parent, step.detail["provider"], step.detail["model"]) for step in lost] == [
        (2, "scripted", "a"),
        (3, "scripted", "b"),
    ], "whoever asks again knows which model it was"
    assert [step.detail["agent_id"] for step in lost] == ["a", "b"]
    assert outcome.cost == Cost(amount_nanousd=12, unpriced_steps=2) == sums(world)[1]


def test_what_was_lost_inside_counts_also_where_nobody_asks_again() -> None:
    world = killed_inside("a")
    world.statuses["a"] = "inactive"
    outcome = asyncio.run(world.finish())
    assert outcome.cost == Cost(amount_nanousd=6, unpriced_steps=1) == sums(world)[1]


async def test_what_was_cut_off_inside_knows_its_model() -> None:
    world = chain("root", leaf=[["never"]])
    asked, answer = asyncio.Event(), world.stream

    async def wait(request: ModelRequest) -> AsyncIterator[ModelEvent]:
        if request.model == "leaf":
            asked.set()
            await asyncio.Event().wait()
        async for event in answer(request):
            yield event

    world.stream = wait  # type: ignore[method-assign]
    going = asyncio.create_task(world.go())
    await asked.wait()
    going.cancel()
    await asyncio.gather(going, return_exceptions=True)
    world.transcript.cancel(1)
    world.store()
    (cut,) = (step for step in world.stored.values() if step.error == "cancelled")
    assert (cut.parent, cut.detail["provider"], cut.detail["model"]) == (2, "scripted", "leaf")
    assert cut.cost == Cost(unpriced_steps=1)
