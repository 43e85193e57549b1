"""What each frame makes of an answer. Applying a frame again changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from web.client.python import inner, utf16
from web.client.python.answer import (
    FENCE,
    STORED,
    Answer,
    Failure,
    Frame,
    Status,
    appended,
    begun,
    cut_back,
    extended,
    fence_of,
    verdict_of,
    with_gap,
)
from web.client.python.blocks import (
    Block,
    TextBlock,
    ToolBlock,
    built,
    find_tool,
    finished,
    is_open,
    shared,
    stopped,
    swapped,
    with_thinking,
    without_step,
)


def apply(answer: Answer, frame: Frame) -> Answer:
    """The answer after a frame of its run; the same object where nothing changed."""
    handle = _HANDLERS.get(frame["type"])
    if handle is None or (answer.over and (answer.whole or frame["type"] not in _RETOLD)):
        return answer
    if answer.message_id is None and frame.get("message_id"):
        answer = replace(answer, message_id=frame["message_id"])
    return handle(answer, frame)


def _content(answer: Answer, frame: Frame) -> Answer:
    verdict = verdict_of(answer, frame)
    if verdict == "stale":
        return answer
    if verdict == "gap" or frame["offset"] > answer.sure:
        return with_gap(answer)
    return extended(begun(answer, frame), utf16.tail(frame["delta"], answer.sure - frame["offset"]))


def _thinking(answer: Answer, frame: Frame) -> Answer:
    verdict = verdict_of(answer, frame)
    if verdict == "gap":
        return with_gap(answer)
    if verdict == "stale" or frame["seq"] <= answer.seq:
        return answer
    blocks = with_thinking(answer.blocks, frame["delta"], answer.length, frame.get("step_id"))
    return replace(begun(answer, frame), blocks=blocks)


def _tool_start(answer: Answer, frame: Frame) -> Answer:
    if "parent_tool_use_id" in frame:
        return inner.started(answer, frame)
    return _card(answer, frame, "running")


def _approval(answer: Answer, frame: Frame) -> Answer:
    return _card(answer, frame, "waiting")


def _card(answer: Answer, frame: Frame, status: Literal["running", "waiting"]) -> Answer:
    verdict = verdict_of(answer, frame)
    if verdict != "take":
        return with_gap(answer) if verdict == "gap" else answer
    known = find_tool(answer.blocks, frame["tool_use_id"])
    if known is None:
        card = ToolBlock(answer.length, frame["tool_use_id"], frame["tool_name"], frame.get("input"), status)
        card = replace(card, expires_at=frame.get("expires_at"), step_id=frame.get("step_id"))
        return replace(begun(answer, frame), blocks=(*answer.blocks, card))
    if not is_open(known) or known.status == status or frame.get("seq", answer.seq + 1) <= answer.seq:
        return begun(answer, frame)
    card = replace(known, status=status, expires_at=frame.get("expires_at"), input=frame.get("input", known.input))
    return replace(begun(answer, frame), blocks=swapped(answer.blocks, known, card))


def _tool_complete(answer: Answer, frame: Frame) -> Answer:
    if "parent_tool_use_id" in frame:
        return inner.completed(answer, frame)
    verdict = verdict_of(answer, frame)
    if verdict != "take":
        return with_gap(answer) if verdict == "gap" else answer
    known = find_tool(answer.blocks, frame["tool_use_id"])
    answer = begun(answer, frame)
    if known is None:
        card = finished(ToolBlock(answer.length, frame["tool_use_id"], frame["tool_name"]), frame)
        return replace(answer, blocks=(*answer.blocks, card), whole=False)
    if not is_open(known):
        return answer
    return replace(answer, blocks=swapped(answer.blocks, known, finished(known, frame)))


def _step_reset(answer: Answer, frame: Frame) -> Answer:
    seq, offset = frame["seq"], frame["offset"]
    if seq <= answer.floor:
        return answer
    if seq <= answer.seq:  # what came after it was taken already: only a snapshot can tell what is withdrawn
        return with_gap(answer)
    blocks, certain = without_step(answer.blocks, offset, frame.get("step_id"), answer.run_id)
    text = utf16.head(answer.text, offset)
    length = min(answer.length, offset)
    return replace(
        begun(answer, frame),
        floor=seq,
        text=text,
        length=length,
        sure=min(answer.sure, offset),
        blocks=blocks,
        missing=offset > answer.sure,
        whole=frame.get("step_id") == answer.run_id or (answer.whole and certain and offset <= answer.sure),
    )


def _snapshot(answer: Answer, frame: Frame) -> Answer:
    if not answer.over and frame["status"] == "running" and answer.status == "queued":
        answer = replace(answer, status="running")
    seq = frame["seq"]
    if seq < max(answer.seq, answer.floor):
        return answer
    shown = _from_parts(answer, frame) if frame.get("parts") else _from_text(answer, frame)
    return replace(shown, seq=seq, floor=seq, missing=False)


def _from_parts(answer: Answer, frame: Frame) -> Answer:
    """Everything anew; tools that run are not among the parts, so their cards stay while the runner is the same."""
    blocks, text = built(frame["parts"])
    if not text.startswith(frame["content"]):
        return _from_text(answer, frame)
    if fence_of(frame["seq"]) == fence_of(answer.seq):
        running = (block for block in answer.blocks if is_open(block))
        blocks += tuple(block for block in running if isinstance(block, ToolBlock) and not find_tool(blocks, block.id))
    length = utf16.length(text)
    blocks = shared(blocks, answer.blocks)
    return replace(answer, text=text, length=length, sure=length, blocks=blocks, whole=True)


def _from_text(answer: Answer, frame: Frame) -> Answer:
    """The first piece of a long text, deltas follow. What is shown stays until one of them says otherwise."""
    content = frame["content"]
    length = utf16.length(content)
    same_runner = fence_of(frame["seq"]) == fence_of(answer.seq)
    if (same_runner or frame["seq"] == STORED) and answer.seq >= 0 and answer.text.startswith(content):
        return replace(answer, sure=length, whole=answer.whole and frame["seq"] == answer.seq)
    nothing_yet = answer.seq < 0 and frame["seq"] % FENCE == 0
    blocks: tuple[Block, ...] = (TextBlock(0, content),) if content else ()
    return replace(answer, text=content, length=length, sure=length, blocks=blocks, whole=answer.whole and nothing_yet)


def _progress(answer: Answer, frame: Frame) -> Answer:
    phase = frame.get("phase")
    if answer.over or (answer.status == "running" and answer.phase == phase):
        return answer
    return replace(answer, status="running", phase=phase)


def _completed(answer: Answer, frame: Frame) -> Answer:
    return _ended(answer, frame, "completed")


def _cancelled(answer: Answer, frame: Frame) -> Answer:
    return _ended(answer, frame, "cancelled")


def _failed(answer: Answer, frame: Frame) -> Answer:
    failure = Failure(frame["code"], frame["error"], bool(frame.get("retryable")))
    return _ended(replace(answer, error=failure), frame, "failed")


def _ended(answer: Answer, frame: Frame, status: Status) -> Answer:
    first = not answer.over
    answer = _final_text(answer, frame)
    if not first:
        return answer
    return replace(
        answer,
        status=status,
        phase=None,
        missing=False,
        blocks=stopped(answer.blocks) if any(map(is_open, answer.blocks)) else answer.blocks,
        stop_reason=frame.get("stop_reason"),
        usage=frame.get("usage"),
        cost=frame.get("cost"),
    )


def _final_text(answer: Answer, frame: Frame) -> Answer:
    content = frame.get("content")
    whole = answer.whole and not answer.missing and not frame.get("truncated")
    if content is None:
        return replace(cut_back(answer, answer.sure), whole=whole)
    if content == answer.text:
        return replace(answer, sure=answer.length, whole=whole)
    answer = cut_back(answer, answer.sure)
    if content.startswith(answer.text):
        return replace(appended(answer, content[len(answer.text) :]), whole=whole and content == answer.text)
    length = utf16.length(content)
    return replace(answer, text=content, length=length, sure=length, blocks=(TextBlock(0, content),), whole=False)


# What `resume` brings of a run that has ended; anything else comes late.
_RETOLD = frozenset({"content_snapshot", "content_delta", "message_complete", "run_cancelled", "error"})
_HANDLERS: dict[str, Callable[[Answer, Frame], Answer]] = {
    "content_delta": _content,
    "thinking_delta": _thinking,
    "tool_use_start": _tool_start,
    "tool_use_complete": _tool_complete,
    "tool_output_delta": inner.said,
    "approval_required": _approval,
    "step_reset": _step_reset,
    "content_snapshot": _snapshot,
    "run_progress": _progress,
    "message_complete": _completed,
    "run_cancelled": _cancelled,
    "error": _failed,
}
