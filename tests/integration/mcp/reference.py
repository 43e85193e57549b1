"""Reference servers in Python, over streamable HTTP on a port of this machine: `python -m … sdk|stateless|time PORT`.

`sdk` and `stateless` are what the SDK itself makes of plain functions; `time` is the published `mcp-server-time`, which
only speaks over pipes, behind a bridge.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from mcp import StdioServerParameters
from mcp.client.client import Client
from mcp.server.lowlevel import Server
from mcp.server.mcpserver import Context, Image, MCPServer
from mcp_types import ToolAnnotations
from pydantic import BaseModel

PIXEL = bytes.fromhex("89504e470d0a1a0a")


class Sum(BaseModel):
    total: int
    parts: list[int]


def sdk(*, stateless: bool) -> Any:
    server = MCPServer("reference")

    @server.tool(annotations=ToolAnnotations(read_only_hint=True))
    def add(a: int, b: int) -> Sum:
        """Add two numbers."""
        return Sum(total=a + b, parts=[a, b])

    @server.tool()
    def fail(text: str) -> str:
        raise ValueError(text)

    @server.tool(structured_output=False)
    def picture() -> list[Any]:
        """Some text and a picture."""
        return ["Here it is.", Image(data=PIXEL, format="png")]

    @server.tool()
    async def who(ctx: Context) -> str:
        """The headers of the request."""
        return str(dict(ctx.request_context.request.headers))  # type: ignore[union-attr]

    @server.tool()
    async def slow(seconds: float, ctx: Context) -> str:
        """Takes its time, and says so all along."""
        for step in range(int(seconds * 10)):
            await ctx.report_progress(step, seconds * 10)
            await asyncio.sleep(0.1)
        return "done"

    @server.tool()
    async def asks(ctx: Context) -> str:
        """Asks the person who calls it for a colour."""

        class Answer(BaseModel):
            colour: str

        answer = await ctx.elicit("Which colour?", Answer)
        return f"{answer.action}"

    return server.streamable_http_app(stateless_http=stateless)


def time_server() -> Any:
    command = StdioServerParameters(command=sys.executable, args=["-m", "mcp_server_time", "--local-timezone", "UTC"])
    behind: list[Client] = []

    @asynccontextmanager
    async def lifespan(_: Server[Any]) -> Any:
        async with Client(command) as client:
            behind[:] = [client]
            yield {}

    async def list_tools(*_: Any) -> Any:
        return await behind[0].list_tools()

    async def call_tool(_: Any, params: Any) -> Any:
        return await behind[0].call_tool(params.name, params.arguments)

    server: Server[Any] = Server("time", lifespan=lifespan, on_list_tools=list_tools, on_call_tool=call_tool)
    return server.streamable_http_app()


if __name__ == "__main__":
    kind, port = sys.argv[1], int(sys.argv[2])
    app = time_server() if kind == "time" else sdk(stateless=kind == "stateless")
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")
