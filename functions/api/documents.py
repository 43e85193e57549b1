"""The OpenAPI document, made from the code, and a page that shows it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

DESCRIPTION = (
    "Create agents, talk to them in the playground, and put them to work. "
    "Errors are problem documents (RFC 9457) with a stable `code`. The playground speaks WebSocket: see docs/api.md."
)
_PAGE_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def add_routes(app: APIGatewayHttpResolver, *, version: str) -> None:
    """Serve `/api/v1/openapi.json` and `/api/v1/docs`."""
    about: dict[str, Any] = {"title": "Dr. Melton Agent Builder", "version": version, "description": DESCRIPTION}

    @cache
    def document() -> str:
        return app.get_openapi_json_schema(**about)

    @app.get("/api/v1/openapi.json", include_in_schema=False, enable_validation=False)
    def openapi_document() -> Response[Any]:
        headers: dict[str, Any] = {"Cache-Control": "no-cache"}
        return Response(200, content_type="application/json", body=document(), headers=headers)

    app.enable_swagger(path="/api/v1/docs", middlewares=[_page_policy], **about)


def _page_policy(app: APIGatewayHttpResolver, next_middleware: Callable[..., Response[Any]]) -> Response[Any]:
    """The page brings its scripts along, so nothing else may be loaded."""
    response = next_middleware(app)
    response.headers["Content-Security-Policy"] = _PAGE_POLICY
    return response
