"""Execution traces: views of runs and their steps, made when somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

from agent_builder.clock import Clock, now_ms, rfc3339
from agent_builder.errors import Conflict, NotFound
from agent_builder.ids import require_id
from agent_builder.jsontext import encode
from agent_builder.messages import Cost, Json, Usage
from agent_builder.models.conversations import Lease, Step
from agent_builder.models.identity import Identity
from agent_builder.models.traces import OPEN, Progress, RunFilter, RunHead
from agent_builder.models.views import approval_view
from agent_builder.repositories.approvals import ApprovalRepository
from agent_builder.repositories.traces import TraceRepository
from agent_builder.services.conversations import ConversationService
from agent_builder.services.intake import Intake

SHOWN_BYTES = 4_096  # of each text, each tool's input and result; the whole is behind `whole`


@dataclass(frozen=True, slots=True)
class TraceService:
    """Runs of the caller's tenant, as far as they have come."""

    repository: TraceRepository
    approvals: ApprovalRepository
    conversations: ConversationService
    intake: Intake
    clock: Clock = now_ms

    def of_agent(
        self, identity: Identity, agent_id: str, wanted: RunFilter, *, limit: int, after: str | None
    ) -> tuple[list[Json], str | None]:
        """An agent's runs, newest first; with a filter a page may have fewer than `limit`.

        Raises:
            NotFound: The agent.
        """
        self.conversations.agents.get(identity, agent_id)
        found, following = self.repository.of_agent(identity.tenant, agent_id, wanted, limit=limit, before=after)
        return self._shown(identity, found, wanted), following

    def of_conversation(
        self, identity: Identity, conversation_id: str, wanted: RunFilter, *, limit: int, after: str | None
    ) -> tuple[list[Json], str | None]:
        """A conversation's runs, newest first.

        Raises:
            NotFound: The conversation.
        """
        self.conversations.get(identity, conversation_id)
        page = self.repository.of_conversation
        found, following = page(identity.tenant, conversation_id, wanted, limit=limit, before=after)
        return self._shown(identity, found, wanted), following

    def get(self, identity: Identity, run_id: str) -> Json:
        """A run with its steps, each with those that were made inside of it.

        Raises:
            NotFound: Unknown, foreign or deleted, itself, with its conversation or with its agent.
        """
        head, lease = self._run(identity, run_id)
        steps, now = self.repository.steps(identity.tenant, run_id), self.clock()
        asked = self.approvals.of_run(identity.tenant, run_id)
        status = progress(head, lease, now)
        if status in OPEN and any(approval.open(now) for approval in asked):
            status = "waiting"
        over_at = int(head.finished_at) if head.finished_at else None
        told = [approval_view(approval, now, over_at) for approval in asked]
        return {**run_view(head, status), **_so_far(head, steps), "steps": step_tree(run_id, steps), "approvals": told}

    def cancel(self, identity: Identity, run_id: str) -> Json:
        """Ask that a run end, whether it goes on or waits.

        Raises:
            NotFound: As `get`.
            Conflict: `nothing_to_cancel`: it is over.
        """
        head, lease = self._run(identity, run_id)
        if head.status not in OPEN or lease is None:
            raise Conflict("This run is over already.", code="nothing_to_cancel")
        self.intake.cancel(identity, head.conversation_id, run_id, lease)
        return {"run_id": run_id, "conversation_id": head.conversation_id}

    def _run(self, identity: Identity, run_id: str) -> tuple[RunHead, Lease | None]:
        head = self.repository.run(identity.tenant, require_id("run", run_id, "run"))
        if head is None:
            raise NotFound("There is no run with this id.")
        try:
            self.conversations.get(identity, head.conversation_id)
        except NotFound:
            raise NotFound("There is no run with this id.") from None
        leases = self.repository.leases(identity.tenant, [head.conversation_id]) if head.status in OPEN else {}
        return head, leases.get(head.conversation_id)

    def _shown(self, identity: Identity, found: Sequence[RunHead], wanted: RunFilter) -> list[Json]:
        """Those whose conversations are still there, in the state that is wanted."""
        now = self.clock()
        leases = self.repository.leases(identity.tenant, (run.conversation_id for run in found)) if found else {}
        there = (run for run in found if run.conversation_id in leases)
        states = ((run, progress(run, leases[run.conversation_id], now)) for run in there)
        return [run_view(run, status) for run, status in states if wanted.status in (None, status)]


def progress(run: RunHead, lease: Lease | None, now: int) -> Progress:
    """How far a run is; until it is over only the lease of its conversation knows."""
    if run.status not in OPEN or lease is None or not lease.queue or lease.queue[0].run_id != run.id:
        return run.status
    if lease.parked(now):
        return "waiting"
    return "running" if lease.lease_until > now or lease.begun == run.id else "queued"


