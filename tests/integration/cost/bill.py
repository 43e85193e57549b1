"""What vendors charge for what they say was used: their published prices, and sums in fractions.

Nothing here is the product's or its price list's. Prices are USD for a million tokens; of searches, for a thousand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

Raw = Mapping[str, Any]
KINDS = ("plain", "read", "write", "hour", "output")
FIVE = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")


@dataclass(frozen=True)
class Rates:
    """Of one model: by kind, and those of requests with more than so many tokens of input."""

    base: Mapping[str, str]
    above: int = 10**12
    long: Mapping[str, str] = field(default_factory=dict)
    search: str = "0"


def rates(plain: str, read: str, write: str, hour: str, output: str) -> dict[str, str]:
    return dict(zip(KINDS, (plain, read, write, hour, output), strict=True))


PUBLISHED = {
    "claude-sonnet-5": Rates(rates("2", "0.2", "2.5", "4", "10"), search="10"),
    "claude-opus-4-8": Rates(rates("5", "0.5", "6.25", "10", "25"), search="10"),
    "claude-sonnet-4-5": Rates(
        rates("3", "0.3", "3.75", "6", "15"), 200_000, rates("6", "0.6", "7.5", "12", "22.5"), search="10"
    ),
    "gpt-5": Rates(rates("1.25", "0.125", "1.25", "1.25", "10"), search="10"),
    "gpt-5 flex": Rates(rates("0.625", "0.0625", "0.625", "0.625", "5"), search="10"),
    "gpt-5 priority": Rates(rates("2.5", "0.25", "2.5", "2.5", "20"), search="10"),
    "gpt-6-astra": Rates(rates("10", "1", "12.5", "12.5", "50"), 272_000, rates("20", "2", "25", "25", "75")),
    "gemini-2.5-pro": Rates(
        rates("1.25", "0.125", "1.25", "1.25", "10"), 200_000, rates("2.5", "0.25", "2.5", "2.5", "15")
    ),
    "gemini-2.5-flash": Rates(rates("0.3", "0.03", "0.3", "0.3", "2.5")),
}


@dataclass(frozen=True)
class Used:
    """Tokens of one request, each in one kind, and what else is paid."""

    plain: int
    read: int
    write: int
    hour: int
    output: int
    reasoning: int = 0
    searches: int = 0

    @property
    def five(self) -> dict[str, int]:
        """As the contract tells usage: input includes what is cached, output what was thought."""
        written = self.write + self.hour
        told = (self.plain + self.read + written, self.read, written, self.output, self.reasoning)
        return dict(zip(FIVE, told, strict=True))

    def dollars(self, prices: Rates) -> Fraction:
        """What it costs."""
        long = self.plain + self.read + self.write + self.hour > prices.above
        each = prices.long if long else prices.base
        tokens = sum((getattr(self, kind) * Fraction(each[kind]) for kind in KINDS), Fraction(0))
        return tokens / 1_000_000 + self.searches * Fraction(prices.search) / 1_000


def anthropic(raw: Raw) -> Used:
    """Input is without what is cached; writes are split by how long they are kept."""
    hour = raw.get("cache_creation", {}).get("ephemeral_1h_input_tokens", 0)
    return Used(
        plain=raw["input_tokens"],
        read=raw.get("cache_read_input_tokens", 0),
        write=raw.get("cache_creation_input_tokens", 0) - hour,
        hour=hour,
        output=raw["output_tokens"],
        reasoning=raw.get("output_tokens_details", {}).get("thinking_tokens", 0),
        searches=raw.get("server_tool_use", {}).get("web_search_requests", 0),
    )


def responses(raw: Raw) -> Used:
    """Input is with what is cached, output with what was thought."""
    inside = raw.get("input_tokens_details", {})
    read, written = inside.get("cached_tokens", 0), inside.get("cache_write_tokens", 0)
    thought = raw.get("output_tokens_details", {}).get("reasoning_tokens", 0)
    return Used(raw["input_tokens"] - read - written, read, written, 0, raw["output_tokens"], thought)


def chat(raw: Raw) -> Used:
    """As responses, by other names."""
    read = raw.get("prompt_tokens_details", {}).get("cached_tokens", 0)
    thought = raw.get("completion_tokens_details", {}).get("reasoning_tokens", 0)
    return Used(raw["prompt_tokens"] - read, read, 0, 0, raw["completion_tokens"], thought)


def google(raw: Raw) -> Used:
    """Input is with what is cached and without what its tools put in; output is without what was thought."""
    read, thought = raw.get("cachedContentTokenCount", 0), raw.get("thoughtsTokenCount", 0)
    plain = raw["promptTokenCount"] + raw.get("toolUsePromptTokenCount", 0) - read
    return Used(plain, read, 0, 0, raw.get("candidatesTokenCount", 0) + thought, thought)


READ = {"anthropic": anthropic, "openai": responses, "openai_compatible": chat, "google": google}


def nano(*dollars: Fraction) -> int:
    """Nano-dollars of one step: rounded once, half to even, as `round` does."""
    return round(sum(dollars, Fraction(0)) * 10**9)


def total(used: Iterable[Used]) -> dict[str, int]:
    """Usage of several."""
    every = list(used)
    return {name: sum(one.five[name] for one in every) for name in FIVE}
