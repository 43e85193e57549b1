"""Calls that people must approve, over the real store: runs that wait without a runner, decisions that race."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from agent_builder.errors import Conflict, Fault, NotFound, Unprocessable
from agent_builder.messages import Json, ToolResultPart
from agent_builder.models.conversations import LEASE_MS
from agent_builder.models.identity import Identity
from agent_builder.repositories.agents import AgentRepository
from agent_builder.repositories.approvals import ApprovalRepository
from agent_builder.repositories.intake import IntakeRepository
from agent_builder.repositories.traces import TraceRepository
from agent_builder.services.approvals import ApprovalService, Wanted
from agent_builder.services.budget import Limits
from agent_builder.services.traces import TraceService
from tests.integration.store.scene import CONNECTION, Scene, die, until

YES, NO = Wanted("approve"), Wanted("deny", reason="Too dear.")
SECONDS = 3_600
CALL = "c0"


class People:
    """Those who are asked."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        product = scene.product
        self.approvals = ApprovalService(
            ApprovalRepository(), IntakeRepository(), AgentRepository(), product.bell, self.faults_of, product.clock
        )
        self.traces = TraceService(
            TraceRepository(), ApprovalRepository(), product.conversations, product.intake, product.clock
        )

    def faults_of(self, tenant: str, agent_id: str, version: int, tool_name: str, arguments: Json) -> tuple[Fault, ...]:
        """These people's tool takes everything but a `wrong` name."""
        assert (tenant, agent_id) == (self.scene.product.tenant, self.scene.agent)
        assert (version, tool_name) == (1, "act")
        return (Fault("/input/wrong", "No such argument."),) if "wrong" in arguments else ()

    def decide(self, wanted: Wanted = YES, call: str = CALL, **more: Any) -> Any:
        return self.approvals.decide(self.scene.product.me, self.scene.first.run_id, call, wanted, **more)

    def view(self) -> Json:
        return self.traces.get(self.scene.product.me, self.scene.first.run_id)


@pytest.fixture
def people(scene: Scene) -> People:
    scene.act.spec = replace(scene.act.spec, approval_seconds=SECONDS)
    return People(scene)


def results(scene: Scene) -> list[ToolResultPart]:
    return [part for part in scene.answer().message.parts if isinstance(part, ToolResultPart)]


def statuses(scene: Scene) -> list[str]:
    return [step.status for step in scene.steps()]


async def test_a_run_waits_without_a_runner_and_goes_on_when_it_is_approved(scene: Scene, people: People) -> None:
    await scene.work()
    assert statuses(scene) == ["succeeded", "waiting"]
    assert scene.act.keys == []
    lease = scene.product.lease(scene.conversation)
    assert lease.parked(scene.product.clock())
    assert (lease.lease_until, lease.attempts, lease.hops) == (0, 0, 0)
    (asked,) = scene.tab.of("approval_required")
    assert (asked["tool_name"], asked["tool_use_id"], asked["input"]) == ("act", CALL, {"round": 0})
    assert people.view()["status"] == "waiting"
    assert scene.tab.of("message_complete") == []

    decided = people.decide()
    assert decided.decision.by == "ann"
    assert scene.product.bell.rung[-1] == (
        "run",
        {"tenant_id": scene.product.tenant, "conversation_id": scene.conversation},
    )
    await scene.work()
    assert scene.answer().message.text == "Round 0. Round 1. "
    assert scene.act.keys == [f"{scene.first.run_id}-2"]
    assert scene.model.asked == [0, 1]
    assert len(scene.tab.of("message_complete")) == 1
    assert people.view()["status"] == "completed"
    (approval,) = people.view()["approvals"]
    assert (approval["status"], approval["decided_by"], approval["edited_input"]) == ("approved", "ann", None)


async def test_nobody_takes_a_run_up_that_waits(scene: Scene, people: People) -> None:
    await scene.work()
    before = scene.product.lease(scene.conversation)
    rung = len(scene.product.bell.rung)
    lease = scene.product.intake.subscribe(scene.product.me, scene.agent, scene.conversation, "con-2")
    assert not lease.unattended(scene.product.clock())
    assert len(scene.product.bell.rung) == rung, "no invocation"
    await scene.work()
    scene.product.clock.ahead += 60_000
    scene.product.rescue.sweep()
    assert scene.conversation not in [ids.get("conversation_id") for _, ids in scene.product.bell.rung[rung:]]
    after = scene.product.lease(scene.conversation)
    assert (after.fence, after.wake, after.resumed) == (before.fence, before.wake, before.resumed)
    assert after.subscribers == {CONNECTION, "con-2"}


