"""What a tenant lets its tools call, and the calls that were refused."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from agent_builder.models.egress import EgressSettings, RefusedCall
from agent_builder.repositories import keys
from agent_builder.repositories.table import Item, PackedJSON, get_item, retrying, translated

KEPT_SECONDS = 30 * 24 * 3600


class EgressItem(Item, discriminator="egress"):
    """A tenant's lists."""

    settings = PackedJSON()


class RefusalItem(Item, discriminator="refusal"):
    """A call that was refused."""

    at = NumberAttribute()
    reason = UnicodeAttribute()
    purpose = UnicodeAttribute()
    host = UnicodeAttribute(default="")
    port = NumberAttribute(default=0)


class EgressRepository:
    """Access patterns: a tenant's lists; its refusals, newest first, for thirty days."""

    def settings(self, tenant: str) -> EgressSettings:
        """The lists in force; the defaults where none were stored."""
        item = get_item(EgressItem, keys.egress(tenant), keys.HEAD)
        return EgressSettings.model_validate(item.settings) if item else EgressSettings()

    def save(self, tenant: str, settings: EgressSettings) -> None:
        """Put these in the place of what was there."""
        item = EgressItem(pk=keys.egress(tenant), sk=keys.HEAD, settings=settings.model_dump())
        retrying(item.save)

    def record(self, tenant: str, refused: RefusedCall) -> None:
        """Keep a refusal."""
        item = RefusalItem(
            pk=keys.refusals(tenant),
            sk=refused.id,
            at=refused.at,
            reason=refused.reason,
            purpose=refused.purpose,
            host=refused.host,
            port=refused.port,
            expires_at=refused.at // 1000 + KEPT_SECONDS,
        )
        retrying(item.save)

    def refusals(
        self, tenant: str, *, limit: int, before: str | None, now: int
    ) -> tuple[list[RefusedCall], str | None]:
        """Newest first; what has ended is gone, even where it still lies there."""
        condition = RefusalItem.sk < before if before else None
        with translated():
            results = RefusalItem.query(
                keys.refusals(tenant),
                condition,
                filter_condition=RefusalItem.expires_at > now // 1000,
                scan_index_forward=False,
                consistent_read=True,
                limit=limit + 1,
            )
            page = [_refused(item) for item in results]
        return page[:limit], page[limit - 1].id if len(page) > limit else None


def _refused(item: RefusalItem) -> RefusedCall:
    return RefusedCall(item.sk, int(item.at), item.reason, item.purpose, item.host or "", int(item.port or 0))
