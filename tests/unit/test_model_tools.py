"""Tools that are models, and models that help before and after a call."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import pytest

from agent_builder.errors import OutcomeUnknown, ProviderError, ToolError
from agent_builder.messages import Json, ToolResultPart
from agent_builder.models.agents import LlmConfig
from agent_builder.models.conversations import Outcome
from agent_builder.models.tools import Enhancement, HttpTool, LlmTool, StoredTool
from agent_builder.services.account import UNKNOWN
from agent_builder.services.budget import Limits
from agent_builder.services.enhancing import NOTE, Enhanced, enhanced
from agent_builder.services.llm_tools import NEEDS_RUN, ModelOf, OneAnswer, llm_tools
from agent_builder.services.nesting import Alone
from agent_builder.services.toolbox import Bench
from agent_builder.tools.base import CallContext, Tool
from agent_builder.tools.outcomes import InvalidArguments
from tests.unit.nested import Act, Say, World, overloaded, sums

SCHEMA: Json = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}


def bench(world: World) -> Bench:
    version = world.version("t", "root", 7)
    assert version is not None
    return Bench("t", version, {}, cast(Any, None))


def stored(definition: Any) -> StoredTool:
    return StoredTool("tol_1", "root", 1, definition, 0, 0)


def asks(*says: Say, arguments: Json | None = None) -> World:
    """A run whose agent calls an LLM tool once."""
    world = World({"root": [[("sum", {"n": 2} if arguments is None else arguments)], ["End."]], "helper": list(says)})
    world.tools["root"] = {"sum": tool(world.model_of, world)}
    return world


def tool(model_of: ModelOf, world: World) -> Tool:
    config = LlmConfig(provider="scripted", model="helper")
    definition = LlmTool(name="sum", model_config=config, instructions="Add one.", input_schema=SCHEMA)
    return llm_tools(model_of)(stored(definition), bench(world))


def helped(world: World, act: Act, *says: Say, before: str = "", after: str = "") -> None:
    """The world's agent calls a tool with help once."""
    world.scripts |= {"root": [[("act", {"n": 2})], ["End."]], "helper": list(says)}
    config = LlmConfig(provider="scripted", model="helper")
    help_ = Enhancement(model_config=config, before=before, after=after)
    world.tools["root"] = {"act": Enhanced(act, help_, OneAnswer(world.model_of, "t", config, "x"))}


def result(outcome: Outcome) -> ToolResultPart:
    (found,) = (part for part in outcome.message.parts if isinstance(part, ToolResultPart))
    return found


def kinds(world: World) -> list[tuple[Any, ...]]:
    steps = [world.stored[number] for number in sorted(world.stored)]
    return [(s.number, s.kind, s.parent, s.detail.get("purpose"), s.status) for s in steps]


# ---------------------------------------------------------------- a model as a tool


def test_a_model_is_asked_with_its_instructions_and_the_arguments_and_nothing_else() -> None:
    world = asks(["Three."])
    outcome = asyncio.run(world.finish())
    assert result(outcome).result == {"text": "Three."}
    (_, request), *_ = [asked for asked in world.asked if asked[0] == "helper"]
    assert (request.system, list(request.tools), len(request.messages)) == ("Add one.", [], 1)
    assert json.loads(request.messages[0].text) == {"n": 2}
    assert kinds(world) == [
        (1, "model", None, None, "succeeded"),
        (2, "tool", None, None, "succeeded"),
        (3, "model", 2, None, "succeeded"),
        (4, "model", None, None, "succeeded"),
    ]
    assert (outcome.usage, outcome.cost) == sums(world)
    assert outcome.cost.amount_nanousd == 9
    assert ("c0.0", "Three.") in world.shown()


@pytest.mark.parametrize("arguments", [{}, {"n": "2"}, {"n": 2, "m": 3}])
def test_arguments_are_checked_before_it_is_asked(arguments: Json) -> None:
    world = asks(["never"], arguments=arguments or {"x": 1})
    told = result(asyncio.run(world.finish()))
    assert "The arguments are not valid" in (told.error or "")
    assert told.outcome == "invalid_arguments"
    assert [name for name, _ in world.asked] == ["root", "root"]


def test_its_failure_is_told_in_our_words() -> None:
    world = asks([ProviderError("rate_limit", "The vendor takes no more requests now.", retryable=False)])
    outcome = asyncio.run(world.finish())
    assert result(outcome).error == "The model that was asked failed. The vendor takes no more requests now."
    assert [step.error for step in world.stored.values() if step.kind == "model" and step.error] == [
        "provider_rate_limit"
    ]


