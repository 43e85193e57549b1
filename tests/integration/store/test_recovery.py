"""Runners that die, pause, or run out of time, over the real store: what the next one makes of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from agent_builder.errors import StoreError
from agent_builder.messages import (
    Cost,
    ToolResultPart,
    Usage,
)
from agent_builder.models.conversations import LEASE_MS
from agent_builder.repositories.runs import RunRepository
from agent_builder.services import run as running
from agent_builder.services.account import UNKNOWN
from tests.integration.store.product import step
from tests.integration.store.scene import Scene, die, until


async def test_a_run_with_tools_stores_its_steps_and_their_results(scene: Scene) -> None:
    await scene.work()
    assert scene.answer().message.text == "Round 0. Round 1. "
    assert [(step.number, step.kind, step.status) for step in scene.steps()] == [
        (1, "model", "succeeded"),
        (2, "tool", "succeeded"),
        (3, "model", "succeeded"),
    ]
    assert scene.act.keys == [f"{scene.first.run_id}-2"]
    assert scene.product.lease(scene.conversation).begun == ""


async def test_killed_in_a_write_the_next_runner_tells_that_it_is_unknown(scene: Scene) -> None:
    scene.act.hold = asyncio.Event()
    await die(scene, lambda: scene.act.keys)
    assert [step.status for step in scene.steps()] == ["succeeded", "running"]
    scene.act.hold = None
    await scene.work()
    assert len(scene.act.keys) == 1
    assert scene.model.asked == [0, 1], "the finished step was not paid again"
    assert [step.status for step in scene.steps()] == ["succeeded", "unknown", "succeeded"]
    results = [part for part in scene.answer().message.parts if isinstance(part, ToolResultPart)]
    assert [result.error for result in results] == [UNKNOWN]
    assert scene.answer().cost == Cost(amount_nanousd=6)
    assert [frame["offset"] for frame in scene.tab.of("step_reset")] == [len("Round 0. ")]
    assert scene.tab.of("tool_use_complete")[-1]["error"] == UNKNOWN


async def test_killed_in_a_read_it_is_made_again_under_the_same_key(scene: Scene) -> None:
    scene.act.spec = replace(scene.act.spec, effect="read")
    scene.act.hold = asyncio.Event()
    await die(scene, lambda: scene.act.keys)
    scene.act.hold = None
    await scene.work()
    assert scene.act.keys == [f"{scene.first.run_id}-2"] * 2
    assert [step.status for step in scene.steps()] == ["succeeded"] * 3


async def test_killed_in_mid_stream_what_was_shown_is_withdrawn(scene: Scene) -> None:
    scene.model.pause = 30.0
    await die(scene, lambda: scene.tab.of("content_delta"))
    scene.model.pause = 0.0
    await scene.work()
    (reset,) = scene.tab.of("step_reset")
    assert reset["offset"] == 0
    assert scene.answer().message.text == "Round 0. Round 1. "
    seqs = [frame["seq"] for _, frame in scene.tab.frames if "seq" in frame]
    assert seqs == sorted(seqs)


async def test_who_comes_back_while_nobody_is_at_work_gets_a_snapshot_from_the_next_runner(scene: Scene) -> None:
    scene.act.hold = asyncio.Event()
    await die(scene, lambda: scene.act.keys)
    scene.act.hold = None
    scene.product.intake.subscribe(scene.product.me, scene.agent, scene.conversation, "con-2")
    await scene.work()
    (snapshot,) = scene.tab.of("content_snapshot", "con-2")
    assert (snapshot["content"], snapshot["status"]) == ("Round 0. ", "running")
    shown = snapshot["content"] + "".join(frame["delta"] for frame in scene.tab.of("content_delta", "con-2"))
    assert shown == scene.answer().message.text
    assert len(scene.tab.of("message_complete", "con-2")) == 1


async def test_what_was_paid_once_is_counted_once_whoever_went_on(scene: Scene) -> None:
    scene.act.hold = asyncio.Event()
    await die(scene, lambda: scene.act.keys)
    scene.act.hold = None
    await scene.work()
    told = scene.product.counting.values()
    assert sum(sum(found) for key, found in told.items() if key[0] == "CostNanodollars") == 6
    assert told["Runs", "completed"] == [1]
    assert told["ToolCalls", "unknown"] == [1]
    assert len(told["FirstTokenLatency",]) == len(told["RunDuration",]) == 1
    assert told["MessagesAccepted",] == [1]


async def test_an_old_runner_falls_silent_and_writes_nothing(scene: Scene) -> None:
    scene.act.hold = asyncio.Event()
    old = asyncio.create_task(scene.work())
    await until(lambda: scene.act.keys)
    scene.product.clock.ahead += LEASE_MS + 1
    hold, scene.act.hold = scene.act.hold, None
    await scene.work()
    told = len(scene.tab.frames)
    hold.set()
    await asyncio.wait_for(old, 20)
    assert len(scene.tab.frames) == told
    assert [step.status for step in scene.steps()] == ["succeeded", "unknown", "succeeded"]
    assert len(scene.tab.of("message_complete")) == 1


async def test_a_run_that_breaks_whoever_takes_it_is_given_up(scene: Scene) -> None:
    for _ in range(running.MAX_ATTEMPTS):
        scene.product.claim(scene.conversation)
        scene.product.clock.ahead += LEASE_MS + 1
    await scene.work()
    answer = scene.answer()
    assert (answer.status, answer.error_code, scene.model.asked) == ("failed", "provider_unavailable", [])
    assert "broke off 5 times" in str(answer.error)
    (error,) = scene.tab.of("error")
    assert error["run_id"] == scene.first.run_id


async def test_a_run_whose_steps_nobody_can_read_is_given_up(scene: Scene) -> None:
    lease = scene.product.claim(scene.conversation)
    unreadable = replace(step(1), usage=Usage(input_tokens=7), detail={"provider": "scripted"})
    end = scene.first.run_id, [unreadable]
    RunRepository().save_steps(scene.product.tenant, scene.conversation, *end, fence=lease.fence, begun_at=1)
    for _ in range(running.MAX_ATTEMPTS - 1):
        scene.product.clock.ahead += LEASE_MS + 1
        with pytest.raises(KeyError):
            await scene.work()
    scene.product.clock.ahead += LEASE_MS + 1
    await scene.work()
    answer = scene.answer()
    assert (answer.status, answer.error_code, scene.model.asked) == ("failed", "provider_unavailable", [])
    assert answer.usage.input_tokens == 7, "what it used is counted all the same"
    assert scene.product.lease(scene.conversation).queue == ()


async def test_out_of_time_it_goes_on_in_fresh_invocations(scene: Scene) -> None:
    scene.model.rounds, scene.model.pause = 4, 2.0
    hops = 0
    while scene.product.lease(scene.conversation).queue:
        await scene.work(seconds=6.0)  # of which room is left for about one step
        hops += 1
        assert hops < 20
        if scene.product.lease(scene.conversation).queue:
            assert scene.rung == [scene.conversation] * hops, "it rings for itself"
            assert scene.product.lease(scene.conversation).hops == hops
    assert hops > 1
    assert scene.answer().message.text == "Round 0. Round 1. Round 2. Round 3. "
    assert scene.model.asked == [0, 1, 2, 3]
    assert len(set(scene.act.keys)) == len(scene.act.keys) == 3
    assert scene.answer().stop_reason == "end_turn"
    lease = scene.product.lease(scene.conversation)
    assert (lease.hops, lease.attempts, lease.begun) == (0, 0, "")


async def test_a_step_that_no_invocation_ends_is_given_up(scene: Scene) -> None:
    scene.model.pause = 30.0
    for _ in range(running.MAX_ATTEMPTS):
        await scene.work(seconds=4.0)
    assert len(scene.model.asked) == running.MAX_ATTEMPTS
    await scene.work()
    answer = scene.answer()
    assert (answer.status, answer.error_code) == ("failed", "provider_unavailable")
    assert answer.cost == Cost(unpriced_steps=running.MAX_ATTEMPTS), "each of them was charged for, nobody knows what"


async def test_a_stream_that_breaks_is_asked_again_by_the_same_runner(scene: Scene) -> None:
    scene.model.broken = 1
    await scene.work()
    assert scene.answer().message.text == "Round 0. Round 1. "
    assert scene.model.asked == [0, 0, 1]
    assert [frame["offset"] for frame in scene.tab.of("step_reset")] == [0]
    assert [step.status for step in scene.steps()] == ["failed", "succeeded", "succeeded", "succeeded"]
    assert scene.answer().cost == Cost(amount_nanousd=6, unpriced_steps=1)


async def test_cancelled_in_a_write_its_outcome_is_unknown(scene: Scene) -> None:
    scene.act.hold = asyncio.Event()
    task = asyncio.create_task(scene.work())
    await until(lambda: scene.act.keys)
    lease = scene.product.lease(scene.conversation)
    scene.product.intake.cancel(scene.product.me, scene.conversation, None, lease)
    await asyncio.wait_for(task, 20)
    answer = scene.answer()
    assert (answer.status, answer.message.text, answer.cost) == ("cancelled", "Round 0. ", Cost(amount_nanousd=3))
    assert [step.status for step in scene.steps()] == ["succeeded", "unknown"]
    assert len(scene.tab.of("run_cancelled")) == 1


async def test_a_silent_runners_lease_is_waited_out(scene: Scene) -> None:
    scene.product.claim(scene.conversation)
    scene.product.clock.ahead += LEASE_MS - 400
    await scene.work()
    assert scene.answer().status == "completed"


async def test_a_runner_at_work_is_left_alone(scene: Scene) -> None:
    scene.product.claim(scene.conversation)
    await scene.work()
    assert scene.model.asked == []


async def test_a_place_that_is_not_given_back_keeps_nobody_from_the_end(scene: Scene) -> None:
    def fails(tenant: str, answer_id: str) -> None:
        raise StoreError

    runner = scene.runner()
    runner.give_back = fails
    await runner.work(scene.product.tenant, scene.conversation, seconds=600.0)
    assert len(scene.tab.of("message_complete")) == 1
    assert scene.product.lease(scene.conversation).queue == ()


async def test_what_waits_is_cancelled_while_the_first_goes_on(scene: Scene) -> None:
    scene.act.hold = asyncio.Event()
    second = scene.product.say(scene.agent, "two", conversation_id=scene.conversation)
    third = scene.product.say(scene.agent, "three", conversation_id=scene.conversation)
    task = asyncio.create_task(scene.work())
    await until(lambda: scene.act.keys)
    lease = scene.product.lease(scene.conversation)
    scene.product.intake.cancel(scene.product.me, scene.conversation, second.run_id, lease)
    await until(lambda: scene.tab.of("run_cancelled"))
    assert [run.run_id for run in scene.product.lease(scene.conversation).queue] == [scene.first.run_id, third.run_id]
    scene.act.hold.set()
    scene.act.hold = None
    await asyncio.wait_for(task, 20)
    assert scene.answer(second.run_id).status == "cancelled"
    assert [scene.answer(run.run_id).status for run in (scene.first, third)] == ["completed", "completed"]
    assert [frame["run_id"] for frame in scene.tab.of("run_cancelled")] == [second.run_id]
