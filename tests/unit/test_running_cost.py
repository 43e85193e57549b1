"""What docs/operations.md says of the bill follows from what was counted, and units are worked out as AWS does it."""

from __future__ import annotations

import pytest

from benchmarks.metering import Index, read_units, size, write_units
from benchmarks.running_cost import BEGIN, END, PAGE, Tables, section

PARENT = Index(("parent_pk", "parent_sk"), whole=True)
DUE = Index(("due_pk", "due_at"), whole=False)
KEY = {"pk": {"S": "p"}, "sk": {"S": "s"}}


def test_the_page_has_what_follows_from_counts_prices_and_templates() -> None:
    text = PAGE.read_text("utf-8")
    written = text[text.index(BEGIN) : text.index(END) + len(END)]
    assert written == section(), "python -m benchmarks.running_cost writes it"


def test_every_price_is_used_and_says_where_it_is_from() -> None:
    tables = Tables()
    used = {line.price for lines in (tables.idle(), tables.runs()) for line in lines}
    for name, price in tables.book["prices"].items():
        assert price["source"].startswith("https://aws.amazon.com/"), name
        assert price["usd"] in used, name


def test_what_the_alarms_cost_is_what_is_said_beside_them() -> None:
    [alarms] = (line for line in Tables().idle() if "alarms" in line.what)
    assert f"They watch {alarms.amount:g} metrics (${alarms.usd:.2f} a month" in " ".join(PAGE.read_text().split())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"S": "é"}, 2),
        ({"N": "0"}, 1),
        ({"N": "12345"}, 4),
        ({"N": "-12300"}, 4),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"B": b"abc"}, 3),
        ({"SS": ["a", "bc"]}, 3),
        ({"L": [{"S": "a"}, {"S": "b"}]}, 3 + 2 * 2),
        ({"M": {"k": {"S": "v"}}}, 3 + 1 + 2),
    ],
)
def test_size_of_a_value(value: dict[str, object], expected: int) -> None:
    assert size({"name": value}) == len("name") + expected


def test_units_begin_anew_at_each_kilobyte() -> None:
    assert [write_units({"a": {"S": "x" * length}}) for length in (0, 1023, 1024, 2048)] == [1, 1, 2, 3]
    item = {"a": {"S": "x" * 4095}}
    assert read_units([], consistent=True) == 1
    assert read_units([], consistent=False) == 0.5
    assert read_units([item], consistent=True) == 1
    assert read_units([item, KEY], consistent=False) == 1


def test_an_index_is_written_where_its_entry_changes() -> None:
    entry = {**KEY, "due_pk": {"S": "d"}, "due_at": {"N": "1"}, "other": {"S": "x"}}
    assert DUE.units(None, KEY) == 0
    assert DUE.units(None, entry) == DUE.units(entry, None) == DUE.units(entry, KEY) == 1
    assert DUE.units(entry, {**entry, "due_at": {"N": "2"}}) == 2
    assert DUE.units(entry, {**entry, "other": {"S": "y"}}) == 0
    child = {**KEY, "parent_pk": {"S": "d"}, "parent_sk": {"S": "1"}, "other": {"S": "x"}}
    assert PARENT.units(child, {**child, "other": {"S": "y" * 1024}}) == 2
