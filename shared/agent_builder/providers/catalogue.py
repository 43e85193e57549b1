"""The models to offer, with what is known of them. It informs: a name that is missing here works all the same.

The names are those of the vendors' SDKs (anthropic 2.12, openai 3.54, google-genai 3.4) and those of the project's
specification; prices and display names come from `genai-prices`, imported at first use; the rest from `facts`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from agent_builder.models.catalogue import Capabilities, CatalogueModel, Prices
from agent_builder.providers.facts import DEFAULT_CONTEXT_WINDOW, Facts, facts

# Newest first.
_NAMES = {
    "anthropic": (
        "claude-fable-5-2 claude-mythos-5-2 claude-haiku-5-5 claude-sonnet-5-5 claude-fable-5-1 claude-opus-5-5"
        " claude-mythos-5-1 claude-sonnet-5 claude-fable-5 claude-mythos-5 claude-opus-5 claude-opus-4-8"
        " claude-opus-4-7 claude-opus-4-6 claude-sonnet-4-6 claude-opus-4-5 claude-haiku-4-5 claude-sonnet-4-5"
    ),
    "openai": (
        "gpt-6.2-astra gpt-6.2-sol gpt-6.1-sol gpt-6.1-terra gpt-6-astra gpt-6-sol gpt-6-luna gpt-5.6-sol"
        " gpt-5.6-terra gpt-5.6-luna gpt-5.5 gpt-5.4 gpt-5.4-mini gpt-5.4-nano gpt-5.2 gpt-5.1 gpt-5 gpt-5-mini"
        " gpt-5-nano gpt-4.1 gpt-4.1-mini o3 o4-mini o1 gpt-4o gpt-4o-mini"
    ),
    "google": (
        "gemini-3.8-flash gemini-3.5-flash gemini-3.1-pro-preview gemini-3.1-flash-lite gemini-3-flash-preview"
        " gemini-2.5-pro gemini-2.5-flash gemini-2.5-flash-lite gemini-2.0-flash gemini-1.5-pro"
    ),
    "local": "smollm2-135m-instruct",
    "scripted": "scripted echo",
}
_SHOWN = {
    "smollm2-135m-instruct": "SmolLM2 135M Instruct (embedded; a demonstration, not an assistant)",
    "scripted": "Scripted (follows commands; no language model)",
    "echo": "Echo (says what you said; no language model)",
}


def models(at: datetime | None = None) -> list[CatalogueModel]:
    """All models on offer, by provider and newest first, with the prices that hold at that time (now)."""
    moment = at or datetime.now(UTC)
    return [_model(provider, name, moment) for provider, names in _NAMES.items() for name in names.split()]


def context_window(provider: str, model: str) -> int:
    """Tokens of input and output together; a common size where the model is unknown. Imports no price list."""
    known = facts(provider, model)
    return known.context_window if known else DEFAULT_CONTEXT_WINDOW


def _model(provider: str, name: str, at: datetime) -> CatalogueModel:
    known = facts(provider, name) or Facts()
    listed = _listed(provider, name)
    shown = _SHOWN.get(name) or (getattr(listed, "name", None) if listed else None) or name
    return CatalogueModel(
        provider=provider,
        id=name,
        name=shown,
        context_window=known.context_window,
        max_output_tokens=known.max_output,
        prices=_prices(provider, listed, at),
        capabilities=Capabilities(
            tools=known.tools,
            thinking=known.thinking != "none",
            vision=known.vision,
            temperature=known.sampling and provider != "scripted",
        ),
    )


@cache
def _listed(provider: str, name: str) -> Any:
    if provider in ("local", "scripted"):
        return None
    from genai_prices.data import providers

    found = next((listed for listed in providers if listed.id == provider), None)
    return found.find_model(name) if found else None


def _prices(provider: str, listed: Any, at: datetime) -> Prices | None:
    if provider in ("local", "scripted"):
        return Prices(input="0", cached_input="0", cache_write="0", output="0")
    if listed is None:
        return None
    held = listed.get_prices(at)
    read, write = _base(held.input_mtok), _base(held.output_mtok)
    if read is None or write is None:
        return None
    return Prices(
        input=read, cached_input=_base(held.cache_read_mtok), cache_write=_base(held.cache_write_mtok), output=write
    )


def _base(price: Any) -> str | None:
    """A price as text; of a tiered one, the first tier's."""
    amount = getattr(price, "base", price)
    return f"{Decimal(amount).normalize():f}" if amount is not None else None
