"""Servers that tell back all that they are told: an API, a description, a model vendor, a token endpoint."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote


class Indiscreet(ThreadingHTTPServer):
    """Answers each request with everything that it held, in several forms; `told` is what it was told."""

    daemon_threads = True

    def __init__(self, tokens: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.told: list[str] = []
        self.tokens = tokens

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Indiscreet

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        told = {
            "line": self.requestline,
            "plain": unquote(self.path),
            "headers": dict(self.headers.items()),
            "body": body,
        }
        self.server.told.append(json.dumps(told))
        place, _, status = self.path.split("?")[0].strip("/").partition("/")
        if place == "token":
            return self._reply(200, self.server.tokens | {"expires_in": 3600, "token_type": "Bearer"}, told)
        if place == "denied":
            return self._reply(400, {"error": "invalid_grant", "error_description": json.dumps(told)}, told)
        if place == "openapi":
            return self._reply(200, _description(told), told)
        if place == "v1":
            return self._reply(401, {"error": {"message": f"Incorrect key: {json.dumps(told)}"}}, told)
        return self._reply(int(status or 200), {"echo": told, "form": parse_qs(body)}, told)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _answer  # noqa: N815

    def _reply(self, status: int, body: dict[str, Any], told: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in told["headers"].items():
            if name.lower() not in ("content-length", "content-type", "connection", "host", "transfer-encoding"):
                self.send_header(f"X-Echo-{name}", value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


def _description(told: dict[str, Any]) -> dict[str, Any]:
    operation = {"operationId": "echo", "description": json.dumps(told), "responses": {"200": {"description": "ok"}}}
    return {
        "openapi": "3.0.3",
        "info": {"title": json.dumps(told)[:300], "version": "1"},
        "servers": [{"url": "/"}],
        "paths": {"/echo/200": {"get": operation}},
    }


@contextmanager
def indiscreet(tokens: dict[str, str]) -> Iterator[Indiscreet]:
    """Run one."""
    with Indiscreet(tokens) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
