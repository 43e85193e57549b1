"""A small HTTP server that answers what a test tells it to, byte by byte if need be, and keeps what it was sent."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

SSE = {"content-type": "text/event-stream"}


@dataclass
class Reply:
    """One HTTP answer.

    Attributes:
        pieces: Of the body, each sent by itself.
        end: `whole` ends the body properly, `drop` closes the connection in the middle, `hang` sends nothing more.
    """

    pieces: Sequence[bytes] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: dict(SSE))
    end: str = "whole"


@dataclass
class Sent:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: Any


class WireServer:
    """Answers its replies in turn, the last one again and again."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.requests: list[Sent] = []
        self.url = ""
        self.dropped = asyncio.Event()

    def reply(self, *replies: Reply) -> None:
        self.replies, self.requests = list(replies), []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.dropped.set()
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append(Sent(head[0].split(" ")[1], headers, json.loads(body) if body else None))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        lines = [f"{name}: {value}" for name, value in {**reply.headers, "transfer-encoding": "chunked"}.items()]
        writer.write("\r\n".join([f"HTTP/1.1 {reply.status} Told", *lines, "", ""]).encode())
        for piece in reply.pieces:
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
            await asyncio.sleep(0)
        if reply.end == "hang":
            await reader.read()
        if reply.end != "whole":
            return False
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


@asynccontextmanager
async def serving() -> AsyncIterator[WireServer]:
    wire = WireServer()
    open_now: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_now[task] = writer
        await wire.handle(reader, writer)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield wire
    finally:
        server.close()
        for writer in open_now.values():
            writer.transport.abort()
        await asyncio.gather(*open_now, return_exceptions=True)


def cut(data: bytes, seed: str, largest: int = 200) -> list[bytes]:
    """The bytes in pieces of random size, the same for the same seed."""
    chance = random.Random(seed)
    pieces = []
    while data:
        size = chance.choice((1, 2, 3, chance.randint(1, largest)))
        pieces.append(data[:size])
        data = data[size:]
    return pieces


def events(*payloads: Any, done: bool = False, escaped: bool = False) -> bytes:
    """An SSE body of these JSON payloads, with an `event:` line where a payload has a type."""
    out = []
    for payload in payloads:
        kind = payload.get("type") if isinstance(payload, dict) else None
        name = f"event: {kind}\n" if isinstance(kind, str) and kind.isascii() else ""
        out.append(f"{name}data: {json.dumps(payload, ensure_ascii=escaped)}\n\n")
    return ("".join(out) + ("data: [DONE]\n\n" if done else "")).encode()
