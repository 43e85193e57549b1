"""What a model step costs, from the price list of `genai-prices` (imported at first use)."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from agent_builder.messages import Charge, Cost, Usage

UNKNOWN = Cost(amount_nanousd=None, unpriced_steps=1)
FREE = Cost(amount_nanousd=0, unpriced_steps=0)


def source(provider: str) -> str:
    """Whose prices these are: `nobody` where nobody bills, else the list with its version."""
    if provider in ("local", "scripted"):
        return "nobody"
    import genai_prices

    return f"genai-prices {genai_prices.__version__}"


def price(provider: str, model: str, usage: Usage, at: datetime) -> Cost:
    """The cost of one model step, rounded half to even, once, to whole nano-dollars.

    `local` and `scripted` cost exactly 0: nobody bills for them. For `openai_compatible` nothing is known, because a
    model's name says nothing about what its server charges. An unknown model is unpriced, never free; so is what was
    billed by terms without a price on the list, and what has counts that are in doubt.

    Args:
        provider: One of `registry.NAMES`.
        model: As the vendor named it in its answer, or as it was asked for.
        usage: With cache reads and writes inside the input, reasoning inside the output.
        at: When; prices change.
    """
    if provider in ("local", "scripted"):
        return FREE
    if usage.doubtful or provider not in ("anthropic", "openai", "google"):
        return UNKNOWN
    name = model.removeprefix("models/")
    costs = [_dollars(provider, charge.model or name, charge, at) for charge in usage.charges]
    known = [cost for cost in costs if cost is not None]
    if len(known) < len(costs):
        return UNKNOWN
    nano = (sum(known, Decimal(0)) * 1_000_000_000).quantize(Decimal(1), ROUND_HALF_EVEN)
    unpriced = any(charge.unpriced for charge in usage.charges)
    return Cost(amount_nanousd=int(nano), unpriced_steps=int(unpriced))


def _dollars(provider: str, model: str, charge: Charge, at: datetime) -> Decimal | None:
    """What one request costs; None where the model, or a term that it was billed by, is on no list."""
    import genai_prices

    usage, terms = charge.usage, dict(charge.terms)
    counts = {
        "input_tokens": usage.input_tokens,
        "cache_read_tokens": usage.cache_read_tokens or None,
        "cache_write_tokens": usage.cache_write_tokens or None,
        "cache_write_1h_tokens": charge.hour_writes or None,
        "output_tokens": usage.output_tokens,
        "web_searches": charge.web_searches or None,
        "storage_searches": charge.file_searches or None,
    }
    try:
        found = genai_prices.calc_price(
            genai_prices.Usage(**counts),
            model_ref=model,
            provider_id=provider,
            genai_request_timestamp=at,
            price_context=terms,
        )
    except (LookupError, ValueError):
        return None
    prices = found.model_price
    searched = (charge.web_searches, prices.web_searches_kcount), (charge.file_searches, prices.storage_searches_kcount)
    if any(count and price is None for count, price in searched):
        return None
    listed = [variant for variant in found.model.price_variants or () if _holds(variant.constraint, at)]
    known = {pair for variant in listed if variant.when.items() <= terms.items() for pair in variant.when.items()}
    return Decimal(found.total_price) if known == set(charge.terms) else None


def _holds(constraint: Any, at: datetime) -> bool:
    return constraint is None or bool(constraint.active(at))