async def test_a_denial_is_told_to_the_model_with_its_reason(scene: Scene, people: People) -> None:
    await scene.work()
    people.decide(NO)
    await scene.work()
    (result,) = results(scene)
    assert result.error is not None
    assert "denied" in result.error
    assert "Too dear." in result.error
    assert scene.act.keys == []
    assert statuses(scene) == ["succeeded", "failed", "succeeded"]
    assert scene.tab.of("tool_use_start") == []
    assert len(scene.tab.of("tool_use_complete")) == 1


async def test_edited_arguments_are_what_is_called_and_the_result_says_so(scene: Scene, people: People) -> None:
    await scene.work()
    people.decide(Wanted("approve", input={"round": 7}))
    await scene.work()
    (result,) = results(scene)
    assert result.result["edited_input"] == {"round": 7}
    assert result.result["result"] == {"done": {"round": 7}}
    (started,) = scene.tab.of("tool_use_start")
    assert started["input"] == {"round": 7}
    (_, step, _) = scene.steps()
    assert step.detail["approval"]["input"] == {"round": 7}
    assert step.detail["approval"]["by"] == "ann"


@pytest.mark.parametrize("second", [YES, NO])
async def test_the_first_decision_holds(scene: Scene, people: People, second: Wanted) -> None:
    await scene.work()
    people.decide(NO)
    with pytest.raises(Conflict) as refused:
        people.decide(second)
    assert refused.value.error_code == "already_decided"
    await scene.work()
    assert scene.act.keys == []
    with pytest.raises(Conflict) as late:
        people.decide(second)
    assert late.value.error_code == "nothing_to_decide"


async def test_of_many_who_decide_at_once_one_is_heard(scene: Scene, people: People) -> None:
    await scene.work()
    wanted = [Wanted("approve", input={"round": number}) for number in range(8)]
    tried = await asyncio.gather(*(asyncio.to_thread(people.decide, one) for one in wanted), return_exceptions=True)
    (heard,) = [one for one in tried if not isinstance(one, BaseException)]
    assert {one.error_code for one in tried if isinstance(one, Conflict)} == {"already_decided"}
    await scene.work()
    assert len(scene.act.keys) == 1
    assert results(scene)[0].result["edited_input"] == heard.decision.input


async def test_what_nobody_approves_in_time_is_denied(scene: Scene, people: People) -> None:
    await scene.work()
    scene.product.clock.ahead += SECONDS * 1000 + 1
    with pytest.raises(Conflict) as late:
        people.decide()
    assert late.value.error_code == "already_decided"
    scene.product.rescue.sweep()
    assert scene.conversation in [ids.get("conversation_id") for _, ids in scene.product.bell.rung]
    await scene.work()
    (result,) = results(scene)
    assert "in time" in str(result.error)
    assert scene.act.keys == []
    assert people.view()["approvals"][0]["status"] == "expired"


async def test_decided_or_expired_but_never_both(scene: Scene, people: People) -> None:
    """A runner finds that the time is over while somebody decides whose clock is a little behind."""
    await scene.work()
    scene.product.clock.ahead += SECONDS * 1000 + 1
    behind = replace(people.approvals, clock=lambda: scene.product.clock() - 2_000)

    def decide() -> str:
        try:
            behind.decide(scene.product.me, scene.first.run_id, CALL, YES)
        except Conflict as error:
            return error.error_code
        return "heard"

    heard, _ = await asyncio.gather(asyncio.to_thread(decide), scene.work())
    await scene.work()
    assert len(scene.act.keys) == (heard == "heard")
    assert (results(scene)[0].error is None) == (heard == "heard")


