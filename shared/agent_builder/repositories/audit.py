"""Who changed what: entries that are written once, read newest first, and end after a year."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from agent_builder.models.audit import AuditEntry
from agent_builder.repositories import keys
from agent_builder.repositories.table import Item, PackedJSON, retrying, translated

KEPT_SECONDS = 365 * 24 * 3600


class AuditItem(Item, discriminator="audit"):
    """One change."""

    at = NumberAttribute()
    subject = UnicodeAttribute()
    key_id = UnicodeAttribute(default="")
    action = UnicodeAttribute()
    target = UnicodeAttribute(default="")
    request_id = UnicodeAttribute(default="")
    changes = PackedJSON(null=True)


class AuditRepository:
    """Access pattern: a tenant's entries, newest first."""

    def record(self, tenant: str, entry: AuditEntry) -> None:
        """Store an entry."""
        item = AuditItem(
            pk=keys.audit(tenant),
            sk=entry.id,
            at=entry.at_ms,
            subject=entry.subject,
            key_id=entry.key_id,
            action=entry.action,
            target=entry.target,
            request_id=entry.request_id,
            changes=list(entry.changes) or None,
            expires_at=entry.at_ms // 1000 + KEPT_SECONDS,
        )
        retrying(item.save)

    def page(self, tenant: str, *, limit: int, before: str | None, now: int) -> tuple[list[AuditEntry], str | None]:
        """Newest first; what has ended is gone, even where it still lies there."""
        condition = AuditItem.sk < before if before else None
        with translated():
            results = AuditItem.query(
                keys.audit(tenant),
                condition,
                filter_condition=AuditItem.expires_at > now // 1000,
                scan_index_forward=False,
                consistent_read=True,
                limit=limit + 1,
            )
            page = [_entry(item) for item in results]
        return page[:limit], page[limit - 1].id if len(page) > limit else None


def _entry(item: AuditItem) -> AuditEntry:
    return AuditEntry(
        id=item.sk,
        at_ms=int(item.at),
        subject=item.subject,
        key_id=item.key_id,
        action=item.action,
        target=item.target,
        request_id=item.request_id,
        changes=item.changes or (),
    )
