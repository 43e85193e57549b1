from __future__ import annotations

import json

import pytest

from agent_builder.errors import PayloadTooLarge, Unprocessable
from agent_builder.tools.openapi.document import MAX_DEPTH, load
from tests.unit.openapi.descriptions import codes, description, imported

HEAD = "openapi: 3.0.3\n"


def yaml_of(text: str) -> dict[str, object]:
    return load((HEAD + text).encode()).root


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("2024-02-29", "2024-02-29"),
        ("2024-02-29T10:00:00Z", "2024-02-29T10:00:00Z"),
        ("12:30:45", "12:30:45"),
        ("1_000", "1_000"),
        ("012", 12),
        ("0x1F", 31),
        ("0o17", 15),
        ("-3", -3),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("1.2.3", "1.2.3"),
        (".5", 0.5),
        (".inf", ".inf"),
        ("1e999", "1e999"),
        ("'1'", "1"),
        ("!!str 1", "1"),
        ("!!int '7'", 7),
        ("!own thing", "thing"),
    ],
)
def test_yaml_scalars_mean_what_openapi_says(scalar: str, value: object) -> None:
    found = yaml_of(f"x: {scalar}\n")["x"]
    assert found == value
    assert type(found) is type(value)


def test_yaml_keys_are_text() -> None:
    assert yaml_of("responses:\n  200: a\n  true: b\n  null: c\n  1.0: d\n")["responses"] == {
        "200": "a",
        "true": "b",
        "null": "c",
        "1.0": "d",
    }


def test_yaml_aliases_and_merges_are_read() -> None:
    found = yaml_of("a: &a {x: 1, y: 2}\nb: *a\nc: {<<: *a, y: 3}\nd: {<<: [*a, {z: 4}]}\n&k key: v\n*k : w\n")
    assert found["b"] == {"x": 1, "y": 2}
    assert found["c"] == {"x": 1, "y": 3}
    assert found["d"] == {"x": 1, "y": 2, "z": 4}
    assert found["key"] == "w"


def bomb() -> str:
    rows = [HEAD + "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 20)]
    return "\n".join(rows)


def merge_bomb() -> str:
    rows = [HEAD + "a0: &a0 {" + ", ".join(f"k{n}: 1" for n in range(50)) + "}"]
    rows += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 20)}]}}" for n in range(1, 20)]
    return "\n".join(rows)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (bomb(), "unfolds"),
        (merge_bomb(), "unfolds"),
        (HEAD + "a: &a {b: *a}", "alias"),
        (HEAD + "a: *nothing", "alias"),
        (HEAD + "? [a, b]\n: c", "key"),
        (HEAD + "a: " + "[" * 200 + "]" * 200, "deeper"),
        ("[" * 100_000, "deeper"),
        ('{"openapi": "3.0.3", "a": ' + "[" * 150 + "]" * 150 + "}", "deeper"),
        ('{"a":' * 50_000, "deeper"),
        (HEAD + "a: b: c", "line 2"),
        ("--- {openapi: 3.0.3}\n--- {openapi: 3.0.3}", "2"),
        ("<!doctype html><html></html>", "web page"),
        ("<?xml version='1.0'?>", "web page"),
        ("", "empty"),
        ("   \n", "empty"),
        ("just words", "object"),
        ("[1, 2]", "object"),
        ('{"openapi": "3.0.3", }x', "Not JSON"),
        ('{"openapi": "3.0.3", "a": NaN}', "NaN"),
        ('{"openapi": "3.0.3", "a": "\\u0000"}', "NUL"),
        ('{"openapi": "3.0.3", "a": "\\ud800"}', "surrogate"),
        ('{"openapi": "3.0.3", "a": ' + "9" * 5_000 + "}", "digits"),
        ("info: {title: x}", "neither"),
        ("asyncapi: 2.0.0", "AsyncAPI"),
        ('{"info": {"_postman_id": "1"}, "item": []}', "Postman"),
        ("discoveryVersion: v1", "Google"),
        ("openapi: 4.0.0", "4.0.0"),
        ("swaggerVersion: '1.2'", "1.2"),
    ],
)
def test_what_cannot_be_read_is_refused_and_says_why(text: str, says: str) -> None:
    with pytest.raises(Unprocessable, match=says) as caught:
        load(text.encode())
    assert caught.value.error_code == "openapi_unreadable"


def test_bytes_that_are_not_text_are_refused() -> None:
    with pytest.raises(Unprocessable, match="UTF-8"):
        load(b"openapi: \xff\xfa")


def test_size_is_limited() -> None:
    with pytest.raises(PayloadTooLarge):
        load(b"openapi: 3.0.3" + b" " * 100, max_bytes=50)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_byte_order_marks_are_understood(encoding: str) -> None:
    assert load("openapi: 3.0.3\ninfo: {title: Grüße}".encode(encoding)).root["info"] == {"title": "Grüße"}


@pytest.mark.parametrize(
    ("head", "dialect"),
    [
        ({"swagger": "2.0"}, "2.0"),
        ({"swagger": 2.0}, "2.0"),
        ({"openapi": "3.0.0-RC0"}, "3.0"),
        ({"openapi": "3.0.4"}, "3.0"),
        ({"openapi": 3.1}, "3.1"),
        ({"openapi": "3.1.1"}, "3.1"),
        ({"openapi": "3.2.0"}, "3.1"),
    ],
)
def test_dialects(head: dict[str, object], dialect: str) -> None:
    assert load(json.dumps(head).encode()).dialect == dialect


def test_flow_style_yaml_is_no_json_and_still_read() -> None:
    document = load(b"{openapi: 3.0.3, paths: {},}")
    assert document.format == "yaml"
    assert load(b'{"openapi": "3.0.3"}').format == "json"


def test_depth_that_descriptions_have_is_read() -> None:
    depth = MAX_DEPTH - 10
    assert load(('{"openapi": "3.0.3", "a": ' + "[" * depth + "]" * depth + "}").encode())


@pytest.mark.parametrize("kind", ["json", "yaml"])
def test_duplicate_keys_are_named_and_no_operation_is_lost_in_silence(kind: str) -> None:
    first = '{"get": {"operationId": "first"}, "put": {"operationId": "gone"}}'
    second = '{"get": {"operationId": "second"}, "post": {}, "post": {"operationId": "later"}}'
    text = f'{{"openapi": "3.0.3", "paths": {{"/a": {first}, "/a": {second}}}}}'
    preview = imported(text if kind == "json" else "# a comment\n" + text)
    assert preview.format == kind
    assert "duplicate_keys" in codes(preview)
    status = {operation.key: operation.status for operation in preview.operations}
    assert status == {
        "GET /a": "accepted",
        "POST /a": "accepted",
        "GET /a (2)": "skipped",
        "PUT /a": "skipped",
        "POST /a (2)": "skipped",
    }
    assert preview.operations[0].operation_id == "second"


def test_duplicate_keys_elsewhere_are_a_note_only() -> None:
    preview = imported('{"openapi": "3.0.3", "info": {"title": "a", "title": "b"}, "paths": {}}')
    assert preview.title == "b"
    assert codes(preview) >= {"duplicate_keys", "no_operations"}
    assert not codes(imported(description({"/a": {"get": {}}}))) & {"duplicate_keys"}