def test_a_model_that_cannot_be_called_is_told() -> None:
    world = asks(["never"])

    async def no_key(*about: Any) -> Any:
        raise ProviderError("auth", "No API key is configured.")

    world.tools["root"] = {"sum": tool(no_key, world)}
    error = result(asyncio.run(world.finish())).error
    assert error == "The model of this tool cannot be used. No API key is configured."


def test_a_limit_of_the_run_is_told() -> None:
    world = asks(["never"])
    world.limits = Limits(model_steps=1)
    outcome = asyncio.run(world.finish())
    assert result(outcome).error == "Stopped: the limit of 1 model calls in one run is reached."
    assert outcome.stop_reason == "step_limit"


def test_killed_behind_its_answer_it_is_not_asked_again() -> None:
    whole = asks(["Three."])
    asyncio.run(whole.finish())
    for death in range(1, whole.events + 1):
        world = asks(["Three."])
        world.dies_at = death
        outcome = asyncio.run(world.finish())
        assert result(outcome).result == {"text": "Three."}
        assert (outcome.usage, outcome.cost) == sums(world)


async def test_outside_of_a_run_it_says_so() -> None:
    world = asks(["never"])
    with pytest.raises(ToolError, match=NEEDS_RUN):
        await world.tools["root"]["sum"].call({"n": 1}, CallContext("key"))


# ---------------------------------------------------------------- help before and after


def test_before_and_after_both_work_on_one_call() -> None:
    world = World({})
    act = Act(world)
    helped(world, act, ['{"n": 3}'], before="One more.", after="Shorter.")
    outcome = asyncio.run(world.finish())
    assert act.keys == ["4"]
    assert world.effects == ['act {"n": 3} 4']
    assert result(outcome).result == {"n": 3}, "an object takes the place of the answer"
    before, after = (request for name, request in world.asked if name == "helper")
    assert before.system.endswith("One more.")
    assert after.system.endswith("Shorter.")
    assert json.loads(before.messages[0].text)["arguments"] == {"n": 2}
    assert json.loads(after.messages[0].text) == {"tool": "act", "arguments": {"n": 3}, "answer": {"done": True}}
    assert kinds(world) == [
        (1, "model", None, None, "succeeded"),
        (2, "tool", None, None, "succeeded"),
        (3, "model", 2, "before", "succeeded"),
        (4, "tool", 2, "call", "succeeded"),
        (5, "model", 2, "after", "succeeded"),
        (6, "model", None, None, "succeeded"),
    ]
    assert world.stored[4].detail["input"] == {"n": 3}
    assert world.stored[4].detail["result"]["result"] == {"done": True}, "the original stays in its step"
    assert world.transcript.account.tool_calls == 1, "a call with help counts as one"
    assert (outcome.usage, outcome.cost) == sums(world)
    assert not [event for event in world.shown() if isinstance(event, tuple)], "help is not shown"


@pytest.mark.parametrize(
    ("says", "told"),
    [
        (["A text."], {"value": "A text."}),
        (["[1, 2]"], {"value": [1, 2]}),
        (['```json\n{"a": 1}\n```'], {"a": 1}),
        ([overloaded()], {"result": {"done": True}, "note": NOTE}),
        ([" "], {"result": {"done": True}, "note": NOTE}),
    ],
)
def test_what_comes_after_never_changes_that_it_happened(says: Say, told: Json) -> None:
    world = World({})
    helped(world, Act(world), says, after="Shorter.")
    outcome = asyncio.run(world.finish())
    assert (result(outcome).result, result(outcome).error) == (told, None)
    assert len(world.effects) == 1
    assert (outcome.usage, outcome.cost) == sums(world)


@pytest.mark.parametrize(
    ("says", "error"),
    [
        (["I would not."], "did not give a JSON object"),
        (["[]"], "did not give a JSON object"),
        (['{"n": "two"}'], "do not fit. The arguments are not valid: n"),
        ([overloaded()], "failed. The model that was asked failed. The model is busy."),
    ],
)
def test_where_the_arguments_cannot_be_prepared_nothing_is_called(says: Say, error: str) -> None:
    world = World({})
    helped(world, Act(world), says, before="One more.")
    outcome = asyncio.run(world.finish())
    assert (result(outcome).error or "").startswith("The tool was not called: ")
    assert error in (result(outcome).error or "")
    assert not world.effects


@pytest.mark.parametrize(
    ("raises", "status", "error"),
    [
        (ToolError("No such thing."), "failed", "No such thing."),
        (InvalidArguments("Say when."), "failed", "Say when."),
        (OutcomeUnknown("It hung up."), "unknown", f"It hung up. {UNKNOWN}"),
    ],
)
def test_a_failure_of_the_tool_itself_is_told_as_it_is(raises: Exception, status: str, error: str) -> None:
    world = World({})
    helped(world, Act(world, raises=raises), ["never"], after="Shorter.")
    outcome = asyncio.run(world.finish())
    became = "invalid_arguments" if isinstance(raises, InvalidArguments) else status
    assert (result(outcome).error, result(outcome).outcome) == (error, became), "whatever it went through"
    assert [step.status for step in world.stored.values() if step.kind == "tool"] == [status, status]
    assert [name for name, _ in world.asked] == ["root", "root"]


