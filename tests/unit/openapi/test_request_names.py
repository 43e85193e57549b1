"""Objects among arguments bring no name that belongs to another parameter."""

from __future__ import annotations

from typing import Any

import pytest

from agent_builder.errors import ToolError
from agent_builder.models.tools import Body, HttpTool, Parameter, Part
from agent_builder.tools.auth.material import Material
from tests.unit.openapi.descriptions import request, sent

FORM = "application/x-www-form-urlencoded"
LIKE_LIMIT = [
    "limit", "LIMIT", "Limit", "limit[]", "limit[0]", "limit[x][y]", "li%6Dit", "%6c%2569mit", " limit", "limit\0x",
    "\uff4cimit", "limit[",
]  # fmt: skip


def tool(
    *parameters: Parameter, body: Body | None = None, path: str = "/x", schemas: dict[str, Any] | None = None
) -> HttpTool:
    arguments = [one.argument for one in parameters if one.argument] + ([body.argument] if body else [])
    return HttpTool(
        name="op",
        method="POST",
        path=path,
        parameters=parameters,
        body=body,
        input_schema={"type": "object", "properties": {name: (schemas or {}).get(name, {}) for name in arguments}},
        effect="write",
    )


def query(name: str, **more: Any) -> Parameter:
    return Parameter(name=name, location="query", argument=name, **more)


@pytest.mark.parametrize("key", LIKE_LIMIT)
def test_an_object_in_a_query_brings_no_name_of_another_parameter(key: str) -> None:
    made = tool(query("filter"), query("limit"))
    for arguments in ({}, {"limit": 5}):
        with pytest.raises(ToolError, match="belongs to limit"):
            request(made, filter={key: 9999}, **arguments)
    assert sent(made, filter={"color": "red", "off": None}, limit=5) == "/x?color=red&limit=5"


@pytest.mark.parametrize("key", LIKE_LIMIT)
@pytest.mark.parametrize("place", ["query", "cookie"])
def test_nor_that_of_a_fixed_one(key: str, place: Any) -> None:
    fixed = Parameter(name="limit", location=place, value=10)
    made = tool(Parameter(name="filter", location=place, argument="filter"), fixed)
    with pytest.raises(ToolError, match="belongs to the fixed limit"):
        request(made, filter={key: 9999})


def test_an_object_that_is_fixed_holds_its_names() -> None:
    fixed = Parameter(name="scope", location="query", value={"tenant": "me"})
    with pytest.raises(ToolError, match="'Tenant'"):
        request(tool(query("filter"), fixed), filter={"Tenant": "you"})
    assert sent(tool(query("filter"), fixed), filter={"a": 1}) == "/x?a=1&tenant=me"


def test_a_fixed_one_of_the_objects_own_name_is_held_as_well() -> None:
    fixed = Parameter(name="filter", location="query", value="mine")
    made = tool(Parameter(name="more", location="query", argument="filter"), fixed)
    with pytest.raises(ToolError, match="belongs to the fixed filter"):
        request(made, filter={"filter": "theirs"})


def test_two_objects_bring_no_name_twice() -> None:
    made = tool(query("a"), query("b"))
    assert sent(made, a={"x": 1}, b={"y": 2}) == "/x?x=1&y=2"
    with pytest.raises(ToolError, match="'x'"):
        request(made, a={"x": 1}, b={"x": 2})
    described = tool(query("a"), query("b"), schemas={"b": {"type": "object", "properties": {"x": {"maximum": 1}}}})
    with pytest.raises(ToolError, match="belongs to b"):
        request(described, a={"x": 9})


def test_what_an_object_s_own_schema_bounds_is_not_brought_under_a_name_like_it() -> None:
    schemas = {"page": {"type": "object", "properties": {"limit": {"maximum": 5}}}}
    for how in ({}, {"style": "deepObject"}):
        made = tool(query("page", **how), schemas=schemas)
        assert "limit" in sent(made, page={"limit": 5, "offset": 1})
        for key in ("limit[]", "LIMIT"):
            with pytest.raises(ToolError, match="page must not contain"):
                request(made, page={key: 9999})
    with pytest.raises(ToolError):
        request(tool(query("page", style="deepObject"), schemas=schemas), page={"limit][": 9999})


@pytest.mark.parametrize("style", ["spaceDelimited", "pipeDelimited"])
def test_other_styles_that_spread_an_object(style: Any) -> None:
    with pytest.raises(ToolError, match="limit"):
        request(tool(query("f", style=style, explode=True), query("limit")), f={"limit": 1})
    assert "limit" in sent(tool(query("f", style=style), query("limit")), f={"limit": 1})


