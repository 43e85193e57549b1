"""Usage of models, agents and tools day by day."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest

from agent_builder.errors import Unprocessable
from agent_builder.messages import Json
from agent_builder.models.identity import Identity
from agent_builder.services.usage import MOST_ITEMS, UsageService

ANN = Identity(tenant="t", subject="ann", permissions=frozenset({"read"}))
Rows = dict[tuple[str, str], Counter[str]]


class Stored:
    """Aggregates as the ledger keeps them."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    def counts(self, tenant: str, scope: str, dimension: str, *, since: str, until: str) -> Rows:
        if dimension != "total":
            return self.rows
        total: Rows = {}
        for (day, _), counts in self.rows.items():
            total.setdefault((day, ""), Counter()).update(counts)
        return total


def used(calls: int, amount: int | None) -> Counter[str]:
    money = {"amount_nanousd": amount, "priced": 1} if amount is not None else {}
    return Counter({"runs": 1, "calls": calls, "input_tokens": calls, **money})


def report(rows: Rows, **more: Any) -> Json:
    days = {"since": date(2026, 11, 1), "until": date(2026, 11, 30)}
    return UsageService(Stored(rows)).report(  # type: ignore[arg-type]
        ANN, agent_id=None, group_by=more.pop("group_by", "model"), **days, **more
    )


ROWS: Rows = {
    ("2026-11-03", "a/small"): used(1, 5),
    ("2026-11-02", "a/small"): used(2, 7),
    ("2026-11-02", "b/large"): used(3, 90),
    ("2026-11-02", "/"): used(4, None),
}


def test_each_model_has_an_item_for_each_of_its_days() -> None:
    items = report(ROWS, per_day=True)["items"]
    assert [(item["day"], item["provider"], item["model"], item["calls"]) for item in items] == [
        ("2026-11-02", "b", "large", 3),
        ("2026-11-02", "a", "small", 2),
        ("2026-11-02", None, None, 4),
        ("2026-11-03", "a", "small", 1),
    ]


@pytest.mark.parametrize("group_by", ["model", "tool", "agent"])
def test_the_days_of_a_name_add_up_to_it(group_by: str) -> None:
    names = ("provider", "model", "tool_name", "agent_id")
    whole, days = (report(ROWS, group_by=group_by, per_day=per_day) for per_day in (False, True))
    assert days["total"] == whole["total"]
    calls: Counter[tuple[str, ...]] = Counter()
    for item in days["items"]:
        calls[tuple(str(item.get(name)) for name in names)] += item["calls"]
    assert {tuple(str(item.get(name)) for name in names): item["calls"] for item in whole["items"]} == calls


def test_days_are_days_already() -> None:
    assert report(ROWS, group_by="day", per_day=True) == report(ROWS, group_by="day")


def test_more_than_an_answer_holds_is_refused_with_what_helps() -> None:
    rows = {("2026-11-02", f"a/{number}"): used(1, 1) for number in range(MOST_ITEMS + 1)}
    with pytest.raises(Unprocessable) as caught:
        report(rows, per_day=True)
    (fault,) = caught.value.faults
    assert (fault.pointer, "fewer days" in fault.message) == ("query/per_day", True)
    assert len(report(rows)["items"]) == MOST_ITEMS + 1, "as ever, where nobody asks for days"