@pytest.mark.parametrize("effect", ["read", "write"])
def test_killed_anywhere_help_never_makes_a_write_happen_twice(effect: Any) -> None:
    def fresh() -> World:
        world = World({})
        helped(world, Act(world, effect=effect), ['{"n": 3}'], before="One more.", after="Shorter.")
        return world

    whole = fresh()
    asyncio.run(whole.finish())
    for death in range(1, whole.events + 1):
        world = fresh()
        world.dies_at = death
        outcome = asyncio.run(world.finish())
        assert {made.rsplit(" ", 1)[0] for made in world.effects} == {'act {"n": 3}'}
        if effect == "write":
            assert len(world.effects) == 1
            assert result(outcome).error is None or UNKNOWN in (result(outcome).error or "")
        else:
            assert result(outcome).result == {"n": 3}
        assert (outcome.usage, outcome.cost) == sums(world)
        assert all(step.status not in ("reserved", "running") for step in world.stored.values())


def test_a_call_that_did_not_begin_before_the_runner_died_in_its_preparation_is_made() -> None:
    """It is not unknown: the steps inside say that the tool was not called."""
    world = World({})
    helped(world, Act(world), ['{"n": 3}'], before="One more.")
    world.dies_at = 4  # the call has begun and is stored, its arguments are being prepared
    outcome = asyncio.run(world.finish())
    assert result(outcome).result == {"done": True}
    assert len(world.effects) == 1


def test_only_definitions_that_ask_for_help_get_it() -> None:
    world = World({"root": []})
    act = Act(world)
    plain = HttpTool(
        name="act", method="GET", base_url="https://a.test", input_schema={"type": "object"}, effect="read"
    )
    config = LlmConfig(provider="scripted", model="helper")
    wanted = plain.model_copy(update={"enhancement": Enhancement(model_config=config, after="x")})
    make = enhanced(lambda stored, bench: act, world.model_of)
    assert make(stored(plain), bench(world)) is act
    made = make(stored(wanted), bench(world))
    assert isinstance(made, Enhanced)
    assert (made.spec.effect, made.spec.resumable, made.spec.name) == ("write", True, "act")


# ---------------------------------------------------------------- without a run


async def test_a_call_of_no_run_has_an_inside_all_the_same() -> None:
    world = World({})
    act = Act(world)
    helped(world, act, ['{"n": 3}'], before="One more.", after="Shorter.")
    alone = Alone("root", "tst_1", 20.0)
    context = CallContext("tst_1", nest=alone.nest("write"))
    assert await world.tools["root"]["act"].call({"n": 2}, context) == {"n": 3}
    assert act.keys == ["tst_1-3"]
    assert (alone.account.model_steps, alone.account.cost.amount_nanousd) == (2, 6)


async def test_what_a_tool_notes_of_its_call_inside_is_known() -> None:
    world = World({})
    act = Act(world, notes={"request": {"url": "https://a.test"}})
    helped(world, act, ["x"], after="Shorter.")
    alone = Alone("root", "tst_1", 20.0)
    await world.tools["root"]["act"].call({"n": 2}, CallContext("tst_1", nest=alone.nest("write")))
    assert alone.noted == {"request": {"url": "https://a.test"}}


@pytest.mark.parametrize("after", ["", "Shorter."])
async def test_nothing_changes_the_arguments_of_a_call_that_a_person_approved(after: str) -> None:
    world = World({})
    act = Act(world, approval_seconds=60)
    helped(world, act, ['{"n": 99999}'], before="Make it better.", after=after)
    nest = Alone("root", "tst_1", 20.0).nest("write")
    await world.tools["root"]["act"].call({"n": 2}, CallContext("tst_1", nest=nest))
    assert [effect.startswith('act {"n": 2} ') for effect in world.effects] == [True]
    assert len(world.asked) == bool(after), "only what comes after the call is asked"


async def test_a_call_that_was_approved_is_not_asked_about_again_inside() -> None:
    world = World({})
    act = Act(world, approval_seconds=60)
    helped(world, act, ["x"], after="Shorter.")
    tool = world.tools["root"]["act"]
    assert tool.spec.approval_seconds == 60, "people are asked about the call as a whole"
    await tool.call({"n": 2}, CallContext("tst_1", nest=Alone("root", "tst_1", 20.0).nest("write")))
    assert len(world.effects) == 1
