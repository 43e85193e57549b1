"""What runs used, as counts that add up: what one run adds, and percentiles of times from counts."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from agent_builder.messages import Cost, Usage

Dimension = Literal["total", "agent", "model", "tool"]

# A bucket is a tenth wider than the one before; who is told its middle is at most 4.9 % off.
_WIDTH = math.log(1.1)
_LAST_BUCKET = 250
_BUCKET = re.compile(r"([df])([0-9]{1,3})")
Measure = Literal["duration", "first"]


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What is to be added to one aggregate of a day.

    Attributes:
        scope: An agent's id; empty for the whole tenant.
        name: Which one of its dimension: an agent's id, `provider/model`, a tool's name; empty for `total`.
        counts: Name to number; times are in buckets.
    """

    scope: str
    dimension: Dimension
    name: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class UsageEntry:
    """What one run adds, once. `day` (UTC) is that of its acceptance, whenever its steps were made."""

    run_id: str
    day: str
    rows: tuple[UsageRow, ...]


@dataclass(frozen=True, slots=True)
class Timing:
    """Of a run. Each is in milliseconds, and None where the run did not come so far.

    Attributes:
        started_at: When its first step began.
        duration_ms: From its beginning to its end, without the time that it waited for people.
        first_token_ms: From its first step to the first event that a model of its own sent.
    """

    started_at: int | None = None
    duration_ms: int | None = None
    first_token_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Milliseconds; each at most 5 % off, and half a millisecond."""

    p50: int
    p90: int
    p99: int


def day_of(milliseconds: int) -> str:
    """`2026-11-23`, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date().isoformat()


def bucket(measure: Measure, milliseconds: int) -> str:
    """Name of the count that a time adds one to; short: an aggregate has a hundred of them, and is paid by its size."""
    number = 0 if milliseconds < 1 else math.ceil(math.log(milliseconds) / _WIDTH) + 1
    return f"{measure[0]}{min(number, _LAST_BUCKET)}"


def percentiles(measure: Measure, counts: Mapping[str, int]) -> Percentiles | None:
    """Of the times in counts; None where there are none."""
    found: Counter[int] = Counter()
    for name, count in counts.items():
        match = _BUCKET.fullmatch(name)
        if match and match[1] == measure[0]:
            found[int(match[2])] += count
    total = found.total()
    return Percentiles(*(_at(found, total, share) for share in (50, 90, 99))) if total else None


def _at(found: Mapping[int, int], total: int, share: int) -> int:
    """The middle of the bucket in which the nearest rank lies."""
    left = -(-total * share // 100)
    for number in sorted(found):
        left -= found[number]
        if left <= 0:
            return round(math.exp(_WIDTH * (number - 1.5))) if number else 0
    raise AssertionError("counts have a sum")


def used(usage: Usage | None, cost: Cost | None) -> Counter[str]:
    """Tokens and money as counts; what is not priced adds no amount."""
    counts: Counter[str] = Counter(usage.model_dump() if usage else {})
    if cost is not None:
        counts["unpriced_steps"] = cost.unpriced_steps
        if cost.amount_nanousd is not None:
            counts["amount_nanousd"] = cost.amount_nanousd
            counts["priced_steps"] = 1
    return counts


def usage_of(counts: Mapping[str, int]) -> Usage:
    """The tokens in counts."""
    return Usage(**{name: counts.get(name, 0) for name in Usage.model_fields})


def cost_of(counts: Mapping[str, int]) -> Cost:
    """The money in counts; no amount where nothing was priced."""
    amount = counts.get("amount_nanousd", 0) if counts.get("priced_steps") else None
    return Cost(amount_nanousd=amount, unpriced_steps=counts.get("unpriced_steps", 0))
