"""An HTTP API of API Gateway: requests become payload 2.0 events, results become responses, in AWS's own ways.

Paths without a route are static files. The limits are AWS's: 10 MB of body (413), 10,240 bytes of headers (431), the
route's timeout (503).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from typing import Any

from aiohttp import web

from local.admission import Admission, Refused
from local.environment import Result
from local.events import HttpCall, http_event
from local.guard import Guard, cors_headers
from local.lambda_service import LambdaService
from local.problems import problem
from local.routing import Match, Routes
from local.static import StaticFiles
from local.template import Route

MAX_BODY = 10 * 1024 * 1024
MAX_HEADERS = 10240
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "upgrade", "content-length", "date", "server"}
)


class HttpGateway:
    """Answers the HTTP requests of the public port."""

    def __init__(
        self,
        functions: LambdaService,
        routes: tuple[Route, ...],
        admission: Admission,
        guard: Guard,
        static: StaticFiles,
    ) -> None:
        self._functions = functions
        self._routes = Routes(routes)
        self._admission = admission
        self._guard = guard
        self._static = static

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request that has passed the guard."""
        origin = request.headers.get("Origin")
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            return web.Response(
                status=204, headers=cors_headers(origin) if self._guard.allows(origin) and origin else {}
            )
        response = await self._answer(request)
        if origin and self._guard.allows(origin) and not response.prepared:
            response.headers.update(cors_headers(origin))
        return response

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        raw_path, _, query = request.raw_path.partition("?")
        match = self._routes.find(request.method, raw_path)
        if match is None:
            return self._elsewhere(request, raw_path)
        size = sum(len(name) + len(value) for name, value in request.raw_headers)
        if size > MAX_HEADERS:
            return problem(431, message="Request Header Fields Too Large")
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return problem(413, message="Request Entity Too Large")
        return await self._invoke(match, _call(request, raw_path, query, body))

    def _elsewhere(self, request: web.Request, path: str) -> web.StreamResponse:
        """No route: another method of one (API Gateway says 404 to that), or a file."""
        methods = self._routes.methods(path)
        if methods:
            allow = {"Allow": ", ".join(sorted(methods))}
            return problem(405, message="Not Found", headers=allow)
        return self._static.answer(request)

    async def _invoke(self, match: Match, call: HttpCall) -> web.Response:
        event = http_event(call, match.key, match.parameters, None)
        try:
            identity = await self._admission.request(match.route.authorizer, event)
        except Refused as refusal:
            return problem(refusal.status, message=refusal.message)
        if identity is not None:
            event["requestContext"]["authorizer"] = {"lambda": dict(identity)}
        function = self._functions.find(match.route.function)
        invocation = self._functions.submit(function, json.dumps(event).encode())
        try:
            result = await asyncio.wait_for(asyncio.shield(invocation.result), match.route.timeout)
        except TimeoutError:
            return problem(503, message="Service Unavailable")
        return response(result)


def _call(request: web.Request, path: str, query: str, body: bytes) -> HttpCall:
    headers = [(name.decode("latin-1"), value.decode("utf-8", "replace")) for name, value in request.raw_headers]
    address = request.remote or "127.0.0.1"
    port = request.host.rpartition(":")[2]
    forwarded = [("x-forwarded-for", address), ("x-forwarded-port", port), ("x-forwarded-proto", "http")]
    headers = [(name, value) for name, value in headers if name.lower() not in ("connection", "upgrade")]
    return HttpCall(request.method, path, query, headers + forwarded, body, address)


def response(result: Result) -> web.Response:
    """Turn what a function returned into an HTTP response; what API Gateway cannot read becomes its 500."""
    if result.error is not None:
        return problem(500, message="Internal Server Error")
    try:
        value = json.loads(result.payload)
        if isinstance(value, dict) and "statusCode" in value:
            return _structured(value)
    except (ValueError, TypeError, binascii.Error):
        return problem(500, message="Internal Server Error")
    return web.Response(body=result.payload, headers={"Content-Type": "application/json"})


def _structured(value: dict[str, Any]) -> web.Response:
    status = int(value["statusCode"])
    body = value.get("body")
    if not 100 <= status <= 599 or not isinstance(body, str | None):
        raise ValueError("not a response")
    content = base64.b64decode(body or "", validate=True) if value.get("isBase64Encoded") else (body or "").encode()
    answer = web.Response(status=status, body=content)
    for name, item in (value.get("headers") or {}).items():
        if name.lower() not in _HOP_BY_HOP:
            answer.headers[name] = _header(item)
    for cookie in value.get("cookies") or []:
        answer.headers.add("Set-Cookie", _header(cookie))
    if content and not any(name.lower() == "content-type" for name in value.get("headers") or {}):
        answer.headers["Content-Type"] = "text/plain; charset=utf-8"
    return answer


def _header(value: Any) -> str:
    text = json.dumps(value) if isinstance(value, bool) else str(value)
    if "\r" in text or "\n" in text:
        raise ValueError("a header has a line break")
    return text