async def test_a_cancelled_run_ends_at_once(scene: Scene, people: People) -> None:
    await scene.work()
    lease = scene.product.lease(scene.conversation)
    scene.product.bell.rung.clear()
    scene.product.intake.cancel(scene.product.me, scene.conversation, None, lease)
    assert [kind for kind, _ in scene.product.bell.rung] == ["run"]
    await scene.work()
    assert scene.answer().status == "cancelled"
    assert statuses(scene) == ["succeeded", "failed"]
    assert len(scene.tab.of("run_cancelled")) == 1
    with pytest.raises(Conflict) as late:
        people.decide()
    assert late.value.error_code == "nothing_to_decide"
    (approval,) = people.view()["approvals"]
    assert (approval["status"], approval["decided_at"]) == ("cancelled", None), "nothing waits any more"
    people.scene.product.clock.ahead += SECONDS * 1_000
    assert people.view()["approvals"] == [approval], "and so it stays"


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [(Wanted("approve", input={"wrong": 1}), "/input/wrong"), (Wanted("deny", input={"round": 1}), "/input")],
)
async def test_arguments_that_cannot_be_used_decide_nothing(
    scene: Scene, people: People, wanted: Wanted, pointer: str
) -> None:
    await scene.work()
    rung = len(scene.product.bell.rung)
    with pytest.raises(Unprocessable) as refused:
        people.decide(wanted)
    assert [fault.pointer for fault in refused.value.faults] == [pointer]
    assert "still waits" in refused.value.detail
    assert people.view()["approvals"][0]["status"] == "waiting"
    assert len(scene.product.bell.rung) == rung
    assert people.decide().decision.verdict == "approved"
    await scene.work()
    assert len(scene.act.keys) == 1


async def test_cancelled_and_decided_at_once_it_ends_once(scene: Scene, people: People) -> None:
    await scene.work()
    lease = scene.product.lease(scene.conversation)
    cancel = asyncio.to_thread(scene.product.intake.cancel, scene.product.me, scene.conversation, None, lease)
    await asyncio.gather(cancel, asyncio.to_thread(people.decide), return_exceptions=True)
    await scene.work()
    assert scene.answer().status == "cancelled"
    assert scene.act.keys == []
    assert len(scene.tab.of("run_cancelled")) == 1


async def test_messages_wait_behind_a_run_that_waits(scene: Scene, people: People) -> None:
    await scene.work()
    due = scene.product.lease(scene.conversation).parked_until
    second = scene.product.say(scene.agent, "and then?", conversation_id=scene.conversation)
    assert second.queued
    scene.product.clock.ahead += 120_000
    scene.product.bell.rung.clear()
    scene.product.rescue.sweep()
    mine = [ids for _, ids in scene.product.bell.rung if ids["tenant_id"] == scene.product.tenant]
    assert mine == [], "a message behind it makes it due no sooner"
    await scene.work()
    assert scene.product.lease(scene.conversation).parked_until == due
    people.decide(NO)
    await scene.work()
    assert scene.answer(scene.first.run_id).status == "completed"
    await until(lambda: scene.product.lease(scene.conversation).parked(scene.product.clock()))
    assert scene.product.lease(scene.conversation).queue[0].run_id == second.run_id


async def test_a_cancelled_message_behind_it_need_not_wait(scene: Scene, people: People) -> None:
    await scene.work()
    second = scene.product.say(scene.agent, "and then?", conversation_id=scene.conversation)
    lease = scene.product.lease(scene.conversation)
    scene.product.intake.cancel(scene.product.me, scene.conversation, second.run_id, lease)
    await scene.work()
    assert scene.answer(second.run_id).status == "cancelled"
    lease = scene.product.lease(scene.conversation)
    assert [run.run_id for run in lease.queue] == [scene.first.run_id]
    assert lease.parked(scene.product.clock())
    people.decide()
    await scene.work()
    assert scene.answer().status == "completed"


async def test_a_deleted_conversation_is_decided_on_no_more(scene: Scene, people: People) -> None:
    await scene.work()
    scene.product.conversations.delete(scene.product.me, scene.conversation, expected_revision=None)
    with pytest.raises(Conflict) as refused:
        people.decide()
    assert refused.value.error_code == "nothing_to_decide"
    await scene.work()
    assert scene.act.keys == []


async def test_a_deleted_agents_call_is_not_there(scene: Scene, people: People) -> None:
    await scene.work()
    scene.product.agents.delete(scene.product.me, scene.agent, expected_revision=None)
    with pytest.raises(NotFound):
        people.decide()


async def test_others_find_nothing_to_decide(scene: Scene, people: People) -> None:
    await scene.work()
    for identity, run_id, call, agent_id in (
        (Identity("t-other", "eve"), scene.first.run_id, CALL, None),
        (scene.product.me, scene.first.run_id, "another", None),
        (scene.product.me, "run_" + "0" * 26, CALL, None),
        (scene.product.me, "nonsense", CALL, None),
        (scene.product.me, scene.first.run_id, CALL, "agt_" + "0" * 26),
    ):
        with pytest.raises(NotFound):
            people.approvals.decide(identity, run_id, call, YES, agent_id=agent_id)
    assert people.decide(agent_id=scene.agent).decision is not None


