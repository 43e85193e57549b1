"""What the MCP SDK sends, on its way through the guarded way out: with the credential, within limits.

The SDK's transport ends a whole session when its HTTP client raises, and says little about why a request failed. So
nothing is raised here: what fails is answered with a JSON-RPC error that carries a token, and `failure` tells what is
behind the token.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import httpx2

from agent_builder.errors import OutboundFailed, OutboundRefused, ToolError
from agent_builder.messages import Json
from agent_builder.tools.auth.material import Material
from agent_builder.tools.egress import USER_AGENT, Egress, EgressLimits
from agent_builder.tools.egress_policy import read_url, same_origin
from agent_builder.tools.egress_transport import EXTENSION, Terms

PURPOSE = "mcp"
LIMITS = EgressLimits(seconds=300, wire_bytes=4 * 1024 * 1024, body_bytes=4 * 1024 * 1024)
# Whoever waits for a tool or for a list has a limit of their own; all else is done within these.
_SECONDS = {"tools/call": LIMITS.seconds, "tools/list": 20.0}
_OTHER_SECONDS = 10.0
_ASIDE_SECONDS = 2.0
_MAX_RESUMPTIONS = 5
_MAX_REFUSALS = 10
_SESSION = "mcp-session-id"
NO_MCP = "The server's answer is not MCP as it should be."
_ENDED = "The MCP server has ended the session; it says that it did not carry this out."
_FAULTY = {
    401: "The MCP server does not accept the credential.",
    403: "The MCP server refuses access.",
    404: "There is no MCP server at this address.",
    405: "There is no MCP server at this address, or it does not speak streamable HTTP.",
    429: "The MCP server takes no more calls for now.",
    503: "The MCP server is not available for now.",
}

Credentials = Callable[[Material | None], Awaitable[Material]]


class SessionEnded(ToolError):
    """The server no longer knows the session, and did not carry the request out."""

    code = "mcp_session_ended"
    title = _ENDED


@dataclass(slots=True)
class McpWire(httpx2.AsyncBaseTransport):
    """The transport below one session. Belongs to one event loop; close it with the client that uses it.

    Attributes:
        credentials: What a request is made with: asked once without, and with material that turned out to be over.
            None where the server asks for no credential.
        accepted: Told of material that was given in place of such, and that the server took.
        secrets: All that were sent, for masking.
    """

    egress: Egress
    credentials: Credentials | None = None
    accepted: Callable[[Material], Awaitable[None]] | None = None
    secrets: set[str] = field(default_factory=set, repr=False)
    _material: Material | None = field(default=None, repr=False)
    _failures: dict[str, ToolError] = field(default_factory=dict)
    _reached: bool = False
    _hopeless: ToolError | None = None
    _resumptions: int = 0
    _refusals: int = 0
    _client: httpx2.AsyncClient | None = None

    def check(self, url: str) -> None:
        """Refuse what the SDK could not even make a request of.

        Raises:
            OutboundRefused: It is no URL, or could be read in two ways.
        """
        try:
            read_url(url)
        except OutboundRefused as refused:
            self.egress.refuse(refused, PURPOSE, None)
            raise

    def client(self) -> httpx2.AsyncClient:
        """A client for the SDK."""
        headers = [("User-Agent", USER_AGENT)]
        return httpx2.AsyncClient(
            transport=self, trust_env=False, follow_redirects=False, timeout=LIMITS.seconds, headers=headers
        )

    def failure(self, token: object) -> ToolError | None:
        """What is behind the token of an answer that was made here; None for what a server said."""
        return self._failures.pop(token, None) if isinstance(token, str) else None

    @property
    def failed(self) -> ToolError | None:
        """The first failure that nobody asked for."""
        return next(iter(self._failures.values()), None)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Make one call, or answer for it."""
        await request.aread()
        if (answer := self._unneeded(request)) is not None:
            return answer
        if self._hopeless is not None:
            return self._failure(self._hopeless)
        terms = Terms(PURPOSE, self.credentials is not None, LIMITS, _deadline(request))
        try:
            return await self._authorized(request, terms)
        except ToolError as error:
            failed = error
        except httpx2.HTTPError:
            text = "The MCP server could not be reached, or the connection broke off."
            failed = OutboundFailed("connect", text, sent=terms.sent)
        if not (terms.sent or self._reached):  # the SDK would try other ways to begin
            self._hopeless = failed
        return self._failure(failed)

    async def aclose(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.aclose()

    def _unneeded(self, request: httpx2.Request) -> httpx2.Response | None:
        """The answer to what is not sent at all: a stream for a server's own requests, and most answers to those."""
        if request.method == "GET":
            if "last-event-id" not in request.headers or self._resumptions >= _MAX_RESUMPTIONS:
                return httpx2.Response(405)
            self._resumptions += 1
        elif request.method == "POST" and "method" not in _message(request):
            self._refusals += 1
            if self._refusals > _MAX_REFUSALS:
                return httpx2.Response(202)
        return None

    async def _authorized(self, request: httpx2.Request, terms: Terms) -> httpx2.Response:
        if self.credentials is None:
            return await self._answer(request, await self._sent(request, terms), terms)
        if self._material is None:
            self._material = await self.credentials(None)
        material = self._material
        response = await self._sent(request, terms, material)
        body = b"" if _streams(response) else await response.aread()
        if material.is_over(response.status_code, body):
            renewed = await self.credentials(material)
            if renewed.version != material.version:
                await response.aclose()
                self._material = renewed
                response = await self._sent(request, terms, renewed)
                body = b"" if _streams(response) else await response.aread()
                taken = response.status_code < 500 and not renewed.is_over(response.status_code, body)
                if taken and self.accepted is not None:
                    await self.accepted(renewed)
        return await self._answer(request, response, terms)

    async def _sent(self, request: httpx2.Request, terms: Terms, material: Material | None = None) -> httpx2.Response:
        url, headers = str(request.url), tuple(request.headers.multi_items())
        if material is not None:
            self.secrets.update(material.secrets)
            url, headers = material.applied(url, headers)
        if self._client is None:
            self._client = self.egress.client(PURPOSE, limits=LIMITS, secret=terms.secret)
        sent = httpx2.Request(
            request.method, url, headers=headers, content=request.content, extensions={EXTENSION: terms}
        )
        response = await self._client.send(sent, stream=True)
        self._reached = True
        return response

    async def _answer(self, request: httpx2.Request, response: httpx2.Response, terms: Terms) -> httpx2.Response:
        """The answer as the SDK gets it: streams as they come, all else whole."""
        if _streams(response):
            return httpx2.Response(response.status_code, headers=response.headers, stream=_Events(self, response))
        try:
            body = await response.aread()
        finally:
            await response.aclose()
        if request.method == "POST" and (failed := self._fault(request, response, body)):
            return self._failure(failed)
        return httpx2.Response(response.status_code, headers=_plain(response.headers), content=body)

    def _fault(self, request: httpx2.Request, response: httpx2.Response, body: bytes) -> ToolError | None:
        """What is wrong with an answer, if something is."""
        status = response.status_code
        if status in (301, 302, 303, 307, 308):
            return self._redirected(request, response)
        if status == 404 and _SESSION in request.headers:
            return SessionEnded(_ENDED)
        is_json = _media_type(response) == "application/json"
        if status < 300 and (is_json or not _is_asked(request)):
            return None
        if status < 300:
            return OutboundFailed("protocol", NO_MCP, sent=True)
        if is_json and _is_error(body):
            return None
        acted = status >= 500 and status != 503
        return OutboundFailed("protocol", _FAULTY.get(status, f"The MCP server answers with {status}."), sent=acted)

    def _redirected(self, request: httpx2.Request, response: httpx2.Response) -> ToolError | None:
        """None where the SDK follows: to the same place, with the same method."""
        try:
            target = read_url(str(request.url.join(response.headers.get("location", ""))))
            if response.status_code in (307, 308) and same_origin(request.url, target) and not target.userinfo:
                return None
        except (OutboundRefused, httpx2.InvalidURL, ValueError):
            pass
        text = "The MCP server redirects to another place; put the address of that place into the integration."
        refused = OutboundRefused("redirect", text)
        self.egress.refuse(refused, PURPOSE, request.url)
        return refused

    def _failure(self, failed: ToolError) -> httpx2.Response:
        return httpx2.Response(400, json=self.told(failed))

    def told(self, failed: ToolError) -> Json:
        """A failure as JSON-RPC tells it."""
        token = secrets.token_hex(16)
        self._failures[token] = failed
        return {"jsonrpc": "2.0", "id": None, "error": {"code": -32603, "message": failed.error_code, "data": token}}


class _Events(httpx2.AsyncByteStream):
    """A stream of events that ends with an error in its own words where it goes beyond a limit."""

    def __init__(self, wire: McpWire, response: httpx2.Response) -> None:
        self._wire = wire
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._response.aiter_raw():
                yield piece
        except OutboundFailed as failed:  # a connection that broke off may be taken up again; this may not
            yield f"\n\nevent: message\ndata: {json.dumps(self._wire.told(failed))}\n\n".encode()

    async def aclose(self) -> None:
        await self._response.aclose()


def _message(request: httpx2.Request) -> Json:
    """The JSON-RPC message of a request; the SDK wrote it."""
    message = json.loads(request.content or b"{}")
    assert isinstance(message, dict)
    return message


def _is_asked(request: httpx2.Request) -> bool:
    """Whether a request asks for an answer."""
    return request.method == "POST" and _message(request).keys() >= {"id", "method"}


def _deadline(request: httpx2.Request) -> float:
    if request.method == "GET":
        seconds = LIMITS.seconds
    elif _is_asked(request):
        seconds = _SECONDS.get(_message(request)["method"], _OTHER_SECONDS)
    else:
        seconds = _ASIDE_SECONDS
    return asyncio.get_running_loop().time() + seconds


def _media_type(response: httpx2.Response) -> str:
    return str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()


def _streams(response: httpx2.Response) -> bool:
    return response.status_code < 300 and _media_type(response) == "text/event-stream"


def _is_error(body: bytes) -> bool:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(message, dict) and isinstance(message.get("error"), dict)


def _plain(headers: httpx2.Headers) -> list[tuple[str, str]]:
    """Without those that described the body on its way."""
    gone = {"content-length", "transfer-encoding", "content-encoding"}
    return [(name, value) for name, value in headers.multi_items() if name.lower() not in gone]
