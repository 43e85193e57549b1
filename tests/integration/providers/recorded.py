"""What a recorded stream must come to, told from the vendor's own words, and the comparison with what came."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent_builder.messages import Message, ModelEvent, ModelFinished, TextDelta, TextPart, ThinkingDelta, ToolCallPart

GOLDEN = Path(__file__).parents[2] / "golden"
WIRES = {"anthropic": "anthropic", "openai-responses": "openai", "openai-chat": "openai_compatible", "gemini": "google"}

STOPS = {
    "end_turn": "end_turn", "tool_use": "tool_use", "max_tokens": "max_tokens", "refusal": "refusal",
    "stop_sequence": "stop_sequence", "pause_turn": "end_turn",
    "stop": "end_turn", "tool_calls": "tool_use", "length": "max_tokens", "content_filter": "content_filter",
    "completed": "end_turn", "max_output_tokens": "max_tokens",
    "STOP": "end_turn", "MAX_TOKENS": "max_tokens", "PROHIBITED_CONTENT": "content_filter", "SAFETY": "content_filter",
}  # fmt: skip


@dataclass
class Case:
    """One stream: its bytes, the provider that reads it, and what must come of it (None: not told)."""

    name: str
    provider: str
    data: bytes
    expected: dict[str, Any]


def cases() -> Iterator[Case]:
    """The small set in `tests/golden`, or the folder that RECORDED_STREAMS names, with its `manifest.json`."""
    folder = os.environ.get("RECORDED_STREAMS")
    if folder:
        root = Path(folder)
        for entry in json.loads((root / "manifest.json").read_text()):
            yield Case(entry["file"], WIRES[entry["wire"]], (root / entry["file"]).read_bytes(), _told(entry))
        return
    for path in sorted(GOLDEN.glob("*/*.sse")):
        expected = json.loads(path.with_suffix(".json").read_text())
        yield Case(f"{path.parent.name}/{path.name}", path.parent.name, path.read_bytes(), expected)


def _told(entry: dict[str, Any]) -> dict[str, Any]:
    told = entry["expected"]
    calls = [_call(call) for call in told["tool_calls"] if not call.get("streamed_parts") and call.get("name")]
    if any(call.get("streamed_parts") for call in told["tool_calls"]):
        # Told chunk by chunk, without paths and values: only the names of the calls can be compared.
        calls = [{"id": None, "name": call["name"]} for call in told["tool_calls"] if call["name"]]
    vendor_stop = (
        told.get("stop_reason") or told.get("finish_reason") or told.get("incomplete_reason") or told.get("status")
    )
    stop = STOPS[vendor_stop] if vendor_stop else "end_turn"
    if calls and stop == "end_turn":
        stop = "tool_use"
    thinking = told.get("thinking") or told.get("reasoning") or told.get("reasoning_summary") or told.get("thoughts")
    return {
        "text": told["text"] + (told.get("refusal") or ""),
        "thinking": thinking or None,
        "calls": calls,
        "stop_reason": stop,
        "usage": _usage(entry["wire"], told["usage"] or {}),
    }


def _call(call: dict[str, Any]) -> dict[str, Any]:
    raw = call.get("raw_arguments", "")
    told = {"id": call["id"], "name": call["name"]}
    if call.get("arguments") is None and raw:
        return {**told, "invalid": True}
    return {**told, "input": call.get("arguments") or {}}


def _usage(wire: str, told: dict[str, Any]) -> dict[str, int]:
    def number(*path: str) -> int:
        at: Any = told
        for step in path:
            at = (at or {}).get(step)
        return at or 0

    if wire == "anthropic" and len(passes := told.get("iterations") or ()) > 1:
        # Each pass is billed; some, like one that shortens the conversation, are in none of the other counts.
        each = [_usage(wire, {name: count for name, count in one.items() if name != "iterations"}) for one in passes]
        thought = number("output_tokens_details", "thinking_tokens")
        return {name: sum(one[name] for one in each) for name in each[0]} | {"reasoning_tokens": thought}
    if wire == "anthropic":
        read, written = number("cache_read_input_tokens"), number("cache_creation_input_tokens")
        return _five(
            number("input_tokens") + read + written, read, written, number("output_tokens"),
            number("output_tokens_details", "thinking_tokens"),
        )  # fmt: skip
    if wire == "openai-responses":
        return _five(
            number("input_tokens"), number("input_tokens_details", "cached_tokens"),
            number("input_tokens_details", "cache_write_tokens"), number("output_tokens"),
            number("output_tokens_details", "reasoning_tokens"),
        )  # fmt: skip
    if wire == "gemini":
        thoughts = number("thoughtsTokenCount")
        return _five(
            number("promptTokenCount"), number("cachedContentTokenCount"), 0,
            number("candidatesTokenCount") + thoughts, thoughts,
        )  # fmt: skip
    reasoning, output = number("completion_tokens_details", "reasoning_tokens"), number("completion_tokens")
    inside = number("total_tokens") in (0, number("prompt_tokens") + output) and reasoning <= output
    return _five(
        number("prompt_tokens"), number("prompt_tokens_details", "cached_tokens"),
        number("prompt_tokens_details", "cache_write_tokens"), output if inside else output + reasoning, reasoning,
    )  # fmt: skip


def _five(read: int, cached: int, written: int, output: int, reasoning: int) -> dict[str, int]:
    return {
        "input_tokens": read,
        "cache_read_tokens": cached,
        "cache_write_tokens": written,
        "output_tokens": output,
        "reasoning_tokens": reasoning,
    }


def came(events: list[ModelEvent]) -> dict[str, Any]:
    """The same, of what the adapter yielded."""
    *deltas, last = events
    assert isinstance(last, ModelFinished)
    assert not any(isinstance(delta, ModelFinished) for delta in deltas)
    text = Message(role="assistant", parts=last.parts).text
    assert text == "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)), "streamed text is the text"
    assert all(part.text or part.provider_details for part in last.parts if isinstance(part, TextPart))
    return {
        "text": text,
        "thinking": "".join(delta.text for delta in deltas if isinstance(delta, ThinkingDelta)),
        "calls": [part for part in last.parts if isinstance(part, ToolCallPart)],
        "stop_reason": last.stop_reason,
        "usage": last.usage.model_dump(),
    }


def differences(expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """What differs, in words; nothing if all that is told agrees."""
    names = ["text", "stop_reason", "usage"] + (["thinking"] if expected.get("thinking") else [])
    out = [f"{name}: {expected[name]!r} != {found[name]!r}" for name in names if expected[name] != found[name]]
    if len(expected["calls"]) != len(found["calls"]):
        return [*out, f"calls: {expected['calls']} != {found['calls']}"]
    if len({call.tool_use_id for call in found["calls"]} - {""}) != len(found["calls"]):
        out.append("calls without an id of their own")
    for told, call in zip(expected["calls"], found["calls"], strict=True):
        same = told["name"] == call.name and told.get("id") in (None, call.tool_use_id)
        if "input" in told:
            same = same and call.invalid is None and call.input == told["input"]
        if told.get("invalid"):
            same = same and call.invalid is not None and call.input == {}
        if not same:
            out.append(f"call: {told} != {call}")
    return out
