"""A session with an MCP server by streamable HTTP, through the SDK. Imported when the first MCP tool is used.

Of what the protocol offers only tools are used. What a server asks of its client (sampling, elicitation, roots) is
refused, its notifications change nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Set
from contextlib import suppress
from typing import Any

from mcp import ClientSession, MCPError
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import (
    CONNECTION_CLOSED,
    PARSE_ERROR,
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    Implementation,
    InputRequiredResult,
    PaginatedRequestParams,
)
from pydantic import TypeAdapter, ValidationError

from agent_builder.errors import OutboundFailed, ToolError
from agent_builder.messages import Json
from agent_builder.tools.auth.masking import masked
from agent_builder.tools.egress import USER_AGENT
from agent_builder.tools.mcp import MAX_LIST_BYTES, MAX_TOOLS, RemoteTool, size_of, too_many, too_slow
from agent_builder.tools.mcp_wire import LIMITS, NO_MCP, McpWire, SessionEnded

OPEN_SECONDS = 15.0
LIST_SECONDS = 20.0
CLOSE_SECONDS = 3.0
_MAX_PAGES = 50
_LOST = "The MCP server's answer was lost."
_INPUT = "The MCP server asks for something that only a person could give, which is not supported."
_LOST_CODES = frozenset({CONNECTION_CLOSED, PARSE_ERROR})
_RESULT: TypeAdapter[Any] = TypeAdapter(CallToolResult | InputRequiredResult)

# They log messages, results and session ids.
for _name in ("mcp", "client"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)


class McpSession:
    """One session. Belongs to one event loop; open it before all else, and close it.

    Args:
        url: The server's address.
        wire: What requests go through.
    """

    def __init__(self, url: str, wire: McpWire) -> None:
        self._url = url
        self._wire = wire
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._session: ClientSession | None = None

    @property
    def alive(self) -> bool:
        """Whether it can still be used."""
        return self._task is not None and not self._task.done()

    @property
    def secrets(self) -> Set[str]:
        """What was sent, and may come back."""
        return self._wire.secrets

    async def open(self) -> None:
        """Agree with the server on a version, and begin.

        Raises:
            ToolError: That was not possible; the session is closed.
        """
        self._wire.check(self._url)
        ready: asyncio.Future[ClientSession] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._serve(ready))
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                waited: set[asyncio.Future[Any]] = {ready, self._task}
                await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            raise too_slow() from None
        finally:
            if not ready.done():
                ready.cancel()
                await self.aclose()
        if ready.cancelled():
            raise self._wire.failed or OutboundFailed("protocol", NO_MCP, sent=True)
        self._session = ready.result()

    async def aclose(self) -> None:
        """End the session, and say so to the server."""
        self._stop.set()
        if self._task is None:
            return
        await asyncio.wait({self._task}, timeout=CLOSE_SECONDS if self._session else 0)
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=CLOSE_SECONDS)

    async def tools(self) -> list[RemoteTool]:
        """All tools that the server offers, of all pages.

        Raises:
            ToolError: They could not be had, or are more than is accepted.
        """
        found: list[RemoteTool] = []
        cursor, size = None, 0
        try:
            async with asyncio.timeout(LIST_SECONDS):
                for _ in range(_MAX_PAGES):
                    page = await self._asked(
                        self._opened.list_tools(params=PaginatedRequestParams(cursor=cursor) if cursor else None)
                    )
                    found += [
                        RemoteTool.read(one.model_dump(mode="json", by_alias=True, exclude_unset=True))
                        for one in page.tools
                    ]
                    size += sum(size_of(one) for one in found[-len(page.tools) :])
                    if len(found) > MAX_TOOLS or size > MAX_LIST_BYTES:
                        raise too_many()
                    if (cursor := page.next_cursor) is None:
                        return found
        except TimeoutError:
            raise too_slow() from None
        raise too_many()

    async def call(self, name: str, arguments: Json) -> Json:
        """Call a tool; its result as the protocol has it.

        Raises:
            SessionEnded: The server no longer knows the session.
            OutboundFailed: The answer was lost, or is none; `sent` tells whether the server may have acted.
            ToolError: The server says no.
        """
        request = CallToolRequest(params=CallToolRequestParams(name=name, arguments=arguments))
        result = await self._asked(self._opened.send_request(request, _RESULT))
        if isinstance(result, InputRequiredResult):
            raise ToolError(_INPUT, code="mcp_input_required")
        told: Json = result.model_dump(mode="json", by_alias=True, exclude_none=True)
        return told

    @property
    def _opened(self) -> ClientSession:
        assert self._session is not None
        return self._session

    async def _serve(self, ready: asyncio.Future[ClientSession]) -> None:
        """The one task that the SDK's own tasks belong to."""
        with suppress(Exception):  # of which the wire knows more
            async with self._wire.client() as http:
                transport = streamable_http_client(self._url, http_client=http, max_sse_event_size=LIMITS.body_bytes)
                identity = Implementation(name=USER_AGENT, version="1")
                async with Client(transport, cache=None, client_info=identity) as client:
                    if not ready.done():
                        ready.set_result(client.session)
                    await self._stop.wait()

    async def _asked(self, request: Any) -> Any:
        try:
            return await request
        except MCPError as error:
            raise self._failure(error) from None
        except (ValidationError, ValueError, RuntimeError):
            raise OutboundFailed("protocol", NO_MCP, sent=True) from None

    def _failure(self, error: MCPError) -> ToolError:
        failed = self._wire.failure(error.data)
        if failed is not None:
            return failed
        if error.code in _LOST_CODES:
            return OutboundFailed("protocol", _LOST, sent=True)
        said = masked(error.message, self._wire.secrets)[:_MESSAGE]
        return ToolError(f"The MCP server refuses it ({error.code}): {said}", code="mcp_error")


_MESSAGE = 1_000

__all__ = ["McpSession", "SessionEnded"]
