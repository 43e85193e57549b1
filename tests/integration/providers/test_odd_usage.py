"""What servers say of tokens that cannot be, or do not say: it is known as such, and what is kept is possible."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_builder.messages import ModelFinished, Usage
from agent_builder.providers.conversation import counted
from tests.integration.cost.vendor import Reply, selling
from tests.integration.providers.vendors import PROVIDERS, all_events, asking, provider

NOTHING = frozenset({"input_tokens", "output_tokens"})
PATHS = {"anthropic": "", "openai": "/v1", "openai_compatible": "/v1", "google": ""}


def responses(all_in: Any, read: Any, out: Any, thought: Any) -> dict[str, Any]:
    inner = {"input_tokens_details": {"cached_tokens": read}, "output_tokens_details": {"reasoning_tokens": thought}}
    return {"input_tokens": all_in, "output_tokens": out, **inner}


def chat(all_in: Any, read: Any, out: Any, thought: Any, **more: Any) -> dict[str, Any]:
    inner = {
        "prompt_tokens_details": {"cached_tokens": read},
        "completion_tokens_details": {"reasoning_tokens": thought},
    }
    return {"prompt_tokens": all_in, "completion_tokens": out, **inner, **more}


async def used(name: str, raw: Any) -> Usage:
    """What an adapter makes of a vendor's numbers."""
    with selling() as vendor:
        vendor.play(m=[Reply(raw)])
        found = await all_events(provider(name, vendor.url + PATHS[name]), asking(name, "Hello", model="m"))
    last = found[-1]
    assert isinstance(last, ModelFinished)
    return last.usage


@pytest.mark.parametrize("name", PROVIDERS)
async def test_a_server_that_says_nothing_of_tokens(name: str) -> None:
    usage = await used(name, {})
    assert usage.doubtful >= {"input_tokens"}
    assert usage.input_tokens == 0


ODD = [
    ("openai", responses(10, 500, 3, 90), (10, 10, 3, 3), {"cache_read_tokens", "reasoning_tokens"}),
    ("openai", responses(-5, 0, 3, 0), (0, 0, 3, 0), {"input_tokens"}),
    ("openai", responses(10, -4, 3, None), (10, 0, 3, 0), {"cache_read_tokens"}),
    ("openai", responses("10", 0, 10**12, 0), (0, 0, 0, 0), NOTHING),
    ("openai", responses(10, 0, 0, 0), (10, 0, 0, 0), {"output_tokens"}),
    ("openai_compatible", chat(10, 5_000, 3, 0), (10, 10, 3, 0), {"cache_read_tokens"}),
    ("openai_compatible", chat(10, 0, 3, 90), (10, 0, 3, 3), {"reasoning_tokens"}),
    ("openai_compatible", chat(10, 0, 3, 90, total_tokens=103), (10, 0, 93, 90), set()),
    ("openai_compatible", chat(10, None, 3, None), (10, 0, 3, 0), set()),
    ("openai_compatible", chat([1], 0, 2.5, 0), (0, 0, 0, 0), NOTHING),
    ("openai_compatible", chat(10**15, 0, 10**17, 0), (0, 0, 0, 0), NOTHING),
    ("anthropic", {"input_tokens": -5, "output_tokens": 3}, (0, 0, 3, 0), {"input_tokens"}),
    (
        "anthropic",
        {"input_tokens": 4, "cache_read_input_tokens": -2, "output_tokens": 3},
        (0, 0, 3, 0),
        {"input_tokens", "cache_read_tokens"},
    ),
    (
        "anthropic",
        {"input_tokens": 4, "output_tokens": 3, "output_tokens_details": {"thinking_tokens": 90}},
        (4, 0, 3, 3),
        {"reasoning_tokens"},
    ),
    (
        "google",
        {"promptTokenCount": 10, "cachedContentTokenCount": 500, "candidatesTokenCount": 3},
        (10, 10, 3, 0),
        {"cache_read_tokens"},
    ),
    (
        "google",
        {"promptTokenCount": 10, "candidatesTokenCount": -9, "thoughtsTokenCount": 4},
        (10, 0, 0, 0),
        {"output_tokens", "reasoning_tokens"},
    ),
]


@pytest.mark.parametrize(("name", "raw", "kept", "doubtful"), ODD)
async def test_numbers_that_cannot_be(name: str, raw: Any, kept: tuple[int, ...], doubtful: set[str]) -> None:
    usage = await used(name, raw)
    told = usage.input_tokens, usage.cache_read_tokens, usage.output_tokens, usage.reasoning_tokens
    assert (told, usage.doubtful) == (kept, doubtful)


COUNT = st.one_of(st.none(), st.integers(), st.integers(0, 60), st.floats(), st.text(max_size=3), st.booleans())


@given(st.fixed_dictionaries(dict.fromkeys(Usage.model_fields, COUNT)))
def test_what_is_kept_is_always_possible(told: dict[str, Any]) -> None:
    usage = counted(**told)
    assert min(usage.model_dump().values()) >= 0
    assert usage.cache_read_tokens + usage.cache_write_tokens <= usage.input_tokens
    assert usage.reasoning_tokens <= usage.output_tokens
    if not usage.doubtful:
        assert all(getattr(usage, name) == (count or 0) for name, count in told.items())
