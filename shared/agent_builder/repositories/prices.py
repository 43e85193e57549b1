"""A tenant's own prices of models."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute

from agent_builder.models.prices import TenantPrices
from agent_builder.repositories import keys
from agent_builder.repositories.table import Item, PackedJSON, get_item, retrying


class PricesItem(Item, discriminator="prices"):
    """What a tenant has set, and when (milliseconds)."""

    prices = PackedJSON()
    updated_at = NumberAttribute()


class PriceRepository:
    """One item a tenant."""

    def get(self, tenant: str) -> tuple[TenantPrices, int | None]:
        """The prices, and when they were set; none at all where nothing was."""
        item = get_item(PricesItem, keys.prices(tenant), keys.HEAD)
        if item is None:
            return TenantPrices(), None
        return TenantPrices.model_validate(item.prices), int(item.updated_at)

    def save(self, tenant: str, prices: TenantPrices, *, now: int) -> None:
        """Put these in the place of what was there."""
        item = PricesItem(pk=keys.prices(tenant), sk=keys.HEAD, prices=prices.model_dump(), updated_at=now)
        retrying(item.save)
