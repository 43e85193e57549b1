"""What the store holds at the end, read past the product."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.faults.history import Entry as Entry

_MARK = re.compile(r"\[\[(\w+)\.(\d+)\]\]")


@dataclass
class StoredRun:
    """One run as the store has it."""

    id: str
    conversation: str
    case: str
    message: str
    status: str
    answers: list[Entry] = field(default_factory=list)
    questions: int = 0
    steps: list[Entry] = field(default_factory=list)
    usage: Entry = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The stored text of the answer."""
        parts = self.answers[0]["parts"] if self.answers else []
        return "".join(part.get("text", "") for part in parts if part.get("type") == "text")


def stored_runs(items: list[dict[str, Any]]) -> tuple[dict[str, StoredRun], dict[str, Entry]]:
    """The runs of a table, and its leases by conversation."""
    plain = [_plain(item) for item in items]
    heads = [item for item in plain if item["kind"] == "run"]
    runs = {_last(item["pk"]): _run(item) for item in heads}
    pieces: dict[str, list[Entry]] = defaultdict(list)
    leases = {_last(item["pk"]): item for item in plain if item["kind"] == "lease"}
    for item in plain:
        if item["kind"] == "piece":
            pieces[_last(item["pk"])].append(item)
        elif item["kind"] == "step" and _last(item["pk"]) in runs:
            runs[_last(item["pk"])].steps.append(item)
    for item in plain:
        if item["kind"] == "message" and item["run_id"] in runs:
            _add_message(runs[item["run_id"]], item, pieces[item["run_id"]])
    return runs, leases


def _run(item: Entry) -> StoredRun:
    usage = json.loads(item["usage"]) if isinstance(item.get("usage"), str) else item.get("usage") or {}
    return StoredRun(_last(item["pk"]), item["conversation_id"], "", "", item["status"], usage=usage)


def _add_message(run: StoredRun, item: Entry, pieces: list[Entry]) -> None:
    if item["role"] == "user":
        run.questions += 1
        mark = _MARK.search(item["parts"])
        run.case, run.message = (mark[1], mark[2]) if mark else ("", "")
        return
    packed = "".join(piece["text"] for piece in sorted(pieces, key=lambda piece: piece["sk"])) or item["parts"]
    run.answers.append({**item, "parts": _unpacked(packed)})


def _unpacked(text: str) -> Any:
    if text.startswith("z:"):
        text = zlib.decompress(base64.b64decode(text[2:])).decode()
    return json.loads(text)


def _plain(item: dict[str, Any]) -> Entry:
    return {name: _value(typed) for name, typed in item.items()}


def _value(typed: dict[str, Any]) -> Any:
    kind, value = next(iter(typed.items()))
    if kind == "N":
        return int(value) if value.lstrip("-").isdigit() else float(value)
    if kind == "L":
        return [_value(one) for one in value]
    if kind == "M":
        return {name: _value(one) for name, one in value.items()}
    return None if kind == "NULL" else value


def _last(pk: str) -> str:
    return pk.rsplit("#", 1)[1]
