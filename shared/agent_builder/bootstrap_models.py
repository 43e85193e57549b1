"""Composition of what models need: the vendors, prices, budgets, and the ledger of what was used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from agent_builder.bootstrap_tools import metrics
from agent_builder.config import Settings

if TYPE_CHECKING:
    from agent_builder.providers.registry import ProviderRegistry
    from agent_builder.services.budgets import BudgetBook
    from agent_builder.services.guarded_models import ModelClients
    from agent_builder.services.ledger import Ledger
    from agent_builder.services.models import Models


def accounts() -> tuple[BudgetBook, Ledger]:
    """What holds the budgets, and what writes down what was used."""
    from agent_builder.repositories.ledger import LedgerRepository
    from agent_builder.services.budgets import BudgetBook
    from agent_builder.services.ledger import Ledger

    budgets = BudgetBook(metrics=metrics())
    return budgets, Ledger(LedgerRepository(), budgets=budgets.close)


def models_for(registry: ProviderRegistry, guarded: ModelClients) -> Models:
    """What gives a run its model."""
    from agent_builder.repositories.prices import PriceRepository
    from agent_builder.services.models import Models
    from agent_builder.services.prices import PriceBook, TenantRates

    return Models(lambda: registry, guarded.client, partial(TenantRates, PriceBook(PriceRepository())))


def registry_for(settings: Settings, keys: Callable[[], Mapping[str, str]]) -> ProviderRegistry:
    """The vendors."""
    from agent_builder.providers.registry import ProviderRegistry

    return ProviderRegistry(
        keys=keys,
        base_urls=settings.provider_base_urls,
        local_model_base_url=settings.local_model_base_url or None,
    )
