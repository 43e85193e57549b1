"""One TLS context a process and one connection pool an event loop, shared by all vendors, and reading with time limits.

A TLS context costs 18 to 35 ms of CPU, so that every client that makes its own makes every call later. Connections
belong to the event loop that opened them, hence a pool for each.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterator
from contextlib import aclosing
from functools import cache
from typing import Any, Protocol, TypeVar

import httpx2

from agent_builder.errors import OutboundFailed, OutboundRefused, ProviderError, ProviderErrorKind
from agent_builder.messages import Json
from agent_builder.providers.failures import Answer, Refused
from agent_builder.providers.sse import Decoder

CONNECT_SECONDS = 10.0
IDLE_SECONDS = 120.0  # vendors that think without showing it are silent for a minute and more
DRAIN_SECONDS = 0.05
TOTAL_SECONDS = 840.0  # less than a Lambda invocation; the engine normally gives an earlier deadline

T = TypeVar("T")
_clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, httpx2.AsyncClient] = weakref.WeakKeyDictionary()


@cache
def tls_context() -> ssl.SSLContext:
    """The process's TLS context, made on first use (or by `preload` before a snapshot)."""
    return httpx2.create_ssl_context()


@cache
def sync_client() -> httpx2.Client:
    """A client for SDKs that insist on having a synchronous one; nothing is ever sent by it."""
    return httpx2.Client(verify=tls_context(), trust_env=False)


def client() -> httpx2.AsyncClient:
    """The running event loop's client. Redirects are not followed: they would carry the key elsewhere."""
    loop = asyncio.get_running_loop()
    found = _clients.get(loop)
    if found is None or found.is_closed:
        found = _clients[loop] = httpx2.AsyncClient(
            verify=tls_context(),
            timeout=httpx2.Timeout(IDLE_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx2.Limits(max_connections=200, max_keepalive_connections=40, keepalive_expiry=60),
        )
    return found


async def close() -> None:
    """Close the running loop's client, if it has one."""
    found = _clients.pop(asyncio.get_running_loop(), None)
    if found is not None:
        await found.aclose()


class Patience:
    """How long a call may take: `idle` seconds for each piece, and in all until `deadline` (`time.monotonic()`).

    `over` is set when the answer is complete: what follows is waited for only briefly, so that the connection can be
    used again, and its faults do not matter.
    """

    def __init__(self, deadline: float | None = None, idle: float = IDLE_SECONDS) -> None:
        self.deadline = time.monotonic() + TOTAL_SECONDS if deadline is None else deadline
        self.idle = idle
        self.over = False

    async def wait(self, coming: Awaitable[T]) -> T:
        """Await it no longer than allowed.

        Raises:
            ProviderError: `timeout`.
        """
        left = self.deadline - time.monotonic()
        seconds = min(DRAIN_SECONDS if self.over else self.idle, left)
        try:
            # Round each piece and not round the whole stream: a timeout that spans a `yield` would strike the consumer.
            async with asyncio.timeout(seconds):
                return await coming
        except TimeoutError:
            if seconds == left:
                raise ProviderError("timeout", "The model did not finish within the time allowed.") from None
            raise ProviderError("timeout", f"The model sent nothing for {seconds:g} seconds.") from None


async def json_events(response: httpx2.Response, patience: Patience) -> AsyncGenerator[Json | None, None]:
    """The events of a streamed answer as JSON objects; None for the `[DONE]` that ends some wires.

    Raises:
        ProviderError: `broken_stream` for a dropped connection, bytes that are no events, or data that is no JSON
            object; `timeout`. None of them once `patience.over` is set.
    """
    decoder, chunks = Decoder(), aiter(response.aiter_bytes())
    try:
        while (chunk := await patience.wait(anext(chunks, None))) is not None:
            for event in _parsed(decoder.feed(chunk), patience):
                yield event
        for event in _parsed(decoder.end(), patience):
            yield event
    except (ValueError, RecursionError, httpx2.HTTPError, httpx2.StreamError, OutboundFailed) as cause:
        if not patience.over:
            raise transport_failure(cause) from cause
    except ProviderError:
        if not patience.over:
            raise


def _parsed(texts: Iterator[str], patience: Patience) -> Iterator[Json | None]:
    for text in texts:
        if text.strip() == "[DONE]":
            patience.over = True
            yield None
        if not text.strip() or patience.over:
            continue
        event = json.loads(text)
        if not isinstance(event, dict):
            raise ValueError("an event that is no object")
        yield event


def transport_failure(cause: Exception) -> ProviderError:
    """What a failure below the vendor's API means to us."""
    if isinstance(cause, OutboundRefused):
        return ProviderError("invalid_request", f"`base_url` cannot be used. {cause.detail}")
    if isinstance(cause, OutboundFailed):
        kind: ProviderErrorKind = "timeout" if cause.kind == "timeout" else "broken_stream"
        return ProviderError("unavailable" if cause.kind == "connect" else kind, cause.detail)
    if isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.UnsupportedProtocol | httpx2.InvalidURL):
        return ProviderError("unavailable", "The model provider could not be reached.")
    if isinstance(cause, httpx2.LocalProtocolError):
        return ProviderError("invalid_request", "The request to the model provider could not be built.")
    if isinstance(cause, httpx2.TimeoutException):
        return ProviderError("timeout", "The model provider did not answer in time.")
    return ProviderError("broken_stream", "The model's answer broke off or was unreadable.")


