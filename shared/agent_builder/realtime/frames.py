"""Frames of the playground, as `docs/api.md` gives them; below 32 KB each, whatever is in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agent_builder.jsontext import encode
from agent_builder.messages import Cost, Json, Usage

FRAME_LIMIT = 32 * 1024
_TEXT_LIMIT = 24 * 1024
_RESULT_LIMIT = 20 * 1024
CUT_MARK = "… [cut; the whole is readable by REST]"

Frame = dict[str, Any]


def utf16_length(text: str) -> int:
    """Length as JavaScript counts it."""
    return len(text) + sum(1 for char in text if char > "\uffff")


def error_frame(code: str, detail: str, *, retryable: bool = False, **ids: Any) -> Frame:
    """About one frame, or the end of a run when `run_id` is among the ids."""
    given = {name: value for name, value in ids.items() if value is not None}
    return {"type": "error", "error": detail, "code": code, "retryable": retryable, **given}


def encoded_size(value: Any) -> int:
    """Bytes of a value as JSON."""
    return len(encode(value).encode())


def fit_result(value: Json) -> Json:
    """A tool's input or result, cut to what a frame holds."""
    text = encode(value)
    if len(text.encode()) <= _RESULT_LIMIT:
        return value
    kept = text.encode()[: _RESULT_LIMIT // 2].decode("utf-8", "ignore")
    return {"value": kept + CUT_MARK, "truncated": True}


def complete_frame(ids: Json, content: str, stop_reason: str | None, usage: Usage, cost: Cost) -> Frame:
    """`message_complete`; the content is left out where the frame would be too large."""
    frame = {"type": "message_complete", **ids, "content": content, "stop_reason": stop_reason, **totals(usage, cost)}
    return _without_content_if_large(frame)


def cancelled_frame(ids: Json, content: str, usage: Usage, cost: Cost) -> Frame:
    """`run_cancelled`, with what there was."""
    return _without_content_if_large({"type": "run_cancelled", **ids, "content": content, **totals(usage, cost)})


def totals(usage: Usage, cost: Cost) -> Json:
    """Usage and cost as they are shown everywhere."""
    return {"usage": usage.model_dump(), "cost": cost.model_dump()}


def _without_content_if_large(frame: Frame) -> Frame:
    if encoded_size(frame) <= FRAME_LIMIT - 512:
        return frame
    return {**{name: value for name, value in frame.items() if name != "content"}, "truncated": True}


def split_delta(frame: Frame) -> Iterator[Frame]:
    """A delta in pieces that each fit a frame; `offset` goes on, a character is never split."""
    text: str = frame["delta"]
    if len(text) * 6 <= _TEXT_LIMIT:
        yield frame
        return
    offset = frame.get("offset")
    for piece in pieces(text, _TEXT_LIMIT):
        part = {**frame, "delta": piece}
        if offset is not None:
            part["offset"] = offset
            offset += utf16_length(piece)
        yield part


def pieces(text: str, limit: int) -> Iterator[str]:
    """Cut a text so that each piece is at most `limit` bytes as JSON."""
    start = size = 0
    for index, char in enumerate(text):
        width = len(encode(char).encode()) - 2
        if size + width > limit and index > start:
            yield text[start:index]
            start, size = index, 0
        size += width
    if start < len(text):
        yield text[start:]
