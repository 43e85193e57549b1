from __future__ import annotations

import socket
from typing import Any

import pytest

from agent_builder.errors import ToolError, Unprocessable
from agent_builder.tools.schemas import DIALECT, check_arguments, check_schema, restored


def of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "arguments", "says"),
    [
        (of(a={"type": "integer"}), {"a": "1"}, "a: "),
        (of(a={"type": "integer"}), {"a": True}, "a: "),
        (of(a={"type": "integer"}), {"b": 1}, "b"),
        ({**of(a={}), "required": ["a"]}, {}, "required"),
        (of(a={"type": "array", "items": {"enum": ["x"]}}), {"a": ["x", "y"]}, "a/1: "),
        (of(a={"type": "string", "pattern": "^a+$"}), {"a": "b"}, "a: "),
        (of(a={"$ref": "#/$defs/x"}) | {"$defs": {"x": {"minimum": 3}}}, {"a": 1}, "a: "),
    ],
)
def test_faults_are_named_so_that_a_model_can_mend_them(schema: Any, arguments: Any, says: str) -> None:
    with pytest.raises(ToolError, match=says):
        check_arguments(schema, arguments)


def test_only_the_first_faults_are_told_and_long_values_are_cut() -> None:
    with pytest.raises(ToolError) as caught:
        check_arguments(
            of(**{f"p{n}": {"type": "integer"} for n in range(50)}), {f"p{n}": "x" * 5_000 for n in range(50)}
        )
    assert len(caught.value.detail) < 2_000


def test_what_is_right_passes() -> None:
    check_arguments(of(a={"type": "integer"}, b={"type": ["string", "null"]}), {"a": 5.0, "b": None})


def test_several_alternatives_of_a_one_of_may_match() -> None:
    """Descriptions say oneOf where their servers take anyOf; a refusal could not be mended by any model."""
    one_of = {"oneOf": [{"type": "number"}, {"type": "integer"}]}
    check_arguments(of(a=one_of), {"a": 1})
    with pytest.raises(ToolError):
        check_arguments(of(a=one_of), {"a": "x"})


@pytest.mark.parametrize("where", ["http", "file", "relative"])
def test_no_schema_is_ever_fetched(where: str, tmp_path: Any) -> None:
    outside = tmp_path / "schema.json"
    outside.write_text('{"type": "integer"}', "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        address = {
            "http": f"http://127.0.0.1:{server.getsockname()[1]}/schema.json",
            "file": outside.as_uri(),
            "relative": "schema.json",
        }[where]
        for schema in (
            of(a={"$ref": address}),
            {**of(a={"type": "integer"}), "$id": address},
            of(a={"$dynamicRef": address}),
        ):
            with pytest.raises(Unprocessable):
                check_schema(schema)
        with pytest.raises(ValueError, match=r"never fetched|present in a registry"):
            check_arguments(of(a={"$ref": address}), {"a": 1})
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {},
        of(a={"type": "wizard"}),
        of(a={"pattern": "("}),
        of(a={"$ref": "#/$defs/missing"}),
        of(a={"minimum": "1"}),
        of(a={"required": "a"}),
    ],
)
def test_schemas_that_are_none_are_refused(schema: Any) -> None:
    with pytest.raises(Unprocessable) as caught:
        check_schema(schema)
    assert caught.value.faults[0].pointer.startswith("/input_schema")


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|aa)+$", "(.*a){20}$", r"^(?=(a+)+$)(a+)+b", r"^(a+)+\1$"])
def test_patterns_that_never_end_elsewhere_end_here(pattern: str) -> None:
    """The engine is linear, or gives up after a number of steps; pytest's own limit would catch it otherwise."""
    schema = of(a={"type": "string", "pattern": pattern})
    check_schema(schema)
    with pytest.raises(ToolError):
        check_arguments(schema, {"a": "a" * 40 + "!"})


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"required": ["a", "b"]}, "/input_schema/required"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "/input_schema/$schema"),
        ({"$schema": "https://json-schema.org/draft/2019-09/schema"}, "/input_schema/$schema"),
        ({"$schema": 7}, "/input_schema/$schema"),
    ],
)
def test_a_schema_that_cannot_be_meant_is_refused(change: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Unprocessable) as caught:
        check_schema({**of(a={}), **change})
    assert [fault.pointer for fault in caught.value.faults] == [pointer]
    for dialect in (DIALECT, f"{DIALECT}#"):
        check_schema({**of(a={}), "required": ["a"], "$schema": dialect})


# ---------------------------------------------------------------- what a model sent, as it was meant


def test_a_null_for_what_does_not_take_one_means_left_out() -> None:
    inner = of(x={"type": "string"}, y={"type": ["string", "null"]}) | {"required": ["y"]}
    schema = of(
        a={"type": "string"},
        b={"anyOf": [{"type": "string"}, {"type": "null"}]},
        c={"$ref": "#/$defs/inner"},
        d={"type": "array", "items": {"$ref": "#/$defs/inner"}},
        e={"enum": ["x", None]},
        f={},
        g={"type": "object", "additionalProperties": {"type": "string"}},
    ) | {"$defs": {"inner": inner}, "required": ["d"]}
    sent = {
        "a": None,
        "b": None,
        "c": {"x": None, "y": None},
        "d": [{"x": None, "y": "z"}],
        "e": None,
        "f": None,
        "g": {"k": None, "l": "v"},
    }
    assert restored(schema, sent) == {
        "b": None,
        "c": {"y": None},
        "d": [{"y": "z"}],
        "e": None,
        "f": None,
        "g": {"l": "v"},
    }


def test_a_null_for_what_is_required_stays_and_is_a_fault() -> None:
    schema = {**of(a={"type": "string"}), "required": ["a"]}
    assert restored(schema, {"a": None}) == {"a": None}


def test_names_come_back_where_the_schema_has_them() -> None:
    schema = of(**{"a[b]": {"type": "object", "properties": {"c[d]": {}}}, "free": {"type": "object"}})
    renamed = {"a_b": "a[b]", "c_d": "c[d]"}
    assert restored(schema, {"a_b": {"c_d": 1}, "free": {"a_b": 2}}, renamed) == {
        "a[b]": {"c[d]": 1},
        "free": {"a_b": 2},
    }


def test_recursive_values_are_restored_to_the_bottom() -> None:
    node = of(v={"type": "string"}, next={"$ref": "#/$defs/node"})
    schema = of(n={"$ref": "#/$defs/node"}) | {"$defs": {"node": node}}
    assert restored(schema, {"n": {"v": None, "next": {"v": "x", "next": None}}}) == {"n": {"next": {"v": "x"}}}
