"""Whole characters: some servers cut an answer between the two halves of a UTF-16 surrogate pair.

Half a character cannot be stored or sent on. The first half waits for the second; one that stays alone becomes U+FFFD.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from agent_builder.errors import ProviderError
from agent_builder.messages import (
    ModelEvent,
    ModelFinished,
    TextDelta,
    TextPart,
    ThinkingDelta,
    ThinkingPart,
    ToolCallPart,
)

Said = TextPart | ThinkingPart | ToolCallPart
_HALF = re.compile("[\ud800-\udfff]")


def whole(text: str) -> str:
    """The text with pairs joined and lone halves replaced."""
    if _HALF.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


async def whole_characters(events: AsyncGenerator[ModelEvent, None]) -> AsyncGenerator[ModelEvent, None]:
    """The same events, with no character cut in two between deltas of a kind.

    Raises:
        ProviderError: `broken_stream` when the text that was streamed is not the text of the whole answer.
    """
    waiting: dict[type[TextDelta] | type[ThinkingDelta], str] = {TextDelta: "", ThinkingDelta: ""}
    streamed: list[str] = []
    async with aclosing(events):
        async for event in events:
            if isinstance(event, ModelFinished):
                for delta in (kind(whole(half)) for kind, half in waiting.items() if half):
                    streamed.append(delta.text if isinstance(delta, TextDelta) else "")
                    yield delta
                yield _finished(event, "".join(streamed))
                continue
            kind = type(event)
            text = waiting[kind] + event.text
            waiting[kind] = text[-1] if text and "\ud800" <= text[-1] <= "\udbff" else ""
            if shown := whole(text[:-1] if waiting[kind] else text):
                streamed.append(shown if kind is TextDelta else "")
                yield kind(shown)


def _finished(event: ModelFinished, streamed: str) -> ModelFinished:
    parts = tuple(map(_whole_part, event.parts))
    if streamed != "".join(part.text for part in parts if isinstance(part, TextPart)):
        raise ProviderError("broken_stream", "The model's answer does not add up to what was streamed of it.")
    model, vendor_stop = whole(event.model), whole(event.vendor_stop_reason)
    return replace(event, parts=parts, model=model, vendor_stop_reason=vendor_stop)


def _whole_part(part: Said) -> Said:
    """The part without halves of characters anywhere, ids and the vendor's details included."""
    told = json.dumps(part.model_dump(), ensure_ascii=False)
    return part if _HALF.search(told) is None else type(part).model_validate_json(whole(told))
