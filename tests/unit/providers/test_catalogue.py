from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices.data import providers as listed

from agent_builder.messages import Cost, Usage
from agent_builder.providers.catalogue import context_window, models
from agent_builder.providers.facts import facts, nearest_effort
from agent_builder.providers.pricing import price
from agent_builder.providers.registry import NAMES

AT = datetime(2026, 11, 22, tzinfo=UTC)


def test_the_specifications_models_and_the_newest_are_there() -> None:
    ids = {model.id for model in models(AT)}
    assert {
        "claude-sonnet-4-5", "claude-opus-4-5", "gpt-4o", "gpt-4o-mini", "o1", "gemini-2.0-flash", "gemini-1.5-pro",
        "claude-fable-5-2", "gpt-6.2-astra", "gemini-3.8-flash",
    } <= ids  # fmt: skip
    assert {model.provider for model in models(AT)} == set(NAMES) - {"openai_compatible"}


def test_prices_are_decimal_strings_or_unknown() -> None:
    by_id = {model.id: model for model in models(AT)}
    gpt_4o = by_id["gpt-4o"].prices
    assert gpt_4o is not None
    assert (gpt_4o.input, gpt_4o.cached_input, gpt_4o.output) == ("2.5", "1.25", "10")
    assert by_id["gpt-6.2-astra"].prices is None
    for model in models(AT):
        for amount in (model.prices.model_dump() if model.prices else {}).values():
            assert amount is None or Decimal(amount) >= 0


def test_windows_agree_with_the_price_list() -> None:
    """The window stands in `facts` as well, so that a run need not import the price list before its first token."""
    known = {(p.id, m.id): m.context_window for p in listed for m in p.models if m.context_window}
    known["google", "gemini-1.5-pro"] = 2_097_152  # the list has the size it began with
    for model in models(AT):
        expected = known.get((model.provider, model.id), model.context_window)
        assert model.context_window == pytest.approx(expected, rel=0.05), model.id  # the list rounds some


def test_unknown_models_have_a_common_window() -> None:
    assert context_window("openai", "something-new") == 128_000
    assert context_window("google", "models/gemini-2.5-pro") == 1_048_576
    assert context_window("anthropic", "claude-sonnet-4-5-20250929") == 200_000


@pytest.mark.parametrize(
    ("effort", "taken", "nearest"),
    [
        ("xhigh", ("low", "medium", "high"), "high"),
        ("none", ("low", "high"), "low"),
        ("max", (), "max"),
        ("medium", ("low", "medium"), "medium"),
        ("odd", ("low",), "odd"),
    ],
)
def test_nearest_effort(effort: str, taken: tuple[str, ...], nearest: str) -> None:
    assert nearest_effort(effort, taken) == nearest


def test_facts_of_gateways_prefixes_do_not_matter() -> None:
    assert facts("openai", "openai/gpt-5.2") == facts("openai", "gpt-5.2-2025-12-11")
    assert facts("openai", "mistral-large") is None


def test_price_of_a_step() -> None:
    usage = Usage(input_tokens=1_000, cache_read_tokens=600, cache_write_tokens=300, output_tokens=50)
    # claude-sonnet-4-5: 3 USD a million in, 0.30 cached, 3.75 written, 15 out
    expected = 100 * 3_000 + 600 * 300 + 300 * 3_750 + 50 * 15_000
    assert price("anthropic", "claude-sonnet-4-5-20250929", usage, AT) == Cost(amount_nanousd=expected)


def test_prices_depend_on_the_time() -> None:
    usage = Usage(output_tokens=1_000_000)
    now = price("google", "gemini-3.8-flash", usage, AT).amount_nanousd
    later = price("google", "gemini-3.8-flash", usage, datetime(2027, 1, 2, tzinfo=UTC)).amount_nanousd
    assert (now, later) == (3_750_000_000, 7_500_000_000)


def test_rounding_is_half_even_to_whole_nanodollars() -> None:
    # gemini-2.0-flash: 0.025 USD a million cached tokens are 25 nano-dollars each; gpt-5-nano: 0.005 are 5
    assert price("openai", "gpt-5-nano", Usage(input_tokens=1, cache_read_tokens=1), AT).amount_nanousd == 5


@pytest.mark.parametrize("provider", ["local", "scripted"])
def test_nobody_bills_for_these(provider: str) -> None:
    assert price(provider, "any", Usage(input_tokens=5), AT) == Cost(amount_nanousd=0)


@pytest.mark.parametrize(
    ("provider", "model"),
    [("openai", "no-such-model"), ("openai_compatible", "gpt-4o"), ("nobody", "x"), ("google", "")],
)
def test_unknown_is_never_free(provider: str, model: str) -> None:
    assert price(provider, model, Usage(input_tokens=5), AT) == Cost(amount_nanousd=None, unpriced_steps=1)
