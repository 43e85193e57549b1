from __future__ import annotations

import socket
from pathlib import Path

import pytest

from agent_builder.tools.openapi.references import BrokenReference, References
from tests.unit.openapi.descriptions import body_schema, codes, description, imported, only, tool_of, with_body

ROOT = {
    "components": {
        "schemas": {
            "a/b": {"type": "string"},
            "a~b": {"type": "integer"},
            "a b": {"type": "boolean"},
            "50%25": {"type": "number"},
            "Chain": {"$ref": "#/components/schemas/a~1b"},
            "Round": {"$ref": "#/components/schemas/Trip"},
            "Trip": {"$ref": "#/components/schemas/Round"},
            "Self": {"$ref": "#/components/schemas/Self"},
            "Deep": {"properties": {"x": {"$ref": "#/components/schemas/Other"}}},
            "Other": {"properties": {"y": {"type": "null"}}},
            "Named": {"$anchor": "name", "type": "array"},
            "List": [{"const": 1}],
        }
    }
}


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("#/components/schemas/a~1b", {"type": "string"}),
        ("#/components/schemas/a%2Fb", {"type": "string"}),
        ("#/components/schemas/a~0b", {"type": "integer"}),
        ("#/components/schemas/a%20b", {"type": "boolean"}),
        ("#/components/schemas/a b", {"type": "boolean"}),
        ("#/components/schemas/a%7E1b", {"type": "string"}),
        ("#/components/schemas/50%25", {"type": "number"}),
        ("#/components/schemas/Chain", {"type": "string"}),
        ("#/components/schemas/Deep/properties/x/properties/y", {"type": "null"}),
        ("#/components/schemas/List/0", {"const": 1}),
        ("#name", {"$anchor": "name", "type": "array"}),
        ("https://api.example.test/v1/openapi.json#/components/schemas/a~1b", {"type": "string"}),
        ("openapi.json#/components/schemas/a~1b", {"type": "string"}),
        ("other.json#/components/schemas/a~1b", None),
        ("#/components/schemas/List/7", None),
        ("#/components/schemas/Missing", None),
        ("#/components/schemas/Round", None),
        ("#/components/schemas/Self", None),
        ("#nothing", None),
        ("http://169.254.169.254/latest#/a", None),
        ("file:///etc/passwd", None),
        ("http://[broken", None),
        ("Pet", None),
    ],
)
def test_references(reference: str, found: object) -> None:
    references = References(ROOT, "https://api.example.test/v1/openapi.json")
    if found is None:
        with pytest.raises(BrokenReference):
            references.follow({"$ref": reference})
    else:
        assert references.follow({"$ref": reference}) == found


@pytest.mark.parametrize("scheme", ["http", "file", "relative"])
def test_nothing_outside_the_document_is_ever_read(scheme: str, tmp_path: Path) -> None:
    """Wherever a reference may stand, it leads to a listening socket or a readable file that has what it wants."""
    secret = tmp_path / "outside.json"
    secret.write_text('{"type": "string", "description": "stolen", "name": "stolen", "in": "query"}', "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        address = {
            "http": f"http://127.0.0.1:{server.getsockname()[1]}/outside.json",
            "file": secret.as_uri(),
            "relative": "outside.json",
        }[scheme]
        there = {"$ref": address}
        preview = imported(
            {
                "openapi": "3.1.0",
                "info": {"title": "x", "version": "1"},
                "paths": {
                    "/item": there,
                    "/parameter": {"get": {"parameters": [there]}},
                    "/schema/{id}": {"get": {"parameters": [{"name": "id", "in": "path", "schema": there}]}},
                    "/body": {"post": {"requestBody": there, "responses": {"200": there}}},
                    "/nested": {
                        "post": {"requestBody": {"content": {"application/json": {"schema": {"allOf": [there]}}}}}
                    },
                },
                "components": {"securitySchemes": {"a": there}},
                "security": [{"a": []}],
            },
            address=(tmp_path / "openapi.json").as_uri() if scheme == "relative" else None,
        )
        with pytest.raises(BlockingIOError):
            server.accept()
    assert "stolen" not in preview.model_dump_json()
    status = {operation.key: operation.status for operation in preview.operations}
    assert status == {
        "* /item": "skipped",
        "GET /parameter": "changed",
        "GET /schema/{id}": "changed",
        "POST /body": "changed",
        "POST /nested": "changed",
    }


def test_path_items_may_be_references() -> None:
    item = {"get": {"operationId": "shared", "summary": "Shared"}, "parameters": [{"name": "q", "in": "query"}]}
    document = description(
        {"/a": {"$ref": "#/components/pathItems/A", "post": {"operationId": "own"}}},
        version="3.1.0",
        components={"pathItems": {"A": item}},
    )
    operations = imported(document).operations
    assert [operation.operation_id for operation in operations] == ["shared", "own"]
    assert all(operation.tool and operation.tool.parameters[0].name == "q" for operation in operations)


