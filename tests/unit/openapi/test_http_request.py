"""Requests that arguments make: what no argument may do, and what hand-made tools can."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agent_builder.errors import ToolError
from agent_builder.models.tools import Body, HttpTool, Parameter
from agent_builder.tools.http_request import build_request
from tests.unit.openapi.descriptions import BASE, request, sent


def tool(path: str = "/things/{id}/end", **fields: Any) -> HttpTool:
    parameters = fields.pop("parameters", (Parameter(name="id", location="path", argument="id"),))
    body = fields.pop("body", None)
    arguments = [one.argument for one in parameters if one.argument] + ([body.argument] if body else [])
    return HttpTool(
        name="op",
        method=fields.pop("method", "GET"),
        path=path,
        parameters=parameters,
        body=body,
        input_schema={"type": "object", "properties": {name: {} for name in arguments}},
        effect=fields.pop("effect", "read"),
        **fields,
    )


@pytest.mark.parametrize(
    "value",
    [
        "..",
        ".",
        "../admin",
        "a/../b",
        "a/..",
        "..\\admin",
        "%2e%2e",
        "%2E%2E/admin",
        ".%2e",
        "%252e%252e",
        "%252e%252e%252fadmin",
        "..%2fadmin",
        "..%5cadmin",
        "",
        " ",
        "\t",
    ],
)
def test_no_value_leads_to_another_path(value: str) -> None:
    with pytest.raises(ToolError, match="path"):
        request(tool(), id=value)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("a.b", "a.b"),
        ("...", "..."),
        (".hidden", ".hidden"),
        ("a/b", "a%2Fb"),
        ("a?b#c", "a%3Fb%23c"),
        ("a%2Fb", "a%252Fb"),
        ("{id}", "%7Bid%7D"),
        ("a;b=c", "a%3Bb%3Dc"),
        ("https://evil.test", "https%3A%2F%2Fevil.test"),
        ("a\r\nb", "a%0D%0Ab"),
        ("@:80", "%40%3A80"),
        (7, "7"),
        (True, "true"),
    ],
)
def test_values_stay_in_their_segment(value: Any, path: str) -> None:
    assert sent(tool(), id=value) == f"/things/{path}/end"


@given(st.text(max_size=30))
def test_whatever_a_value_is_the_path_keeps_its_shape(value: str) -> None:
    try:
        path = sent(tool(), id=value)
    except (ToolError, UnicodeEncodeError):
        return
    assert path.startswith("/things/")
    assert path.count("/") == 3
    assert unquote(path.split("/")[2]) == value
    assert not set(path) & set("?#\r\n \\")


def test_parts_of_one_segment_cannot_add_up_to_a_step() -> None:
    halves = tuple(Parameter(name=name, location="path", argument=name) for name in ("a", "b"))
    assert sent(tool("/x/{a}{b}", parameters=halves), a="1", b="2") == "/x/12"
    with pytest.raises(ToolError):
        request(tool("/x/{a}{b}", parameters=halves), a=".", b=".")
    labelled = (Parameter(name="a", location="path", argument="a", style="label"),)
    with pytest.raises(ToolError):
        request(tool("/x/{a}", parameters=labelled), a="")


def test_a_path_of_several_steps_where_that_is_wanted() -> None:
    parameter = Parameter(name="id", location="path", argument="id", allow_reserved=True)
    assert sent(tool(parameters=(parameter,)), id="a/b c?d#e") == "/things/a/b%20c%3Fd%23e/end"
    with pytest.raises(ToolError):
        request(tool(parameters=(parameter,)), id="a/../b")


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\0b", "é", "\x7f"])
def test_no_value_breaks_out_of_a_header(value: str) -> None:
    header = (Parameter(name="X-A", location="header", argument="a"),)
    with pytest.raises(ToolError, match="X-A"):
        request(tool("/x", parameters=header), a=value)
    with pytest.raises(ToolError, match="Idempotency-Key"):
        build_request(tool("/x", parameters=(), effect="write"), {}, base_url=BASE, idempotency_key=value)


@pytest.mark.parametrize(
    ("value", "header"),
    [("a b", "a b"), (" a ", "a"), (5, "5"), ([1, 2], "1,2"), ({"a": 1, "b": 2}, "a,1,b,2"), (False, "false")],
)
def test_headers(value: Any, header: str) -> None:
    found = request(tool("/x", parameters=(Parameter(name="X-A", location="header", argument="a"),)), a=value)
    assert dict(found.headers)["X-A"] == header


def test_cookies() -> None:
    cookies = (
        Parameter(name="a", location="cookie", argument="a"),
        Parameter(name="b", location="cookie", argument="b"),
    )
    found = request(tool("/x", parameters=cookies), a="x; y=z", b=1)
    assert dict(found.headers)["Cookie"] == "a=x%3B%20y%3Dz; b=1"
    assert "Cookie" not in dict(request(tool("/x", parameters=cookies)).headers)


def test_fixed_values_and_what_is_left_out() -> None:
    parameters = (
        Parameter(name="version", location="query", value=2),
        Parameter(name="Accept", location="header", value="text/csv"),
        Parameter(name="q", location="query", argument="q"),
    )
    found = request(tool("/x", parameters=parameters), q=None)
    assert found.url == f"{BASE}/x?version=2"
    assert found.headers == (("Accept", "text/csv"),)


def test_the_tools_own_base_url_wins_and_one_is_needed() -> None:
    own = tool("/x", parameters=(), base_url="https://own.example.test/v1/")
    assert build_request(own, {}, base_url=BASE).url == "https://own.example.test/v1/x"
    with pytest.raises(ToolError, match="base URL"):
        build_request(tool("/x", parameters=()), {})


def test_only_what_writes_carries_an_idempotency_key() -> None:
    write = tool("/x", parameters=(), effect="write", method="POST", idempotency_header="X-Request-Id")
    found = build_request(write, {}, base_url=BASE, idempotency_key="k1")
    assert dict(found.headers)["X-Request-Id"] == "k1"
    read = build_request(tool("/x", parameters=()), {}, base_url=BASE, idempotency_key="k1")
    assert "Idempotency-Key" not in dict(read.headers)


def test_forms_take_objects_only() -> None:
    body = Body(kind="form", content_type="application/x-www-form-urlencoded")
    with pytest.raises(ToolError, match="object"):
        request(tool("/x", parameters=(), body=body, method="POST"), body=[1])


# ---------------------------------------------------------------- the model of a tool

VALID = {
    "name": "op",
    "method": "GET",
    "path": "/a/{id}",
    "parameters": [{"name": "id", "location": "path", "argument": "id"}],
    "input_schema": {"type": "object", "properties": {"id": {}}},
    "effect": "read",
}


def test_a_tool_comes_from_json_and_goes_back() -> None:
    read = HttpTool.model_validate(VALID)
    assert HttpTool.model_validate_json(read.model_dump_json()) == read
    assert read.timeout_seconds == 30


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"unknown": 1}, "Extra inputs"),
        ({"name": "1st"}, "pattern"),
        ({"name": "x" * 65}, "pattern"),
        ({"name": "two words"}, "pattern"),
        ({"method": "TRACE"}, "Input should be"),
        ({"path": "a"}, "begin with /"),
        ({"path": "/a/{id}/../b"}, "segment"),
        ({"path": "/a/{id}/%2e%2E/b"}, "segment"),
        ({"path": "/a/{id}?x=1"}, "query"),
        ({"path": "/a"}, "braces"),
        ({"base_url": "ftp://a.test"}, "https"),
        ({"base_url": "https://user:secret@a.test"}, "user"),
        ({"base_url": "https://a.test/?key=1"}, "query"),
        ({"base_url": "https://a.test/../b"}, "segment"),
        ({"base_url": "https://"}, "host"),
        ({"base_url": "https://a.test:99999"}, "URL"),
        ({"input_schema": {"type": "string"}}, "object"),
        ({"input_schema": {"type": "object", "properties": {}}}, "id"),
        ({"input_schema": {"type": "object", "properties": {"id": {}, "more": {}}}}, "more"),
        ({"input_schema": {"type": "object", "properties": {"id": {"description": "x" * 70_000}}}}, "bytes"),
        ({"cache_seconds": 5, "effect": "write"}, "cached"),
        ({"timeout_seconds": 0}, "greater"),
        ({"timeout_seconds": "30"}, "number"),
        ({"description": "x" * 1_025}, "1024"),
        ({"parameters": [{"name": "id", "location": "path"}]}, "either"),
        ({"parameters": [{"name": "id", "location": "path", "argument": "id", "value": 1}]}, "either"),
        ({"parameters": [{"name": "id", "location": "path", "argument": "id", "style": "form"}]}, "style"),
        ({"parameters": [{"name": "id", "location": "path", "argument": "a b"}]}, "pattern"),
    ],
)
def test_a_tool_that_cannot_work_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        HttpTool.model_validate({**VALID, **change})


@pytest.mark.parametrize(
    "name", ["Host", "content-length", "Transfer-Encoding", "Proxy-Authorization", "Cookie", "a b", "a:"]
)
def test_headers_that_no_tool_may_set(name: str) -> None:
    with pytest.raises(ValidationError):
        Parameter(name=name, location="header", argument="a")
