"""Every outbound call that a user can steer goes through here: tools, OpenAPI import, OAuth, MCP, webhooks.

What is refused, whoever asks: addresses that are not public, also behind names, redirects and IPv6 writings of IPv4;
other schemes and ports; secrets without TLS; answers that are too large, too slow, or unpack to too much.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from functools import cache

import httpcore2
import httpx2

from agent_builder.errors import OutboundFailed, OutboundRefused
from agent_builder.models.headers import is_name, is_value
from agent_builder.tools.egress_network import GuardedNetwork, Resolve, resolve
from agent_builder.tools.egress_policy import EgressPolicy, Refusal, host_of, port_of, read_url, same_origin
from agent_builder.tools.egress_transport import EXTENSION, EgressLimits, GuardedTransport, Terms

__all__ = ["Answer", "Egress", "EgressLimits", "EgressPolicy", "Refusal"]

USER_AGENT = "dr-melton-agent-builder"
MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_METHOD = re.compile(r"[A-Za-z]{1,20}")
_OWN_HEADERS = (("user-agent", USER_AGENT), ("accept", "*/*"))
# What another origin may see of a request that was meant for the first.
_HARMLESS = frozenset({"accept", "accept-language", "user-agent"})

logger = logging.getLogger(__name__)

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. `url` is where it came from after redirects."""

    status: int
    headers: httpx2.Headers
    body: bytes
    url: str

    def __repr__(self) -> str:
        return f"Answer(status={self.status}, {len(self.body)} bytes)"


@dataclass(frozen=True, slots=True)
class _Hop:
    method: str
    url: httpx2.URL
    headers: Headers
    body: bytes | None


@cache
def _tls() -> ssl.SSLContext:
    return httpx2.create_ssl_context(trust_env=False)


def log_refusal(refusal: Refusal, *, tenant: str = "") -> None:
    """Write a refusal to the log: the reason and the host, no path or query."""
    logger.warning("an outbound call was refused", extra={"tenant_id": tenant, **asdict(refusal)})


