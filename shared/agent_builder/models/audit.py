"""An entry of the audit trail: who, what, when, with which key. No content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent_builder.messages import Json


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change. `action` is the route, or the type of a frame, `target` the id of what was changed.

    Attributes:
        changes: Fields that were given, each `{"field": …}`, with a new `value` where it is no secret and no content.
    """

    id: str
    at_ms: int
    subject: str
    key_id: str
    action: str
    target: str
    request_id: str
    changes: Sequence[Json] = ()


def decided(tool_use_id: str, decision: str) -> list[Json]:
    """What is said of a decision on a call of a run: which call, and what was decided."""
    return [{"field": "tool_use_id", "value": tool_use_id}, {"field": "decision", "value": decision}]
