"""What MCP servers offer, asked for REST. The runner's side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from agent_builder.errors import ToolError
from agent_builder.messages import Json
from agent_builder.models.tools import Integration
from agent_builder.repositories.agents import AgentRepository
from agent_builder.repositories.parts import PartRepository
from agent_builder.services.authorization import Authorization
from agent_builder.services.mcp import McpServer
from agent_builder.tools.egress import Egress
from agent_builder.tools.mcp import too_slow
from agent_builder.tools.mcp_offers import offer_view

OFFER_SECONDS = 20.0
_GONE = "The integration is gone."


@dataclass(frozen=True, slots=True)
class McpOffers:
    """Asks servers what they offer, for REST."""

    agents: AgentRepository
    parts: PartRepository
    authorization: Authorization

    async def offer(self, tenant: str, agent_id: str, integration_id: str) -> Json:
        """What a server offers now: `{"tools": [...]}`, or `{"failure": {"code", "detail"}}`."""
        found = await asyncio.to_thread(self._integration, tenant, agent_id, integration_id)
        if not found:
            return _failure(ToolError(_GONE, code="integration_not_found"))
        try:
            async with asyncio.timeout(OFFER_SECONDS), await self.authorization.new_egress(tenant) as egress:
                return await self._asked(McpServer(tenant, found[0], _ready(egress), self.authorization))
        except ToolError as error:
            return _failure(error)
        except TimeoutError:
            return _failure(too_slow())

    def _integration(self, tenant: str, agent_id: str, integration_id: str) -> list[Integration]:
        agent = self.agents.get(tenant, agent_id)
        refs = [ref for ref in agent.integrations if ref.id == integration_id] if agent else []
        return self.parts.integrations(tenant, agent_id, refs)

    async def _asked(self, server: McpServer) -> Json:
        try:
            return {"tools": [offer_view(one, server.secrets) for one in await server.offered()]}
        finally:
            await server.aclose()


def _failure(error: ToolError) -> Json:
    return {"failure": {"code": error.error_code, "detail": error.detail}}


def _ready(egress: Egress) -> Callable[[], Awaitable[Egress]]:
    async def answer() -> Egress:
        return egress

    return answer
