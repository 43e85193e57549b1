"""The price list as it is, read by code of our own, for every model on offer and whatever was used."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import pytest
from genai_prices.data import providers
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_builder.messages import Charge, Cost, Usage
from agent_builder.providers import catalogue, pricing
from tests.integration.cost.bill import PUBLISHED, Used, nano

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
PROVIDERS = {"claude": "anthropic", "gpt": "openai", "gemini": "google"}
COUNTS = st.integers(0, 30) | st.integers(0, 400_000)
USED = st.builds(Used, plain=COUNTS, read=COUNTS, write=COUNTS, hour=COUNTS, output=COUNTS, searches=st.integers(0, 9))


def charged(used: Used, **more: Any) -> Charge:
    return Charge(Usage(**used.five), hour_writes=used.hour, web_searches=used.searches, **more)


def priced(model: str, *charges: Charge) -> Cost:
    return pricing.price(PROVIDERS[model.partition("-")[0]], model, Usage.billed(*charges), AT)


@settings(deadline=None)
@given(used=st.lists(USED, min_size=1, max_size=4))
@pytest.mark.parametrize("name", [name for name, rates in PUBLISHED.items() if rates.search != "0"])
def test_whatever_was_used_costs_what_is_published(name: str, used: list[Used]) -> None:
    model, _, tier = name.partition(" ")
    terms = (("service_tier", tier),) if tier else ()
    exact = nano(*(one.dollars(PUBLISHED[name]) for one in used))
    assert priced(model, *(charged(one, terms=terms) for one in used)) == Cost(amount_nanousd=exact)


OFFERED = [one for one in catalogue.models(AT) if one.prices and one.provider in ("anthropic", "openai", "google")]


def listed(provider: str, model: str) -> Any:
    """What holds at `AT`: of prices with a beginning, the last that has begun."""
    of = next(one for one in providers if one.id == provider)
    prices = next(one for one in of.models if one.match.is_match(model)).prices
    if not isinstance(prices, list):
        return prices
    begun = [one for one in prices if one.constraint is None or _begins(one.constraint) <= AT.date()]
    return begun[-1].prices


def _begins(constraint: Any) -> date:
    assert isinstance(constraint.start_date, date), "a kind of condition that this test does not know"
    return constraint.start_date


def rate(price: Any, size: int) -> Fraction:
    tiers = sorted(getattr(price, "tiers", ()), key=lambda tier: int(tier.start))
    reached = [tier.price for tier in tiers if size > tier.start]
    return Fraction(reached[-1] if reached else getattr(price, "base", price))


@pytest.mark.parametrize("size", [1, 1_000, 199_999, 200_000, 200_001, 272_000, 272_001, 900_000])
@pytest.mark.parametrize("offered", OFFERED, ids=lambda one: f"{one.provider} {one.id}")
def test_every_model_on_offer_at_every_size(offered: Any, size: int) -> None:
    prices = listed(offered.provider, offered.id)
    read, written, hour = size // 2, size // 5, size // 7
    plain = prices.input_mtok
    write = prices.cache_write_mtok or plain
    parts = (
        (size - read - written, plain),
        (read, prices.cache_read_mtok or plain),
        (written - hour, write),
        (hour, prices.cache_write_1h_mtok or write),
        (77, prices.output_mtok),
    )
    exact = sum((count * rate(price, size) for count, price in parts), Fraction(0)) / 1_000_000
    usage = Usage(input_tokens=size, cache_read_tokens=read, cache_write_tokens=written, output_tokens=77)
    cost = pricing.price(offered.provider, offered.id, Usage.billed(Charge(usage, hour_writes=hour)), AT)
    assert cost == Cost(amount_nanousd=nano(exact))


def test_there_is_enough_on_offer_to_be_checked() -> None:
    assert len(OFFERED) > 30
    assert {one.provider for one in OFFERED} == set(PROVIDERS.values())
