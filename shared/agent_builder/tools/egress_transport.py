"""The transport below every outbound call: checks each request, and bounds each answer in size and time."""

from __future__ import annotations

import asyncio
import logging
import ssl
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

import httpcore2
import httpx2

from agent_builder.errors import OutboundFailed, OutboundRefused
from agent_builder.tools.egress_network import CONNECT_SECONDS, GuardedNetwork
from agent_builder.tools.egress_policy import EgressPolicy, Refusal, host_of, port_of

EXTENSION = "egress"
_TOO_LARGE = "The answer is larger than is accepted here."
_TOO_SLOW = "The answer was not complete within the time allowed."
_SENDING = "http11.send_request_headers.started"

# At INFO they log whole addresses, in whose query there may be a key.
for _name in ("httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class EgressLimits:
    """How much one call may take: seconds in all (look-ups and redirects too), bytes as sent and as unpacked."""

    seconds: float = 30.0
    wire_bytes: int = 1024 * 1024
    body_bytes: int = 4 * 1024 * 1024


@dataclass(slots=True)
class Terms:
    """On what terms one call is made, and how far it came.

    Attributes:
        deadline: By the event loop's clock.
        sent: Whether any of the request may have reached the server.
    """

    purpose: str
    secret: bool
    limits: EgressLimits
    deadline: float
    sent: bool = False

    async def trace(self, event: str, info: dict[str, Any]) -> None:
        """Take note of what the connection does."""
        if event == _SENDING:
            self.sent = True


class GuardedTransport(httpx2.AsyncHTTPTransport):
    """Calls what its policy permits, without proxies, redirects or sockets of this machine."""

    def __init__(
        self,
        policy: EgressPolicy,
        network: GuardedNetwork,
        *,
        tls: ssl.SSLContext,
        record: Callable[[Refusal], None],
        default: Callable[[], Terms],
    ) -> None:
        # Not the parent's: the pool that it makes cannot be told how to connect.
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls, network_backend=network, max_connections=20, max_keepalive_connections=10
        )
        self._policy = policy
        self._record = record
        self._default = default

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Make one call, no redirects followed.

        Raises:
            OutboundRefused: It may not be made; it was recorded.
            OutboundFailed: `timeout`, `too_large` or `protocol`, also while the answer is read.
            httpx2.TransportError: The connection failed.
        """
        terms = request.extensions.get(EXTENSION) or self._default()
        try:
            self._policy.check(request.url, secret=terms.secret)
            response = await self._answer(request, terms)
        except OutboundRefused as refused:
            self._record(Refusal(refused.reason, terms.purpose, host_of(request.url), port_of(request.url)))
            raise
        return await _guarded(response, terms, request.method)

    async def _answer(self, request: httpx2.Request, terms: Terms) -> httpx2.Response:
        request.headers["Host"] = request.url.netloc.decode("ascii")
        request.headers["Accept-Encoding"] = "gzip"
        seconds = terms.limits.seconds
        timeouts = {"connect": CONNECT_SECONDS, "read": seconds, "write": seconds, "pool": seconds}
        request.extensions = {"timeout": timeouts, "trace": terms.trace}
        try:
            async with asyncio.timeout_at(terms.deadline):
                return await super().handle_async_request(request)
        except TimeoutError:
            raise OutboundFailed("timeout", _TOO_SLOW, sent=terms.sent) from None


async def _guarded(response: httpx2.Response, terms: Terms, method: str) -> httpx2.Response:
    """The answer with its body bounded and unpacked, so that nothing above unpacks it without a bound."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    length = response.headers.get("content-length", "")
    try:
        if encoding not in ("identity", "", "gzip", "x-gzip"):
            raise OutboundFailed("protocol", "The answer is packed in a way that was not asked for.", sent=True)
        if method != "HEAD" and length.isdecimal() and int(length[:20]) > terms.limits.wire_bytes:
            raise OutboundFailed("too_large", _TOO_LARGE, sent=True)
    except OutboundFailed:
        await response.aclose()
        raise
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    packed = encoding in ("gzip", "x-gzip")
    drop = {"content-encoding", "content-length"} if packed else {"content-encoding"}
    headers = [(name, value) for name, value in response.headers.raw if name.lower().decode("latin-1") not in drop]
    body = _Body(response.stream, terms, _Gunzip() if packed else None)
    return httpx2.Response(response.status_code, headers=headers, stream=body, extensions=response.extensions)


class _Body(httpx2.AsyncByteStream):
    """An answer's body, unpacked, that ends with an error where a limit is passed."""

    def __init__(self, source: httpx2.AsyncByteStream, terms: Terms, gunzip: _Gunzip | None) -> None:
        self._source = source
        self._terms = terms
        self._gunzip = gunzip

    async def __aiter__(self) -> AsyncIterator[bytes]:
        limits, wire, given = self._terms.limits, 0, 0
        async with aclosing(cast(AsyncGenerator[bytes, None], aiter(self._source))) as source:
            while (piece := await self._next(source)) is not None:
                wire += len(piece)
                unpacked = self._gunzip.feed(piece, limits.body_bytes - given + 1) if self._gunzip else piece
                given += len(unpacked)
                if wire > limits.wire_bytes or given > limits.body_bytes:
                    raise OutboundFailed("too_large", _TOO_LARGE, sent=True)
                yield unpacked
        if self._gunzip and not self._gunzip.complete:
            raise OutboundFailed("protocol", "The answer's packed body broke off.", sent=True)

    async def _next(self, source: AsyncIterator[bytes]) -> bytes | None:
        try:
            # Round each piece: a timeout that spans a `yield` would strike whoever reads.
            async with asyncio.timeout_at(self._terms.deadline):
                return await anext(source, None)
        except TimeoutError:
            raise OutboundFailed("timeout", _TOO_SLOW, sent=True) from None

    async def aclose(self) -> None:
        """Close the connection, or give it back."""
        await self._source.aclose()


class _Gunzip:
    """Unpacks gzip, of one member or several, never more than is asked for."""

    def __init__(self) -> None:
        self._unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._begun = False

    @property
    def complete(self) -> bool:
        """Whether what came so far may be all."""
        return not self._begun or self._unpacker.eof

    def feed(self, data: bytes, most: int) -> bytes:
        """Unpack; `most` bytes mean that there may be more, which is lost.

        Raises:
            OutboundFailed: `protocol`: this is no gzip.
        """
        out = b""
        while data and len(out) < most:
            if self._unpacker.eof:
                self._unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
            self._begun = True
            try:
                out += self._unpacker.decompress(data, most - len(out))
            except zlib.error:
                raise OutboundFailed("protocol", "The answer's packed body is damaged.", sent=True) from None
            data = self._unpacker.unused_data
        return out
