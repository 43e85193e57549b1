"""Frames of clients: what is taken, and that everything else is refused with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_builder.errors import AgentBuilderError, CallerError, MalformedRequest, PayloadTooLarge, Unprocessable
from agent_builder.realtime.frames import FRAME_LIMIT
from functions.playground.frames_in import CLIENT_FRAMES, FRAMES, UserMessageFrame, read_frame

CNV = "cnv_01M82K8EMXT7G14V9AF00XZ8T2"
RUN = "run_01M82K8EMXT7G14V9AF00XZ8T2"
VALID: list[dict[str, Any]] = [
    {"type": "user_message", "content": "Hi"},
    {"type": "user_message", "content": "Hi", "conversation_id": CNV, "client_message_id": "m-1"},
    {"type": "user_message", "content": "Hi", "conversation_id": None, "client_message_id": None},
    {"type": "resume", "conversation_id": CNV},
    {"type": "cancel", "conversation_id": CNV},
    {"type": "cancel", "conversation_id": CNV, "run_id": RUN},
    {"type": "approval", "run_id": RUN, "tool_use_id": "t", "decision": "approve"},
    {"type": "approval", "run_id": RUN, "tool_use_id": "t", "decision": "deny", "input": {"a": 1}, "reason": "no"},
    {"type": "ping"},
]


@pytest.mark.parametrize("frame", VALID, ids=lambda frame: "-".join(frame))
def test_a_valid_frame_is_taken(frame: dict[str, Any]) -> None:
    taken = read_frame(json.dumps(frame), binary=False)
    assert taken.type == frame["type"]
    for name, value in frame.items():
        assert getattr(taken, name) == value


def test_every_type_has_a_frame_and_a_schema() -> None:
    assert {frame["type"] for frame in VALID} == set(FRAMES)
    assert set(CLIENT_FRAMES.json_schema()["discriminator"]["mapping"]) == set(FRAMES)


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        ({}, "`type` must be one of"),
        ({"type": "nonsense"}, "`type` must be one of"),
        ({"type": None}, "`type` must be one of"),
        ({"type": ["ping"]}, "`type` must be one of"),
        ({"type": {"a": 1}}, "`type` must be one of"),
        ({"type": "ping", "more": 1}, "more: This field is not known"),
        ({"type": "user_message"}, "content: This field is required"),
        ({"type": "user_message", "content": 5}, "content"),
        ({"type": "user_message", "content": ["Hi"]}, "content"),
        ({"type": "user_message", "content": ""}, "content"),
        ({"type": "user_message", "content": " \n\t\u3000"}, "empty"),
        ({"type": "user_message", "content": "Hi", "conversation_id": 5}, "conversation_id"),
        ({"type": "user_message", "content": "Hi", "client_message_id": "x" * 129}, "client_message_id"),
        ({"type": "user_message", "content": "Hi", "client_message_id": ""}, "client_message_id"),
        ({"type": "resume"}, "conversation_id: This field is required"),
        ({"type": "resume", "conversation_id": "x" * 65}, "conversation_id"),
        ({"type": "cancel", "conversation_id": CNV, "run_id": True}, "run_id"),
        ({"type": "approval", "run_id": RUN, "tool_use_id": "t", "decision": "maybe"}, "decision"),
        ({"type": "approval", "run_id": RUN, "tool_use_id": "t", "decision": "deny", "input": []}, "input"),
    ],
)
def test_an_invalid_frame_says_what_to_change(frame: dict[str, Any], told: str) -> None:
    with pytest.raises(Unprocessable) as refusal:
        read_frame(json.dumps(frame), binary=False)
    assert told in refusal.value.detail


@pytest.mark.parametrize("body", [None, "", "hello", "[]", "5", '"ping"', '{"type":"ping","type":"ping"}', "{"])
def test_what_is_no_object_is_malformed(body: str | None) -> None:
    with pytest.raises(MalformedRequest):
        read_frame(body, binary=False)


def test_binary_is_not_understood() -> None:
    with pytest.raises(MalformedRequest, match="Binary"):
        read_frame("eyJ0eXBlIjoicGluZyJ9", binary=True)


def test_the_limit_is_32_kb_of_utf8() -> None:
    empty = len(json.dumps({"type": "user_message", "content": ""}))
    at = json.dumps({"type": "user_message", "content": "x" * (FRAME_LIMIT - empty)})
    taken = read_frame(at, binary=False)
    assert isinstance(taken, UserMessageFrame)
    with pytest.raises(PayloadTooLarge):
        read_frame(at.replace("xx", "xxx", 1), binary=False)
    with pytest.raises(PayloadTooLarge):
        read_frame(at.replace("x", "ä", 1), binary=False)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(VALID), st.dictionaries(st.sampled_from([*VALID[1], "run_id", "x"]), JSON, max_size=3))
def test_any_mutation_is_taken_or_refused_by_a_callers_error(frame: dict[str, Any], changed: dict[str, Any]) -> None:
    try:
        read_frame(json.dumps({**frame, **changed}), binary=False)
    except AgentBuilderError as refusal:
        assert isinstance(refusal, CallerError)
        assert len(refusal.detail) < 4_000
