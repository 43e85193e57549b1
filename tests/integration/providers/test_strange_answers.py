"""Answers that no vendor would give: whatever comes, it ends well or as a ProviderError, and can be stored."""

from __future__ import annotations

import copy
import json
import random
import re
from typing import Any

import pytest

from agent_builder.errors import ProviderError
from agent_builder.messages import Message, ModelFinished
from tests.integration.providers import cases
from tests.integration.providers.recorded import came
from tests.integration.providers.vendors import PROVIDERS, all_events, asking, provider
from tests.integration.providers.wire import Reply, WireServer, events

ODD: tuple[Any, ...] = (
    None, 0, -1, 5, 1e30, True, "", "x", "\ud83d", [], {}, [None], [[]], {"a": 1}, "{", 10**40, "2" * 300,
)  # fmt: skip
ROUNDS = 120

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def payloads(vendor: str) -> list[Any]:
    lines = re.split(r"\r\n|\n|\r", cases.golden(vendor).decode())
    return [json.loads(line[5:]) for line in lines if line.startswith("data:") and "[DONE]" not in line]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container with each of its keys."""
    inner = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [(value, key) for key, _ in inner] + [place for _, child in inner for place in places(child)]


def mutated(whole: list[Any], chance: random.Random) -> list[Any]:
    whole = copy.deepcopy(whole)
    for _ in range(chance.randint(1, 4)):
        holder, key = chance.choice(places(whole) or [(whole, 0)])
        match chance.randrange(4):
            case 0 if len(holder) > 1:
                del holder[key]
            case 1 if isinstance(holder, list):
                holder.insert(key, copy.deepcopy(holder[key]))
            case 2 if isinstance(holder, list):
                chance.shuffle(holder)
            case _:
                holder[key] = copy.deepcopy(chance.choice(ODD))
    return whole


@pytest.mark.parametrize("vendor", PROVIDERS)
async def test_whatever_comes(vendor: str, wire: WireServer) -> None:
    whole = payloads(vendor)
    ends = {"well": 0, "error": 0}
    for round_number in range(ROUNDS):
        chance = random.Random(f"{vendor} {round_number}")
        data = events(*mutated(whole, chance), done=vendor == "openai_compatible", escaped=True)
        wire.reply(Reply([data]))
        try:
            found = await all_events(provider(vendor, wire.url), asking(vendor, "Hello"))
        except ProviderError:
            ends["error"] += 1
            continue
        came(found)
        last = found[-1]
        assert isinstance(last, ModelFinished)
        stored = Message(role="assistant", parts=last.parts)
        assert Message.model_validate_json(stored.model_dump_json()) == stored
        json.dumps([stored.model_dump(), last.model, last.vendor_stop_reason], ensure_ascii=False).encode()
        ends["well"] += 1
    assert min(ends.values()) > 5, ends
