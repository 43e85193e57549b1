"""The OpenAPI document, made from the code, and a page that shows it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

DESCRIPTION = (
    "Create agents, talk to them in the playground, and put them to work. "
    "Errors are problem documents (RFC 9457) with a stable `code`. The playground speaks WebSocket: see docs/api.md."
)
_FRAMEWORK_SCHEMAS = ("HTTPValidationError", "ValidationError", "ResponseValidationError")
_PAGE_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def add_routes(app: APIGatewayHttpResolver, *, version: str) -> None:
    """Serve `/api/v1/openapi.json` and `/api/v1/docs`."""
    about: dict[str, Any] = {"title": "Dr. Melton Agent Builder", "version": version, "description": DESCRIPTION}

    @cache
    def document() -> str:
        return json.dumps(_ours(json.loads(app.get_openapi_json_schema(**about))), ensure_ascii=False)

    @app.get("/api/v1/openapi.json", include_in_schema=False, enable_validation=False)
    def openapi_document() -> Response[Any]:
        headers: dict[str, Any] = {"Cache-Control": "no-cache"}
        return Response(200, content_type="application/json", body=document(), headers=headers)

    app.enable_swagger(path="/api/v1/docs", middlewares=[_page_policy], **about)


def _ours(schema: dict[str, Any]) -> dict[str, Any]:
    """Without what the framework documents and nobody sends: its own 422, a body of 204, null as a parameter."""
    operations = [operation for item in schema["paths"].values() for operation in item.values()]
    for operation in operations:
        if "Problem" not in json.dumps(operation["responses"].get("422", "Problem")):
            del operation["responses"]["422"]
        operation["responses"].get("204", {}).pop("content", None)
        for parameter in operation.get("parameters", []):
            parameter["schema"] = _without_null(parameter["schema"])
    for name in _FRAMEWORK_SCHEMAS:
        schema["components"]["schemas"].pop(name, None)
    return schema


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """An optional parameter is left out, it is never null."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    return {**{name: value for name, value in schema.items() if name != "anyOf"}, **kinds[0]}


def _page_policy(app: APIGatewayHttpResolver, next_middleware: Callable[..., Response[Any]]) -> Response[Any]:
    """The page brings its scripts along, so nothing else may be loaded."""
    response = next_middleware(app)
    response.headers["Content-Security-Policy"] = _PAGE_POLICY
    return response
