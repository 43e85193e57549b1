"""The report of a campaign, as docs/reliability.md shows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.faults.campaign import Wanted
from tests.faults.checker import Verdicts
from tests.faults.history import Entry, History

# What the table counts, and which verdicts it is.
COLUMNS = {
    "lost": ("I1 lost", "I1 stuck", "I1 failed"),
    "doubled": (
        "I1 doubled",
        "I2 doubled effect",
        "I2 ledger",
        "I3 repeated call",
        "I6 ends",
        "I10 money",
        "I10 paid twice",
    ),
    "views": ("I4 view", "I4 text", "I5 shown", "I8 order", "I7 two writers"),
}


TITLES = {
    "lost": "messages lost, stuck or failed without reason",
    "doubled": "effects, runs, ends or charges doubled",
    "views": "views, texts or orders that do not match",
}
ELSEWHERE = {"store": "data process killed"}  # faults that belong to no case, by their point


@dataclass
class Family:
    """What the report says of one kind of fault."""

    cases: int = 0
    runs: int = 0
    faults: int = 0
    wrong: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COLUMNS, 0))
    recovery: list[float] = field(default_factory=list)


def families(history: History, verdicts: Verdicts) -> dict[str, Family]:
    """The kinds of faults, in the order of their names."""
    of_case = {entry["case"]: entry["family"] for entry in history.of("case")}
    found: dict[str, Family] = defaultdict(Family)
    for family in of_case.values():
        found[family].cases += 1
    for entry in history.of("call", point="accept", status=200):
        if entry["case"] in of_case:
            found[of_case[entry["case"]]].runs += 1
    for entry in history.of("fault"):
        found[of_case.get(entry["case"]) or ELSEWHERE.get(entry["point"], "any connection")].faults += 1
    for column, names in COLUMNS.items():
        for case in (case for name in names for case in verdicts.cases(name)):
            found[of_case.get(case, "no fault")].wrong[column] += 1
    for case, seconds in recoveries(history):
        found[of_case[case]].recovery.append(seconds)
    return dict(sorted(found.items()))


def recoveries(history: History) -> Iterable[tuple[str, float]]:
    """Of each case, the seconds from its first fault to the end of the run that it struck.

    The end is what the first client saw, and what was stored where no client was connected. The rest of the answer is
    in it, so it is an upper bound.
    """
    ends: dict[str, list[float]] = defaultdict(list)
    stored: dict[str, list[float]] = defaultdict(list)
    for entry in history.entries:
        if entry["what"] == "client.got" and entry["client"] != "late" and _ends(entry["frame"]):
            ends[entry["case"]].append(entry["t"])
        elif entry["what"] == "call" and (entry["point"], entry["status"]) == ("finish", 200):
            stored[entry["case"]].append(entry["t"])
    seen: set[str] = set()
    for fault in history.of("fault"):
        case = fault["case"]
        after = [t for t in ends[case] or stored[case] if t >= fault["t"]]
        if case not in seen and after:
            yield case, after[0] - fault["t"]
        seen.add(case)


def _ends(frame: Entry) -> bool:
    kind = frame.get("type")
    return kind in ("message_complete", "run_cancelled") or (kind == "error" and "run_id" in frame)


def report(history: History, verdicts: Verdicts, wanted: Wanted) -> str:
    """The tables, in Markdown."""
    found = families(history, verdicts)
    runs, cases, faults = (sum(getattr(one, name) for one in found.values()) for name in ("runs", "cases", "faults"))
    lines = [
        f"Seed {wanted.seed}: {cases} conversations, {runs} runs, {faults} faults that struck.",
        "",
        "| | count | 95 % bound |",
        "|---|---|---|",
    ]
    for column, title in TITLES.items():
        count = sum(family.wrong[column] for family in found.values())
        bound = f"below {3 / runs:.2%} of runs" if runs and not count else "-"
        lines.append(f"| {title} | {count} | {bound} |")
    late = f"Calls of the model by a runner that did not know yet that it was replaced: {verdicts.late_calls}."
    return "\n".join([*lines, "", late, "", *_table(found)]) + "\n"


def _table(found: dict[str, Family]) -> list[str]:
    lines = [
        "| fault | runs | struck | lost | doubled | mismatched | recovery median | worst |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, family in found.items():
        times = (f"{median(family.recovery):.1f} s", f"{max(family.recovery):.1f} s") if family.recovery else ("", "")
        counts = (family.runs, family.faults, *family.wrong.values())
        lines.append(f"| {name} | {' | '.join(map(str, counts))} | {times[0]} | {times[1]} |")
    return lines


def publish(page: Path, section: str, text: str) -> None:
    """Put a text between the marks of a section of a page. Raises ValueError where the page has no such marks."""
    begin, end = f"<!-- {section} -->\n", f"<!-- end of {section} -->\n"
    before, opened, rest = page.read_text("utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not (opened and closed):
        raise ValueError(f"{page} has no section {section}")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", "utf-8")
