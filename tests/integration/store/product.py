"""The product's services over the real store, for one tenant and with a clock that tests can turn."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from agent_builder.clock import now_ms
from agent_builder.messages import Cost, Message, TextPart, Usage
from agent_builder.models.agents import AgentCreate
from agent_builder.models.approvals import Approval
from agent_builder.models.conversations import Lease, Outcome, QueuedRun, Step
from agent_builder.models.identity import Identity
from agent_builder.realtime.doorbell import Doorbell
from agent_builder.repositories.agents import AgentRepository
from agent_builder.repositories.conversations import ConversationRepository
from agent_builder.repositories.intake import IntakeRepository
from agent_builder.repositories.purges import PurgeRepository
from agent_builder.repositories.runs import RunEnd, RunRepository
from agent_builder.repositories.table import Item
from agent_builder.services.agents import AgentService
from agent_builder.services.conversations import ConversationService
from agent_builder.services.intake import Accepted, Intake, UserMessage
from agent_builder.services.parts import PartService
from agent_builder.services.purging import Purger
from agent_builder.services.rescue import Rescue
from tests.counting import Counting


class Bell(Doorbell):
    """A doorbell that keeps what was rung."""

    def __init__(self) -> None:
        super().__init__("nobody")
        self.rung: list[tuple[str, dict[str, Any]]] = []

    def ring(self, kind: str, **ids: Any) -> bool:
        self.rung.append((kind, ids))
        return True


@dataclass
class Clock:
    """The time now, plus what a test has added."""

    ahead: int = 0

    def __call__(self) -> int:
        return now_ms() + self.ahead


@dataclass
class Product:
    """One tenant's product."""

    tenant: str = field(default_factory=lambda: f"t-{uuid.uuid4().hex[:12]}")
    clock: Clock = field(default_factory=Clock)
    bell: Bell = field(default_factory=Bell)

    def __post_init__(self) -> None:
        self.me = Identity(self.tenant, "ann")
        self.agents = AgentService(AgentRepository(), self.bell, self.clock)
        self.parts = PartService(self.agents, clock=self.clock)
        self.conversations = ConversationService(ConversationRepository(), self.agents, self.bell, self.clock)
        self.counting = Counting()
        self.intake = self.new_intake()
        self.runs = RunRepository()
        self.purger = Purger(PurgeRepository(), self.clock, metrics=self.counting.metrics)
        self.rescue = Rescue(self.runs, self.bell, self.clock, self.counting.metrics)

    def new_intake(self, clock: Clock | None = None) -> Intake:
        """Another execution environment, which remembers nothing."""
        return Intake(IntakeRepository(), AgentRepository(), self.bell, clock or self.clock, self.counting.metrics)

    def agent(self, **changes: Any) -> str:
        """Create an agent; its id."""
        return str(self.agents.create(self.me, self.wanted(**changes), idempotency_key=None)["id"])

    def wanted(self, **changes: Any) -> AgentCreate:
        """An agent as a client describes it."""
        body = {"name": "Test", "model_config": {"provider": "scripted", "model": "echo"}, **changes}
        return AgentCreate.model_validate(body)

    def say(self, agent_id: str, content: str = "Hello", **more: Any) -> Accepted:
        """Accept a message."""
        return self.intake.accept(self.me, agent_id, UserMessage(content, **more))

    def claim(self, conversation_id: str) -> Lease:
        """Claim a conversation that must be free."""
        lease = self.runs.claim(self.tenant, conversation_id, now=self.clock())
        assert lease is not None
        return lease

    def finish(self, conversation_id: str, lease: Lease, run: QueuedRun, *, release: bool = False) -> bool:
        """Store an answer."""
        wake = lease.wake if release else None
        return self.runs.finish(self.tenant, conversation_id, run_end(run), fence=lease.fence, wake=wake)

    def lease(self, conversation_id: str) -> Lease:
        """The lease as it stands."""
        found = IntakeRepository().lease(self.tenant, conversation_id)
        assert found is not None
        return found


def park(tenant: str, conversation_id: str) -> str:
    """Let the run that is first wait for approval of a call, as a runner does; the call's id."""
    runs, now = RunRepository(), now_ms()
    lease = runs.claim(tenant, conversation_id, now=now)
    assert lease is not None
    run_id, until, asked = lease.queue[0].run_id, now + 3_600_000, {"to": "everybody"}
    call = {"type": "tool_call", "tool_use_id": "toolu_1", "name": "send", "input": asked}
    detail = {"tool": "send", "tool_use_id": "toolu_1", "effect": "write", "expires_at": until}
    steps = [
        Step(1, "model", now, detail={"parts": [call], "stop_reason": "tool_use"}, usage=Usage(output_tokens=1)),
        Step(2, "tool", now, status="waiting", detail=detail),
    ]
    approval = Approval(2, "toolu_1", "send", asked, now, until)
    fence = lease.fence
    runs.save_steps(tenant, conversation_id, run_id, steps, fence=fence, begun_at=now, asked=[approval])
    parked = runs.park(
        tenant, conversation_id, run_id, fence=fence, wake=lease.wake, begun_at=now, now=now, until=until
    )
    assert parked
    return "toolu_1"


def run_end(run: QueuedRun, text: str = "Answer", steps: list[Step] | None = None) -> RunEnd:
    """How a run ended that went well."""
    message = Message(role="assistant", parts=(TextPart(text=text),))
    outcome = Outcome("completed", message, "end_turn", Usage(output_tokens=1), Cost(amount_nanousd=7))
    return RunEnd(run, outcome, steps or [step(1)], frozenset(), now_ms())


def step(number: int) -> Step:
    """A model step."""
    return Step(number=number, kind="model", started_at=0, duration_ms=1, detail={"provider": "scripted", "parts": []})


def everything(needle: str = "") -> list[tuple[str, str]]:
    """Keys of all items in the table of which any attribute holds a text; for looking that nothing is left."""
    return sorted((raw["pk"]["S"], raw["sk"]["S"]) for raw in _scan() if needle in str(raw))


def _scan() -> list[dict[str, Any]]:
    client = Item._get_connection().connection.client
    pages = client.get_paginator("scan").paginate(TableName=Item.Meta.table_name, ConsistentRead=True)
    return [item for page in pages for item in page["Items"]]
