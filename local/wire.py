"""The part of HTTP/1.1 that AWS's clients use on one machine: whole requests, whole answers, keep-alive.

The store, the Runtime API and the Lambda and @connections endpoints stand on it: each is asked several times for one
token of an answer, and a general server costs them more than their own work. Nothing here faces a browser; the public
port is served by aiohttp. Standard library only, because the store's process has nothing else.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, cast

_MAX_HEAD = 64 * 1024
_MAX_BODY = 17 * 1024 * 1024  # a BatchWriteItem may carry 16 MB


@dataclass(frozen=True, slots=True)
class Request:
    """One request: header names in lower case, `path` as sent, query included."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; the length is filled in when it is sent."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Awaitable[Answer]]


def json_answer(status: int, value: Any, headers: dict[str, str] | None = None) -> Answer:
    """Return an answer with a JSON body."""
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})


def signed_by(request: Request, access_key: str) -> bool:
    """Tell whether the request names the access key in a SigV4 header and was not sent by a web page.

    The key is random and made at each start, so it is the secret; signatures are not computed.
    """
    return f"Credential={access_key}/" in request.headers.get("authorization", "") and "origin" not in request.headers


class Connection(asyncio.Protocol):
    """One client connection. Its requests are answered one after another, in order."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._buffer = bytearray()
        self._head: tuple[Request, int] | None = None
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Stop waiting on behalf of a client that is gone."""
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        """Collect bytes; begin to answer when a request is whole."""
        self._buffer += data
        if self._task is None:
            self._advance()

    def _advance(self) -> None:
        if self._head is None and not self._read_head():
            return
        assert self._head is not None
        request, length = self._head
        if len(self._buffer) < length:
            return
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._head = None
        whole = Request(request.method, request.path, request.headers, body)
        self._task = asyncio.get_running_loop().create_task(self._answer(whole))

    def _read_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _MAX_HEAD:
                self._refuse(431)
            return False
        first, *lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        method, _, rest = first.partition(" ")
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > _MAX_BODY or "transfer-encoding" in headers:
            self._refuse(413)
            return False
        if headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._head = Request(method, rest.rpartition(" ")[0], headers, b""), int(length)
        return True

    async def _answer(self, request: Request) -> None:
        try:
            answer = await self._handler(request)
        except Exception as error:
            answer = json_answer(500, {"__type": "InternalServerError", "message": repr(error)[:500]})
        self._send(answer)
        self._task = None
        if self._buffer and not self._transport.is_closing():
            self._advance()

    def _send(self, answer: Answer) -> None:
        lines = [f"HTTP/1.1 {answer.status} {_reason(answer.status)}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        lines += [f"Content-Length: {len(answer.body)}", "", ""]
        self._transport.write("\r\n".join(lines).encode("latin-1") + answer.body)

    def _refuse(self, status: int) -> None:
        self._send(Answer(status))
        self._transport.close()


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Status"


async def serve(handler: Handler, port: int = 0) -> asyncio.Server:
    """Listen on loopback; port 0 takes a free one."""
    return await asyncio.get_running_loop().create_server(lambda: Connection(handler), "127.0.0.1", port)


def port_of(server: asyncio.Server) -> int:
    """Return the port a server listens on."""
    return int(server.sockets[0].getsockname()[1])
