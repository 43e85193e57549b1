"""The preview as a whole: nothing lost, names, effects, texts; and what a second import changes."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from agent_builder.models.tools import TOOL_NAME
from agent_builder.tools.openapi.difference import difference
from agent_builder.tools.openapi.naming import argument_name, tool_name
from agent_builder.tools.openapi.preview import ImportPreview
from tests.unit.openapi.descriptions import codes, description, imported, tool_of

STRING = {"type": "string"}


def test_every_operation_stands_in_the_preview() -> None:
    methods = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
    paths: dict[str, Any] = {"/all": {method: {} for method in methods}}
    paths |= {"/wrong": {"get": "text"}, "/null": None, "/text": "text", "x-extension": {"get": {}}}
    paths |= {"/new": {"query": {}, "additionalOperations": {"LOCK": {}}}, "/upper": {"GET": {}}}
    preview = imported(description(paths, version="3.2.0"))
    status = {operation.key: operation.status for operation in preview.operations}
    assert status == {
        **{f"{method.upper()} /all": "accepted" for method in methods if method != "trace"},
        "TRACE /all": "skipped",
        "GET /wrong": "skipped",
        "* /null": "skipped",
        "* /text": "skipped",
        "QUERY /new": "skipped",
        "LOCK /new": "skipped",
        "GET /upper": "accepted",
    }
    assert all((operation.tool is None) == (operation.status == "skipped") for operation in preview.operations)
    assert all(operation.notes for operation in preview.operations if operation.status != "accepted")
    assert preview.counts() == {"accepted": 8, "changed": 0, "skipped": 6}


def test_a_preview_survives_being_stored() -> None:
    flow = {"tokenUrl": "https://a.test", "scopes": {}}
    schemes = {"o": {"type": "oauth2", "flows": {"clientCredentials": flow}}}
    body = {
        "content": {"multipart/form-data": {"schema": {"properties": {"f": {"type": "string", "format": "binary"}}}}}
    }
    document = description(
        {"/a/{id}": {"post": {"requestBody": body, "security": [{"o": []}, {}]}}},
        components={"securitySchemes": schemes},
        servers=[{"url": "https://{x}.test", "variables": {"x": {"default": "y"}}}],
    )
    preview = imported(document)
    assert ImportPreview.model_validate_json(preview.model_dump_json()) == preview


@pytest.mark.parametrize("paths", [None, [], "text", {}])
def test_a_description_without_paths_has_no_operations(paths: Any) -> None:
    preview = imported(description(paths, version="3.1.0", webhooks={"new": {"post": {}}}))
    assert preview.operations == ()
    assert codes(preview) >= {"no_operations", "webhooks"}


@pytest.mark.parametrize(
    "rest", [{"info": None}, {"info": "text"}, {"components": "text"}, {"components": None}, {"tags": 1}]
)
def test_what_stands_around_the_paths_may_be_broken(rest: Any) -> None:
    assert imported({**description({"/a": {"get": {}}}), **rest}).counts()["accepted"] == 1


def test_effects() -> None:
    preview = imported(
        description({"/a": {method: {} for method in ("get", "head", "options", "post", "put", "delete")}})
    )
    effects = {operation.method: operation.tool.effect for operation in preview.operations if operation.tool}
    assert effects == {
        "GET": "read",
        "HEAD": "read",
        "OPTIONS": "read",
        "POST": "write",
        "PUT": "write",
        "DELETE": "write",
    }


def test_a_model_reads_summary_and_description_and_what_is_deprecated() -> None:
    def told(**said: Any) -> str:
        return tool_of(description({"/a/{id}": {"get": said}})).description

    assert told(summary="List pets.", description="All of <i>them</i>.") == "List pets. All of them ."
    assert told(summary="List pets", description="List pets of an owner.") == "List pets of an owner."
    assert told(summary="Old", deprecated=True) == "Deprecated. Old."
    assert told() == "GET /a/{id}"
    long = told(description="A sentence. " * 200)
    assert len(long) <= 1_024
    assert long.endswith("sentence.")


@pytest.mark.parametrize(
    ("response", "accept"),
    [
        ({"200": {"content": {"text/csv": {}, "application/vnd.x+json": {}}}}, "application/vnd.x+json, */*;q=0.5"),
        (
            {"404": {"content": {"application/problem+json": {}}}, "2XX": {"content": {"image/png": {}}}},
            "image/png, */*;q=0.5",
        ),
        ({"200": {"$ref": "#/nowhere"}}, "application/json, */*;q=0.5"),
        ({"200": {"content": {"evil\r\nX: y": {}}}}, "application/json, */*;q=0.5"),
        ({}, "application/json, */*;q=0.5"),
    ],
)
def test_the_answer_is_asked_for_as_it_is_described(response: Any, accept: str) -> None:
    assert tool_of(description({"/a": {"get": {"responses": response}}})).accept == accept


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("operation_id", "name"),
    [
        ("listPets", "listPets"),
        ("list-pets_2", "list-pets_2"),
        ("pets.list", "pets_list"),
        ("pets/list by owner", "pets_list_by_owner"),
        ("1st", "_1st"),
        ("Über größe", "Uber_groe"),
        ("日本", "get_pets_by_id"),
        ("", "get_pets_by_id"),
        (None, "get_pets_by_id"),
        ("---", "get_pets_by_id"),
    ],
)
def test_names_of_tools(operation_id: str | None, name: str) -> None:
    assert tool_name(operation_id, "GET", "/pets/{id}", set()) == name


def test_names_are_unique_short_and_stable() -> None:
    wanted = ["same", "same", "same", "x" * 80, "x" * 80 + "y", "x" * 80, "a.b", "a_b", "a b"]
    paths = {f"/p{number}": {"get": {"operationId": name}} for number, name in enumerate(wanted)}
    names = [operation.tool.name for operation in imported(description(paths)).operations if operation.tool]
    assert len(set(names)) == len(wanted)
    assert all(re.fullmatch(TOOL_NAME, name) for name in names)
    more = {**paths, "/another": {"get": {"operationId": "other"}}}
    assert [o.tool.name for o in imported(description(more)).operations if o.tool][: len(wanted)] == names


def test_names_of_the_same_length_do_not_collide() -> None:
    taken: set[str] = set()
    names = [argument_name("n" * 100, taken) for _ in range(30)]
    assert len(set(names)) == 30
    assert max(map(len, names)) == 64


# ---------------------------------------------------------------- difference

ONE = description(
    {
        "/same": {"get": {"operationId": "same"}},
        "/gone": {"get": {}},
        "/text": {"get": {"summary": "Old"}},
        "/arguments": {
            "get": {
                "parameters": [
                    {"name": name, "in": "query", "schema": STRING, "required": name == "loose"}
                    for name in ("kept", "dropped", "retyped", "strict", "loose")
                ]
            }
        },
        "/body": {
            "post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/B"}}}}}
        },
        "/broken": {"get": {}},
    },
    components={"schemas": {"B": {"type": "object", "properties": {"b": {"$ref": "#/components/schemas/B"}}}}},
)


def other() -> Any:
    document = copy.deepcopy(ONE)
    paths = document["paths"]
    del paths["/gone"]
    paths["/new"] = {"get": {}}
    paths["/text"]["get"] = {"summary": "New", "deprecated": True}
    parameters = paths["/arguments"]["get"]["parameters"]
    del parameters[1]
    parameters[1]["schema"] = {"type": "integer"}
    parameters[2]["required"] = True
    parameters[3]["required"] = False
    parameters.append({"name": "added", "in": "query", "schema": STRING})
    document["components"]["schemas"]["B"]["properties"]["c"] = STRING
    paths["/broken"]["get"] = "text"
    return document


def test_difference() -> None:
    found = {one.key: one for one in difference(imported(ONE), imported(other()))}
    assert {key: one.change for key, one in found.items()} == {
        "GET /same": "same",
        "GET /text": "changed",
        "GET /arguments": "changed",
        "POST /body": "changed",
        "GET /broken": "changed",
        "GET /new": "added",
        "GET /gone": "removed",
    }
    assert set(found["GET /arguments"].details) == {
        "parameters",
        "argument added: added",
        "argument removed: dropped",
        "argument changed: retyped",
        "argument now required: strict",
        "argument no longer required: loose",
    }
    assert found["POST /body"].details == ("argument changed: body",)
    assert set(found["GET /text"].details) == {"deprecated", "description"}
    assert found["GET /broken"].details == ("can no longer be a tool",)
    assert {key for key, one in found.items() if one.breaking} == {
        "GET /gone",
        "GET /arguments",
        "POST /body",
        "GET /broken",
    }


def test_a_description_does_not_differ_from_itself() -> None:
    assert {one.change for one in difference(imported(ONE), imported(ONE))} == {"same"}
