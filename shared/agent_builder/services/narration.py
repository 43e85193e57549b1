"""Tells those who watch what a run does: engine events become frames with `seq` and `offset`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from agent_builder.clock import rfc3339
from agent_builder.messages import Message, TextDelta, ThinkingDelta, ToolCallPart, ToolResultPart
from agent_builder.models.conversations import Outcome, QueuedRun
from agent_builder.models.views import parts_view
from agent_builder.realtime.delivery import Delivery
from agent_builder.realtime.frames import (
    cancelled_frame,
    complete_frame,
    encoded_size,
    failed_frame,
    fit_result,
    pieces,
    utf16_length,
)
from agent_builder.services.events import ApprovalRequired, EngineEvent, ToolFinished, ToolStarted
from agent_builder.services.nesting import Inside
from agent_builder.services.transcript import Transcript

if TYPE_CHECKING:
    from agent_builder.models.message_out import PartOut
    from agent_builder.realtime.frames_out import (
        ApprovalRequiredFrame,
        ContentDeltaFrame,
        ContentSnapshotFrame,
        NeedsReconnectFrame,
        Numbered,
        NumberedFrame,
        RunIds,
        RunProgressFrame,
        ShownStatus,
        TerminalFrame,
        ToolUseCompleteFrame,
        ToolUseStartFrame,
    )

_SEQ_PER_FENCE = 2**24
_SNAPSHOT_TEXT = 16 * 1024
_SNAPSHOT_PARTS = 12 * 1024


class Narration:
    """Frames of one run. `seq` rises, also from one runner to the next (`fence * 2^24 + n`)."""

    def __init__(self, delivery: Delivery, conversation_id: str, run: QueuedRun, *, fence: int) -> None:
        self._delivery = delivery
        self._ids: RunIds = {
            "conversation_id": conversation_id,
            "run_id": run.run_id,
            "message_id": run.message_id,
        }
        self._seq = fence * _SEQ_PER_FENCE
        self._offset = 0
        self._inner: dict[str, int] = {}
        self._spoke_at = time.monotonic()

    def quiet_for(self) -> float:
        """Seconds since the last frame of this run."""
        return time.monotonic() - self._spoke_at

    def reset(self, step: int, kept: str) -> None:
        """Withdraw what was shown of the step with this number; `kept` is the text of those before it."""
        self._offset = utf16_length(kept)
        self._send({"type": "step_reset", "step_id": self._step_id(step), "offset": self._offset, **self._next()})

    def tell(self, event: EngineEvent, step: int) -> None:
        """Narrate one event of the step with this number."""
        if isinstance(event, TextDelta):
            self._send({"type": "content_delta", "delta": event.text, "offset": self._offset, **self._next()})
            self._offset += utf16_length(event.text)
        elif isinstance(event, ThinkingDelta):
            step_id = self._step_id(step)
            self._send({"type": "thinking_delta", "delta": event.text, "step_id": step_id, **self._next()})
        elif isinstance(event, ToolStarted):
            self._send({**_started(event, self._next()), "step_id": self._step_id(step)})
        elif isinstance(event, ApprovalRequired):
            self._send(_approval(event.call, event.expires_at, self._step_id(step), self._next()))
        elif isinstance(event, ToolFinished):
            self._finished(event)

    def tell_inside(self, inside: Inside) -> None:
        """Narrate what happened inside a call: it never touches the message's own text."""
        event, offset = inside.event, self._inner.get(inside.of, 0)
        if event is None:
            self._inner[inside.of] = utf16_length(inside.kept)
        elif isinstance(event, TextDelta):
            self._inner[inside.of] = offset + utf16_length(event.text)
            self._send(
                {
                    "type": "tool_output_delta",
                    "tool_use_id": inside.of,
                    "delta": event.text,
                    "offset": offset,
                    **self._next(),
                }
            )
        elif isinstance(event, ToolStarted):
            self._send({**_started(event, self._next()), "parent_tool_use_id": inside.of})
        else:
            self._finished(event, inside.of)

    def _step_id(self, step: int) -> str:
        return _step_id(self._ids, step)

    def progress(self, phase: str) -> None:
        """A sign of life."""
        self._spoke_at = time.monotonic()
        frame: RunProgressFrame = {"type": "run_progress", **self._ids, "phase": phase}
        self._delivery.send(frame)

    def snapshot(self, transcript: Transcript, only: frozenset[str]) -> None:
        """Bring a connection that came later up to what the others have seen."""
        parts = shown_parts(transcript.message())
        frames = snapshot_frames(self._ids, transcript.text, self._seq, "running", parts)
        for frame in [*frames, *waiting_frames(self._ids, transcript, self._seq)]:
            self._delivery.send(frame, only)

    def end(self, outcome: Outcome, only: frozenset[str] | None = None) -> None:
        """The terminal frame."""
        self._delivery.send(terminal_frame(self._ids, outcome), only)

    def _finished(self, event: ToolFinished, inside_of: str | None = None) -> None:
        part = event.result
        frame = _completed(part, self._next())
        if inside_of is not None:
            frame["parent_tool_use_id"] = inside_of
        self._send(frame)
        if part.needs_reconnect is not None:
            self._send(_reconnect(part, part.needs_reconnect, self._next()))

    def _next(self) -> Numbered:
        """What the next frame says of its run."""
        self._seq += 1
        return {**self._ids, "seq": self._seq}

    def _send(self, frame: NumberedFrame) -> None:
        self._spoke_at = time.monotonic()
        self._delivery.send(frame)


