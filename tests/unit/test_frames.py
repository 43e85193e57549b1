"""Frames stay below 32 KB whatever is in them, and offsets count as JavaScript does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_builder.messages import Cost, Usage
from agent_builder.realtime.frames import (
    CUT_MARK,
    FRAME_LIMIT,
    cancelled_frame,
    complete_frame,
    encoded_size,
    error_frame,
    failed_frame,
    fit_result,
    pieces,
    split_delta,
    utf16_length,
)

IDS = {"conversation_id": "cnv_" + "0" * 26, "run_id": "run_" + "0" * 26, "message_id": "msg_" + "0" * 26}
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
HUGE = ["x" * 100_000, "😀" * 20_000, '"' * 50_000, "\u0001" * 20_000, "ä\n" * 20_000]


@given(TEXT)
def test_length_as_javascript_counts_it(text: str) -> None:
    assert utf16_length(text) == len(text.encode("utf-16-le")) // 2


@given(TEXT, st.integers(12, 50))
def test_pieces_are_the_text_and_each_is_small_enough(text: str, limit: int) -> None:
    cut = list(pieces(text, limit))
    assert "".join(cut) == text
    assert all(0 < encoded_size(piece) - 2 <= limit for piece in cut)


@pytest.mark.parametrize("text", HUGE, ids=["ascii", "emoji", "quotes", "control", "mixed"])
def test_pieces_of_a_delta_fit_and_join(text: str) -> None:
    frames = list(split_delta({"type": "content_delta", "delta": text, "offset": 7, "seq": 1, **IDS}))
    assert "".join(frame["delta"] for frame in frames) == text
    assert all(encoded_size(frame) <= FRAME_LIMIT for frame in frames)
    offset = 7
    for frame in frames:
        assert frame["offset"] == offset
        offset += utf16_length(frame["delta"])


def test_a_small_delta_is_left_alone_and_thinking_has_no_offset() -> None:
    frame = {"type": "content_delta", "delta": "x", "offset": 1}
    assert list(split_delta(frame)) == [frame]
    assert all("offset" not in part for part in split_delta({"type": "thinking_delta", "delta": "x" * 50_000}))


@pytest.mark.parametrize("text", HUGE, ids=["ascii", "emoji", "quotes", "control", "mixed"])
def test_a_terminal_frame_leaves_out_content_that_would_not_fit(text: str) -> None:
    for frame in (complete_frame(IDS, text, "end_turn", Usage(), Cost()), cancelled_frame(IDS, text, Usage(), Cost())):
        assert encoded_size(frame) <= FRAME_LIMIT
        assert frame["truncated"] is True
        assert "content" not in frame
        assert frame["usage"]["input_tokens"] == 0


def test_a_terminal_frame_with_its_content() -> None:
    assert complete_frame(IDS, "Hi", "end_turn", Usage(input_tokens=3), Cost(amount_nanousd=5)) == {
        "type": "message_complete",
        **IDS,
        "content": "Hi",
        "stop_reason": "end_turn",
        "usage": {
            "input_tokens": 3,
            "cache_read_tokens": 0,
            "cache_write_tokens": 0,
            "output_tokens": 0,
            "reasoning_tokens": 0,
        },
        "cost": {"amount_nanousd": 5, "unpriced_steps": 0},
    }


@pytest.mark.parametrize("value", [{"text": text} for text in HUGE], ids=["ascii", "emoji", "quotes", "ctrl", "mixed"])
def test_a_long_result_is_cut_with_a_mark(value: dict[str, Any]) -> None:
    cut = fit_result(value)
    assert cut["truncated"] is True
    assert cut["value"].endswith(CUT_MARK)
    assert encoded_size(cut) <= FRAME_LIMIT - 1024


def test_a_short_result_is_left_alone() -> None:
    assert fit_result({"a": [1, 2]}) == {"a": [1, 2]}


def test_an_error_names_the_message_or_the_run_that_it_is_about() -> None:
    about = {"type": "error", "error": "words", "code": "code", "retryable": False}
    assert error_frame("code", "words") == about
    assert error_frame("code", "words", client_message_id="a") == {**about, "client_message_id": "a"}
    assert failed_frame(IDS, "code", "words", retryable=True) == {**about, "retryable": True, **IDS}
