"""What the gateway itself refuses, as problem documents (RFC 9457) like those of the functions behind it.

API Gateway's own errors are `{"message": …}` alone. Here the same message stands in a document that says what to do.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web

MEDIA_TYPE = "application/problem+json"
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_TOLD: Mapping[int, tuple[str, str]] = {
    400: ("malformed_request", "This is no HTTP request that is understood here."),
    401: ("unauthenticated", "Sign in: send `Authorization: Bearer` with a token or an API key."),
    403: ("forbidden", "The authorizer does not accept this sign-in. Sign in again, or send a valid key."),
    404: ("not_found", "There is nothing at this path."),
    405: ("method_not_allowed", "This method is not possible here."),
    413: ("payload_too_large", "The body is larger than the 10 MB that the gateway takes."),
    429: ("rate_limited", "Too much at once; wait a little."),
    431: ("headers_too_large", "The headers are larger than the 10,240 bytes that the gateway takes."),
    500: (
        "internal_error",
        "A function behind the gateway failed. Its log is in logs/functions.log of the data folder.",
    ),
    502: (
        "internal_error",
        "A function behind the gateway failed. Its log is in logs/functions.log of the data folder.",
    ),
    503: ("unavailable", "A function behind the gateway did not answer in time."),
    504: ("unavailable", "A function behind the gateway did not answer in time."),
}


def problem(
    status: int,
    *,
    detail: str = "",
    code: str = "",
    message: str = "",
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """Return an answer of the gateway itself. `message` is what API Gateway would say, where it would say something."""
    title = phrase(status)
    usual_code, usual_detail = _TOLD.get(status, ("bad_request" if status < 500 else "internal_error", title))
    request_id = secrets.token_urlsafe(11)
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail or usual_detail,
        "code": code or usual_code,
        "request_id": request_id,
    }
    if message:
        body["message"] = message
    told = {"X-Request-Id": request_id, **_HEADERS}
    if status == 401:
        told["WWW-Authenticate"] = "Bearer"
    return web.Response(
        status=status,
        body=json.dumps(body, ensure_ascii=False).encode(),
        content_type=MEDIA_TYPE,
        headers={**told, **(headers or {})},
    )


def phrase(status: int) -> str:
    """Return the name of a status, also of one that has none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