def test_parameters_bodies_and_responses_may_be_references() -> None:
    document = description(
        {
            "/a": {
                "parameters": [{"$ref": "#/components/parameters/P"}],
                "post": {"operationId": "op", "requestBody": {"$ref": "#/components/requestBodies/B"}},
            }
        },
        components={
            "parameters": {"P": {"$ref": "#/components/parameters/Q"}, "Q": {"name": "q", "in": "query", "schema": {}}},
            "requestBodies": {"B": {"content": {"application/json": {"schema": {"type": "integer"}}}}},
        },
    )
    tool = tool_of(document)
    assert list(tool.input_schema["properties"]) == ["q", "body"]


def test_a_reference_into_another_operation_is_followed() -> None:
    document = description(
        {
            "/a/{id}": {"get": {"parameters": [{"name": "id", "in": "path", "schema": {"type": "integer"}}]}},
            "/b/{id}": {"get": {"parameters": [{"$ref": "#/paths/~1a~1%7Bid%7D/get/parameters/0"}]}},
        }
    )
    second = imported(document).operations[1]
    assert second.tool
    assert second.tool.input_schema["properties"]["id"] == {"type": "integer"}


NODE = {"type": "object", "properties": {"name": {"type": "string"}, "next": {"$ref": "#/components/schemas/Node"}}}


def test_a_schema_may_contain_itself() -> None:
    schema = body_schema({"$ref": "#/components/schemas/Node"}, schemas={"Node": NODE})
    assert schema["$ref"] == "#/$defs/Node"
    assert schema["$defs"]["Node"]["properties"]["next"] == {"$ref": "#/$defs/Node"}


def test_schemas_may_contain_each_other() -> None:
    schemas = {
        "A": {"type": "object", "properties": {"b": {"$ref": "#/components/schemas/B"}}},
        "B": {"type": "array", "items": {"$ref": "#/components/schemas/A"}},
    }
    assert set(body_schema({"$ref": "#/components/schemas/A"}, schemas=schemas)["$defs"]) == {"A", "B"}


@pytest.mark.parametrize(
    "schemas",
    [
        {"A": {"$ref": "#/components/schemas/A"}},
        {"A": {"allOf": [{"$ref": "#/components/schemas/A"}]}},
        {"A": {"allOf": [{"$ref": "#/components/schemas/A"}, {"properties": {"x": {"type": "string"}}}]}},
        {"A": {"allOf": [{"$ref": "#/components/schemas/B"}]}, "B": {"allOf": [{"$ref": "#/components/schemas/A"}]}},
        {"A": {"anyOf": [{"$ref": "#/components/schemas/A"}]}},
        {"A": {"not": {"$ref": "#/components/schemas/A"}}},
        {
            "A": {
                "properties": {"x": {"allOf": [{"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/A"}]}}
            }
        },
        {
            "A": {
                "properties": {
                    "x": {"allOf": [{"$ref": "#/components/schemas/A"}, {"properties": {"y": {"type": "string"}}}]}
                }
            }
        },
    ],
)
def test_schemas_that_never_end_become_tools_all_the_same(schemas: dict[str, object]) -> None:
    document = with_body({"$ref": "#/components/schemas/A"}, components={"schemas": schemas})
    assert only(document).status in {"accepted", "changed"}


def test_fan_out_costs_what_it_says_not_what_it_means() -> None:
    """2^60 schemas if they were written out, by properties and by allOf."""
    for word in ("properties", "allOf"):
        schemas: dict[str, object] = {"S0": {"type": "string"}}
        for number in range(1, 61):
            one = {"$ref": f"#/components/schemas/S{number - 1}"}
            extra = {"properties": {f"p{number}": {"type": "string"}}}
            schemas[f"S{number}"] = (
                {"type": "object", "properties": {"a": one, "b": one}}
                if word == "properties"
                else {"allOf": [one, one, extra]}
            )
        operation = only(with_body({"$ref": "#/components/schemas/S60"}, components={"schemas": schemas}))
        assert operation.tool
        assert len(str(operation.tool.input_schema)) < 50_000


def test_broken_references_are_said_and_the_rest_is_kept() -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "#/nowhere"}, "b": {"type": "string"}}}
    operation = only(with_body(schema))
    assert codes(operation) == {"broken_reference"}
    assert operation.tool
    assert operation.tool.input_schema["properties"]["body"]["properties"] == {"a": {}, "b": {"type": "string"}}
