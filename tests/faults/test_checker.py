"""The checker finds what is wrong: each of its rules is broken, in a history that is otherwise as it should be."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.checker import Checker, mixture
from tests.faults.history import Entry, History
from tests.faults.vendor import text_of

RUN = "run_" + "1" * 26
CONVERSATION = "cnv_" + "1" * 26
TEXT = text_of("c1.0", 0, 1, 5) + text_of("c1.0", 1, 2, 6)
USAGE = json.dumps({"input_tokens": 200, "output_tokens": 11})
END = {"type": "message_complete", "run_id": RUN, "content": TEXT}
ACCEPTED = {"type": "message_accepted", "run_id": RUN, "client_message_id": "c1-0"}


def entries() -> list[Entry]:
    """A run with a tool, whose second step broke off once, and which two runners worked on."""
    ids = {"case": "c1", "message": "0", "conversation": CONVERSATION, "run": RUN}
    call = {"what": "call", "function": "runner", "status": 200, **ids}
    write = {"case": "c1", "name": "c1-0-w1", "kind": "write", "key": f"{RUN}-2"}
    asked: list[Entry] = [
        {"what": "model.asked", "case": "c1", "message": "0", "step": s, "attempt": a, "process": p}
        for s, a, p in _ASKED
    ]
    return [
        {"what": "case", "case": "c1", "family": "f", "wrong": "w", "may_fail": False},
        {**call, "point": "accept", "function": "playground", "token": "t1"},
        {"what": "client.got", "case": "c1", "client": "tab", "frame": ACCEPTED},
        {**call, "point": "claim", "fence": 1, "process": 11},
        asked[0],
        {"what": "model.told", "case": "c1", "message": "0", "step": 0, "attempt": 1, "words": 5},
        {
            **call,
            "point": "ledger.running",
            "fence": 1,
            "process": 11,
            "token": "t2",
            "steps": [(1, "model", "succeeded")],
        },
        {"what": "tool.called", **write},
        {"what": "tool.done", **write, "count": 1},
        {**call, "point": "ledger.result", "fence": 1, "process": 11, "token": "t3"},
        asked[1],
        {**call, "point": "claim", "fence": 2, "process": 12},
        asked[2],
        {"what": "model.told", "case": "c1", "message": "0", "step": 1, "attempt": 2, "words": 6},
        {**call, "point": "finish", "fence": 2, "process": 12, "token": "t4"},
        {**call, "point": "finish", "fence": 2, "process": 12, "token": "t4"},
        {"what": "client.got", "case": "c1", "client": "tab", "frame": END},
        {"what": "client.shows", "case": "c1", "client": "tab", "run": RUN, "text": TEXT[:40]},
        {"what": "client.view", "case": "c1", "client": "tab", "run": RUN, "text": TEXT, "status": "completed"},
    ]


_ASKED = ((0, 1, 11), (1, 1, 11), (1, 2, 12))


def items() -> list[dict[str, Any]]:
    """What the store holds then, as DynamoDB shows it."""
    conversation, run = f"T#local#CONVERSATION#{CONVERSATION}", f"T#local#RUN#{RUN}"
    parts = [{"type": "text", "text": TEXT}]
    return [
        _item(conversation, "LEASE", "lease", queue=[]),
        _item(run, "HEAD", "run", conversation_id=CONVERSATION, status="completed", usage=USAGE),
        _message("user", [{"type": "text", "text": "message 0 [[c1.0]]"}]),
        _message("assistant", parts),
        _item(run, "S#1", "step", number=1, step_kind="model", status="succeeded", usage=USAGE),
        _item(run, "S#2", "step", number=2, step_kind="tool", status="succeeded"),
    ]


def _message(role: str, parts: list[Entry]) -> dict[str, Any]:
    pk = f"T#local#CONVERSATION#{CONVERSATION}"
    return _item(pk, f"M#{role}", "message", role=role, run_id=RUN, parts=json.dumps(parts), status="completed")


def _item(pk: str, sk: str, kind: str, **fields: Any) -> dict[str, Any]:
    typed = {str: "S", int: "N", list: "L"}
    plain = {"pk": pk, "sk": sk, "kind": kind, **fields}
    return {
        name: {typed[type(value)]: str(value) if isinstance(value, int) else value} for name, value in plain.items()
    }


def broken(told: list[Entry], stored: list[dict[str, Any]]) -> set[str]:
    history = History()
    history.entries = told
    return {invariant for invariant, _, _ in Checker(history, stored).judge().broken}


Change = Callable[[list[Entry], list[dict[str, Any]]], object]


def find(told: list[Entry], what: str, **wanted: Any) -> Entry:
    """The first entry of a kind."""
    return next(e for e in told if e["what"] == what and all(e.get(name) == value for name, value in wanted.items()))


def after(told: list[Entry], entry: Entry, **changes: Any) -> None:
    """Let something like an entry happen again, right after it."""
    told.insert(told.index(entry) + 1, {**copy.deepcopy(entry), **changes})


def _lose_run(told: list[Entry], stored: list[dict[str, Any]]) -> None:
    del stored[1:]


def _accept_twice(told: list[Entry], stored: list[dict[str, Any]]) -> None:
    entry = find(told, "client.got")
    after(told, entry, frame={**ACCEPTED, "run_id": "run_" + "2" * 26})


def _never_end(told: list[Entry], stored: list[dict[str, Any]]) -> None:
    stored[1]["status"] = {"S": "queued"}


def _wait_for_ever(told: list[Entry], stored: list[dict[str, Any]]) -> None:
    stored[0]["queue"] = {"L": [{"S": "x"}]}


def _fail(told: list[Entry], stored: list[dict[str, Any]]) -> None:
    stored[1]["status"] = stored[3]["status"] = {"S": "failed"}
    find(told, "client.view")["status"] = "failed"


def _act_twice(told: list[Entry], stored: list[dict[str, Any]]) -> None:
    after(told, find(told, "tool.done"))


def _call_twice(told: list[Entry], stored: list[dict[str, Any]]) -> None:
    after(told, find(told, "tool.called"))


def _act_unseen(told: list[Entry], stored: list[dict[str, Any]]) -> None:
    del stored[5]


def _claim_what_did_not_happen(told: list[Entry], stored: list[dict[str, Any]]) -> None:
    told.remove(find(told, "tool.done"))


def _leave_open(told: list[Entry], stored: list[dict[str, Any]]) -> None:
    stored[5]["status"] = {"S": "running"}


def _show_less(told: list[Entry], stored: list[dict[str, Any]]) -> None:
    find(told, "client.view")["text"] = TEXT[:-3]


def _show_running(told: list[Entry], stored: list[dict[str, Any]]) -> None:
    find(told, "client.view")["status"] = "running"


def _show_twice(told: list[Entry], stored: list[dict[str, Any]]) -> None:
    find(told, "client.shows")["text"] = text_of("c1.0", 0, 1, 3) * 2


def _show_a_hole(told: list[Entry], stored: list[dict[str, Any]]) -> None:
    find(told, "client.shows")["text"] = TEXT.replace("c1.0/s0a1w2 ", "")


def _finish_twice(told: list[Entry], stored: list[dict[str, Any]]) -> None:
    after(told, find(told, "call", point="finish"), token="t5")


def _end_differently(told: list[Entry], stored: list[dict[str, Any]]) -> None:
    after(told, find(told, "client.got", frame=END), frame={**END, "content": "x"})


def _write_late(told: list[Entry], stored: list[dict[str, Any]]) -> None:
    after(told, find(told, "call", fence=2), point="heartbeat", fence=1, process=11)


def _write_late_without_fence(told: list[Entry], stored: list[dict[str, Any]]) -> None:
    entry = find(told, "call", fence=2)
    after(told, entry, point="save_steps", process=11)


def _mix_attempts(told: list[Entry], stored: list[dict[str, Any]]) -> None:
    _store(told, stored, text_of("c1.0", 0, 1, 5) + text_of("c1.0", 1, 1, 2) + text_of("c1.0", 1, 2, 6))


def _lose_words(told: list[Entry], stored: list[dict[str, Any]]) -> None:
    _store(told, stored, text_of("c1.0", 0, 1, 5) + text_of("c1.0", 1, 2, 4))


def _store(told: list[Entry], stored: list[dict[str, Any]], text: str) -> None:
    """Store another text, and show it too."""
    stored[3]["parts"] = {"S": json.dumps([{"type": "text", "text": text}])}
    find(told, "client.view")["text"] = text


def _pay_more(told: list[Entry], stored: list[dict[str, Any]]) -> None:
    stored[1]["usage"] = {"S": json.dumps({"input_tokens": 300, "output_tokens": 11})}


def _ask_again(told: list[Entry], stored: list[dict[str, Any]]) -> None:
    after(told, find(told, "model.asked", step=1), step=0, attempt=2)


BREAKS: dict[str, list[Change]] = {
    "I1 lost": [_lose_run],
    "I1 doubled": [_accept_twice],
    "I1 stuck": [_never_end, _wait_for_ever],
    "I1 failed": [_fail],
    "I2 doubled effect": [_act_twice],
    "I2 ledger": [_act_unseen, _claim_what_did_not_happen, _leave_open],
    "I3 repeated call": [_call_twice],
    "I4 view": [_show_less, _show_running],
    "I4 text": [_mix_attempts, _lose_words],
    "I5 shown": [_show_twice, _show_a_hole],
    "I6 ends": [_finish_twice, _end_differently],
    "I7 two writers": [_write_late, _write_late_without_fence],
    "I10 money": [_pay_more],
    "I10 paid twice": [_ask_again],
}


def test_a_history_as_it_should_be_breaks_nothing() -> None:
    assert broken(entries(), items()) == set()


@pytest.mark.parametrize(
    ("invariant", "change"), [(name, change) for name, changes in BREAKS.items() for change in changes]
)
def test_the_checker_finds(invariant: str, change: Change) -> None:
    told, stored = entries(), items()
    change(told, stored)
    assert invariant in broken(told, stored)


def test_runs_that_end_out_of_order_are_found() -> None:
    told, stored = entries(), items()
    later = RUN.replace("1", "2")
    text = json.dumps([{"type": "text", "text": text_of("c1.1", 0, 1, 3)}])
    for item in copy.deepcopy(stored[1:4]):
        renamed = json.loads(json.dumps(item).replace(RUN, later).replace("[[c1.0]]", "[[c1.1]]"))
        if renamed.get("role") == {"S": "assistant"}:
            renamed["parts"] = {"S": text}
        stored.append(renamed)
    after(told, find(told, "call", point="accept"), run=later, message="1", token="t6")
    told.insert(
        told.index(find(told, "call", point="finish")),
        {**find(told, "call", point="finish"), "run": later, "token": "t7"},
    )
    assert "I8 order" in broken(told, stored)


def test_no_beginning_of_a_text_is_a_mixture() -> None:
    assert [length for length in range(len(TEXT)) if mixture(TEXT[:length])] == []