def run_view(run: RunHead, status: Progress) -> Json:
    """A run without its steps."""
    return {
        "id": run.id,
        "agent_id": run.agent_id,
        "conversation_id": run.conversation_id,
        "message_id": run.message_id,
        "version": run.version,
        "status": status,
        "created_by": run.created_by,
        "created_at": rfc3339(run.created_at),
        "started_at": _time(run.timing.started_at),
        "finished_at": _time(run.finished_at),
        "duration_ms": run.timing.duration_ms,
        "first_token_ms": run.timing.first_token_ms,
        "stop_reason": run.stop_reason,
        "usage": run.usage.model_dump() if run.usage else None,
        "cost": run.cost.model_dump() if run.cost else None,
        "error": {"code": run.error_code, "detail": run.error} if run.error_code else None,
    }


def _so_far(run: RunHead, steps: Sequence[Step]) -> Json:
    """What a run that is not over has come to."""
    if run.usage is not None:
        return {}
    usage = reduce(add, (step.usage for step in steps if step.usage), Usage())
    cost = reduce(add, (step.cost for step in steps if step.cost), Cost())
    started = min((step.started_at for step in steps), default=None)
    return {"started_at": _time(started), "usage": usage.model_dump(), "cost": cost.model_dump()}


def step_tree(run_id: str, steps: Sequence[Step]) -> list[Json]:
    """Steps in order, those inside of a tool call in its `steps`."""
    views: dict[int, Json] = {}
    inputs: dict[tuple[int | None, str], Any] = {}
    roots: list[Json] = []
    for step in steps:
        for part in step.detail.get("parts", ()) if step.kind == "model" else ():
            if part["type"] == "tool_call":
                inputs[step.parent, part["tool_use_id"]] = part["input"]
        called = inputs.get((step.parent, step.detail.get("tool_use_id", "")))
        views[step.number] = _step_view(run_id, step, called)
        around = views.get(step.parent) if step.parent is not None else None
        (roots if around is None else around["steps"]).append(views[step.number])
    return roots


def _step_view(run_id: str, step: Step, called: Any) -> Json:
    content = _Content()
    told = _model_view(step, content) if step.kind == "model" else _tool_view(step, called, content)
    whole = f"/api/v1/runs/{run_id}/steps/{step.number}" if content.cut else None
    return {
        **{name: step.detail.get(name) for name in ("purpose", "agent_id", "agent_version")},
        "id": f"stp_{run_id.removeprefix('run_')}_{step.number}",
        "number": step.number,
        "kind": step.kind,
        "parent": step.parent,
        "status": step.status,
        "started_at": rfc3339(step.started_at),
        "duration_ms": step.took_ms,
        "error_code": step.error,
        "usage": step.usage.model_dump() if step.usage else None,
        "cost": step.cost.model_dump() if step.cost else None,
        "price": step.cost.price if step.cost else None,
        **told,
        "whole": whole,
        "steps": [],
    }


def _model_view(step: Step, content: _Content) -> Json:
    detail = step.detail
    said = "".join(part["text"] for part in detail.get("parts", ()) if part["type"] == "text")
    return {
        **{name: detail.get(name) for name in ("provider", "model", "answered_by", "first_token_ms", "stop_reason")},
        "retries": detail.get("retries", 0),
        "text": content.text(said),
    }


def _tool_view(step: Step, called: Any, content: _Content) -> Json:
    detail = step.detail
    result: Json = detail.get("result") or {}
    return {
        "tool_name": detail.get("tool"),
        "tool_use_id": detail.get("tool_use_id"),
        "effect": detail.get("effect"),
        "retries": max(0, int((detail.get("call") or {}).get("attempts", 1)) - 1),
        "input": content.value((detail.get("approval") or {}).get("input") or detail.get("input", called)),
        "result": content.value(result.get("result")),
        "error": result.get("error"),
        "outcome": result.get("outcome"),
    }


class _Content:
    """Cuts what is long. `cut` says whether anything was."""

    def __init__(self) -> None:
        self.cut = False

    def text(self, text: str) -> str:
        kept = text.encode("utf-8", "replace")[:SHOWN_BYTES].decode("utf-8", "ignore")
        self.cut |= kept != text
        return kept

    def value(self, value: Any) -> Any:
        """A value, or the beginning of its JSON as a text."""
        if value is None or len(encode(value).encode()) <= SHOWN_BYTES:
            return value
        return {"value": self.text(encode(value)), "truncated": True}


def _time(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else rfc3339(milliseconds)