def test_an_object_that_keeps_its_own_name_may_have_any() -> None:
    made = tool(query("filter", style="deepObject"), query("limit"))
    assert sent(made, filter={"limit": 1}, limit=5) == "/x?filter%5Blimit%5D=1&limit=5"
    whole = tool(query("filter", content_type="application/json"), query("limit"))
    assert "limit" in sent(whole, filter={"limit": 1})
    same = tool(query("filter"), query("limit"))
    assert sent(same, filter={"filter": 1}) == "/x?filter=1"
    beside = Parameter(name="filter[tenant]", location="query", value="me")
    with pytest.raises(ToolError, match="tenant"):
        request(tool(query("filter", style="deepObject"), beside), filter={"tenant": "you"})
    spread = tool(query("more"), query("filter", style="deepObject"))
    with pytest.raises(ToolError, match="belongs to filter"):
        request(spread, more={"filter[a]": 1}, filter={"b": 1})


@pytest.mark.parametrize("key", ["sess", "SESS", "%73ess"])
def test_cookies(key: str) -> None:
    made = tool(
        Parameter(name="c", location="cookie", argument="c"), Parameter(name="sess", location="cookie", value="mine")
    )
    with pytest.raises(ToolError, match="sess"):
        request(made, c={key: "evil"})


def test_paths_with_parameters_in_them() -> None:
    matrix = Parameter(name="p", location="path", argument="p", style="matrix", explode=True)
    fixed = Parameter(name="tenant", location="path", value="me", style="matrix")
    made = tool(matrix, fixed, path="/x;v=1{tenant}{p}")
    assert sent(made, p={"a": 1}) == "/x;v=1;tenant=me;a=1"
    for key in ("tenant", "Tenant", "v"):
        with pytest.raises(ToolError, match="belongs to"):
            request(made, p={key: 2})


def test_forms_have_each_field_once() -> None:
    spread = Body(kind="form", content_type=FORM, parts={"o": Part(style="form", explode=True)})
    made = tool(body=spread)
    assert request(made, body={"o": {"a": 1}, "b": 2}).body == b"a=1&b=2"
    for value in ({"o": {"other": "x"}, "other": "y"}, {"other": "y", "o": {"Other[]": "x"}}):
        with pytest.raises(ToolError, match="ther"):
            request(made, body=value)
    described = tool(body=spread, schemas={"body": {"type": "object", "properties": {"o": {}, "limit": {}}}})
    with pytest.raises(ToolError, match="belongs to limit"):
        request(described, body={"o": {"limit": 1}})


@pytest.mark.parametrize(("kind", "content_type"), [("form", FORM), ("multipart", "multipart/form-data")])
@pytest.mark.parametrize("key", LIKE_LIMIT[1:])
def test_fields_beside_the_described_ones_are_not_like_them(kind: Any, content_type: str, key: str) -> None:
    schemas = {"body": {"$ref": "#/$defs/b"}}
    made = tool(body=Body(kind=kind, content_type=content_type), schemas=schemas)
    described = {"type": "object", "properties": {"limit": {"maximum": 5}, "tags": {"type": "array"}}}
    made = made.model_copy(update={"input_schema": {**made.input_schema, "$defs": {"b": described}}})
    assert request(made, body={"limit": 5, "tags": [1, 2], "user[name]": "a", "user[mail]": "b"}).body
    with pytest.raises(ToolError, match="belongs to limit"):
        request(made, body={key: 9999})


def test_a_credential_s_name_is_its_own_however_it_is_written() -> None:
    held = Material(query=(("key", "s3cret"),), cookies=(("sid", "s3cret"),))
    url, headers = held.applied("https://a.test/?KEY=1&k%65y[]=2&key%5B0%5D=3&keys=4", (("Cookie", "SID=1; sids=2"),))
    assert url == "https://a.test/?keys=4&key=s3cret"
    assert headers == (("Cookie", "sids=2; sid=s3cret"),)


@pytest.mark.parametrize("encoding", ["gzip", "BASE64", "", None, 7, ["base64"]])
def test_a_file_is_text_or_base64(encoding: Any) -> None:
    made = tool(body=Body(kind="raw", content_type="application/pdf", file=True))
    with pytest.raises(ToolError, match="text or base64"):
        request(made, body={"content": "eA==", "encoding": encoding})
    assert request(made, body={"content": "eA==", "encoding": "base64"}).body == b"x"
    assert request(made, body={"content": "eA=="}).body == b"eA=="
