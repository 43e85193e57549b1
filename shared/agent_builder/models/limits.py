"""How much a tenant may use, and how it stands against that."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class TenantLimits:
    """What applies where a tenant has not set anything else.

    Attributes:
        tenant_requests_per_minute: Requests of the whole tenant: by REST, and frames other than messages. A quarter
            of what the stack lets through by default (`ThrottleRate`).
        requests_per_minute: Those of one person or key. As many handshakes a minute, counted apart.
        messages_per_minute: Messages of the whole tenant; `_per_subject` of one person or key, `_per_agent` to
            one agent.
        runs_at_once: Accepted messages of the tenant whose answers are not complete.
        tenant_connections_at_once: Open WebSockets of the whole tenant.
        connections_at_once: Those of one person or key.
    """

    tenant_requests_per_minute: int = 3_000
    requests_per_minute: int = 3_000
    messages_per_minute: int = 600
    messages_per_minute_per_subject: int = 300
    messages_per_minute_per_agent: int = 600
    runs_at_once: int = 100
    tenant_connections_at_once: int = 500
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
        limit: Requests a minute of the caller.
        tenant_limit: Those of the whole tenant.
        remaining: What is left to the caller: of their own, or of the tenant's where that is less.
        reset: Seconds until they are all there again.
        of_tenant: Whether `remaining` is what is left of the tenant's.
        refused: Whether this request was one too many.
        first: Whether it was the caller's first of this minute.
    """

    limit: int
    tenant_limit: int
    remaining: int
    reset: int
    of_tenant: bool = False
    refused: bool = False
    first: bool = False
