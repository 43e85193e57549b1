"""Descriptions that real frameworks generate: all of it becomes tools, and the calls work, where they can be made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from agent_builder.tools.http_request import build_request
from agent_builder.tools.openapi.preview import ImportPreview
from agent_builder.tools.schemas import check_arguments
from agent_builder.tools.vendor_schemas import Vendor, adapt
from benchmarks.openapi_conformance.examples import Examples
from benchmarks.openapi_conformance.source import BASE, Source, Unjudged
from benchmarks.openapi_conformance.vendor_rules import faults
from tests.unit.openapi.descriptions import codes, imported
from tests.unit.openapi.frameworks import django_description, fastapi_application, flask_description

OWN = Path(__file__).resolve().parents[3] / "docs" / "openapi.json"
VENDORS: tuple[tuple[Vendor, bool], ...] = (
    ("anthropic", False),
    ("openai", False),
    ("openai", True),
    ("google", False),
)


def descriptions() -> dict[str, dict[str, Any]]:
    return {
        "FastAPI": fastapi_application().openapi(),
        "Django REST framework": django_description(),
        "Flask, OpenAPI 3.0": flask_description("3.0.3"),
        "Flask, OpenAPI 3.1": flask_description("3.1.0"),
        "Flask, Swagger 2.0": flask_description("2.0"),
        "Powertools": json.loads(OWN.read_bytes()),
    }


DESCRIPTIONS = descriptions()


@pytest.mark.parametrize("framework", DESCRIPTIONS)
def test_all_of_it_becomes_tools(framework: str) -> None:
    document = json.loads(json.dumps(DESCRIPTIONS[framework]))
    preview = imported(document, address="https://api.example.test/openapi.json")
    assert preview.operations
    assert {operation.status for operation in preview.operations} == {"accepted"}
    for operation in preview.operations:
        assert operation.tool
        for vendor, strict in VENDORS:
            adapted = adapt(operation.tool.input_schema, vendor, strict=strict)
            assert faults(adapted.schema, vendor, strict=adapted.strict) == []


@pytest.mark.parametrize("fill", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("framework", [name for name in DESCRIPTIONS if "2.0" not in name])
def test_calls_are_what_the_framework_describes(framework: str, fill: float) -> None:
    document = json.loads(json.dumps(DESCRIPTIONS[framework]))
    source = Source(document)
    valid = 0
    for operation in imported(document).operations:
        assert operation.tool
        arguments = Examples(operation.tool.input_schema).make(fill)
        check_arguments(operation.tool.input_schema, arguments)
        tool = operation.tool.model_copy(update={"base_url": None})
        try:
            found = source.faults(operation.path, build_request(tool, arguments, base_url=BASE))
        except Unjudged:
            continue
        if operation.key == "POST /upload" and found:
            continue  # the validator takes one file for what may be several; the application itself is asked below
        assert found == [], operation.key
        valid += 1
    assert valid


def test_what_frameworks_say_of_credentials() -> None:
    def kinds(preview: ImportPreview) -> dict[str, str | None]:
        return {scheme.name: scheme.kind for scheme in preview.credentials}

    fastapi = imported(DESCRIPTIONS["FastAPI"])
    assert kinds(fastapi) == {"APIKeyHeader": "api_key", "HTTPBearer": "bearer", "OAuth2PasswordBearer": "bearer"}
    assert codes(fastapi) == {"no_server", "oauth_by_hand"}
    assert kinds(imported(DESCRIPTIONS["Django REST framework"])) == {"basicAuth": "basic", "cookieAuth": "api_key"}


ORDER = {
    "id": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
    "colour": "blue",
    "price": "3.50",
    "at": None,
    "pet": {"kind": "cat", "lives": 7},
    "lines": [["a", 1], ["b", 2]],
    "extra": {"x": 0.5},
    "size": "L",
}
CALLS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "GET /items/{item_id}/{name}",
        {
            "item_id": 5,
            "name": "a b;ü?",
            "q": "x&y=z +%",
            "ids": [3, 1],
            "colour": "blue",
            "since": "2024-02-29",
            "x_trace": "t-1",
            "session": "s; p=q",
        },
        {
            "item_id": 5,
            "name": "a b;ü?",
            "q": "x&y=z +%",
            "ids": [3, 1],
            "colour": "blue",
            "since": "2024-02-29",
            "x_trace": "t-1",
            "session": "s%3B%20p%3Dq",
        },
    ),
    ("POST /orders", {"body": ORDER}, ORDER),
    (
        "PUT /tree",
        {"body": {"name": "a", "children": [{"name": "b"}]}},
        {"name": "a", "children": [{"name": "b", "children": []}]},
    ),
    (
        "POST /two",
        {"body": {"cat": {"kind": "cat"}, "dog": {"kind": "dog", "good": False}}},
        {"cat": {"kind": "cat", "lives": 9}, "dog": {"kind": "dog", "good": False}},
    ),
    (
        "POST /form",
        {"body": {"name": "a&b=c", "tags": ["x y", "ü"], "age": 3}},
        {"name": "a&b=c", "tags": ["x y", "ü"], "age": 3},
    ),
    (
        "POST /upload",
        {
            "body": {
                "file": {"filename": "ä.txt", "content": "aGk=", "encoding": "base64"},
                "more": [{"filename": "1", "content": "x"}, {"filename": "2", "content": "y"}],
                "note": "n",
            }
        },
        {"file": "hi", "name": "ä.txt", "more": 2, "note": "n"},
    ),
    ("POST /bytes", {"body": {"content": {"filename": "f", "content": "hi"}}}, {"content": "hi"}),
    ("DELETE /items/{item_id}", {"item_id": "a b"}, {"item_id": "a b"}),
]


@pytest.mark.parametrize(("key", "arguments", "answer"), CALLS, ids=[key for key, _, _ in CALLS])
async def test_a_real_application_understands_what_is_sent(key: str, arguments: Any, answer: Any) -> None:
    application = fastapi_application()
    (operation,) = [one for one in imported(application.openapi()).operations if one.key == key]
    assert operation.tool
    check_arguments(operation.tool.input_schema, arguments)
    request = build_request(operation.tool, arguments, base_url="http://app.test")
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=application)) as client:
        response = await client.request(
            request.method, request.url, headers=list(request.headers), content=request.body
        )
    assert (response.status_code, response.json()) == (200, answer)


def test_every_call_of_the_application_was_made() -> None:
    assert {key for key, _, _ in CALLS} == {one.key for one in imported(DESCRIPTIONS["FastAPI"]).operations}
