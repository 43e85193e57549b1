"""What is known of model families: limits, and parameters that a family refuses. It informs and never forbids.

A name that no rule matches is passed on as it is, with every parameter that was set. Sources: the vendors' SDK
docstrings (anthropic 2.12, openai 3.54, google-genai 3.4) and their published model pages, November 2026.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

Thinking = Literal["none", "budget", "level"]
DEFAULT_CONTEXT_WINDOW = 128_000


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one model family.

    Attributes:
        context_window, max_output: Tokens.
        sampling: Takes `temperature` and `top_p`.
        one_sampling: Takes only one of the two at a time.
        thinking: Thinks not at all, by a token budget, or by a level of effort.
        efforts: The levels it takes, if not all of the vendor's.
        tools, vision: Capabilities to show.
        system: Takes a system prompt; otherwise it is put before the first user message.
    """

    context_window: int = DEFAULT_CONTEXT_WINDOW
    max_output: int | None = None
    sampling: bool = True
    one_sampling: bool = False
    thinking: Thinking = "none"
    efforts: tuple[str, ...] = ()
    tools: bool = True
    vision: bool = True
    system: bool = True


_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_O_SERIES = ("low", "medium", "high")

_CLAUDE_BUDGET = Facts(200_000, 64_000, one_sampling=True, thinking="budget")
_CLAUDE_4_6 = Facts(1_000_000, 64_000, one_sampling=True, thinking="level", efforts=("low", "medium", "high", "max"))
_CLAUDE_NOW = Facts(
    1_000_000, 128_000, sampling=False, thinking="level", efforts=("low", "medium", "high", "xhigh", "max")
)
_O = Facts(200_000, 100_000, sampling=False, thinking="level", efforts=_O_SERIES)
_GPT_5 = Facts(400_000, 128_000, sampling=False, thinking="level", efforts=("minimal", "low", "medium", "high"))
_GPT_5_1 = replace(_GPT_5, efforts=("none", *_O_SERIES))
_GPT_5_2 = replace(_GPT_5, efforts=("none", *_O_SERIES, "xhigh"))
_GPT_5_4 = replace(_GPT_5_2, context_window=1_050_000)
_GPT_NOW = replace(_GPT_5_4, efforts=("none", *_O_SERIES, "xhigh", "max"))
_GEMINI_2_5 = Facts(1_048_576, 65_536, thinking="budget")
_GEMINI_NOW = Facts(1_048_576, 65_536, thinking="level", efforts=("minimal", "low", "medium", "high"))

# The first pattern that the name begins with decides.
_RULES: dict[str, tuple[tuple[str, Facts], ...]] = {
    "anthropic": (
        (r"claude-(2|v1|instant)", Facts(200_000, 4_096, tools=False, vision=False)),
        (r"claude-3-(opus|sonnet|haiku)", Facts(200_000, 4_096)),
        (r"claude-3-5", Facts(200_000, 8_192)),
        (r"claude-3-7", Facts(200_000, 64_000, thinking="budget")),
        (r"claude-(opus-4-[15]|sonnet-4-5|haiku-4-5)(?!\d)", _CLAUDE_BUDGET),
        (r"claude-(opus|sonnet)-4-6", _CLAUDE_4_6),
        (r"claude-opus-4-[7-9]", _CLAUDE_NOW),
        (r"claude-(opus|sonnet)-4|claude-4", Facts(200_000, 32_000, thinking="budget")),
        (r"claude-", _CLAUDE_NOW),
    ),
    "openai": (
        (r"o1-(mini|preview)", replace(_O, context_window=128_000, tools=False, vision=False, system=False)),
        (r"o\d", _O),
        (r"gpt-3\.5", Facts(16_385, 4_096, vision=False)),
        (r"gpt-4\.1", Facts(1_047_576, 32_768)),
        (r"gpt-4-32k", Facts(32_000, 4_096, vision=False)),
        (r"(gpt-4o|chatgpt-4o|gpt-4-turbo|gpt-4\.5)", Facts(128_000, 16_384)),
        (r"gpt-4", Facts(8_192, 8_192, vision=False)),
        (r"gpt-5(-|$)", _GPT_5),
        (r"gpt-5\.1", _GPT_5_1),
        (r"gpt-5\.(2|3-codex|4-mini|4-nano)", _GPT_5_2),
        (r"gpt-5\.3", replace(_GPT_5_2, context_window=128_000)),
        (r"gpt-5\.4", _GPT_5_4),
        (r"gpt-5\.5", replace(_GPT_5_4, context_window=1_000_000)),
        (r"gpt-[5-9]", _GPT_NOW),
    ),
    "google": (
        (r"gemini-(1\.0|pro)", Facts(32_768, 8_192)),
        (r"gemini-1\.5-pro", Facts(2_097_152, 8_192)),
        (r"gemini-(1\.5|2\.0)", Facts(1_048_576, 8_192)),
        (r"gemini-2\.5-pro", replace(_GEMINI_2_5, efforts=_EFFORTS[1:])),
        (r"gemini-2\.5", _GEMINI_2_5),
        (r"gemini-[3-9]", _GEMINI_NOW),
        (r"gemma", Facts(128_000, 8_192, tools=False, vision=False)),
    ),
    "local": ((r"", Facts(8_192, 2_048, vision=False)),),
    "scripted": ((r"", Facts(1_048_576, 100_000, vision=False)),),
}


@cache
def facts(provider: str, model: str) -> Facts | None:
    """What is known of the model, None for an unknown name. Prefixes such as `models/` do not matter."""
    name = model.rsplit("/", 1)[-1].lower().removeprefix("ft:")
    return next((known for pattern, known in _RULES.get(provider, ()) if re.match(pattern, name)), None)


def nearest_effort(effort: str, taken: tuple[str, ...]) -> str:
    """The level that comes closest among those taken; the level itself where nothing is known."""
    if not taken or effort in taken or effort not in _EFFORTS:
        return effort
    wanted = _EFFORTS.index(effort)
    return min(taken, key=lambda level: abs(_EFFORTS.index(level) - wanted))
