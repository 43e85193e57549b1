"""What the platform knows of itself: which providers have a key. Names and times only."""

from __future__ import annotations

from pynamodb.attributes import JSONAttribute, NumberAttribute

from agent_builder.repositories import keys
from agent_builder.repositories.table import Item, get_item, retrying


class ProviderStatusItem(Item, discriminator="provider_status"):
    """Names of providers that have a key, as the runner last saw it."""

    configured = JSONAttribute()
    checked_at = NumberAttribute()


class PlatformRepository:
    """One item."""

    def provider_status(self) -> tuple[list[str], int] | None:
        """Configured providers and when that was seen (milliseconds)."""
        item = get_item(ProviderStatusItem, keys.provider_status(), keys.HEAD)
        return (list(item.configured), int(item.checked_at)) if item else None

    def save_provider_status(self, configured: list[str], *, now: int) -> None:
        """Store what the runner saw."""
        item = ProviderStatusItem(pk=keys.provider_status(), sk=keys.HEAD, configured=configured, checked_at=now)
        retrying(item.save)
