"""What a tenant lets its tools call, as its owners see it."""

from __future__ import annotations

from dataclasses import dataclass

from agent_builder.clock import Clock, now_ms, rfc3339
from agent_builder.messages import Json
from agent_builder.models.egress import EgressSettings
from agent_builder.models.identity import Identity
from agent_builder.repositories.egress import EgressRepository


@dataclass(frozen=True, slots=True)
class EgressService:
    """Lists and refusals of the caller's tenant."""

    repository: EgressRepository
    clock: Clock = now_ms

    def settings(self, identity: Identity) -> EgressSettings:
        """The lists in force."""
        return self.repository.settings(identity.tenant)

    def replace(self, identity: Identity, settings: EgressSettings) -> EgressSettings:
        """Put other lists in force, everywhere within ten seconds."""
        self.repository.save(identity.tenant, settings)
        return settings

    def refusals(self, identity: Identity, *, limit: int, after: str | None) -> tuple[list[Json], str | None]:
        """Calls that were refused, newest first."""
        found, following = self.repository.refusals(identity.tenant, limit=limit, before=after, now=self.clock())
        views = [
            {
                "id": one.id,
                "at": rfc3339(one.at),
                "reason": one.reason,
                "purpose": one.purpose,
                "host": one.host or None,
                "port": one.port or None,
            }
            for one in found
        ]
        return views, following
