"""The public port's HTTP server: aiohttp's, with its own errors as problem documents.

Of a request that could not be read or answered one line is logged, without a word of it: aiohttp's traces quote request
lines and headers, where keys, tokens and tickets are.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong
from aiohttp.web_protocol import RequestHandler

from local.problems import problem

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]
_MAX_HEADER = 65536
_MAX_HEADERS = 1000  # of any size; the gateway itself refuses 10,240 bytes of them
_HEADERS_TOO_LARGE = 431


class _Protocol(RequestHandler):
    """One connection."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what could not be read, or what a fault left without an answer."""
        answer = super().handle_error(request, status, exc, message)
        told = problem(_HEADERS_TOO_LARGE if _too_large(exc) else answer.status)
        told.force_close()
        return told

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Say what went wrong, and where in the code; nothing of what came or of what the exception says."""
        self.logger.error("a request was not answered: %s", _fault(kw.get("exc_info")))

    def log_debug(self, *args: Any, **kw: Any) -> None:
        """Say nothing: what is told here quotes requests too."""


class Server(web.Server):
    """Passes each request to `handle`. To read a body beyond `max_body` bytes raises HTTPRequestEntityTooLarge."""

    def __init__(self, handle: Handle, *, max_body: int) -> None:
        loop = asyncio.get_running_loop()

        def request_of(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.Request:
            return web.Request(message, payload, protocol, writer, task, loop, client_max_size=max_body)

        super().__init__(
            handle,  # type: ignore[arg-type]
            request_factory=request_of,
            access_log=None,
            max_field_size=_MAX_HEADER,
            max_headers=_MAX_HEADERS,
            auto_decompress=False,
        )

    def __call__(self) -> RequestHandler:
        """Speak to a new client."""
        return _Protocol(self, loop=self._loop, **self._kwargs)


def _too_large(error: BaseException | None) -> bool:
    crowded = isinstance(error, BadHttpMessage) and error.message.startswith("Too many headers")
    return crowded or isinstance(error, LineTooLong)


def _fault(error: object) -> str:
    if not isinstance(error, BaseException):
        return "no answer"
    where = traceback.extract_tb(error.__traceback__)[-1:]
    return " ".join([type(error).__name__, *(f"({Path(frame.filename).name}:{frame.lineno})" for frame in where)])
