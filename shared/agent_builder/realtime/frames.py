"""Frames of the playground, as `frames_out` gives them; below 32 KB each, whatever is in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from agent_builder.jsontext import encode
from agent_builder.messages import Cost, Json, Usage

if TYPE_CHECKING:
    from agent_builder.realtime.frames_out import (
        MessageCompleteFrame,
        ObjectionFrame,
        RunCancelledFrame,
        RunFailedFrame,
        RunIds,
    )

FRAME_LIMIT = 32 * 1024
_TEXT_LIMIT = 24 * 1024
_RESULT_LIMIT = 20 * 1024
CUT_MARK = "… [cut; the whole is readable by REST]"

Frame = Mapping[str, Any]


def utf16_length(text: str) -> int:
    """Length as JavaScript counts it."""
    return len(text) + sum(1 for char in text if char > "\uffff")


def error_frame(
    code: str, detail: str, *, retryable: bool = False, client_message_id: str | None = None
) -> ObjectionFrame:
    """About one frame, or the connection."""
    frame: ObjectionFrame = {"type": "error", "error": detail, "code": code, "retryable": retryable}
    if client_message_id is not None:
        frame["client_message_id"] = client_message_id
    return frame


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


def failed_frame(ids: RunIds, code: str, detail: str, *, retryable: bool = False) -> RunFailedFrame:
    """`error` as the end of a run."""
    return {"type": "error", "error": detail, "code": code, "retryable": retryable, **ids}


def complete_frame(
    ids: RunIds, content: str, stop_reason: str | None, usage: Usage, cost: Cost
) -> MessageCompleteFrame:
    """`message_complete`; the content is left out where the frame would be too large."""
    frame: MessageCompleteFrame = {
        "type": "message_complete",
        **ids,
        "content": content,
        "stop_reason": stop_reason,
        "usage": usage.model_dump(),
        "cost": cost.model_dump(),
    }
    _leave_out_content_if_large(frame)
    return frame


def cancelled_frame(ids: RunIds, content: str, usage: Usage, cost: Cost) -> RunCancelledFrame:
    """`run_cancelled`, with what there was."""
    frame: RunCancelledFrame = {
        "type": "run_cancelled",
        **ids,
        "content": content,
        "usage": usage.model_dump(),
        "cost": cost.model_dump(),
    }
    _leave_out_content_if_large(frame)
    return frame


def _leave_out_content_if_large(frame: MessageCompleteFrame | RunCancelledFrame) -> None:
    if encoded_size(frame) > FRAME_LIMIT - 512:
        del frame["content"]
        frame["truncated"] = True


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
