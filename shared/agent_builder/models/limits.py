"""How much a tenant may use, and how it stands against that."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class TenantLimits:
    """What applies where a tenant has not set anything else.

    Attributes:
        requests_per_minute: REST requests of one person or key.
        messages_per_minute: Messages of the whole tenant; `_per_subject` of one person or key, `_per_agent` to
            one agent.
        runs_at_once: Accepted messages of the tenant whose answers are not complete.
        connections_at_once: Open WebSockets of one person or key.
    """

    requests_per_minute: int = 3_000
    messages_per_minute: int = 600
    messages_per_minute_per_subject: int = 300
    messages_per_minute_per_agent: int = 600
    runs_at_once: int = 100
    connections_at_once: int = 100

    def with_overrides(self, overrides: dict[str, Any]) -> TenantLimits:
        """These, with what a tenant has set."""
        known = {field.name for field in fields(self)}
        return replace(self, **{name: int(value) for name, value in overrides.items() if name in known})

    def as_dict(self) -> dict[str, int]:
        """Name to value."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a caller stands after a request.

    Attributes:
        limit: Requests a minute.
        remaining: What is left of them.
        reset: Seconds until they are all there again.
        refused: Whether this request was one too many.
    """

    limit: int
    remaining: int
    reset: int
    refused: bool = False