async def test_killed_before_it_was_parked_the_next_runner_asks_the_same_again(scene: Scene, people: People) -> None:
    scene.model.beside = True
    scene.free.hold = asyncio.Event()
    await die(scene, lambda: scene.free.keys)
    assert statuses(scene) == ["succeeded", "waiting", "reserved"]
    scene.free.hold = None
    await scene.work()
    lease = scene.product.lease(scene.conversation)
    assert lease.parked(scene.product.clock())
    assert statuses(scene) == ["succeeded", "waiting", "succeeded"]
    assert {frame["expires_at"] for frame in scene.tab.of("approval_required")} == {
        people.view()["approvals"][0]["expires_at"]
    }
    people.decide()
    await scene.work()
    assert scene.act.keys == [f"{scene.first.run_id}-2"]


async def test_what_needs_no_approval_is_done_at_once_and_a_decision_meanwhile_is_heard(
    scene: Scene, people: People
) -> None:
    scene.model.beside = True
    scene.free.hold = asyncio.Event()
    task = asyncio.create_task(scene.work())
    await until(lambda: scene.free.keys)
    assert statuses(scene)[1] == "waiting"
    people.decide()
    scene.free.hold.set()
    await asyncio.wait_for(task, 20)
    assert scene.answer().status == "completed"
    assert len(scene.act.keys) == 1
    assert scene.product.lease(scene.conversation).fence == 1, "it never had to be parked"


async def test_killed_between_the_decision_and_the_call_it_is_made_once(scene: Scene, people: People) -> None:
    await scene.work()
    people.decide(Wanted("approve", input={"round": 5}))
    scene.product.claim(scene.conversation)  # a runner that dies before it does anything
    scene.product.clock.ahead += LEASE_MS + 1
    await scene.work()
    assert len(scene.act.keys) == 1
    assert results(scene)[0].result["result"] == {"done": {"round": 5}}


async def test_killed_in_an_approved_write_it_is_unknown_and_not_asked_again(scene: Scene, people: People) -> None:
    await scene.work()
    people.decide()
    scene.act.hold = asyncio.Event()
    await die(scene, lambda: scene.act.keys)
    scene.act.hold = None
    await scene.work()
    assert len(scene.act.keys) == 1
    assert statuses(scene) == ["succeeded", "unknown", "succeeded"]
    assert len(people.view()["approvals"]) == 1


async def test_killed_in_an_approved_read_it_is_made_again_as_it_was_approved(scene: Scene, people: People) -> None:
    scene.act.spec = replace(scene.act.spec, effect="read")
    await scene.work()
    people.decide(Wanted("approve", input={"round": 9}))
    scene.act.hold = asyncio.Event()
    await die(scene, lambda: scene.act.keys)
    scene.act.hold = None
    await scene.work()
    assert len(scene.act.keys) == 2
    assert results(scene)[0].result["result"] == {"done": {"round": 9}}


async def test_several_calls_are_decided_one_by_one(scene: Scene, people: People) -> None:
    scene.model.twice = True
    await scene.work()
    assert [approval["status"] for approval in people.view()["approvals"]] == ["waiting", "waiting"]
    people.decide(YES, "c0")
    await scene.work()
    assert len(scene.act.keys) == 1, "what is approved is done at once"
    assert scene.product.lease(scene.conversation).parked(scene.product.clock())
    assert scene.model.asked == [0]
    people.decide(NO, "c0-b")
    await scene.work()
    assert len(scene.act.keys) == 1
    assert scene.model.asked == [0, 1]
    assert [result.error is None for result in results(scene)] == [True, False]


async def test_the_time_that_a_run_waits_is_none_of_its_time(scene: Scene, people: People) -> None:
    scene.act.spec = replace(scene.act.spec, approval_seconds=100_000)
    await scene.work()
    scene.product.clock.ahead += int(Limits().run_seconds) * 1000 * 3
    people.decide()
    await scene.work()
    assert scene.answer().stop_reason == "end_turn"


async def test_many_waits_consume_no_attempts(scene: Scene, people: People) -> None:
    scene.model.rounds = 9
    for number in range(8):
        await scene.work()
        people.decide(YES, f"c{number}")
    await scene.work()
    assert scene.answer().stop_reason == "end_turn"
    assert len(scene.act.keys) == 8
    assert len({frame["seq"] for _, frame in scene.tab.frames if "seq" in frame}) == len(
        [frame for _, frame in scene.tab.frames if "seq" in frame]
    )
