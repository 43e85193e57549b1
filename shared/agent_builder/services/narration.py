"""Tells those who watch what a run does: engine events become frames with `seq` and `offset`."""

from __future__ import annotations

import time

from agent_builder.clock import rfc3339
from agent_builder.messages import Json, Message, TextDelta, ThinkingDelta, ToolCallPart
from agent_builder.models.conversations import Outcome, QueuedRun
from agent_builder.models.views import parts_view
from agent_builder.realtime.delivery import Delivery
from agent_builder.realtime.frames import (
    cancelled_frame,
    complete_frame,
    encoded_size,
    error_frame,
    fit_result,
    pieces,
    utf16_length,
)
from agent_builder.services.events import ApprovalRequired, EngineEvent, ToolFinished, ToolStarted
from agent_builder.services.nesting import Inside
from agent_builder.services.transcript import Transcript

_SEQ_PER_FENCE = 2**24
_SNAPSHOT_TEXT = 16 * 1024
_SNAPSHOT_PARTS = 12 * 1024


class Narration:
    """Frames of one run. `seq` rises, also from one runner to the next (`fence * 2^24 + n`)."""

    def __init__(self, delivery: Delivery, conversation_id: str, run: QueuedRun, *, fence: int) -> None:
        self._delivery = delivery
        self._ids: Json = {"conversation_id": conversation_id, "run_id": run.run_id, "message_id": run.message_id}
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
        self._send({"type": "step_reset", "step_id": self._step_id(step), "offset": self._offset})

    def tell(self, event: EngineEvent, step: int) -> None:
        """Narrate one event of the step with this number."""
        if isinstance(event, TextDelta):
            self._send({"type": "content_delta", "delta": event.text, "offset": self._offset})
            self._offset += utf16_length(event.text)
        elif isinstance(event, ThinkingDelta):
            self._send({"type": "thinking_delta", "delta": event.text, "step_id": self._step_id(step)})
        elif isinstance(event, ToolStarted):
            self._send({**_started(event), "step_id": self._step_id(step)})
        elif isinstance(event, ApprovalRequired):
            self._send({**_approval(event.call, event.expires_at), "step_id": self._step_id(step)})
        elif isinstance(event, ToolFinished):
            self._send(_finished(event))
            if event.result.needs_reconnect is not None:
                self._send(_reconnect(event))

    def tell_inside(self, inside: Inside) -> None:
        """Narrate what happened inside a call: it never touches the message's own text."""
        event, offset = inside.event, self._inner.get(inside.of, 0)
        if event is None:
            self._inner[inside.of] = utf16_length(inside.kept)
        elif isinstance(event, TextDelta):
            self._inner[inside.of] = offset + utf16_length(event.text)
            about = {"tool_use_id": inside.of, "delta": event.text, "offset": offset}
            self._send({"type": "tool_output_delta", **about})
        else:
            frame = _started(event) if isinstance(event, ToolStarted) else _finished(event)
            self._send({**frame, "parent_tool_use_id": inside.of})
            if isinstance(event, ToolFinished) and event.result.needs_reconnect is not None:
                self._send(_reconnect(event))

    def _step_id(self, step: int) -> str:
        return _step_id(self._ids, step)

    def progress(self, phase: str) -> None:
        """A sign of life."""
        self._spoke_at = time.monotonic()
        self._delivery.send({"type": "run_progress", **self._ids, "phase": phase})

    def snapshot(self, transcript: Transcript, only: frozenset[str]) -> None:
        """Bring a connection that came later up to what the others have seen."""
        parts = shown_parts(transcript.message())
        frames = snapshot_frames(self._ids, transcript.text, self._seq, "running", parts)
        for frame in [*frames, *waiting_frames(self._ids, transcript, self._seq)]:
            self._delivery.send(frame, only)

    def end(self, outcome: Outcome, only: frozenset[str] | None = None) -> None:
        """The terminal frame."""
        self._delivery.send(terminal_frame(self._ids, outcome), only)

    def _send(self, frame: Json) -> None:
        self._seq += 1
        self._spoke_at = time.monotonic()
        self._delivery.send({**frame, **self._ids, "seq": self._seq})


