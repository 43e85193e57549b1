"""Short descriptions for tests, and what became of them."""

from __future__ import annotations

import json
from typing import Any

from agent_builder.models.tools import HttpTool
from agent_builder.tools.http_request import HttpRequest, build_request
from agent_builder.tools.openapi.importer import preview
from agent_builder.tools.openapi.preview import ImportedOperation, ImportPreview

Json = dict[str, Any]
BASE = "https://api.example.test"


def description(paths: Json, *, version: str = "3.0.3", **rest: Any) -> Json:
    """A description of OpenAPI 3 or, by its version, Swagger 2.0."""
    word = "swagger" if version.startswith("2") else "openapi"
    return {word: version, "info": {"title": "Test", "version": "1"}, "paths": paths, **rest}


def imported(document: Json | str | bytes, **options: Any) -> ImportPreview:
    """The preview of a description."""
    data = document if isinstance(document, bytes) else document.encode() if isinstance(document, str) else None
    return preview(json.dumps(document).encode() if data is None else data, **options)


def only(document: Json | str | bytes, **options: Any) -> ImportedOperation:
    """The one operation of a description."""
    (operation,) = imported(document, **options).operations
    return operation


def tool_of(document: Json, **options: Any) -> HttpTool:
    """The tool of a description's one operation."""
    operation = only(document, **options)
    assert operation.tool, operation.notes
    return operation.tool


def with_parameter(parameter: Json, path: str = "/things", *, version: str = "3.0.3", **rest: Any) -> Json:
    """A description with one operation that has one parameter."""
    return description({path: {"get": {"operationId": "op", "parameters": [parameter]}}}, version=version, **rest)


def with_body(schema: Any, media_type: str = "application/json", *, version: str = "3.0.3", **rest: Any) -> Json:
    """A description with one operation that has a body."""
    content = {media_type: {"schema": schema, **rest.pop("media", {})}}
    operation = {"operationId": "op", "requestBody": {"required": True, "content": content}}
    return description({"/things": {"post": operation}}, version=version, **rest)


def body_schema(schema: Any, *, version: str = "3.0.3", schemas: Json | None = None) -> Json:
    """What a body's schema became, with the `$defs` of the tool where it has any."""
    rest = {"components": {"schemas": schemas}} if schemas else {}
    tool = tool_of(with_body(schema, version=version, **rest))
    whole: Json = tool.input_schema["properties"]["body"]
    return {**whole, "$defs": tool.input_schema["$defs"]} if "$defs" in tool.input_schema else whole


def codes(operation: ImportedOperation | ImportPreview) -> set[str]:
    """The codes of all notes."""
    return {note.code for note in operation.notes}


def request(tool: HttpTool, **arguments: Any) -> HttpRequest:
    """The request of a call."""
    return build_request(tool, arguments, base_url=BASE)


def sent(tool: HttpTool, **arguments: Any) -> str:
    """Path and query of a call."""
    return request(tool, **arguments).url.removeprefix(BASE)
