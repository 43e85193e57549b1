"""Published and generated MCP servers: everything that they offer can be listed, chosen and called."""

from __future__ import annotations

import asyncio

import pytest

from agent_builder.errors import ToolError
from agent_builder.tools.mcp_offers import accepted
from tests.integration.mcp.conftest import run


async def test_the_reference_server_of_npm(everything: str) -> None:
    async with run(everything) as one:
        offered = await one.offered()
        assert {"echo", "get-sum", "get-structured-content", "get-tiny-image", "get-resource-links"} <= set(offered)
        for remote in offered.values():
            schema, notes = accepted(remote)
            assert schema is not None, notes
        assert offered["echo"].effect == "read"
        assert await one.call("echo", {"message": "Grüße"}) == {"text": "Echo: Grüße"}
        assert "12" in str(await one.call("get-sum", {"a": 5, "b": 7}))
        weather = await one.call("get-structured-content", {"location": "New York"})
        assert set(weather) == {"temperature", "conditions", "humidity"}
        image = (await one.call("get-tiny-image", {}))["text"]
        assert "[image image/png, " in image
        assert "not shown]" in image
        links = (await one.call("get-resource-links", {"count": 2}))["text"]
        assert links.count("[link to ") == 2
        linked = await one.call("get-resource-reference", {"resourceType": "Text", "resourceId": 1})
        assert "demo://resource/dynamic/text/1" in linked["text"]


async def test_progress_extends_nothing(everything: str) -> None:
    async with run(everything) as one:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await one.call("trigger-long-running-operation", {"duration": 60, "steps": 600})
        assert await one.call("echo", {"message": "next"}) == {"text": "Echo: next"}


@pytest.mark.parametrize("kind", ["sdk", "stateless"])
async def test_servers_of_the_sdk(kind: str, request: pytest.FixtureRequest) -> None:
    async with run(request.getfixturevalue(kind)) as one:
        assert await one.call("add", {"a": 2, "b": 3}) == {"total": 5, "parts": [2, 3]}
        assert (await one.offered())["add"].effect == "read"
        picture = await one.call("picture", {})
        assert picture == {"text": "Here it is.\n[image image/png, 8 bytes, not shown]"}
        with pytest.raises(ToolError) as failed:
            await one.call("fail", {"text": "no such thing"})
        assert failed.value.error_code == "mcp_tool_failed"
        assert failed.value.detail.startswith("The tool failed: ")
        with pytest.raises(ToolError) as asked:
            await one.call("asks", {})
        assert asked.value.error_code in ("mcp_error", "mcp_input_required")


async def test_the_reference_server_of_pypi(time_server: str) -> None:
    async with run(time_server) as one:
        assert set(await one.offered()) == {"get_current_time", "convert_time"}
        told = await one.call("get_current_time", {"timezone": "Asia/Tokyo"})
        assert told["timezone"] == "Asia/Tokyo"
        converted = {"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Kolkata"}
        assert "17:30" in str(await one.call("convert_time", converted))
        with pytest.raises(ToolError, match="The tool failed"):
            await one.call("get_current_time", {"timezone": "Nowhere/Land"})


async def test_many_calls_at_once_share_a_session(sdk: str) -> None:
    async with run(sdk) as one:
        answers = await asyncio.gather(*(one.call("add", {"a": n, "b": 1}) for n in range(20)))
        assert [answer["total"] for answer in answers] == [n + 1 for n in range(20)]
        assert one.server._sessions == 1
