"""Runs as REST shows them: how far they are, their steps, and what they ask people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agent_builder.clock import Clock, now_ms, rfc3339
from agent_builder.errors import NotFound
from agent_builder.ids import require_id
from agent_builder.messages import Json
from agent_builder.models.approvals import Approval
from agent_builder.models.conversations import Step
from agent_builder.models.identity import Identity
from agent_builder.models.views import approval_view
from agent_builder.repositories.approvals import ApprovalRepository
from agent_builder.repositories.intake import IntakeRepository, RunItem
from agent_builder.repositories.runs import RunRepository
from agent_builder.services.agents import AgentService

Progress = Literal["queued", "running", "waiting", "completed", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class RunService:
    """Runs of the caller's tenant."""

    heads: IntakeRepository
    runs: RunRepository
    approvals: ApprovalRepository
    agents: AgentService
    clock: Clock = now_ms

    def view(self, identity: Identity, run_id: str) -> Json:
        """One run.

        Raises:
            NotFound: Unknown, foreign or deleted, itself or with its agent.
        """
        tenant = identity.tenant
        head = self.heads.run(tenant, require_id("run", run_id, "run"))
        if head is None or self.agents.repository.get(tenant, head.agent_id) is None:
            raise NotFound("There is no run with this id.")
        now, steps = self.clock(), self.runs.steps(tenant, run_id)
        over_at = int(head.finished_at) if head.finished_at else None
        asked = self.approvals.of_run(tenant, run_id)
        return {
            "id": run_id,
            "agent_id": head.agent_id,
            "conversation_id": head.conversation_id,
            "version": int(head.version),
            "status": self._progress(tenant, run_id, head, asked),
            "created_at": rfc3339(int(head.created_at)),
            "finished_at": rfc3339(over_at) if over_at else None,
            "stop_reason": head.stop_reason,
            "usage": head.usage,
            "cost": head.cost,
            "steps": [_step_view(step) for step in steps],
            "approvals": [approval_view(one, now, over_at) for one in asked],
        }

    def _progress(self, tenant: str, run_id: str, head: RunItem, asked: list[Approval]) -> str:
        """How far it is; until it is over only the lease of its conversation knows."""
        if head.status != "queued":
            return head.status
        now = self.clock()
        if any(one.open(now) for one in asked):
            return "waiting"
        lease = self.runs.lease(tenant, head.conversation_id)
        if lease is None:
            raise NotFound("There is no run with this id.")
        first = bool(lease.queue) and lease.queue[0].run_id == run_id
        return "running" if first and (lease.lease_until > now or lease.begun == run_id) else "queued"


def _step_view(step: Step) -> Json:
    view: Json = {
        "number": step.number,
        "kind": step.kind,
        "parent": step.parent,
        "status": step.status,
        "started_at": rfc3339(step.started_at),
        "duration_ms": step.duration_ms,
        "error": step.error,
    }
    if step.kind == "tool":
        view |= {"tool_name": step.detail.get("tool"), "tool_use_id": step.detail.get("tool_use_id")}
    return view
