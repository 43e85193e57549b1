"""How much of a conversation a model is given.

A conversation is a row of *exchanges*: what the user said, then the assistant message with all its tool rounds. Whole
exchanges are dropped, oldest first, so that no tool result is ever parted from its call; the newest is always kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from agent_builder.messages import Json, Message, ModelRequest, ToolCallPart, ToolResultPart, ToolSpec

BYTES_PER_TOKEN = 3
TOKENS_PER_PART = 8
DEFAULT_OUTPUT = 8_192
TRIMMED_CHARS = 200


def fit(
    messages: Sequence[Message],
    *,
    system: str,
    tools: Sequence[ToolSpec],
    context_window: int,
    max_output: int | None,
) -> list[Message]:
    """The newest exchanges that fit into the context window, oldest first.

    When the newest alone is too large, its oldest tool results are cut to their beginnings; if that does not help it
    is returned all the same, and the vendor says that it is too long.

    Args:
        messages: Oldest first.
        system: The system prompt, which takes room as well.
        tools: Told of in every request.
        context_window: Tokens of input and output together.
        max_output: Tokens kept free for the answer; None for a common amount.
    """
    answer = min(max_output or DEFAULT_OUTPUT, context_window // 2)
    room = context_window - answer - _fixed_tokens(system, tools)
    kept: list[Message] = []
    for exchange in reversed(_exchanges(messages)):
        room -= sum(map(message_tokens, exchange))
        if room < 0 and kept:
            break
        if room < 0:
            return _trimmed(exchange, -room)
        kept = [*exchange, *kept]
    return kept


def drop_oldest(messages: Sequence[Message]) -> list[Message]:
    """Less of it, for another try after the vendor found it too long.

    The older half of the exchanges goes; of a single one, the tool results are cut. What cannot be made smaller is
    returned as it is: compare, and give up.
    """
    exchanges = _exchanges(messages)
    if len(exchanges) > 1:
        return [message for exchange in exchanges[-(len(exchanges) // 2) :] for message in exchange]
    size = sum(map(message_tokens, messages))
    return _trimmed(list(messages), size // 2)


def tokens(text: str) -> int:
    """An estimate that errs on the high side: one token for each three bytes of UTF-8, rounded up.

    English has about four letters a token, JSON and code about three, Chinese or Japanese about one letter of three
    bytes; no vendor's tokenizer is asked, since that costs a call or a large package.
    """
    return -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)


def message_tokens(message: Message) -> int:
    """The estimate for a message with all its parts."""
    return TOKENS_PER_PART + sum(TOKENS_PER_PART + tokens(text) for text in _texts(message))


def request_tokens(request: ModelRequest) -> int:
    """The estimate for all that a model is given."""
    return _fixed_tokens(request.system, request.tools) + sum(map(message_tokens, request.messages))


def _fixed_tokens(system: str, tools: Sequence[ToolSpec]) -> int:
    return tokens(system) + sum(tokens(_dumped([t.name, t.description, t.input_schema])) for t in tools)


def _texts(message: Message) -> Iterator[str]:
    for part in message.parts:
        own = _dumped(part.provider_details) if part.provider_details else ""
        if isinstance(part, ToolCallPart):
            yield part.name + (part.invalid or _dumped(part.input)) + own
        elif isinstance(part, ToolResultPart):
            yield part.name + (part.error or _dumped(part.result))
        else:
            yield part.text + own


def _exchanges(messages: Sequence[Message]) -> list[list[Message]]:
    """Each begins with a user message that follows an assistant message; what comes before the first is one too."""
    exchanges: list[list[Message]] = []
    for message in messages:
        if not exchanges or (message.role == "user" and exchanges[-1][-1].role == "assistant"):
            exchanges.append([])
        exchanges[-1].append(message)
    return exchanges


def _trimmed(exchange: Sequence[Message], too_much: int) -> list[Message]:
    """The same exchange with its oldest tool results cut, until that many tokens are saved."""
    out: list[Message] = []
    for message in exchange:
        parts = list(message.parts)
        for index, part in enumerate(parts):
            if too_much > 0 and isinstance(part, ToolResultPart):
                shorter = _shorter(part)
                too_much -= tokens(_dumped(part.result)) - tokens(_dumped(shorter.result))
                parts[index] = shorter
        out.append(message.model_copy(update={"parts": tuple(parts)}))
    return out


def _shorter(result: ToolResultPart) -> ToolResultPart:
    text = _dumped(result.result)
    if len(text) <= 2 * TRIMMED_CHARS:
        return result
    left_out = len(text) - TRIMMED_CHARS
    cut: Json = {"beginning": text[:TRIMMED_CHARS], "left_out": f"{left_out} characters, to save room"}
    return result.model_copy(update={"result": cut})


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
