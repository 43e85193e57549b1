"""The server side of one WebSocket on a connection of aiohttp.

The framing is that of the `websockets` library without its I/O: it knows a limit for a frame as well as for a message,
which API Gateway has (32 KB and 128 KB) and aiohttp does not.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from dataclasses import dataclass

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from websockets.frames import Frame, Opcode
from websockets.protocol import SERVER, Protocol, State

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass(frozen=True)
class Message:
    """One whole message of the client."""

    data: bytes
    binary: bool


def is_handshake(request: web.Request) -> bool:
    """Tell whether a request asks for a WebSocket."""
    upgrade = request.headers.get("Upgrade", "").lower().strip()
    return request.method == "GET" and upgrade == "websocket" and "Sec-WebSocket-Key" in request.headers


class ServerSocket:
    """One WebSocket. `receive` returns None when it is over; `close_code` and `close_reason` then say how."""

    def __init__(self, request: web.Request, max_frame: int, max_message: int, close_seconds: float) -> None:
        self._request = request
        self._protocol = Protocol(SERVER, state=State.OPEN, max_size=(max_message, max_frame))
        self._messages: asyncio.Queue[Message | None] = asyncio.Queue()
        self._close_seconds = close_seconds
        self._parts: list[bytes] = []
        self._binary = False
        self._over = False
        self.response = _Upgrade(request)

    @property
    def close_code(self) -> int:
        """The code the client closed with, else the one it was closed with; 1006 when the connection broke."""
        close = self._protocol.close_rcvd or self._protocol.close_sent
        return int(close.code) if close else 1006

    @property
    def close_reason(self) -> str:
        """The reason that came with that code."""
        close = self._protocol.close_rcvd or self._protocol.close_sent
        return close.reason if close else ""

    async def accept(self, subprotocol: str | None) -> None:
        """Answer the handshake. Raises HTTPBadRequest for one that is none."""
        key = self._request.headers["Sec-WebSocket-Key"]
        if self._request.headers.get("Sec-WebSocket-Version") != "13" or not _is_key(key):
            raise web.HTTPBadRequest(text="not a WebSocket handshake of version 13")
        digest = hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()
        self.response.headers["Sec-WebSocket-Accept"] = base64.b64encode(digest).decode()
        if subprotocol:
            self.response.headers["Sec-WebSocket-Protocol"] = subprotocol
        await self.response.prepare(self._request)
        if self._request.transport is None:
            raise ConnectionResetError("the client left during the handshake")
        self._transport = self._request.transport
        self._request.protocol.set_parser(self)  # type: ignore[arg-type]
        self._request.protocol.keep_alive(val=False)

    async def receive(self) -> Message | None:
        """Return the next message, None at the end."""
        return await self._messages.get()

    def send(self, data: bytes) -> None:
        """Queue one text message; dropped when the connection is closing."""
        if self._protocol.state is State.OPEN and not self._transport.is_closing():
            self._protocol.send_text(data)
            self._flush()

    def buffered(self) -> int:
        """Return the bytes that wait for the client to take them."""
        return self._transport.get_write_buffer_size()

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake; the connection is cut when the client does not answer."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code, reason)
            self._flush()

    # What follows is the interface aiohttp has for the parser of an upgraded connection.

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take bytes of the client."""
        self._protocol.receive_data(data)
        self._advance()
        return False, b""

    def feed_eof(self) -> None:
        """The connection is gone."""
        if not self._over:
            self._protocol.receive_eof()
            self._end()

    def set_exception(self, error: BaseException, *_: object) -> None:
        """The connection broke."""
        self.feed_eof()

    def _advance(self) -> None:
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._take(event)
        self._flush()
        if self._protocol.state is State.CLOSED:
            self._end()

    def _take(self, frame: Frame) -> None:
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            self._parts = []
            self._binary = frame.opcode is Opcode.BINARY
        elif frame.opcode is not Opcode.CONT:
            return
        self._parts.append(bytes(frame.data))
        if frame.fin:
            data = b"".join(self._parts)
            if self._binary or _is_utf8(data):
                self._messages.put_nowait(Message(data, self._binary))
            else:
                self._protocol.fail(1007, "invalid UTF-8")

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)
            else:
                self._end()
        if self._protocol.close_expected() and not self._over:
            asyncio.get_running_loop().call_later(self._close_seconds, self._transport.abort)

    def _end(self) -> None:
        if not self._over:
            self._over = True
            self._messages.put_nowait(None)
            self._transport.close()


class _Upgrade(web.StreamResponse):
    """The 101 answer. Its body is the WebSocket, so there is nothing to write at the end."""

    def __init__(self, request: web.Request) -> None:
        super().__init__(status=101, headers={"Upgrade": "websocket", "Connection": "Upgrade"})
        self.force_close()

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Write the head without a body's headers."""
        writer = await super().prepare(request)
        if writer is not None:
            await writer.drain()
        return writer

    async def write_eof(self, data: bytes = b"") -> None:
        """Write nothing."""


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 16
    except binascii.Error:
        return False


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
