"""Domain values as clients see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_builder.clock import rfc3339
from agent_builder.messages import Json, Message, Part, TextPart, ThinkingPart, ToolCallPart
from agent_builder.models.agents import Agent, AgentVersion, PartRef
from agent_builder.models.approvals import Approval
from agent_builder.models.conversations import Conversation, Step, StoredMessage

if TYPE_CHECKING:
    from agent_builder.models.message_out import PartOut, ToolCallOut, ToolResultOut


def agent_view(agent: Agent) -> Json:
    """An agent as GET returns it."""
    return {
        "id": agent.id,
        "status": agent.status,
        **agent.definition(),
        "version": agent.version,
        "created_at": rfc3339(agent.created_at),
        "updated_at": rfc3339(agent.updated_at),
    }


def version_view(version: AgentVersion) -> Json:
    """A version of an agent."""
    shown = version.model_dump(mode="json", exclude={"created_at"})
    shown["model_config"] = version.llm_config.model_dump(exclude_none=True)
    for place in ("tools", "integrations"):
        refs: tuple[PartRef, ...] = getattr(version, place)
        shown[place] = [{"id": ref.id, "name": ref.name, "revision": ref.revision} for ref in refs]
    return {**shown, "created_at": rfc3339(version.created_at)}


def conversation_view(conversation: Conversation) -> Json:
    """A conversation."""
    return {
        "id": conversation.id,
        "agent_id": conversation.agent_id,
        "title": conversation.title,
        "created_by": conversation.created_by,
        "created_at": rfc3339(conversation.created_at),
        "updated_at": rfc3339(conversation.updated_at),
        "runs": conversation.runs,
        "usage": conversation.usage.model_dump(),
        "cost": conversation.cost.model_dump(),
    }


def parts_view(message: Message) -> list[PartOut]:
    """A message's parts; what only a vendor understands is left out."""
    return [_part_view(part) for part in message.parts if part.type != "thinking" or part.text]


def _part_view(part: Part) -> PartOut:
    if isinstance(part, TextPart | ThinkingPart):
        return {"type": part.type, "text": part.text}
    if isinstance(part, ToolCallPart):
        call: ToolCallOut = {
            "type": part.type,
            "tool_use_id": part.tool_use_id,
            "name": part.name,
            "input": part.input,
        }
        if part.invalid is not None:
            call["invalid"] = part.invalid
        return call
    shown: ToolResultOut = {
        "type": part.type,
        "tool_use_id": part.tool_use_id,
        "name": part.name,
        "result": part.result,
    }
    if part.error is not None:
        shown["error"] = part.error
    if part.outcome is not None:
        shown["outcome"] = part.outcome
    if part.duration_ms is not None:
        shown["duration_ms"] = part.duration_ms
    if part.needs_reconnect is not None:
        shown["needs_reconnect"] = part.needs_reconnect
    return shown


def step_view(run_id: str, step: Step) -> Json:
    """A step of a run, whole."""
    detail = step.detail
    view: Json = {
        "id": f"stp_{run_id.removeprefix('run_')}_{step.number}",
        "run_id": run_id,
        "number": step.number,
        "kind": step.kind,
        "parent": step.parent,
        "purpose": detail.get("purpose"),
        "status": step.status,
        "started_at": rfc3339(step.started_at),
        "duration_ms": step.duration_ms,
        "error_code": step.error,
        "usage": step.usage.model_dump() if step.usage else None,
        "cost": step.cost.model_dump() if step.cost else None,
    }
    if step.kind == "model":
        about = ("provider", "model", "answered_by", "stop_reason", "agent_id", "agent_version")
        told = {name: detail.get(name) for name in about}
        parts = Message.model_validate({"role": "assistant", "parts": detail.get("parts", [])})
        return {**view, **told, "parts": parts_view(parts)}
    call: Json = detail.get("call", {})
    result: Json = detail.get("result", {})
    return {
        **view,
        **{name: detail.get(place) for name, place in (("tool_name", "tool"), ("tool_use_id", "tool_use_id"))},
        "effect": detail.get("effect"),
        "input": detail.get("input"),
        "result": result.get("result"),
        "error": result.get("error"),
        "outcome": result.get("outcome"),
        **{name: call.get(name) for name in ("request", "response", "attempts", "cached", "whole")},
    }


def message_view(stored: StoredMessage) -> Json:
    """A message with its parts."""
    view: Json = {
        "id": stored.id,
        "run_id": stored.run_id,
        "role": stored.message.role,
        "content": stored.message.text,
        "parts": parts_view(stored.message),
        "created_at": rfc3339(stored.created_at),
    }
    if stored.message.role == "assistant":
        view["status"] = stored.status
        view["stop_reason"] = stored.stop_reason
        view["usage"] = stored.usage.model_dump() if stored.usage else None
        if stored.error_code:
            view["error"] = {"code": stored.error_code, "detail": stored.error}
        view["cost"] = stored.cost.model_dump() if stored.cost else None
    return view


def approval_view(approval: Approval, now: int, over_at: int | None = None) -> Json:
    """An approval as REST shows it; of a run that ended at `over_at` none waits any more."""
    made = approval.decision
    undecided = "expired" if not approval.open(over_at or now) else "cancelled" if over_at else "waiting"
    status = made.verdict if made else undecided
    return {
        "tool_use_id": approval.tool_use_id,
        "tool_name": approval.tool_name,
        "input": approval.input,
        "status": status,
        "requested_at": rfc3339(approval.asked_at),
        "expires_at": rfc3339(approval.expires_at),
        "decided_at": rfc3339(made.at) if made else None,
        "decided_by": made.by or None if made else None,
        "edited_input": made.input if made else None,
        "reason": made.reason or None if made else None,
    }
