"""What watchers are told of a run: sequence, offsets in UTF-16, and the frames that end it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_builder.messages import (
    Cost,
    Message,
    TextDelta,
    TextPart,
    ThinkingDelta,
    ToolCallPart,
    ToolResultPart,
    Usage,
)
from agent_builder.models.conversations import Outcome, QueuedRun
from agent_builder.realtime.connections import Posted
from agent_builder.realtime.delivery import Delivery
from agent_builder.realtime.frames import FRAME_LIMIT, Frame, encoded_size, utf16_length
from agent_builder.services.events import ToolFinished, ToolStarted
from agent_builder.services.narration import Narration, snapshot_frames, terminal_frame
from agent_builder.services.nesting import Inside
from agent_builder.services.transcript import Transcript
from tests.frames import check_frame

RUN = QueuedRun("run_1", "agt_1", 1, "msg_1", "msg_2", "ann", 0)
IDS = {"conversation_id": "cnv_1", "run_id": "run_1", "message_id": "msg_2"}


class Sent(Delivery):
    """Keeps frames in place of sending them."""

    def __init__(self) -> None:
        super().__init__(_Nobody(), ThreadPoolExecutor(1))
        self.frames: list[tuple[Frame, frozenset[str] | None]] = []

    def send(self, frame: Frame, only: frozenset[str] | None = None) -> None:
        check_frame(dict(frame))
        self.frames.append((frame, only))

    def plain(self) -> list[Frame]:
        return [frame for frame, _ in self.frames]


class _Nobody:
    def post(self, connection_id: str, data: bytes) -> Posted:
        raise AssertionError("nothing is posted here")


def narration(fence: int = 3) -> tuple[Narration, Sent]:
    sent = Sent()
    return Narration(sent, "cnv_1", RUN, fence=fence), sent


def test_a_delta_names_its_run_and_its_place() -> None:
    narrator, sent = narration()
    narrator.tell(TextDelta("Hi 😀"), 1)
    narrator.tell(TextDelta("!"), 1)
    assert sent.plain() == [
        {"type": "content_delta", "delta": "Hi 😀", "offset": 0, **IDS, "seq": 3 * 2**24 + 1},
        {"type": "content_delta", "delta": "!", "offset": 5, **IDS, "seq": 3 * 2**24 + 2},
    ]


@given(st.lists(st.one_of(st.builds(TextDelta, st.text()), st.builds(ThinkingDelta, st.text())), max_size=30))
def test_offsets_follow_the_text_and_seq_rises(events: list[Any]) -> None:
    narrator, sent = narration()
    for event in events:
        narrator.tell(event, 1)
    offset, last = 0, 0
    for frame in sent.plain():
        assert frame["seq"] > last
        last = frame["seq"]
        if frame["type"] == "content_delta":
            assert frame["offset"] == offset
            offset += utf16_length(frame["delta"])


def test_seq_of_a_later_runner_is_higher_than_any_of_an_earlier_one() -> None:
    earlier, first = narration(fence=1)
    later, second = narration(fence=2)
    for _ in range(1000):
        earlier.tell(TextDelta("x"), 1)
    later.tell(TextDelta("x"), 1)
    assert second.plain()[0]["seq"] > first.plain()[-1]["seq"]
    assert second.plain()[0]["seq"] < 2**53


def test_tools_are_told() -> None:
    narrator, sent = narration()
    narrator.tell(ToolStarted(ToolCallPart(tool_use_id="t1", name="calculator", input={"expression": "1"})), 1)
    good = ToolResultPart(tool_use_id="t1", name="calculator", result={"result": "1"}, duration_ms=4)
    bad = ToolResultPart(tool_use_id="t1", name="calculator", result={}, error="No.", duration_ms=4)
    narrator.tell(ToolFinished(good), 1)
    narrator.tell(ToolFinished(bad), 1)
    start, fine, failed = sent.plain()
    assert (start["type"], start["tool_name"], start["tool_use_id"]) == ("tool_use_start", "calculator", "t1")
    assert start["input"] == {"expression": "1"}
    assert (fine["result"], fine["duration_ms"], "error" in fine) == ({"result": "1"}, 4, False)
    assert (failed["result"], failed["error"]) == ({}, "No.")


def test_a_reset_withdraws_everything() -> None:
    narrator, sent = narration()
    narrator.tell(TextDelta("Kept 😀 lost"), 1)
    narrator.reset(3, "Kept 😀")
    narrator.tell(TextDelta("!"), 1)
    _, reset, after = sent.plain()
    assert (reset["type"], reset["offset"], reset["message_id"]) == ("step_reset", 7, "msg_2")
    assert reset["step_id"] == "stp_1_3"
    assert after["offset"] == 7


def test_progress_is_a_sign_of_life() -> None:
    narrator, sent = narration()
    narrator.progress("working")
    (frame,) = sent.plain()
    assert (frame["type"], frame["run_id"], frame["phase"]) == ("run_progress", "run_1", "working")


def test_a_snapshot_goes_to_whom_it_is_for() -> None:
    narrator, sent = narration()
    narrator.tell(TextDelta("abc"), 1)
    narrator.snapshot(Transcript(text_pieces=["abc"]), frozenset({"late"}))
    frame, only = sent.frames[-1]
    assert only == {"late"}
    assert (frame["type"], frame["content"], frame["offset"], frame["status"]) == (
        "content_snapshot",
        "abc",
        0,
        "running",
    )
    assert frame["seq"] == 3 * 2**24 + 1


@pytest.mark.parametrize("text", ["", "short", "😀" * 40_000, '"' * 70_000])
def test_a_snapshot_of_any_length_fits_frames_and_joins(text: str) -> None:
    frames = snapshot_frames(IDS, text, 9, "completed")
    assert frames[0]["type"] == "content_snapshot"
    assert all(frame["type"] == "content_delta" for frame in frames[1:])
    assert all(encoded_size(frame) <= FRAME_LIMIT for frame in frames)
    shown = frames[0]["content"]
    for frame in frames[1:]:
        assert frame["offset"] == utf16_length(shown)
        shown += frame["delta"]
    assert shown == text


def _outcome(status: Any, **more: Any) -> Outcome:
    message = Message(role="assistant", parts=(TextPart(text="What there was"),))
    return Outcome(status, message, more.pop("stop_reason", None), Usage(output_tokens=1), Cost(), **more)


def test_a_completed_run_ends_with_its_message() -> None:
    frame = terminal_frame(IDS, _outcome("completed", stop_reason="end_turn"))
    assert (frame["type"], frame["content"], frame["stop_reason"]) == ("message_complete", "What there was", "end_turn")
    assert frame["message_id"] == "msg_2"
    assert frame["cost"] == {"amount_nanousd": None, "unpriced_steps": 0}


def test_a_cancelled_run_ends_with_what_there_was() -> None:
    frame = terminal_frame(IDS, _outcome("cancelled"))
    assert (frame["type"], frame["content"], frame["run_id"]) == ("run_cancelled", "What there was", "run_1")


def test_a_failed_run_ends_with_an_error_that_names_it() -> None:
    failed = _outcome("failed", error_code="provider_auth", error="No key.", retryable=True)
    frame = terminal_frame(IDS, failed)
    assert (frame["type"], frame["code"], frame["error"], frame["retryable"], frame["run_id"]) == (
        "error",
        "provider_auth",
        "No key.",
        True,
        "run_1",
    )


# ---------------------------------------------------------------- inside of calls


def test_the_inside_of_a_call_has_its_own_offsets_and_leaves_the_messages_alone() -> None:
    narrator, sent = narration()
    narrator.tell(TextDelta("So 😀"), 1)
    narrator.tell_inside(Inside("t1", TextDelta("one 😀")))
    narrator.tell_inside(Inside("t2", TextDelta("other")))
    narrator.tell_inside(Inside("t1", TextDelta(" two")))
    narrator.tell_inside(Inside("t1", None, "one"))
    narrator.tell_inside(Inside("t1", TextDelta("!")))
    narrator.tell(TextDelta("."), 2)
    told = [(f["type"], f.get("tool_use_id"), f["delta"], f["offset"]) for f in sent.plain()]
    assert told == [
        ("content_delta", None, "So 😀", 0),
        ("tool_output_delta", "t1", "one 😀", 0),
        ("tool_output_delta", "t2", "other", 0),
        ("tool_output_delta", "t1", " two", 6),
        ("tool_output_delta", "t1", "!", 3),
        ("content_delta", None, ".", 5),
    ]
    assert all(f["run_id"] == "run_1" for f in sent.plain())
    seqs = [f["seq"] for f in sent.plain()]
    assert seqs == sorted(set(seqs))


def test_calls_inside_of_a_call_name_it() -> None:
    narrator, sent = narration()
    call = ToolCallPart(tool_use_id="t1/x", name="look", input={"n": 1})
    result = ToolResultPart(
        tool_use_id="t1/x", name="look", result={}, error="No.", duration_ms=2, needs_reconnect="crd_1"
    )
    narrator.tell_inside(Inside("t1", ToolStarted(call)))
    narrator.tell_inside(Inside("t1", ToolFinished(result)))
    start, end, reconnect = sent.plain()
    assert (start["type"], start["tool_use_id"], start["parent_tool_use_id"]) == ("tool_use_start", "t1/x", "t1")
    assert start["input"] == {"n": 1}
    assert (end["type"], end["tool_use_id"], end["parent_tool_use_id"]) == ("tool_use_complete", "t1/x", "t1")
    assert (end["error"], end["duration_ms"]) == ("No.", 2)
    assert (reconnect["type"], reconnect["credential_id"]) == ("needs_reconnect", "crd_1")
