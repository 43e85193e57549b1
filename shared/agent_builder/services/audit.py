"""The audit trail of a tenant."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from agent_builder.clock import Clock, now_ms, rfc3339
from agent_builder.errors import StoreError
from agent_builder.ids import new_id
from agent_builder.messages import Json
from agent_builder.models.audit import AuditEntry
from agent_builder.models.identity import Identity
from agent_builder.repositories.audit import AuditRepository

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AuditService:
    """Who changed what in the caller's tenant."""

    repository: AuditRepository
    clock: Clock = now_ms

    def record(
        self,
        identity: Identity,
        action: str,
        target: str,
        *,
        request_id: str,
        changes: Sequence[Json] = (),
        tenant: str = "",
    ) -> None:
        """Note a change that was made. The change stands: should the note fail, the log says so.

        Args:
            action: The route.
            target: Id of what was changed.
            changes: As `AuditEntry` has them.
            tenant: The tenant that was changed, where it is not the caller's.
        """
        entry = AuditEntry(
            new_id("aud"), self.clock(), identity.subject, identity.key_id, action, target, request_id, changes
        )
        try:
            self.repository.record(tenant or identity.tenant, entry)
        except StoreError:
            logger.exception("a change is missing in the audit trail", extra={"action": action, "target": target})

    def page(self, identity: Identity, *, limit: int, after: str | None) -> tuple[list[Json], str | None]:
        """Entries, newest first, for a year."""
        found, following = self.repository.page(identity.tenant, limit=limit, before=after, now=self.clock())
        return [audit_view(entry) for entry in found], following


def audit_view(entry: AuditEntry) -> Json:
    """An entry as owners see it."""
    return {
        "id": entry.id,
        "at": rfc3339(entry.at_ms),
        "subject": entry.subject,
        "key_id": entry.key_id or None,
        "action": entry.action,
        "target": entry.target,
        "request_id": entry.request_id,
        "changes": list(entry.changes),
    }