def _started(event: ToolStarted) -> Json:
    call = event.call
    about = {"tool_name": call.name, "tool_use_id": call.tool_use_id, "input": fit_result(call.input)}
    return {"type": "tool_use_start", **about}


def _finished(event: ToolFinished) -> Json:
    part = event.result
    frame = {
        "type": "tool_use_complete",
        "tool_name": part.name,
        "tool_use_id": part.tool_use_id,
        "result": fit_result(part.result),
        "duration_ms": part.duration_ms,
    }
    told = {"error": part.error, "needs_reconnect": part.needs_reconnect}
    return {**frame, **{name: value for name, value in told.items() if value is not None}}


def _reconnect(event: ToolFinished) -> Json:
    part = event.result
    about = {"tool_name": part.name, "tool_use_id": part.tool_use_id}
    return {"type": "needs_reconnect", **about, "credential_id": part.needs_reconnect}


def waiting_frames(ids: Json, transcript: Transcript, seq: int) -> list[Json]:
    """What a run waits for, for whoever has not heard of it: a frame for each call on which nobody has decided."""
    calls = {call.tool_use_id: call for call in transcript.round}
    frames = []
    for step in transcript.waiting:
        frame = _approval(calls[step.detail["tool_use_id"]], step.detail["expires_at"])
        frames.append({**frame, "step_id": _step_id(ids, step.number), **ids, "seq": seq})
    return frames


def parked_frames(ids: Json, transcript: Transcript, fence: int) -> list[Json]:
    """A snapshot of a run that waits for people: behind all that its runner said, before all that the next one says."""
    seq = (fence + 1) * _SEQ_PER_FENCE - 1
    frames = snapshot_frames(ids, transcript.text, seq, "running", shown_parts(transcript.message()))
    return [*frames, *waiting_frames(ids, transcript, seq)]


def _approval(call: ToolCallPart, expires_at: int) -> Json:
    about = {"tool_name": call.name, "tool_use_id": call.tool_use_id, "input": fit_result(call.input)}
    return {"type": "approval_required", **about, "expires_at": rfc3339(expires_at)}


def _step_id(ids: Json, step: int) -> str:
    return f"stp_{ids['run_id'].removeprefix('run_')}_{step}"


def terminal_frame(ids: Json, outcome: Outcome) -> Json:
    """The one frame that ends a run."""
    content = outcome.message.text
    if outcome.status == "failed":
        code, detail = outcome.error_code or "internal_error", outcome.error or "The run failed."
        return error_frame(code, detail, retryable=outcome.retryable, **ids)
    if outcome.status == "cancelled":
        return cancelled_frame(ids, content, outcome.usage, outcome.cost)
    return complete_frame(ids, content, outcome.stop_reason, outcome.usage, outcome.cost)


def shown_parts(message: Message) -> list[Json]:
    """A message's parts for a snapshot; none where they would not fit beside the text (REST has them)."""
    parts = parts_view(message)
    return parts if encoded_size(parts) <= _SNAPSHOT_PARTS else []


def snapshot_frames(ids: Json, text: str, seq: int, status: str, parts: list[Json] | None = None) -> list[Json]:
    """A snapshot; beyond what a frame holds its first piece, deltas with the rest follow."""
    chunks = list(pieces(text, _SNAPSHOT_TEXT)) or [""]
    first = {"type": "content_snapshot", **ids, "content": chunks[0], "offset": 0, "seq": seq, "status": status}
    frames: list[Json] = [{**first, "parts": parts or []}]
    offset = utf16_length(chunks[0])
    for chunk in chunks[1:]:
        frames.append({"type": "content_delta", **ids, "delta": chunk, "offset": offset, "seq": seq})
        offset += utf16_length(chunk)
    return frames
