"""What every provider must do, once: the cases of the matrix and what proves each.

A case says which server plays it and what must come of it. `CELLS` names, for each case, the providers it is proved
for; the matrix test fails for a provider that is missing there without a reason in `GAPS`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from agent_builder.messages import Message, ModelFinished, ToolCallPart
from tests.integration.providers.recorded import GOLDEN
from tests.integration.providers.vendors import TOOLS
from tests.integration.providers.wire import Reply, cut

ODD_TEXT = "Grüße \U0001f44b\U0001f3fd before\u2028after\u2029end\u0085 \u6f22\u5b57 \u05e9\u05dc\u05d5\u05dd \u000b."


@dataclass(frozen=True)
class Good:
    """An answer of aimock.

    Attributes:
        asked: What the user says; aimock's fixtures match it.
        check: Given what came (as `recorded.came` tells it) and the terminal event.
    """

    asked: str
    check: Callable[[dict[str, Any], ModelFinished], None]
    request: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """A fault and the error that it must become.

    Attributes:
        kind: Of the ProviderError.
        llmock: Scripts llmock's server, or None.
        reply: Makes the wire server's reply for a provider, if llmock is None.
        partly: Whether something may come before the error.
        expected: Further attributes of the error.
    """

    kind: str
    llmock: Callable[[Any], object] | None = None
    reply: Callable[[str], Reply] | None = None
    partly: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    expected: dict[str, Any] = field(default_factory=dict)


def _calls(last: ModelFinished) -> list[tuple[str, Any]]:
    calls = [part for part in last.parts if isinstance(part, ToolCallPart)]
    assert all(call.tool_use_id and call.invalid is None for call in calls)
    assert len({call.tool_use_id for call in calls}) == len(calls)
    return [(call.name, call.input) for call in calls]


def _text(text: str, stop: str = "end_turn") -> Callable[[dict[str, Any], ModelFinished], None]:
    def check(found: dict[str, Any], last: ModelFinished) -> None:
        assert found["text"] == text
        assert found["stop_reason"] == stop
        assert not found["calls"]

    return check


def _thinking(found: dict[str, Any], last: ModelFinished) -> None:
    assert found["text"] == "Four."
    assert found["thinking"] == "Two and two are four, surely."
    assert [part.type for part in last.parts] == ["thinking", "text"]


def _one_tool(found: dict[str, Any], last: ModelFinished) -> None:
    assert found["stop_reason"] == "tool_use"
    assert _calls(last) == [("get_weather", {"city": "Paris", "days": 3, "note": "naïve \U0001f600"})]


def _parallel(found: dict[str, Any], last: ModelFinished) -> None:
    assert found["stop_reason"] == "tool_use"
    deep = {"zone": "Europe/Paris", "deep": {"list": [1, 2, {"a": None}]}}
    assert _calls(last) == [("get_weather", {"city": "Paris"}), ("get_time", deep), ("get_weather", {"city": "Oslo"})]


def _text_and_tool(found: dict[str, Any], last: ModelFinished) -> None:
    assert found["text"] == "Let me look."
    assert _calls(last) == [("get_time", {})]
    assert found["stop_reason"] == "tool_use"


def _usage(found: dict[str, Any], last: ModelFinished) -> None:
    assert (last.usage.input_tokens, last.usage.output_tokens) == (21, 7)


GOOD: dict[str, Good] = {
    "text": Good("case text", _text("Hello from the mock, in several pieces.")),
    "unicode": Good("case unicode", _text(ODD_TEXT)),
    "thinking": Good("case thinking", _thinking),
    "one_tool": Good("case one tool", _one_tool, {"tools": TOOLS}),
    "parallel_tools": Good("case parallel tools", _parallel, {"tools": TOOLS}),
    "text_and_tool": Good("case both", _text_and_tool, {"tools": TOOLS}),
    "cut_off": Good("case cut off", _text("This is as far as", "max_tokens")),
    "usage": Good("case usage", _usage),
}


def golden(provider: str, name: str = "everything") -> bytes:
    return (GOLDEN / provider / f"{name}.sse").read_bytes()


def _half(end: str) -> Callable[[str], Reply]:
    def reply(provider: str) -> Reply:
        data = golden(provider)
        return Reply(cut(data[: len(data) * 2 // 3], provider), end=end)

    return reply


def _cut_off_event(provider: str) -> Reply:
    """The connection ends properly, in the middle of an event."""
    data = golden(provider)
    return Reply([data[: data.index(b"Twice") + 3]])


def _bad_bytes(provider: str) -> Reply:
    return Reply([b'data: {"type": "\xff\xfe"}\n\n'])


def _no_object(provider: str) -> Reply:
    return Reply([b"data: [1, 2]\n\n"])


def _page(provider: str) -> Reply:
    return Reply([b"<html><body>It works!</body></html>"], headers={"content-type": "text/html"})


def _whole_json(provider: str) -> Reply:
    return Reply([b'{"id": "x", "object": "thing"}'], headers={"content-type": "application/json"})


def _nothing(provider: str) -> Reply:
    return Reply([])


def _status(status: int, body: Any = None, **headers: str) -> Callable[[str], Reply]:
    told = json.dumps(body).encode() if body is not None else b"<h1>Bad gateway</h1>"
    return lambda provider: Reply([told], status, {"content-type": "application/json", **headers})


SPEND = {"type": "error", "error": {"type": "rate_limit_error", "code": "enforced_spend_limit_reached", "message": "x"}}
STALLED = {"idle_seconds": 0.3}

FAULTS: dict[str, Fault] = {
    "429": Fault("rate_limit", lambda m: m.fail(429, retry_after=2), expected={"retry_after": 2, "retryable": True}),
    "429_much_too_long_to_wait": Fault(
        "rate_limit", reply=_status(429, {"error": {"message": "slow"}}, **{"retry-after": "4294967"}),
        expected={"retry_after": 300.0},
    ),
    "429_spend_limit": Fault("rate_limit", reply=_status(429, SPEND), expected={"retryable": False}),
    "401": Fault("auth", lambda m: m.fail(401), expected={"retryable": False, "vendor_status": 401}),
    "403": Fault("auth", lambda m: m.fail(403), expected={"retryable": False}),
    "404": Fault("model_not_found", lambda m: m.fail(404), expected={"retryable": False}),
    "400": Fault("invalid_request", lambda m: m.fail(400), expected={"retryable": False}),
    "500": Fault("unavailable", lambda m: m.fail(500), expected={"retryable": True}),
    "502_html": Fault("unavailable", reply=_status(502)),
    "503": Fault("overloaded", lambda m: m.fail(503), expected={"retryable": True}),
    "529": Fault("overloaded", lambda m: m.fail(529), expected={"retryable": True, "vendor_status": 529}),
    "context_too_long": Fault("context_too_long", lambda m: m.limits(context_window=1), expected={"retryable": False}),
    "drop": Fault("broken_stream", lambda m: m.disconnect(after_chunks=2), partly=True, expected={"retryable": True}),
    "drop_by_the_wire": Fault("broken_stream", reply=_half("drop"), partly=True),
    "stall": Fault("timeout", lambda m: m.stall(after_chunks=2, seconds=20), partly=True, settings=STALLED),
    "stall_by_the_wire": Fault("timeout", reply=_half("hang"), partly=True, settings=STALLED),
    "no_answer": Fault("timeout", lambda m: m.delay(20), settings=STALLED),
    "early_end": Fault("broken_stream", lambda m: m.truncate(after_chunks=2), partly=True),
    "early_end_by_the_wire": Fault("broken_stream", reply=_half("whole"), partly=True),
    "cut_off_event": Fault("broken_stream", reply=_cut_off_event, partly=True),
    "bad_chunk": Fault("broken_stream", lambda m: m.corrupt(after_chunks=2), partly=True),
    "bad_bytes": Fault("broken_stream", reply=_bad_bytes),
    "no_object": Fault("broken_stream", reply=_no_object),
    "html_page": Fault("broken_stream", reply=_page),
    "json_without_stream": Fault("broken_stream", reply=_whole_json),
    "nothing": Fault("broken_stream", reply=_nothing),
}  # fmt: skip


def errors_inside(provider: str) -> dict[str, Any]:
    """The vendor's own way to say in the middle of a stream that it is overloaded."""
    return {
        "anthropic": {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        "openai": {"type": "error", "code": "server_is_overloaded", "message": "slow_down", "param": None},
        "openai_compatible": {"error": {"message": "overloaded", "type": "overloaded", "code": 503}},
        "google": {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}},
    }[provider]


def with_answer(call: ToolCallPart, said: ModelFinished, result: Any) -> Message:
    """The assistant message after a tool has answered."""
    return Message(role="assistant", parts=(*said.parts, result))
