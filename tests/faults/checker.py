"""Judges a campaign from its history and from what the store holds. It knows nothing of what was meant to go wrong.

A verdict names the invariant, the case, and what is not as it must be.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.faults.history import Entry, History
from tests.faults.stored import StoredRun, stored_runs

FINAL = frozenset({"completed", "failed", "cancelled"})
OWNERS_WRITES = frozenset(
    {"heartbeat", "save_steps", "ledger.running", "ledger.result", "finish", "release", "hand_over", "save_pieces"}
)
_WORD = re.compile(r"(\w+\.\d+)/s(\d+)a(\d+)w(\d+)(🙂?) ")
_PARTIAL = re.compile(r"\w+(\.(\d+(/\S*)?)?)?")  # the beginning of a word at the end


@dataclass
class Verdicts:
    """What is not as it must be: invariant, case, what.

    `late_calls` are those of the model by runners that did not know yet that they had lost their conversation.
    """

    broken: list[tuple[str, str, str]] = field(default_factory=list)
    late_calls: int = 0

    def add(self, invariant: str, case: str, text: str) -> None:
        """Add one."""
        self.broken.append((invariant, case, text))

    def cases(self, invariant: str) -> set[str]:
        """The cases in which an invariant does not hold."""
        return {case for name, case, _ in self.broken if name == invariant}

    def __bool__(self) -> bool:
        return bool(self.broken)

    def __str__(self) -> str:
        lines = [f"{name}: {case} {text}" for name, case, text in sorted(self.broken)]
        return "\n".join(lines) or "all invariants hold"


class Checker:
    """Judges one campaign."""

    def __init__(self, history: History, items: list[dict[str, Any]]) -> None:
        self.history = history
        self.runs, self.leases = stored_runs(items)
        self.of_case: dict[str, list[StoredRun]] = defaultdict(list)
        for run in self.runs.values():
            self.of_case[run.case].append(run)
        self.cases = {entry["case"]: entry for entry in history.of("case")}
        self.verdicts = Verdicts()
        self.writes = list(_once(history))

    def judge(self) -> Verdicts:
        """Check every invariant."""
        for check in (
            self._accepted_are_stored,
            self._all_end,
            self._effects,
            self._ledger,
            self._paid_once,
            self._views,
            self._shown,
            self._one_end,
            self._one_writer,
            self._order,
            self._whole_attempts,
            self._money,
        ):
            check()
        return self.verdicts

    def _say(self, invariant: str, case: str, text: str) -> None:
        wrong = self.cases.get(case, {}).get("wrong", "")
        self.verdicts.add(invariant, case, f"({wrong}): {text}")

    def _accepted_are_stored(self) -> None:
        """I1: what was accepted is stored, however often it was sent."""
        runs: dict[tuple[str, str], set[str]] = defaultdict(set)
        for entry in self.history.of("client.got"):
            frame = entry["frame"]
            if frame.get("type") == "message_accepted":
                runs[entry["case"], frame.get("client_message_id", "")].add(frame["run_id"])
        for (case, own), ids in runs.items():
            for run_id in ids - self.runs.keys():
                self._say("I1 lost", case, f"{own} was accepted as {run_id}, which is not stored")
            if own and len(ids) > 1:
                self._say("I1 doubled", case, f"{own} was accepted as {sorted(ids)}")
        for case, stored in self.of_case.items():
            messages = Counter(run.message for run in stored)
            if case and max(messages.values()) > 1:
                self._say("I1 doubled", case, f"messages have several runs: {dict(messages)}")

    def _all_end(self) -> None:
        """I1: every run comes to its end, with an answer, and nothing waits behind it."""
        for entry in self.history.of("case.stuck"):
            self._say("I1 stuck", entry["case"], "did not come to its end")
        for entry in self.history.of("case.refused"):
            self._say("I1 failed", entry["case"], f"the client gave up: {entry['error']}")
        for run in self._judged():
            answers = [answer["status"] for answer in run.answers]
            if run.status not in FINAL or answers != [run.status] or run.questions != 1:
                self._say("I1 stuck", run.case, f"{run.id} is {run.status}: {run.questions} questions, {answers}")
            elif run.status == "failed" and not self.cases[run.case]["may_fail"]:
                self._say("I1 failed", run.case, f"{run.id} failed: {run.answers[0].get('error')}")
            if self.leases.get(run.conversation, {}).get("queue"):
                self._say("I1 stuck", run.case, "something still waits in the conversation")

    def _judged(self) -> Iterator[StoredRun]:
        return (run for run in self.runs.values() if run.case in self.cases)

    def _effects(self) -> None:
        """I2, I3: a write happens at most once, and is never called again, whatever became of its answer."""
        done = Counter((entry["case"], entry["name"]) for entry in self.history.of("tool.done", kind="write"))
        called = Counter((entry["case"], entry["name"]) for entry in self.history.of("tool.called", kind="write"))
        for (case, name), count in called.items():
            if done[case, name] > 1:
                self._say("I2 doubled effect", case, f"{name} happened {done[case, name]} times")
            elif count > 1:
                self._say("I3 repeated call", case, f"{name} was called {count} times")

    def _ledger(self) -> None:
        """I2: whatever happened stands in the ledger, and the ledger says nothing that did not."""
        done = Counter(entry["key"] for entry in self.history.of("tool.done", kind="write"))
        steps = {f"{run.id}-{step['number']}": (run, step["status"]) for run in self._judged() for step in run.steps}
        for entry in self.history.of("tool.called"):
            if entry["case"] in self.cases and entry["key"] not in steps:
                self._say("I2 ledger", entry["case"], f"{entry['name']} was called as {entry['key']}, which is no step")
        writes = {entry["key"] for entry in self.history.of("tool.called", kind="write")}
        for key, (run, status) in steps.items():
            wrong = (status == "succeeded" and not done[key]) or (
                status in ("reserved", "waiting", "failed") and done[key]
            )
            if key in writes and wrong:
                self._say("I2 ledger", run.case, f"{key} is {status} and happened {done[key]} times")
            if status in ("reserved", "waiting", "running") and run.status in FINAL:
                self._say("I2 ledger", run.case, f"{key} is {status} although its run is {run.status}")

    def _paid_once(self) -> None:
        """I10: a step of the model that is stored is not asked for again by whoever owns the conversation.

        A runner that stood still and does not know yet that another took over may ask once more; it is counted.
        """
        marks = {(run.case, run.message): run for run in self._judged()}
        stored: dict[str, set[int]] = defaultdict(set)
        owner: dict[str, int] = {}
        for entry in self.history.entries:
            if entry["what"] == "call" and entry["status"] == 200:
                if entry["point"] == "claim":
                    owner[entry["conversation"]] = entry["process"]
                for number, kind, status in entry.get("steps", ()):
                    if (kind, status) == ("model", "succeeded"):
                        stored[entry["run"]].add(number)
            elif entry["what"] == "model.asked":
                run = marks.get((entry["case"], entry["message"]))
                if run is None or entry["step"] >= len(stored[run.id]):
                    continue
                if entry["process"] == owner.get(run.conversation):
                    self._say("I10 paid twice", entry["case"], f"step {entry['step']} of {run.id} was stored already")
                else:
                    self.verdicts.late_calls += 1

    def _views(self) -> None:
        """I4, I5: what every tab shows at the end is what is stored."""
        for view in self.history.of("client.view"):
            run = self.runs.get(view["run"])
            if run is None or run.status not in FINAL:
                continue
            if (view["text"], view["status"]) != (run.text, run.status):
                shown = f"{view['client']} shows {view['status']} {view['text']!r}, stored is {run.status} {run.text!r}"
                self._say("I4 view", view["case"], shown)

    def _shown(self) -> None:
        """I5: at no moment a view shows text twice, or text with a hole in it."""
        for entry in self.history.of("client.shows"):
            fault = mixture(entry["text"])
            if fault:
                self._say("I5 shown", entry["case"], f"{entry['client']} showed {entry['text']!r}: {fault}")

    def _one_end(self) -> None:
        """I6: a run is finished once, and all that is said of its end is the same."""
        finished = Counter(entry.get("run") for entry in self.writes if entry["point"] == "finish")
        for run in self._judged():
            if run.status in FINAL and finished[run.id] != 1:
                self._say("I6 ends", run.case, f"{run.id} was finished {finished[run.id]} times")
        ends: dict[tuple[str, str], set[str]] = defaultdict(set)
        for entry in self.history.of("client.got"):
            frame = entry["frame"]
            kind = frame.get("type")
            if kind in ("message_complete", "run_cancelled") or (kind == "error" and "run_id" in frame):
                ends[entry["case"], frame["run_id"]].add(json.dumps(frame, sort_keys=True))
        for (case, run_id), told in ends.items():
            if len(told) > 1:
                self._say("I6 ends", case, f"{run_id} ended differently: {sorted(told)}")

    def _one_writer(self) -> None:
        """I7: once a conversation is claimed, nobody but the one who claimed it last writes to it."""
        owner: dict[str, tuple[int, int]] = {}
        for entry in self.writes:
            conversation, process = entry.get("conversation", ""), entry.get("process", 0)
            if entry["point"] == "claim":
                owner[conversation] = (process, entry["fence"])
            elif entry["point"] in OWNERS_WRITES and conversation in owner:
                claimed_by, highest = owner[conversation]
                if process != claimed_by or entry.get("fence", highest) < highest:
                    told = f"{entry['point']} of process {process} after process {claimed_by} had claimed it"
                    self._say("I7 two writers", entry["case"], told)

    def _order(self) -> None:
        """I8: runs of a conversation end in the order in which they were accepted, but for those cancelled before."""
        accepted: dict[str, list[str]] = defaultdict(list)
        finished: dict[str, list[str]] = defaultdict(list)
        for entry in self.writes:
            run = self.runs.get(entry.get("run", ""))
            if run and run.status != "cancelled" and entry["point"] in ("accept", "finish"):
                (accepted if entry["point"] == "accept" else finished)[run.conversation].append(run.id)
        for conversation, order in finished.items():
            wanted = [run for run in accepted[conversation] if run in order]
            if order != wanted:
                self._say("I8 order", self.runs[order[0]].case, f"{conversation} finished {order}, accepted {wanted}")

    def _whole_attempts(self) -> None:
        """A completed text is made of whole attempts of the model, one a step; a broken one may end within one."""
        told = {
            (f"{entry['case']}.{entry['message']}", entry["step"], entry["attempt"]): entry["words"]
            for entry in self.history.of("model.told")
        }
        for run in self._judged():
            fault = mixture(run.text) or (run.status == "completed" and unfinished(run.text, told))
            if fault and run.status in FINAL:
                self._say("I4 text", run.case, f"{run.id} {run.status}: {fault} in {run.text!r}")

    def _money(self) -> None:
        """I10: what a run cost is the sum of what its stored steps cost."""
        for run in self._judged():
            if run.status not in FINAL:
                continue
            paid = Counter[str]()
            for step in run.steps:
                usage = step.get("usage")
                paid.update(json.loads(usage) if isinstance(usage, str) else usage or {})
            if run.status == "completed" and +paid != +Counter(run.usage):
                self._say("I10 money", run.case, f"{run.id} says {run.usage}, its steps {dict(paid)}")


Word = tuple[str, int, int, int]


def words(text: str) -> list[Word]:
    """The words of a text: mark, step, attempt, number."""
    return [(found[1], int(found[2]), int(found[3]), int(found[4])) for found in _WORD.finditer(text)]


def mixture(text: str) -> str:
    """What is wrong with a text that is or becomes an answer, but for its end: doubled, lost or strange words."""
    before: Word = ("", -1, 0, 0)
    for word in words(text):
        mark, step, attempt, number = word
        if before[0] not in ("", mark):
            return f"{word} of another message"
        follows = (step, attempt, number - 1) == before[1:] or (step > before[1] and number == 0)
        if not follows:
            return f"{word} after {before}"
        before = word
    rest = _WORD.sub("", text)
    return f"{rest!r}, which the model never said" if rest and not _PARTIAL.fullmatch(rest) else ""


def unfinished(text: str, told: dict[tuple[str, int, int], int]) -> str:
    """A step of a completed text that ends before its attempt did."""
    counts = Counter(word[:3] for word in words(text))
    wrong = {attempt: count for attempt, count in counts.items() if told.get(attempt) != count}
    return f"not all words of {wrong}" if wrong else ""


def _once(history: History) -> Iterator[Entry]:
    """Calls that were carried out; one that is repeated under its token is the same call."""
    seen: set[str] = set()
    for entry in history.of("call", status=200):
        token = entry.get("token")
        if token is None or token not in seen:
            yield entry
        seen.add(token or "")
