from __future__ import annotations

from collections.abc import AsyncGenerator

from agent_builder.messages import ModelEvent, ModelFinished, TextDelta, TextPart, ThinkingDelta, Usage
from agent_builder.providers.characters import whole, whole_characters


async def _events(*events: ModelEvent) -> AsyncGenerator[ModelEvent, None]:
    for event in events:
        yield event


def _finished(text: str) -> ModelFinished:
    return ModelFinished((TextPart(text=text),), "end_turn", Usage())


async def _came(*events: ModelEvent) -> list[ModelEvent]:
    return [event async for event in whole_characters(_events(*events))]


async def test_halves_are_joined() -> None:
    came = await _came(TextDelta("a\ud83d"), ThinkingDelta("hm"), TextDelta("\ude00b"), _finished("a\ud83d\ude00b"))
    assert came == [TextDelta("a"), ThinkingDelta("hm"), TextDelta("\U0001f600b"), _finished("a\U0001f600b")]


async def test_lone_halves_are_replaced_in_deltas_and_parts_alike() -> None:
    came = await _came(TextDelta("x\udc00y"), TextDelta("\ud83d"), _finished("x\udc00y\ud83d"))
    assert came == [TextDelta("x\ufffdy"), TextDelta("\ufffd"), _finished("x\ufffdy\ufffd")]


def test_whole_text_is_left_alone() -> None:
    text = "Grüße \U0001f600 \u2028"
    assert whole(text) is text
