"""What a model step costs: by the tenant's own prices, else by the price list; at the time of the call."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime

from agent_builder.clock import Clock, now_ms, rfc3339
from agent_builder.errors import StoreError
from agent_builder.messages import Cost, Json, Usage
from agent_builder.models.identity import Identity
from agent_builder.models.prices import TenantPrices
from agent_builder.providers import pricing
from agent_builder.repositories.prices import PriceRepository

logger = logging.getLogger(__name__)

FRESH_MS = 60_000
_KEPT = 1024


@dataclass(frozen=True, slots=True)
class PriceService:
    """The prices that a tenant sets."""

    repository: PriceRepository
    clock: Clock = now_ms

    def of(self, identity: Identity) -> Json:
        """What is set."""
        return _view(*self.repository.get(identity.tenant))

    def replace(self, identity: Identity, prices: TenantPrices) -> Json:
        """Put others in force: within a minute, for calls from then on."""
        now = self.clock()
        self.repository.save(identity.tenant, prices, now=now)
        return _view(prices, now)


def _view(prices: TenantPrices, updated_at: int | None) -> Json:
    return {**prices.model_dump(), "updated_at": rfc3339(updated_at) if updated_at else None}


@dataclass(slots=True)
class PriceBook:
    """Every tenant's prices, as an execution environment knows them: at most a minute old."""

    repository: PriceRepository
    clock: Clock = now_ms
    _known: OrderedDict[str, tuple[int, TenantPrices, int | None]] = field(default_factory=OrderedDict)

    async def refresh(self, tenant: str) -> None:
        """Read a tenant's prices, unless they are known well enough; what cannot be read stays as it was known."""
        known = self._known.get(tenant)
        if known is not None and self.clock() - known[0] < FRESH_MS:
            return
        try:
            found = await asyncio.to_thread(self.repository.get, tenant)
        except StoreError:
            logger.warning("a tenant's prices could not be read")
            return
        self._known[tenant] = (self.clock(), *found)
        self._known.move_to_end(tenant)
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)

    def price(self, tenant: str, provider: str, models: tuple[str, ...], usage: Usage) -> Cost:
        """The cost of a step, with whose price it is.

        Args:
            models: Names of the model, the one that the vendor gives it first.
        """
        known = self._known.get(tenant)
        if known is None:  # there may be a price of theirs: a guess by the list could be wrong
            return pricing.UNKNOWN
        at = rfc3339(self.clock())
        _, prices, since = known
        for price in prices.prices:
            if any(price.names(provider, model) for model in models if model):
                told = {"source": "tenant", "at": at, "model": price.model, "since": rfc3339(since) if since else None}
                return pricing.UNKNOWN if usage.doubtful else price.cost(usage).by(told)
        return listed(provider, models, usage, at)


def listed(provider: str, models: tuple[str, ...], usage: Usage, at: str) -> Cost:
    """The cost by the price list, at a time; what is on no list stays without a price."""
    moment = datetime.fromisoformat(at).astimezone(UTC)
    for model in models:
        cost = pricing.price(provider, model, usage, moment) if model else pricing.UNKNOWN
        if cost.amount_nanousd is not None:
            terms = dict(pair for charge in usage.charges for pair in charge.terms)
            told: Json = {"terms": terms} if terms else {}
            return cost.by({"source": pricing.source(provider), "at": at, "model": model, **told})
    return pricing.UNKNOWN


@dataclass(frozen=True, slots=True)
class TenantRates:
    """One tenant's part of the book."""

    book: PriceBook
    tenant: str

    async def refresh(self) -> None:
        """Know them well enough."""
        await self.book.refresh(self.tenant)

    def price(self, provider: str, models: tuple[str, ...], usage: Usage) -> Cost:
        """The cost of a step."""
        return self.book.price(self.tenant, provider, models, usage)
