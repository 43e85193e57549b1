"""The public port's HTTP server: aiohttp's, with its own errors as problem documents."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from local.problems import problem

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]
_MAX_HEADER = 65536


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
        told = problem(answer.status)
        told.force_close()
        return told


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
            auto_decompress=False,
        )

    def __call__(self) -> RequestHandler:
        """Speak to a new client."""
        return _Protocol(self, loop=self._loop, **self._kwargs)