class StreamingCall(Protocol):
    """What `with_streaming_response.create` of the Anthropic and OpenAI SDKs returns."""

    async def __aenter__(self) -> Any: ...


async def sdk_events(
    sdk: Any,
    vendor: str,
    create: Callable[[Json], StreamingCall],
    body: Json,
    patience: Patience,
    *,
    fixed: Collection[str] = (),
) -> AsyncGenerator[Json | None, None]:
    """Make the call of an SDK and yield its answer's events as `json_events` does.

    A request that is refused for an optional parameter is repeated without it, so that models which nobody here has
    heard of work with every agent's settings.

    Args:
        sdk: The module `anthropic` or `openai`, for its error classes, which have the same names in both.
        vendor: The name to show in errors.
        create: Makes the call for a body, not yet awaited.
        body: Of the request.
        patience: How long it may take.
        fixed: Parameters that are never left out, because somebody wrote them down for this very model.

    Raises:
        ProviderError: of any kind, and nothing else.
    """
    while True:
        try:
            response = await _opened(sdk, vendor, create, body, patience)
            break
        except Refused as refusal:
            mended = refusal.mended(body, fixed)
            if mended == body:
                raise
            body = mended
    try:
        async with aclosing(json_events(response.http_response, patience)) as events:
            async for event in events:
                yield event
    finally:
        await response.close()


async def _opened(
    sdk: Any, vendor: str, create: Callable[[Json], StreamingCall], body: Json, patience: Patience
) -> Any:
    try:
        return await patience.wait(create(body).__aenter__())
    except sdk.APIStatusError as error:
        raise Answer(vendor, error.status_code, error.body, error.response.headers).failure() from error
    except sdk.APITimeoutError as error:
        raise ProviderError("timeout", f"{vendor} did not answer in time.") from error
    except (sdk.APIConnectionError, httpx2.HTTPError, httpx2.InvalidURL, OutboundRefused, OutboundFailed) as error:
        cause = error.__cause__ if isinstance(error, sdk.APIConnectionError) else error
        raise transport_failure(cause if isinstance(cause, Exception) else error) from error
    except (sdk.APIError, ValueError, TypeError) as error:
        # ValueError and its kin: what the SDK refuses to send, such as a key that is no ASCII or a lone surrogate.
        raise ProviderError("invalid_request", f"The request to {vendor} could not be built.") from error
