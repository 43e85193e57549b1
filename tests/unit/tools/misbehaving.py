"""An HTTP server of bytes, so that it can do what no framework would: drip, lie, break off, unpack to a mountain."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpcore2

from agent_builder.tools.egress import Answer, Egress, EgressLimits, EgressPolicy, Refusal

PUBLIC = "93.184.215.14"
OTHER_PUBLIC = "8.8.4.4"
HOURS = EgressLimits(seconds=3600)


@dataclass
class Asked:
    """A request as it came."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def path(self) -> str:
        return self.line.split(" ")[1]

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)


@dataclass
class Server:
    """Answers as `play` says, and keeps what it was asked."""

    play: Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]
    asked: list[Asked] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            pairs = [line.partition(":") for line in head[1:] if line]
            headers = [(name, value.strip()) for name, _, value in pairs]
            asked = Asked(head[0], headers, b"")
            asked.body = await reader.readexactly(int(asked.header("content-length") or 0))
            self.asked.append(asked)
            await self.play(asked, writer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def serving(
    play: Callable[[Asked, asyncio.StreamWriter], Awaitable[None]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[Server]:
    served = Server(play)
    listening = await asyncio.start_server(served.serve, "127.0.0.1", 0, ssl=tls)
    served.port = listening.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        listening.close()


def reply(body: bytes = b"ok", status: str = "200 OK", **headers: str) -> bytes:
    lines = {"Content-Length": str(len(body)), "Connection": "close"}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


def always(data: bytes) -> Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]:
    async def play(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return play


def bomb(megabytes: int) -> bytes:
    """Gzip that is small and unpacks to this."""
    return gzip.compress(bytes(megabytes * 2**20))


class Roads(httpcore2.AsyncNetworkBackend):
    """Leads public addresses to servers of this test, and keeps what was dialled."""

    def __init__(self, ports: dict[str, int]) -> None:
        self.ports = ports
        self.dialled: list[str] = []
        self._way = httpcore2.AnyIOBackend()

    async def connect_tcp(self, host: str, port: int, timeout=None, local_address=None, socket_options=None):  # type: ignore[no-untyped-def] # noqa: ASYNC109
        self.dialled.append(host)
        if host not in self.ports:
            raise httpcore2.ConnectError("no road leads there")
        return await self._way.connect_tcp("127.0.0.1", self.ports[host], timeout=timeout)


@dataclass
class Names:
    """A resolver: each name has answers that it gives in turn, the last for ever."""

    answers: dict[str, list[list[str]]]
    asked: list[str] = field(default_factory=list)

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        found = self.answers.get(host)
        if found is None:
            raise OSError("no such name")
        return found.pop(0) if len(found) > 1 else found[0]


@dataclass
class World:
    """An egress whose names and roads are made up."""

    egress: Egress
    names: Names
    roads: Roads
    refusals: list[Refusal]

    async def get(self, url: str, **more: object) -> Answer:
        return await self.egress.send("GET", url, purpose="tool", **more)  # type: ignore[arg-type]


def world(
    names: dict[str, list[list[str]]] | None = None,
    roads: dict[str, int] | None = None,
    *,
    policy: EgressPolicy | None = None,
    tls: ssl.SSLContext | None = None,
) -> World:
    resolver, ways, refusals = Names(names or {}), Roads(roads or {}), list[Refusal]()
    egress = Egress(policy or EgressPolicy(), record=refusals.append, tls=tls, resolve=resolver, dialler=ways)
    return World(egress, resolver, ways, refusals)
