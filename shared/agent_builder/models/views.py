"""Domain values as clients see them."""

from __future__ import annotations

from agent_builder.clock import rfc3339
from agent_builder.messages import Json, Message, ThinkingPart
from agent_builder.models.agents import Agent, AgentVersion
from agent_builder.models.conversations import Conversation, StoredMessage


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


def parts_view(message: Message) -> list[Json]:
    """A message's parts; what only a vendor understands is left out."""
    shown = [part for part in message.parts if not (isinstance(part, ThinkingPart) and not part.text)]
    return [part.model_dump(mode="json", exclude_none=True, exclude={"provider_details"}) for part in shown]


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
