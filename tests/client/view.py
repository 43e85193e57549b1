"""What the vectors compare: a transcript in the plain words that both languages share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from web.client.python.answer import Answer, Failure
from web.client.python.blocks import Block, TextBlock, ThinkingBlock
from web.client.python.transcript import (
    Entry,
    Question,
    Transcript,
    closed,
    forgotten,
    loaded,
    overtaken,
    reduce,
    refused,
    said,
)

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "web" / "client" / "vectors"
Step = dict[str, Any]


def vectors(folder: str) -> list[Any]:
    """All vectors of a folder: {name, why, steps}."""
    return [
        vector for path in sorted((VECTORS / folder).glob("*.json")) for vector in json.loads(path.read_text("utf-8"))
    ]


def advance(transcript: Transcript, step: Step) -> Transcript:
    """A transcript after one step."""
    match step:
        case {"frame": frame}:
            return reduce(transcript, frame)
        case {"stored": messages}:
            return loaded(transcript, messages)
        case {"say": {"id": own, "content": content}}:
            return said(transcript, own, content)
        case {"refuse": {"id": own, "code": code}}:
            return refused(transcript, own, Failure(code, ""))
        case {"forget": {"id": own}}:
            return forgotten(transcript, own)
        case {"close": {"run": run}}:
            return closed(transcript, run)
    return transcript


def view(transcript: Transcript) -> list[Step]:
    return [_entry(entry) for entry in transcript.entries]


def outlook(transcript: Transcript) -> Step:
    """Entries, and which of them are overdue."""
    return {"entries": view(transcript), "overtaken": overtaken(transcript, "run_3")}


def matches(found: Any, expected: Any) -> bool:
    """Whether what was found has all that is expected; names that the expectation leaves out are free."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(matches(found.get(name), value) for name, value in expected.items())
    if isinstance(expected, list):
        same = isinstance(found, list) and len(found) == len(expected)
        return same and all(matches(one, other) for one, other in zip(found, expected, strict=True))
    return bool(found == expected)


def _entry(entry: Entry) -> Step:
    if isinstance(entry, Question):
        return {
            "role": "user",
            "content": entry.content,
            "status": entry.status,
            "client_message_id": entry.client_message_id,
            "run_id": entry.run_id,
            "message_id": entry.message_id,
            "error": entry.error.code if entry.error else None,
        }
    return _answer(entry)


def _answer(answer: Answer) -> Step:
    names = "run_id message_id status phase text sure missing whole stop_reason usage cost".split()
    return {
        "role": "assistant",
        **{name: getattr(answer, name) for name in names},
        "blocks": [_block(block) for block in answer.blocks],
        "error": answer.error.code if answer.error else None,
    }


def _block(block: Block) -> list[Any]:
    if isinstance(block, TextBlock):
        return ["text", block.start, block.text]
    if isinstance(block, ThinkingBlock):
        return ["thinking", block.at, block.text]
    shown = ["tool", block.at, block.id, block.name, block.status, block.input, block.result, block.error]
    inside = [block.output, [_block(call) for call in block.calls]]
    return [*shown, *inside] if any(inside) else shown
