"""Who is asking: always from the authorizer's verified context, never from a body, path or frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent_builder.errors import Unauthenticated


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller.

    Attributes:
        tenant: The isolation boundary.
        subject: The person or key within it.
        agent_id: The agent a WebSocket was opened for; empty elsewhere.
    """

    tenant: str
    subject: str
    agent_id: str = ""


def identity_of(context: Mapping[str, Any] | None) -> Identity:
    """Read the context that API Gateway passes on from the authorizer.

    Raises:
        Unauthenticated: There is none, or it names no tenant and subject.
    """
    context = context or {}
    tenant, subject = context.get("tenant_id"), context.get("subject")
    if not (isinstance(tenant, str) and tenant and isinstance(subject, str) and subject):
        raise Unauthenticated("No identity came with this request. Sign in, or send a valid key.")
    return Identity(tenant, subject, str(context.get("agent_id") or ""))
