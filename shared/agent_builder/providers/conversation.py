"""What all adapters share: a stored conversation made acceptable to any vendor, and an answer made whole.

What it mends: tool calls whose run was stopped before their results, results without a call, empty messages, several
user messages in a row, a conversation that an assistant message begins, tool ids that only one vendor accepts.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from agent_builder.messages import (
    Json,
    Message,
    ModelFinished,
    ModelRequest,
    Round,
    StopReason,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
    Usage,
    rounds,
)
from agent_builder.providers.arguments import compact

MAX_TOKENS = 10**8  # in one request; ten times what the largest context window has
NO_TEXT = "(no text)"
START = "(start of the conversation)"
NO_RESULT = "The tool was not run, or its result was lost."
_PLAIN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

Said = TextPart | ThinkingPart | ToolCallPart


@dataclass(frozen=True, slots=True)
class UserTurn:
    """What the user wrote, one text a message; none is empty."""

    texts: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of it, for wires that take one text."""
        return "\n\n".join(self.texts)


def turns(messages: Sequence[Message]) -> Iterator[UserTurn | Round]:
    """The conversation as user turns and complete rounds; the first is always a user turn.

    Every call of a round has exactly one result, in the order of the calls, unless the round has no calls.
    """
    texts: list[str] = []
    begun = False
    for message in messages:
        if message.role == "user":
            texts.append(message.text if message.text.strip() else NO_TEXT)
            continue
        for complete in filter(None, map(_completed, rounds(message))):
            if texts or not begun:
                yield UserTurn(tuple(texts) or (START,))
            texts, begun = [], True
            yield complete
    if texts or not begun:
        yield UserTurn(tuple(texts) or (NO_TEXT,))


def _completed(step: Round) -> Round | None:
    calls = [part for part in step.said if isinstance(part, ToolCallPart)]
    results = {result.tool_use_id: result for result in step.results}
    said = tuple(part for part in step.said if not isinstance(part, TextPart) or part.text.strip())
    if not any(isinstance(part, TextPart | ToolCallPart) for part in said):
        return None
    return Round(said, tuple(results.get(call.tool_use_id) or _lost(call) for call in calls))


def _lost(call: ToolCallPart) -> ToolResultPart:
    return ToolResultPart(tool_use_id=call.tool_use_id, name=call.name, result={}, error=NO_RESULT)


def details(part: Said, provider: str) -> Json:
    """What this vendor wants back with the part; `{}` when another vendor made it."""
    own = part.provider_details
    return own if own and own.get("provider") == provider else {}


def vendor_id(tool_use_id: str) -> str:
    """The id where every vendor takes it as it is, else one made from it, the same each time."""
    if _PLAIN_ID.fullmatch(tool_use_id):
        return tool_use_id
    return "call_" + hashlib.sha256(tool_use_id.encode()).hexdigest()[:24]


def result_text(result: ToolResultPart) -> str:
    """A result as text for the model. A plain `{"text": …}` or `{"value": …}` stays JSON: models read that well."""
    return f"Error: {result.error}" if result.error is not None else compact(result.result)


def finished(
    request: ModelRequest, said: Iterable[Said], stop: StopReason, usage: Usage, model: str, vendor_stop: str
) -> ModelFinished:
    """The terminal event, with parts and stop reason brought to agree.

    Calls of an answer that was cut off or withheld are marked invalid and so never run; calls of an answer that ended
    well make the stop reason `tool_use`, whatever the server called it; without calls it is no `tool_use`. Ids that
    are missing or were used before (some servers count from 0 in each answer) are replaced.
    """
    parts = tuple(_with_fresh_ids(request, said))
    called = any(isinstance(part, ToolCallPart) for part in parts)
    if stop in ("max_tokens", "content_filter", "refusal"):
        parts = tuple(_cut_off(part) if isinstance(part, ToolCallPart) else part for part in parts)
    elif called or stop == "tool_use":
        stop = "tool_use" if called else "end_turn"
    return ModelFinished(parts, stop, usage, model, vendor_stop)


def counted(**counts: object) -> Usage:
    """Usage of one request by its vendor's counts, as far as they can be: odd accounting never costs an answer.

    What is no count is 0; what is inside of another is at most that. All that is not as the vendor told it, and an
    input that was not told or is none, is in doubt, as is an output that was not told.
    """
    told = {name: count for name, count in counts.items() if count is not None}
    possible = {name: n for name, n in told.items() if is_count(n)}
    all_in, out = possible.get("input_tokens", 0), possible.get("output_tokens", 0)
    read = min(possible.get("cache_read_tokens", 0), all_in)
    usage = Usage(
        input_tokens=all_in,
        cache_read_tokens=read,
        cache_write_tokens=min(possible.get("cache_write_tokens", 0), all_in - read),
        output_tokens=out,
        reasoning_tokens=min(possible.get("reasoning_tokens", 0), out),
    )
    odd = {name for name in told if name not in possible or getattr(usage, name) != possible[name]}
    missing = {
        name for name, lacks in (("input_tokens", not all_in), ("output_tokens", "output_tokens" not in told)) if lacks
    }
    return usage.doubting(odd | missing)


def spoken(usage: Usage, said: Iterable[Said]) -> Usage:
    """The same usage; an output of nothing is in doubt where there is text."""
    silent = usage.output_tokens or not any(isinstance(part, TextPart) and part.text for part in said)
    return usage if silent else usage.doubting(["output_tokens"])


def is_count(value: object) -> TypeGuard[int]:
    """Whether it can be a number of tokens."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_TOKENS


def together(first: object, *others: object) -> object:
    """The sum of counts, where the others may be missing; what is no count, where one of them is none."""
    counts = [first, *(other for other in others if other is not None)]
    known = [count for count in counts if is_count(count)]
    return sum(known) if len(known) == len(counts) else next(count for count in counts if not is_count(count))


def _cut_off(call: ToolCallPart) -> ToolCallPart:
    if call.invalid is not None:
        return call
    return call.model_copy(update={"input": {}, "invalid": compact(call.input)})


def _with_fresh_ids(request: ModelRequest, said: Iterable[Said]) -> Iterator[Said]:
    used = {p.tool_use_id for m in request.messages for p in m.parts if isinstance(p, ToolCallPart)}
    for part in said:
        if isinstance(part, ToolCallPart):
            if not part.tool_use_id or part.tool_use_id in used:
                part = part.model_copy(update={"tool_use_id": f"call_{uuid.uuid4().hex[:24]}"})
            used.add(part.tool_use_id)
        yield part
