"""Whole characters: some servers cut an answer between the two halves of a UTF-16 surrogate pair.

Half a character cannot be stored or sent on. The first half waits for the second; one that stays alone becomes U+FFFD.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from agent_builder.messages import ModelEvent, ModelFinished, TextDelta, TextPart, ThinkingDelta, ThinkingPart

_HALF = re.compile("[\ud800-\udfff]")


def whole(text: str) -> str:
    """The text with pairs joined and lone halves replaced."""
    if _HALF.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


async def whole_characters(events: AsyncGenerator[ModelEvent, None]) -> AsyncGenerator[ModelEvent, None]:
    """The same events, with no character cut in two between deltas of a kind."""
    waiting: dict[type[TextDelta] | type[ThinkingDelta], str] = {TextDelta: "", ThinkingDelta: ""}
    async with aclosing(events):
        async for event in events:
            if isinstance(event, ModelFinished):
                for kind, half in waiting.items():
                    if half:
                        yield kind(whole(half))
                yield _finished(event)
                continue
            kind = type(event)
            text = waiting[kind] + event.text
            waiting[kind] = text[-1] if text and "\ud800" <= text[-1] <= "\udbff" else ""
            if shown := whole(text[:-1] if waiting[kind] else text):
                yield kind(shown)


def _finished(event: ModelFinished) -> ModelFinished:
    parts = tuple(
        part.model_copy(update={"text": whole(part.text)}) if isinstance(part, TextPart | ThinkingPart) else part
        for part in event.parts
    )
    return replace(event, parts=parts)
