"""People approve tool calls or deny them: what they are asked, what they decide, what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from agent_builder.clock import Clock, now_ms
from agent_builder.errors import Conflict, Fault, NotFound, RaceLost, Unprocessable
from agent_builder.ids import is_id
from agent_builder.messages import Json
from agent_builder.models.approvals import Approval, Decision, Verdict
from agent_builder.models.conversations import Step
from agent_builder.models.identity import Identity
from agent_builder.realtime.doorbell import Doorbell
from agent_builder.realtime.frames import fit_result
from agent_builder.repositories.agents import AgentRepository
from agent_builder.repositories.approvals import ApprovalRepository
from agent_builder.repositories.intake import IntakeRepository, RunItem
from agent_builder.services.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person wants: `input` takes the place of the model's arguments, `reason` is told to the model."""

    decision: Literal["approve", "deny"]
    input: Json | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalService:
    """Decisions on calls of the caller's tenant.

    Attributes:
        faults_of: What is wrong with arguments in place of the model's: of tenant, agent, version and tool name.
    """

    repository: ApprovalRepository
    runs: IntakeRepository
    agents: AgentRepository
    doorbell: Doorbell
    faults_of: Callable[[str, str, int, str, Json], tuple[Fault, ...]]
    clock: Clock = now_ms

    def decide(
        self, identity: Identity, run_id: str, tool_use_id: str, wanted: Wanted, *, agent_id: str | None = None
    ) -> Approval:
        """Let a call be made or not, and wake its run.

        Args:
            agent_id: Whose run it has to be, where the caller came to talk to one agent.

        Raises:
            NotFound: There is no such run, or no call of it that anybody was asked about.
            Conflict: `already_decided`, also where its time is over; `nothing_to_decide`: the run is.
            Unprocessable: `input` is not what the tool takes, or came with a denial. Nothing is decided.
        """
        run = self._run(identity, run_id, agent_id)
        asked = self._asked(identity.tenant, run, run_id, tool_use_id)
        self._check_input(identity.tenant, run, asked.tool_name, wanted)
        verdict: Verdict = "approved" if wanted.decision == "approve" else "denied"
        decision = Decision(verdict, self.clock(), identity.subject, wanted.input, wanted.reason)
        try:
            self.repository.decide(identity.tenant, run.conversation_id, run_id, asked.number, decision)
        except RaceLost as race:
            if "approval" in race.failed:
                raise _decided() from race
            raise _over() from race
        self.doorbell.ring("run", tenant_id=identity.tenant, conversation_id=run.conversation_id)
        return Approval(
            asked.number, asked.tool_use_id, asked.tool_name, asked.input, asked.asked_at, asked.expires_at, decision
        )

    def _check_input(self, tenant: str, run: RunItem, tool_name: str, wanted: Wanted) -> None:
        if wanted.input is None:
            return
        if wanted.decision == "deny":
            raise _refused((Fault("/input", "A call that is denied is not made: leave `input` out, or approve."),))
        if faults := self.faults_of(tenant, run.agent_id, int(run.version), tool_name, wanted.input):
            raise _refused(faults)

    def _run(self, identity: Identity, run_id: str, agent_id: str | None) -> RunItem:
        run = self.runs.run(identity.tenant, run_id) if is_id("run", run_id) else None
        if run is None or agent_id not in (None, run.agent_id):
            raise _not_found()
        if self.agents.get(identity.tenant, run.agent_id) is None:
            raise _not_found()
        return run

    def _asked(self, tenant: str, run: RunItem, run_id: str, tool_use_id: str) -> Approval:
        found = [one for one in self.repository.of_run(tenant, run_id) if one.tool_use_id == tool_use_id]
        if not found:
            raise _not_found()
        if run.status != "queued":
            raise _over()
        asked = found[-1]  # vendors number the calls of each answer anew, some of them
        if not asked.open(self.clock()):
            raise _decided()
        return asked


def asked_of(transcript: Transcript, steps: Sequence[Step], now: int) -> list[Approval]:
    """What people are asked by steps that are about to be stored."""
    calls = {call.tool_use_id: call for call in transcript.round}
    asked = []
    for step in steps:
        if step.status == "waiting" and "approval" not in step.detail:
            call = calls[step.detail["tool_use_id"]]
            shown = fit_result(call.input)
            asked.append(Approval(step.number, call.tool_use_id, call.name, shown, now, step.detail["expires_at"]))
    return asked


def decisions_on(
    repository: ApprovalRepository, tenant: str, run_id: str, steps: Sequence[Step], now: int
) -> dict[int, Decision]:
    """What was decided on steps that wait; where their time is over and nobody did, that is stored as a decision."""
    made = _made(repository, tenant, run_id)
    late = [step.number for step in steps if step.number not in made and step.detail["expires_at"] <= now]
    expired = {number: Decision("expired", now) for number in late}
    lost = [number for number, decision in expired.items() if not repository.expire(tenant, run_id, number, decision)]
    if lost:  # somebody was quicker by a moment
        made |= _made(repository, tenant, run_id)
    known = expired | made
    return {step.number: known[step.number] for step in steps if step.number in known}


def _made(repository: ApprovalRepository, tenant: str, run_id: str) -> dict[int, Decision]:
    return {one.number: one.decision for one in repository.of_run(tenant, run_id) if one.decision is not None}


def _not_found() -> NotFound:
    return NotFound("No call with this id waits or waited for approval in this run.")


def _refused(faults: tuple[Fault, ...]) -> Unprocessable:
    told = "; ".join(f"{fault.pointer.removeprefix('/')}: {fault.message}" for fault in faults)
    return Unprocessable(f"Nothing was decided, the call still waits. {told}", faults=faults)


def _decided() -> Conflict:
    return Conflict("This call was decided already, or its time to be approved is over.", code="already_decided")


def _over() -> Conflict:
    return Conflict("This run is over; there is nothing to decide any more.", code="nothing_to_decide")
