"""An entry of the audit trail: who, what, when, with which key. No content."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change. `action` is the route, `target` the id of what was changed."""

    id: str
    at_ms: int
    subject: str
    key_id: str
    action: str
    target: str
    request_id: str
