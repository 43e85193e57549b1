from __future__ import annotations

import pytest

from agent_builder.providers.arguments import compact, parse_arguments
from agent_builder.providers.partial_arguments import place


@pytest.mark.parametrize(
    ("raw", "parsed"),
    [
        ("", {}),
        (" \n", {}),
        ("{}", {}),
        ('{"a": [1, {"b": null}], "ü": "\\u2028"}', {"a": [1, {"b": None}], "ü": "\u2028"}),
        ('{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        ('{"a": "\ud83d\ude00"}', {"a": "\U0001f600"}),
    ],
)
def test_objects(raw: str, parsed: object) -> None:
    assert parse_arguments(raw) == (parsed, None)


@pytest.mark.parametrize(
    "raw",
    [
        '{"a": 1',
        '{"city": "mock-city"',
        '{"a": 1} {"b": 2}',
        '{"query": "test"}, "limit": 10}',
        '{"a": 1, "a": 2}',
        '{"a": {"b": 1, "b": 1}}',
        '{"a": NaN}',
        '{"a": -Infinity}',
        "[1]",
        "null",
        '"text"',
        "12",
        "SELECT 1",
        "[" * 100_000,
    ],
)
def test_what_is_no_object_is_never_guessed_at(raw: str) -> None:
    assert parse_arguments(raw) == ({}, raw)


@pytest.mark.parametrize("raw", ['{"a": "\\ud83d"}', '{"\\udc00": 1}', '{"a": "\ud83d"}'])
def test_half_characters_do_not_get_through(raw: str) -> None:
    parsed, invalid = parse_arguments(raw)
    assert invalid is None
    compact(parsed).encode()


def test_values_at_paths() -> None:
    arguments: dict[str, object] = {}
    place(arguments, "$.items[0].name", "app")
    place(arguments, "$.items[0].name", "le")
    place(arguments, "$.items[1]['odd.name']", 2)
    place(arguments, '$["quoted"]', None)
    place(arguments, "$.count", 0)
    assert arguments == {"items": [{"name": "apple"}, {"odd.name": 2}], "quoted": None, "count": 0}


@pytest.mark.parametrize(
    "path", ["", "$", "items", "$[0]", "$.a[99999999]", "$.a.b[x]", "$..a", "$.list.name", "$.text[0]"]
)
def test_paths_that_lead_nowhere(path: str) -> None:
    with pytest.raises(ValueError, match=r"path|index"):
        place({"list": [1], "text": "x"}, path, 1)
