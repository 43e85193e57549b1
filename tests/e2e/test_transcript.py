"""How the page puts frames together, whatever happens to them on the way: its own module, in the browser."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from local.testing import Instance

IDS = {"conversation_id": "cnv_1", "run_id": "run_1", "message_id": "msg_1"}
FENCE = 2**24
# What is left of a transcript after some frames: text, blocks in short, status.
APPLY = """async (frames) => {
  const { Transcript, textOf } = await import("/transcript.js");
  const transcript = new Transcript();
  const effects = frames.map((frame) => transcript.apply(frame));
  const [entry] = transcript.entries;
  const blocks = entry.blocks.map((block) => block.type === "text" ? ["text", textOf(entry, block)]
    : block.type === "thinking" ? ["thinking", block.text] : ["tool", block.id, block.result ?? null]);
  return { text: entry.text, blocks, status: entry.status, whole: entry.whole,
           gap: effects.some((effect) => effect.gap === true), ended: effects.filter((effect) => effect.ended).length };
}"""


@pytest.fixture(scope="module")
def apply(browser: Browser, stack: Instance) -> Iterator[Any]:
    page = browser.new_page()
    page.goto(stack.url)
    yield lambda frames: page.evaluate(APPLY, frames)
    page.close()


def frame(kind: str, seq: int, **fields: Any) -> dict[str, Any]:
    return {"type": kind, **IDS, "seq": seq, **fields}


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def a_run(pieces: list[str], seq: int = FENCE) -> list[dict[str, Any]]:
    """Thinking, half of the text, a tool, the rest, the end."""
    frames = [frame("thinking_delta", seq + 1, delta="Hm, "), frame("thinking_delta", seq + 2, delta="so.")]
    offset, half = 0, len(pieces) // 2
    for index, piece in enumerate(pieces):
        if index == half:
            frames.append(frame("tool_use_start", seq + 100, tool_name="clock", tool_use_id="t1", input={}))
            result = {"tool_name": "clock", "tool_use_id": "t1", "result": {"time": 1}, "duration_ms": 3}
            frames.append(frame("tool_use_complete", seq + 101, **result))
        frames.append(
            frame("content_delta", seq + 10 + index + (200 if index >= half else 0), delta=piece, offset=offset)
        )
        offset += utf16(piece)
    text = "".join(pieces)
    end = {"content": text, "stop_reason": "end_turn", "usage": {"input_tokens": 1, "output_tokens": 1}, "cost": None}
    return [*frames, {"type": "message_complete", **IDS, **end}]


PIECES = ["Good ", "day ", "🚀😀", " and ", "a\n\nnew ", "line", "."]
WHOLE = "".join(PIECES)
BLOCKS = [
    ["thinking", "Hm, so."],
    ["text", "Good day 🚀😀"],
    ["tool", "t1", {"time": 1}],
    ["text", " and a\n\nnew line."],
]


def test_frames_in_order(apply: Any) -> None:
    seen = apply(a_run(PIECES))
    assert (seen["text"], seen["blocks"], seen["status"]) == (WHOLE, BLOCKS, "completed")
    assert (seen["gap"], seen["ended"], seen["whole"]) == (False, 1, True)


@pytest.mark.parametrize("seed", range(20))
def test_doubled_and_repeated_frames_change_nothing(apply: Any, seed: int) -> None:
    chance = random.Random(seed)
    frames: list[dict[str, Any]] = []
    for each in a_run(PIECES):
        frames.append(each)
        for _ in range(chance.randrange(3)):
            frames.append(chance.choice(frames))
    seen = apply(frames)
    assert (seen["text"], seen["blocks"], seen["status"]) == (WHOLE, BLOCKS, "completed")


@pytest.mark.parametrize("lost", range(len(PIECES)))
def test_a_lost_delta_is_noticed_and_the_end_puts_it_right(apply: Any, lost: int) -> None:
    frames = a_run(PIECES)
    deltas = [each for each in frames if each["type"] == "content_delta"]
    frames.remove(deltas[lost])
    seen = apply(frames)
    assert seen["text"] == WHOLE
    assert seen["gap"] is (lost < len(PIECES) - 1)


def test_another_runner_starts_again_and_the_late_words_of_the_first_are_ignored(apply: Any) -> None:
    first = a_run(["Wrong ", "words "])[:-1]
    reset = frame("step_reset", 2 * FENCE + 1, step_id="run_1", offset=0)
    seen = apply([*first, reset, *first, *a_run(PIECES, seq=2 * FENCE + 1)])
    assert (seen["text"], seen["blocks"], seen["status"]) == (WHOLE, BLOCKS, "completed")


def test_reset_of_a_later_step_keeps_what_was_before_it(apply: Any) -> None:
    *frames, _ = a_run(PIECES)
    kept = utf16("Good day 🚀😀")
    seen = apply([*frames, frame("step_reset", 3 * FENCE, step_id="stp_2", offset=kept)])
    assert seen["blocks"] == BLOCKS[:3]


@pytest.mark.parametrize("cut", range(12))
def test_a_snapshot_in_the_middle_and_what_comes_after(apply: Any, cut: int) -> None:
    """A page that was reloaded gets a snapshot of the first frames, then the others live."""
    *frames, end = a_run(PIECES)
    before, after = frames[:cut], frames[cut:]
    said = "".join(each["delta"] for each in before if each["type"] == "content_delta")
    seq = before[-1]["seq"] if before else 0
    snapshot = frame("content_snapshot", seq, content=said, offset=0, parts=[], status="running")
    fresh = apply([snapshot, *after, end])
    assert (fresh["text"], fresh["status"]) == (WHOLE, "completed")
    assert fresh["whole"] is False, "cards before the snapshot are to be read by REST"
    known = apply([*frames[:cut], snapshot, *after, end])
    assert (known["text"], known["blocks"], known["whole"]) == (WHOLE, BLOCKS, cut > 0)


def test_a_snapshot_with_parts_has_everything(apply: Any) -> None:
    parts = [
        {"type": "thinking", "text": "Hm, so."},
        {"type": "text", "text": "Good day 🚀😀"},
        {"type": "tool_call", "tool_use_id": "t1", "name": "clock", "input": {}},
        {"type": "tool_result", "tool_use_id": "t1", "name": "clock", "result": {"time": 1}},
        {"type": "text", "text": " and a\n\nnew line."},
    ]
    snapshot = frame("content_snapshot", 2**53 - 1, content=WHOLE, offset=0, parts=parts, status="completed")
    seen = apply([snapshot, a_run(PIECES)[-1]])
    assert (seen["text"], seen["blocks"], seen["status"], seen["whole"]) == (WHOLE, BLOCKS, "completed", True)


def test_a_tool_that_runs_during_a_snapshot_keeps_its_card(apply: Any) -> None:
    start = frame("tool_use_start", 5, tool_name="clock", tool_use_id="t1", input={"zone": "UTC"})
    parts = [{"type": "text", "text": "Let me see."}]
    text = frame("content_delta", 4, delta="Let me see.", offset=0)
    snapshot = frame("content_snapshot", 5, content="Let me see.", offset=0, parts=parts, status="running")
    seen = apply([text, start, snapshot])
    assert seen["blocks"] == [["text", "Let me see."], ["tool", "t1", None]]


def test_a_long_snapshot_goes_on_in_deltas(apply: Any) -> None:
    text = "x" * 40_000
    chunks = [text[start : start + 16_000] for start in range(0, len(text), 16_000)]
    frames = [frame("content_snapshot", 2**53 - 1, content=chunks[0], offset=0, parts=[], status="completed")]
    for index, chunk in enumerate(chunks[1:], 1):
        frames.append(frame("content_delta", 2**53 - 1, delta=chunk, offset=index * 16_000))
    end = {"type": "message_complete", **IDS, "truncated": True, "stop_reason": "end_turn", "usage": {}, "cost": None}
    seen = apply([*frames, end])
    assert (seen["text"], seen["status"]) == (text, "completed")
