"""Prices: a tenant's own before the list, with whose they are; checked against a calculation of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agent_builder.errors import StoreError
from agent_builder.messages import Charge, Cost, Usage
from agent_builder.models.prices import TenantPrice, TenantPrices
from agent_builder.providers import catalogue, pricing
from agent_builder.repositories.prices import PriceRepository
from agent_builder.services.prices import FRESH_MS, PriceBook, TenantRates

USAGE = Usage(input_tokens=1_000, cache_read_tokens=400, cache_write_tokens=100, output_tokens=50, reasoning_tokens=20)
NOW = 1_795_392_000_000
LLAMA = TenantPrice(
    provider="openai_compatible", model="llama-*", input="0.2", cached_input="0.02", output="0.600000001"
)


class Stored(PriceRepository):
    """Prices in memory; counts how often they are read."""

    def __init__(self, *prices: TenantPrice) -> None:
        self.prices, self.reads, self.broken = list(prices), 0, False

    def get(self, tenant: str) -> tuple[TenantPrices, int | None]:
        self.reads += 1
        if self.broken:
            raise StoreError("No.")
        return TenantPrices(prices=self.prices), NOW - 5_000


AMOUNT = st.decimals("0", "999999", places=9).map("{:f}".format)


@given(AMOUNT, AMOUNT, AMOUNT, AMOUNT, *[st.integers(0, 2_000_000)] * 4)
def test_a_step_costs_what_another_calculation_says(
    plain: str, read: str, write: str, out: str, n: int, reads: int, writes: int, said: int
) -> None:
    price = TenantPrice(provider="openai", model="*", input=plain, cached_input=read, cache_write=write, output=out)
    usage = Usage(
        input_tokens=n + reads + writes, cache_read_tokens=reads, cache_write_tokens=writes, output_tokens=said
    )
    exact = n * Fraction(plain) + reads * Fraction(read) + writes * Fraction(write) + said * Fraction(out)
    assert price.cost(usage) == Cost(amount_nanousd=round(exact * 1_000))  # round() goes half to even


LISTED = [
    model
    for model in catalogue.models()
    if model.prices and model.prices.cached_input and model.provider in ("anthropic", "openai", "google")
]


@pytest.mark.parametrize("provider", ["anthropic", "openai", "google"])
def test_the_list_agrees_with_another_calculation_for_every_wire(provider: str) -> None:
    checked = 0
    for model in (model for model in LISTED if model.provider == provider):
        prices = model.prices
        assert prices is not None
        plain, read, out = (Fraction(text) for text in (prices.input, prices.cached_input or "0", prices.output))
        exact = (1_000 - 400) * plain + 400 * read + 50 * out
        usage = Usage(input_tokens=1_000, cache_read_tokens=400, output_tokens=50, reasoning_tokens=20)
        cost = pricing.price(provider, model.id, usage, datetime(2026, 11, 23, tzinfo=UTC))
        assert cost == Cost(amount_nanousd=round(exact * 1_000)), model.id
        checked += 1
    assert checked >= 3


def test_a_long_context_costs_its_own_tier() -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    short = pricing.price("google", "gemini-2.5-pro", Usage(input_tokens=200_000), at)
    long = pricing.price("google", "gemini-2.5-pro", Usage(input_tokens=200_001), at)
    assert short == Cost(amount_nanousd=200_000 * 1_250)
    assert long == Cost(amount_nanousd=200_001 * 2_500)


def plainly(pattern: str, name: str) -> bool:
    """Whether a pattern names a model, by trying all that a star may stand for."""
    if not pattern:
        return not name
    if pattern[0] == "*":
        return any(plainly(pattern[1:], name[skipped:]) for skipped in range(len(name) + 1))
    return bool(name) and pattern[0] == name[0] and plainly(pattern[1:], name[1:])


@given(st.text("ab*", min_size=1, max_size=7), st.text("ab", max_size=7))
def test_a_star_stands_for_anything(pattern: str, name: str) -> None:
    price = TenantPrice(provider="openai", model=pattern, input="1", output="1")
    assert price.names("openai", name.upper()) == plainly(pattern, name)
    assert not price.names("google", name)


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("a.b", "axb", False),
        ("[a]*", "[a]\nb", True),
        ("*b" * 40 + "c", "b" * 120, False),
        ("*" * 200, "b" * 200, True),
    ],
)
def test_a_pattern_is_nothing_but_stars_and_is_soon_done(pattern: str, name: str, *, fits: bool) -> None:
    price = TenantPrice(provider="openai", model=pattern, input="1", output="1")
    assert price.names("openai", name) is fits


async def test_a_tenants_price_comes_before_the_list_and_says_so() -> None:
    dear = TenantPrice(provider="anthropic", model="CLAUDE-*", input="1000", output="1000")
    rates = TenantRates(PriceBook(Stored(LLAMA, dear), lambda: NOW), "acme")
    await rates.refresh()
    cost = rates.price("openai_compatible", ("llama-3-70b-instruct", "llama-3"), USAGE)
    assert cost.amount_nanousd == 500 * 200 + 400 * 20 + 100 * 200 + 50 * 600
    assert cost.price == {
        "source": "tenant", "at": "2026-11-23T00:00:00.000Z", "model": "llama-*", "since": "2026-11-22T23:59:55.000Z",
    }  # fmt: skip
    assert rates.price("anthropic", ("claude-sonnet-4-5", ""), Usage(output_tokens=1)).amount_nanousd == 1_000_000
    listed = rates.price("openai", ("", "gpt-4o"), USAGE)
    assert listed.price is not None
    assert (listed.price["source"].split(" ")[0], listed.price["model"]) == ("genai-prices", "gpt-4o")
    assert rates.price("openai_compatible", ("mistral", "mistral"), USAGE) == Cost(unpriced_steps=1)
    assert (listed + cost).price is None


async def test_counts_in_doubt_have_no_price_unless_nobody_bills() -> None:
    dear = TenantPrice(provider="anthropic", model="*", input="1000", output="1000")
    rates = TenantRates(PriceBook(Stored(LLAMA, dear), lambda: NOW), "acme")
    await rates.refresh()
    odd = USAGE.doubting(["cache_read_tokens"])
    for provider, model in (("openai_compatible", "llama-3"), ("anthropic", "claude-sonnet-4-5"), ("openai", "gpt-4o")):
        assert rates.price(provider, (model,), USAGE).amount_nanousd
        cost = rates.price(provider, (model,), odd)
        assert (cost, cost.price) == (Cost(unpriced_steps=1), None)
        assert rates.price(provider, (model,), Usage.billed(Charge(odd), Charge(USAGE))) == Cost(unpriced_steps=1)
    for provider in ("local", "scripted"):
        assert rates.price(provider, ("m",), odd).by(None) == Cost(amount_nanousd=0)


async def test_prices_are_read_once_a_minute_and_never_guessed() -> None:
    stored, now = Stored(LLAMA), [NOW]
    rates = TenantRates(PriceBook(stored, lambda: now[0]), "acme")
    stored.broken = True
    await rates.refresh()
    assert rates.price("openai", ("gpt-4o",), USAGE) == Cost(unpriced_steps=1), "they may have a price of their own"
    stored.broken = False
    for _ in range(3):
        await rates.refresh()
    assert stored.reads == 2
    now[0] += FRESH_MS
    stored.broken = True
    await rates.refresh()
    assert stored.reads == 3
    assert rates.price("openai_compatible", ("llama-3",), USAGE).amount_nanousd is not None


@pytest.mark.parametrize("amount", ["-1", "1e3", "0.0000000001", "1,5", "", "NaN", "1234567", "٣"])
def test_an_amount_is_a_decimal_number(amount: str) -> None:
    with pytest.raises(ValidationError):
        TenantPrice(provider="openai", model="m", input=amount, output="1")
