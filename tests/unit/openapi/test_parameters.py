from __future__ import annotations

from typing import Any

import pytest

from agent_builder.tools.openapi.preview import ImportedOperation
from tests.unit.openapi.descriptions import (
    Json,
    codes,
    description,
    imported,
    only,
    sent,
    tool_of,
    with_body,
    with_parameter,
)

ARRAY = {"type": "array", "items": {"type": "integer"}}
OBJECT = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}}


def test_parameters_of_the_path_item_count_and_those_of_the_operation_win() -> None:
    document = description(
        {
            "/a/{id}": {
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                    {"name": "q", "in": "query", "schema": {"type": "string"}},
                    {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
                ],
                "get": {
                    "parameters": [
                        {"name": "q", "in": "query", "schema": {"type": "integer"}, "required": True},
                        {"name": "x-trace", "in": "header", "schema": {"type": "boolean"}},
                    ]
                },
            }
        }
    )
    schema = tool_of(document).input_schema
    assert schema == {
        "type": "object",
        "properties": {"id": {"type": "string"}, "q": {"type": "integer"}, "x_trace": {"type": "boolean"}},
        "required": ["id", "q"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("parameter", "value", "query"),
    [
        ({"schema": {"type": "string"}}, "a b&c=d", "x=a%20b%26c%3Dd"),
        ({"schema": {"type": "boolean"}}, True, "x=true"),
        ({"schema": {"type": "number"}}, 2.0, "x=2"),
        ({"schema": {"type": "number"}}, 2.5, "x=2.5"),
        ({"schema": ARRAY}, [3, 4], "x=3&x=4"),
        ({"schema": ARRAY, "explode": False}, [3, 4], "x=3,4"),
        ({"schema": ARRAY, "style": "spaceDelimited", "explode": False}, [3, 4], "x=3%204"),
        ({"schema": ARRAY, "style": "pipeDelimited", "explode": False}, [3, 4], "x=3%7C4"),
        ({"schema": ARRAY}, [], ""),
        ({"schema": OBJECT}, {"a": 1, "b": "c"}, "a=1&b=c"),
        ({"schema": OBJECT, "explode": False}, {"a": 1, "b": "c"}, "x=a,1,b,c"),
        ({"schema": OBJECT, "style": "deepObject", "explode": True}, {"a": 1, "b": "c"}, "x%5Ba%5D=1&x%5Bb%5D=c"),
        (
            {"schema": {"type": "object"}, "style": "deepObject"},
            {"a": {"b": [1, 2]}},
            "x%5Ba%5D%5Bb%5D%5B%5D=1&x%5Ba%5D%5Bb%5D%5B%5D=2",
        ),
        ({"schema": {"type": "object"}, "style": "deepObject"}, {"a": [{"b": 1}]}, "x%5Ba%5D%5B0%5D%5Bb%5D=1"),
        ({"schema": {"type": "string"}, "allowReserved": True}, "a/b:c d&e", "x=a/b:c%20d%26e"),
        ({"content": {"application/json": {"schema": OBJECT}}}, {"a": 1}, "x=%7B%22a%22%3A1%7D"),
        ({"schema": {"type": "array"}}, [{"a": 1}], "x=%7B%22a%22%3A1%7D"),
    ],
)
def test_query(parameter: dict[str, Any], value: Any, query: str) -> None:
    tool = tool_of(with_parameter({"name": "x", "in": "query", **parameter}))
    assert sent(tool, x=value) == ("/things?" + query if query else "/things")


@pytest.mark.parametrize(
    ("parameter", "value", "path"),
    [
        ({"schema": {"type": "string"}}, "a/b c", "a%2Fb%20c"),
        ({"schema": ARRAY}, [3, 4], "3,4"),
        ({"schema": OBJECT}, {"a": 1, "b": "c"}, "a,1,b,c"),
        ({"schema": OBJECT, "explode": True}, {"a": 1, "b": "c"}, "a=1,b=c"),
        ({"schema": ARRAY, "style": "label"}, [3, 4], ".3,4"),
        ({"schema": ARRAY, "style": "label", "explode": True}, [3, 4], ".3.4"),
        ({"schema": OBJECT, "style": "label", "explode": True}, {"a": 1}, ".a=1"),
        ({"schema": {"type": "integer"}, "style": "matrix"}, 5, ";x=5"),
        ({"schema": ARRAY, "style": "matrix"}, [3, 4], ";x=3,4"),
        ({"schema": ARRAY, "style": "matrix", "explode": True}, [3, 4], ";x=3;x=4"),
        ({"schema": OBJECT, "style": "matrix"}, {"a": 1, "b": "c"}, ";x=a,1,b,c"),
        ({"schema": OBJECT, "style": "matrix", "explode": True}, {"a": 1, "b": "c"}, ";a=1;b=c"),
        ({"content": {"application/json": {"schema": OBJECT}}}, {"a": 1}, "%7B%22a%22%3A1%7D"),
    ],
)
def test_path(parameter: dict[str, Any], value: Any, path: str) -> None:
    tool = tool_of(with_parameter({"name": "x", "in": "path", "required": True, **parameter}, "/things/{x}/end"))
    assert sent(tool, x=value) == f"/things/{path}/end"


@pytest.mark.parametrize(
    ("collection", "query"),
    [
        (None, "x=3,4"),
        ("csv", "x=3,4"),
        ("ssv", "x=3%204"),
        ("tsv", "x=3%094"),
        ("pipes", "x=3%7C4"),
        ("multi", "x=3&x=4"),
    ],
)
def test_collection_formats_of_swagger(collection: str | None, query: str) -> None:
    parameter = {"name": "x", "in": "query", **ARRAY, **({"collectionFormat": collection} if collection else {})}
    assert sent(tool_of(with_parameter(parameter, version="2.0")), x=[3, 4]) == f"/things?{query}"


def test_swagger_says_the_type_beside_the_name() -> None:
    parameter = {"name": "x", "in": "query", "type": "string", "enum": ["a"], "description": "D.", "x-nullable": True}
    schema = tool_of(with_parameter(parameter, version="2.0")).input_schema
    assert schema["properties"]["x"] == {"type": ["string", "null"], "enum": ["a", None], "description": "D."}


@pytest.mark.parametrize(
    ("parameter", "code"),
    [
        ({"name": "x", "in": "query"}, "no_schema"),
        ({"name": "x", "in": "elsewhere"}, "unknown_place"),
        ({"name": "x"}, "invalid_parameter"),
        ({"in": "query"}, "invalid_parameter"),
        ({"$ref": "#/nowhere"}, "broken_parameter"),
        ({"$ref": "other.yaml#/x"}, "broken_parameter"),
        ({"name": "x", "in": "path", "schema": {}}, "not_in_path"),
        ({"name": "Host", "in": "header", "schema": {}}, "managed_header"),
        ({"name": "Content-Length", "in": "header", "schema": {}}, "managed_header"),
        ({"name": "a header", "in": "header", "schema": {}}, "invalid_name"),
        ({"name": "x", "in": "query", "style": "matrix", "schema": {}}, "unknown_style"),
        (None, "invalid_parameter"),
    ],
)
def test_parameters_that_cannot_be_as_described_are_said(parameter: Any, code: str) -> None:
    operation = only(with_parameter(parameter))
    assert operation.status == "changed"
    assert codes(operation) == {code}


@pytest.mark.parametrize("name", ["Accept", "content-type", "Authorization"])
def test_headers_described_elsewhere_are_no_arguments(name: str) -> None:
    operation = only(with_parameter({"name": name, "in": "header", "required": True, "schema": {"type": "string"}}))
    assert operation.status == "accepted"
    assert operation.tool
    assert operation.tool.input_schema["properties"] == {}


def test_a_described_accept_header_is_sent() -> None:
    schema = {"type": "string", "enum": ["text/csv", "application/json"]}
    assert tool_of(with_parameter({"name": "accept", "in": "header", "schema": schema})).accept == "application/json"


def test_what_a_credential_sends_no_model_has_to_know() -> None:
    document = with_parameter(
        {"name": "api_key", "in": "query", "required": True, "schema": {"type": "string"}},
        security=[{"key": []}],
        components={"securitySchemes": {"key": {"type": "apiKey", "in": "query", "name": "api_key"}}},
    )
    operation = only(document)
    assert operation.tool
    assert operation.tool.input_schema["properties"] == {}
    assert codes(operation) == {"sent_anyway"}


def test_the_platform_sends_idempotency_keys() -> None:
    parameter = {"name": "X-Idempotency-Key", "in": "header", "required": True, "schema": {"type": "string"}}
    tool = tool_of(with_parameter(parameter))
    assert (tool.idempotency_header, tool.input_schema["properties"]) == ("X-Idempotency-Key", {})


def test_names_that_vendors_refuse_are_made_plain_and_sent_as_they_were() -> None:
    parameters = [
        {"name": "filter[name]", "in": "query", "schema": {"type": "string"}},
        {"name": "$top", "in": "query", "schema": {"type": "integer"}},
        {"name": "größe", "in": "query", "schema": {"type": "string"}},
        {"name": "1st", "in": "query", "schema": {"type": "string"}},
        {"name": "id", "in": "query", "schema": {"type": "string"}},
        {"name": "id", "in": "header", "schema": {"type": "string"}},
        {"name": "id", "in": "cookie", "schema": {"type": "string"}},
        {"name": "日本", "in": "query", "schema": {"type": "string"}},
        {"name": "n" * 90, "in": "query", "schema": {"type": "string"}},
    ]
    tool = tool_of(description({"/a": {"get": {"parameters": parameters}}}))
    arguments = list(tool.input_schema["properties"])
    assert arguments[:8] == ["filter_name", "top", "groe", "_1st", "id", "header_id", "cookie_id", "value"]
    assert len(arguments[8]) == 64
    assert sent(tool, filter_name="x", top=1, groe="y") == "/a?filter%5Bname%5D=x&%24top=1&gr%C3%B6%C3%9Fe=y"


@pytest.mark.parametrize(
    ("path", "plain", "code"),
    [
        ("/a/{id}", "/a/{id}", "undescribed_path_parameter"),
        ("/a/{id:[0-9]+}", "/a/{id}", "path_template"),
        ("/a/{+name}", "/a/{name}", "path_template"),
        ("/a/{name=projects/*}", "/a/{name}", "path_template"),
        ("/a/:id/b", "/a/{id}/b", "path_template"),
        ("a", "/a", "path_template"),
        ("/a#fragment", "/a", "fragment"),
        ("/a?kind=b", "/a", "query_in_path"),
    ],
)
def test_paths_as_people_write_them(path: str, plain: str, code: str) -> None:
    operation = only(description({path: {"get": {}}}))
    assert operation.tool
    assert operation.tool.path == plain
    assert code in codes(operation)


def test_a_query_in_the_path_is_always_sent() -> None:
    assert sent(tool_of(description({"/a?kind=b%20c&d=": {"get": {}}}))) == "/a?kind=b%20c&d="


def test_undescribed_parts_of_a_path_are_text() -> None:
    operation = imported(description({"/a/{x}/{y}/{x}": {"get": {}}})).operations[0]
    assert operation.tool
    assert operation.tool.input_schema["required"] == ["x", "y"]
    assert sent(operation.tool, x="1", y="2") == "/a/1/2/1"


def test_an_object_beside_other_parameters_says_which_names_it_may_not_have() -> None:
    free = {"name": "filter", "in": "query", "schema": {"type": "object", "additionalProperties": True}}
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 10}}

    def found(*parameters: Json) -> ImportedOperation:
        return only(description({"/x": {"get": {"operationId": "op", "parameters": list(parameters)}}}))

    assert "spread_object" in codes(found(free, limit))
    assert found(free, limit).status == "accepted"
    assert not codes(found(free))
    closed = {**free, "schema": {"type": "object", "properties": {"a": {}}, "additionalProperties": False}}
    assert not codes(found(closed, limit))
    assert not codes(found({**free, "style": "deepObject"}, limit))
    same = {**free, "schema": {"type": "object", "properties": {"Limit": {}}, "additionalProperties": False}}
    assert found(same, limit).status == "changed"
    assert "shared_names" in codes(found(same, limit))


def test_an_object_beside_other_fields_of_a_form_as_well() -> None:
    schema = {"type": "object", "properties": {"o": {"type": "object"}, "limit": {"type": "integer"}}}
    media = {"encoding": {"o": {"style": "form", "explode": True}}}
    assert "spread_object" in codes(only(with_body(schema, "application/x-www-form-urlencoded", media=media)))