def _started(event: ToolStarted, at: Numbered) -> ToolUseStartFrame:
    call = event.call
    return {
        "type": "tool_use_start",
        "tool_name": call.name,
        "tool_use_id": call.tool_use_id,
        "input": fit_result(call.input),
        **at,
    }


def _completed(part: ToolResultPart, at: Numbered) -> ToolUseCompleteFrame:
    frame: ToolUseCompleteFrame = {
        "type": "tool_use_complete",
        "tool_name": part.name,
        "tool_use_id": part.tool_use_id,
        "result": fit_result(part.result),
        "duration_ms": part.duration_ms,
        **at,
    }
    if part.error is not None:
        frame["error"] = part.error
    if part.outcome is not None:
        frame["outcome"] = part.outcome
    if part.needs_reconnect is not None:
        frame["needs_reconnect"] = part.needs_reconnect
    return frame


def _reconnect(part: ToolResultPart, credential_id: str, at: Numbered) -> NeedsReconnectFrame:
    return {
        "type": "needs_reconnect",
        "tool_name": part.name,
        "tool_use_id": part.tool_use_id,
        "credential_id": credential_id,
        **at,
    }


def waiting_frames(ids: RunIds, transcript: Transcript, seq: int) -> list[ApprovalRequiredFrame]:
    """What a run waits for, for whoever has not heard of it: a frame for each call on which nobody has decided."""
    calls = {call.tool_use_id: call for call in transcript.round}
    frames = []
    for step in transcript.waiting:
        call, expires_at = calls[step.detail["tool_use_id"]], step.detail["expires_at"]
        frames.append(_approval(call, expires_at, _step_id(ids, step.number), {**ids, "seq": seq}))
    return frames


def parked_frames(ids: RunIds, transcript: Transcript, fence: int) -> list[NumberedFrame]:
    """A snapshot of a run that waits for people: behind all that its runner said, before all that the next one says."""
    seq = (fence + 1) * _SEQ_PER_FENCE - 1
    frames = snapshot_frames(ids, transcript.text, seq, "running", shown_parts(transcript.message()))
    return [*frames, *waiting_frames(ids, transcript, seq)]


def _approval(call: ToolCallPart, expires_at: int, step_id: str, at: Numbered) -> ApprovalRequiredFrame:
    return {
        "type": "approval_required",
        "tool_name": call.name,
        "tool_use_id": call.tool_use_id,
        "input": fit_result(call.input),
        "expires_at": rfc3339(expires_at),
        "step_id": step_id,
        **at,
    }


def _step_id(ids: RunIds, step: int) -> str:
    return f"stp_{ids['run_id'].removeprefix('run_')}_{step}"


def terminal_frame(ids: RunIds, outcome: Outcome) -> TerminalFrame:
    """The one frame that ends a run."""
    content = outcome.message.text
    if outcome.status == "failed":
        code, detail = outcome.error_code or "internal_error", outcome.error or "The run failed."
        return failed_frame(ids, code, detail, retryable=outcome.retryable)
    if outcome.status == "cancelled":
        return cancelled_frame(ids, content, outcome.usage, outcome.cost)
    return complete_frame(ids, content, outcome.stop_reason, outcome.usage, outcome.cost)


def shown_parts(message: Message) -> list[PartOut]:
    """A message's parts for a snapshot; none where they would not fit beside the text (REST has them)."""
    parts = parts_view(message)
    return parts if encoded_size(parts) <= _SNAPSHOT_PARTS else []


def snapshot_frames(
    ids: RunIds, text: str, seq: int, status: ShownStatus, parts: list[PartOut] | None = None
) -> list[ContentSnapshotFrame | ContentDeltaFrame]:
    """A snapshot; beyond what a frame holds its first piece, deltas with the rest follow."""
    chunks = list(pieces(text, _SNAPSHOT_TEXT)) or [""]
    at: Numbered = {**ids, "seq": seq}
    first: ContentSnapshotFrame = {
        "type": "content_snapshot",
        "content": chunks[0],
        "offset": 0,
        "parts": parts or [],
        "status": status,
        **at,
    }
    frames: list[ContentSnapshotFrame | ContentDeltaFrame] = [first]
    offset = utf16_length(chunks[0])
    for chunk in chunks[1:]:
        frames.append({"type": "content_delta", "delta": chunk, "offset": offset, **at})
        offset += utf16_length(chunk)
    return frames
