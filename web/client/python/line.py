"""One attempt at a connection, and the connection that came of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from web.client.python.errors import ClientError
from web.client.python.session import Session

if TYPE_CHECKING:
    from web.client.python.client import PlaygroundClient

_MAX_FRAME = 2**20


async def open_socket(url: str, protocols: list[str]) -> ClientConnection:
    """Open a WebSocket as a browser does: no pings of its own, any size of message."""
    names = [Subprotocol(name) for name in protocols]
    return await connect(url, subprotocols=names, ping_interval=None, max_size=_MAX_FRAME, close_timeout=1)


class Line:
    """One attempt at a connection, and the connection that came of it."""

    def __init__(self, client: PlaygroundClient) -> None:
        self.outgoing: asyncio.Queue[str] = asyncio.Queue()
        self._client = client
        self._dropped = False
        self.task: asyncio.Task[None] | None = None

    def drop(self) -> None:
        """Nothing of this connection counts any more."""
        self._dropped = True
        if self.task is not None and self.task is not asyncio.current_task():
            self.task.cancel()

    async def serve(self) -> None:
        """Open, send and receive until it ends; then say how."""
        code = status = None
        try:
            socket = await self._client.dial(await self._client.protocols())
            code = await self._talk(socket)
        except ClientError as error:
            failure = error
            self._report(lambda session, now: session.failed(now, failure))
        except InvalidStatus as error:
            status = error.response.status_code
        except (OSError, EOFError, TimeoutError, WebSocketException):
            code = 1006
        self._report(lambda session, now: session.lost(now, code, status))

    async def _talk(self, socket: ClientConnection) -> int | None:
        writer = asyncio.get_running_loop().create_task(self._write(socket))
        try:
            self._report(lambda session, now: session.opened(now))
            async for text in socket:
                if self._dropped:
                    return None
                self._client.received(text)
        except ConnectionClosed:
            return socket.close_code
        finally:
            writer.cancel()
            await socket.close()
        return socket.close_code

    async def _write(self, socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await socket.send(await self.outgoing.get())

    def _report(self, what: Callable[[Session, float], None]) -> None:
        if not self._dropped:
            self._client.act(what)
