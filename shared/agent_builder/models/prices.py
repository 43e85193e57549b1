"""A tenant's own prices of models, which come before the price list."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from agent_builder.messages import Cost, Usage
from agent_builder.models.agents import ProviderName, Strict

MOST_PRICES = 200
_NANO_PER_MICRO = 1_000  # a dollar a million tokens is a microdollar a token


def _decimal(text: str) -> str:
    """What the pattern in the schema says, in words."""
    whole, _, places = text.partition(".")
    digits = [whole, *([places] if "." in text else [])]
    if not all(part.isascii() and part.isdigit() for part in digits) or len(whole) > 6 or len(places) > 9:
        raise ValueError(
            'Write USD a million tokens as text such as "0.15": below 1,000,000, at most 9 decimal places.'
        )
    return text


Amount = Annotated[
    str,
    AfterValidator(_decimal),
    Field(
        description="USD a million tokens, a decimal number as text",
        examples=["0.15"],
        json_schema_extra={"pattern": r"^[0-9]{1,6}(\.[0-9]{1,9})?$"},
    ),
]


class TenantPrice(Strict):
    """What some models of a provider cost. Cached and written tokens cost what others do where nothing else is said."""

    provider: ProviderName
    model: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        description="A model's name; * stands for anything", examples=["llama-3-*"]
    )
    input: Amount
    cached_input: Amount | None = None
    cache_write: Amount | None = None
    output: Amount

    def names(self, provider: str, model: str) -> bool:
        """Whether this is the price of a model, upper and lower case alike."""
        return provider == self.provider and _fits(self.model.casefold(), model.casefold())

    def cost(self, usage: Usage) -> Cost:
        """The cost of one step, rounded half to even to whole nano-dollars."""
        plain = usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens
        micro = (
            plain * Decimal(self.input)
            + usage.cache_read_tokens * Decimal(self.cached_input or self.input)
            + usage.cache_write_tokens * Decimal(self.cache_write or self.input)
            + usage.output_tokens * Decimal(self.output)
        )
        return Cost(amount_nanousd=int((micro * _NANO_PER_MICRO).quantize(Decimal(1), ROUND_HALF_EVEN)))


class TenantPrices(Strict):
    """A tenant's prices; the first that names a model is the one that counts."""

    prices: list[TenantPrice] = Field(default_factory=list, max_length=MOST_PRICES)


def _fits(pattern: str, name: str) -> bool:
    """Whether a name is a pattern's pieces in order. Each is taken where it is found first: nothing is tried again,
    so that no pattern of a tenant can keep a runner busy."""
    first, *rest = pattern.split("*")
    if not rest:
        return name == pattern
    *middle, last = rest
    at, end = len(first), len(name) - len(last)
    if at > end or not (name.startswith(first) and name.endswith(last)):
        return False
    for piece in middle:
        found = name.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True