class Egress:
    """A tenant's way out. Belongs to one event loop; close it, or use it as a context manager.

    Args:
        policy: What may be called.
        record: Called with each refusal, in the event loop, so it must not block.
        tls: The process's TLS context; one is made where it is not given.
        resolve: Finds the addresses of a name.
        dialler: Opens connections to addresses.
    """

    def __init__(
        self,
        policy: EgressPolicy,
        *,
        record: Callable[[Refusal], None] = log_refusal,
        tls: ssl.SSLContext | None = None,
        resolve: Resolve = resolve,
        dialler: httpcore2.AsyncNetworkBackend | None = None,
    ) -> None:
        self._record = record
        self.policy = policy
        self._network = GuardedNetwork(policy, resolve=resolve, dialler=dialler)
        self._tls = tls or _tls()
        self._transport = self._made_transport("client", EgressLimits(), secret=True)

    async def __aenter__(self) -> Egress:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    def transport(
        self, purpose: str, *, limits: EgressLimits | None = None, secret: bool = True
    ) -> httpx2.AsyncBaseTransport:
        """What `client` sends its requests by, for a client that outlives this way out; close it."""
        return self._made_transport(purpose, limits or EgressLimits(), secret=secret)

    def client(
        self, purpose: str, *, limits: EgressLimits | None = None, secret: bool = True, headers: Headers = ()
    ) -> httpx2.AsyncClient:
        """A client of its own for a library that wants one, with the same guards; close it. It follows no redirects.

        Args:
            purpose: What for, as it is recorded.
            limits: Of each of its requests.
            secret: Whether its requests carry one.
            headers: Of each of its requests.
        """
        transport = self._made_transport(purpose, limits or EgressLimits(), secret=secret)
        return httpx2.AsyncClient(
            transport=transport, trust_env=False, follow_redirects=False, headers=[("User-Agent", USER_AGENT), *headers]
        )

    def refuse(self, refused: OutboundRefused, purpose: str, url: httpx2.URL | None) -> None:
        """Record what was refused by whoever uses `client`: for an answer of `url`, or None where that is no URL."""
        host, port = (host_of(url), port_of(url)) if url else ("", 0)
        self._record(Refusal(refused.reason, purpose, host, port))

    async def send(
        self,
        method: str,
        url: str,
        *,
        purpose: str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes | None = None,
        secret: bool = False,
        limits: EgressLimits | None = None,
        redirects: int = MAX_REDIRECTS,
        tried: Callable[[], None] | None = None,
    ) -> Answer:
        """Make one call and read the whole answer, whatever its status.

        Redirects are followed where that cannot repeat or lose a write; to another origin without credentials, cookies
        or body. No cookies are kept.

        Args:
            method: Of HTTP.
            url: Absolute, http or https.
            purpose: What for, as it is recorded: `tool`, `oauth`, `openapi`.
            headers: Names and values; those that belong to the connection are refused.
            body: As it is sent.
            secret: Whether URL, headers or body carry a secret: https is required then.
            limits: Of the whole call.
            redirects: Most that are followed; with 0 the redirecting answer is returned.
            tried: Called once at the end, but not where the call was refused before anything was sent.

        Raises:
            OutboundRefused: It may not be made.
            OutboundFailed: It failed; `sent` tells whether the server may have acted on it.
        """
        terms = self._terms(purpose, limits or EgressLimits(), secret=secret)
        try:
            hop = _Hop(method.upper(), read_url(url), _checked(method, headers), body)
        except OutboundRefused as refused:
            self._record(Refusal(refused.reason, purpose, "", 0))
            raise
        refused_at_once = False
        try:
            return await self._followed(hop, terms, redirects)
        except OutboundRefused as refused:
            refused.sent, refused_at_once = terms.sent, not terms.sent
            raise
        finally:
            if tried is not None and not refused_at_once:
                tried()

    async def _followed(self, hop: _Hop, terms: Terms, redirects: int) -> Answer:
        for left in range(redirects, -1, -1):
            answer = await self._once(hop, terms)
            if answer.status not in _REDIRECTS or "location" not in answer.headers or redirects == 0:
                return answer
            hop = self._following(hop, answer, terms) if left else hop
        raise OutboundFailed("redirect", "The server redirects too often.", sent=True)

    async def _once(self, hop: _Hop, terms: Terms) -> Answer:
        given = {name.lower() for name, _ in hop.headers}
        own = [(name, value) for name, value in _OWN_HEADERS if name not in given]
        request = httpx2.Request(
            hop.method,
            hop.url,
            headers=[(name.encode(), value.encode()) for name, value in [*own, *hop.headers]],
            content=hop.body,
            extensions={EXTENSION: terms},
        )
        try:
            response = await self._transport.handle_async_request(request)
            try:
                body = await response.aread()
            finally:
                await response.aclose()
        except httpx2.ConnectTimeout as error:
            raise OutboundFailed("connect", "The server could not be reached in time.", sent=terms.sent) from error
        except httpx2.ConnectError as error:
            raise OutboundFailed("connect", _connect_text(error), sent=terms.sent) from error
        except httpx2.TimeoutException as error:
            raise OutboundFailed("timeout", "The server did not answer in time.", sent=terms.sent) from error
        except httpx2.HTTPError as error:
            text = "The connection broke off, or the answer is not valid HTTP."
            raise OutboundFailed("protocol", text, sent=terms.sent) from error
        return Answer(response.status_code, response.headers, body, str(hop.url))

    def _following(self, hop: _Hop, answer: Answer, terms: Terms) -> _Hop:
        try:
            return _redirected(hop, answer)
        except OutboundRefused as refused:
            self._record(Refusal(refused.reason, terms.purpose, host_of(hop.url), port_of(hop.url)))
            raise OutboundFailed("redirect", refused.detail, sent=True) from refused

    def _terms(self, purpose: str, limits: EgressLimits, *, secret: bool) -> Terms:
        return Terms(purpose, secret, limits, asyncio.get_running_loop().time() + limits.seconds)

    def _made_transport(self, purpose: str, limits: EgressLimits, *, secret: bool) -> GuardedTransport:
        return GuardedTransport(
            self.policy,
            self._network,
            tls=self._tls,
            record=self._record,
            default=lambda: self._terms(purpose, limits, secret=secret),
        )


def _checked(method: str, headers: Iterable[tuple[str, str]]) -> Headers:
    checked = tuple(headers)
    if not _METHOD.fullmatch(method) or method.upper() in ("CONNECT", "TRACE"):
        raise OutboundRefused("header", "This method cannot be used.")
    for name, value in checked:
        if not is_name(name):
            raise OutboundRefused("header", f"The header {name[:50]!r} cannot be set.")
        if not is_value(value):
            raise OutboundRefused("header", f"The value of the header {name[:50]!r} is too long, or has line breaks.")
    return checked


def _redirected(hop: _Hop, answer: Answer) -> _Hop:
    """The call that a redirect asks for."""
    target = read_url(str(hop.url.join(read_url(answer.headers["location"]))))
    if hop.url.scheme == "https" and target.scheme != "https":
        raise OutboundRefused("redirect", "The server redirects from https to a plain address.")
    reads = hop.method in ("GET", "HEAD")
    if answer.status == 303 and not reads:
        hop, reads = replace(hop, method="GET", body=None, headers=_without_content(hop.headers)), True
    near = same_origin(hop.url, target)
    if not reads and (answer.status in (301, 302) or not near):
        text = f"The server redirects {hop.method} requests; put the address it redirects to into the tool."
        raise OutboundRefused("redirect", text)
    if not near:
        kept = tuple(pair for pair in hop.headers if pair[0].lower() in _HARMLESS)
        return _Hop(hop.method, target, kept, None)
    return replace(hop, url=target)


def _without_content(headers: Headers) -> Headers:
    return tuple(pair for pair in headers if not pair[0].lower().startswith("content-"))


def _connect_text(error: httpx2.ConnectError) -> str:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError):
            return "The server's certificate is not valid for this address."
        seen = seen.__cause__ or seen.__context__
    return "The server could not be reached."
