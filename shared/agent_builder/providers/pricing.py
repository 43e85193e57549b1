"""What a model step costs, from the price list of `genai-prices` (imported at first use)."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from agent_builder.messages import Cost, Usage

UNKNOWN = Cost(amount_nanousd=None, unpriced_steps=1)
FREE = Cost(amount_nanousd=0, unpriced_steps=0)


def source(provider: str) -> str:
    """Whose prices these are: `nobody` where nobody bills, else the list with its version."""
    if provider in ("local", "scripted"):
        return "nobody"
    import genai_prices

    return f"genai-prices {genai_prices.__version__}"


def price(provider: str, model: str, usage: Usage, at: datetime) -> Cost:
    """The cost of one model step, rounded half to even to whole nano-dollars.

    `local` and `scripted` cost exactly 0: nobody bills for them. For `openai_compatible` nothing is known, because a
    model's name says nothing about what its server charges. An unknown model is unpriced, never free.

    Args:
        provider: One of `registry.NAMES`.
        model: As the vendor named it in its answer, or as it was asked for.
        usage: With cache reads and writes inside the input, reasoning inside the output.
        at: When; prices change.
    """
    if provider in ("local", "scripted"):
        return FREE
    if provider not in ("anthropic", "openai", "google"):
        return UNKNOWN
    import genai_prices

    counted = genai_prices.Usage(
        input_tokens=usage.input_tokens,
        cache_read_tokens=usage.cache_read_tokens or None,
        cache_write_tokens=usage.cache_write_tokens or None,
        output_tokens=usage.output_tokens,
    )
    name = model.removeprefix("models/")
    try:
        found = genai_prices.calc_price(counted, model_ref=name, provider_id=provider, genai_request_timestamp=at)
    except (LookupError, ValueError):
        return UNKNOWN
    nano = (Decimal(found.total_price) * 1_000_000_000).quantize(Decimal(1), ROUND_HALF_EVEN)
    return Cost(amount_nanousd=int(nano))
