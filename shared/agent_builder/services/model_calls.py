"""One call of a model: when it began, and what it said as the run takes it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from agent_builder.messages import (
    Cost,
    Json,
    Message,
    ModelFinished,
    ModelRequest,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    Usage,
)
from agent_builder.services.history import message_tokens, request_tokens

Said = TextPart | ThinkingPart | ToolCallPart


@dataclass(slots=True)
class ModelCall:
    """When a call of the model began (milliseconds), and when its first event came (seconds that only rise)."""

    started: int
    begun: float = field(default_factory=time.monotonic)
    first: float | None = None

    @property
    def elapsed_ms(self) -> int:
        """How long it has lasted."""
        return round((time.monotonic() - self.begun) * 1000)

    @property
    def timing(self) -> Json:
        """What a step's detail says of its time."""
        return {} if self.first is None else {"first_token_ms": round((self.first - self.begun) * 1000)}


def cost_of(finished: ModelFinished, price: Callable[[str, Usage], Cost]) -> Cost:
    """What a call cost. Where an attempt before it may have been charged for, that is not all, and it says so."""
    cost = price(finished.model, finished.usage)
    return cost.model_copy(update={"unpriced_steps": 1}) if finished.lost else cost


def as_taken(finished: ModelFinished, request: ModelRequest) -> ModelFinished:
    """The end of an answer as a run takes it: its calls have ids of their own, and its tokens are counted.

    What a vendor did not tell of input or output, or told as what cannot be, is estimated by what was sent and came:
    budgets in tokens hold for every server. It stays in doubt, so that nothing of it has a price.
    """
    parts, usage = with_unique_calls(finished.parts), finished.usage
    if "input_tokens" in usage.doubtful:
        usage = usage.model_copy(update={"input_tokens": max(usage.input_tokens, request_tokens(request))})
    if "output_tokens" in usage.doubtful:
        said = message_tokens(Message(role="assistant", parts=parts))
        usage = usage.model_copy(update={"output_tokens": max(usage.output_tokens, said)})
    return replace(finished, parts=parts, usage=usage)


def with_unique_calls(parts: Sequence[Said]) -> tuple[Said, ...]:
    """The same parts; where a careless server gave several calls one id, each has its own."""
    seen: set[str] = set()
    unique: list[Said] = []
    for part in parts:
        if isinstance(part, ToolCallPart):
            name, count = part.tool_use_id, 1
            while name in seen or not name:
                count += 1
                name = f"{part.tool_use_id or 'call'}-{count}"
            seen.add(name)
            part = part if name == part.tool_use_id else part.model_copy(update={"tool_use_id": name})
        unique.append(part)
    return tuple(unique)
