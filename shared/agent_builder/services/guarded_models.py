"""Clients for model servers that tenants name themselves, behind each tenant's guards."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx2

from agent_builder.providers.http import TOTAL_SECONDS
from agent_builder.tools.egress import Egress, EgressLimits, EgressPolicy

# A streamed answer, every token of it in an event of its own.
LIMITS = EgressLimits(seconds=TOTAL_SECONDS, wire_bytes=64 * 1024 * 1024, body_bytes=128 * 1024 * 1024)
_MOST = 32


@dataclass
class ModelClients:
    """One client a tenant. The tenant's lists are as they were at most ten seconds before a call (`Outbound`).

    Attributes:
        new_egress: Makes a tenant's way out.
    """

    new_egress: Callable[[str], Awaitable[Egress]]
    _clients: dict[str, httpx2.AsyncClient] = field(default_factory=dict)
    _transports: dict[str, _Transport] = field(default_factory=dict)

    def client(self, tenant: str) -> httpx2.AsyncClient:
        """The tenant's client, for the running event loop."""
        if tenant not in self._clients:
            transport = self._transports[tenant] = _Transport(tenant, self.new_egress)
            self._clients[tenant] = httpx2.AsyncClient(
                transport=transport, trust_env=False, follow_redirects=False, timeout=LIMITS.seconds
            )
        return self._clients[tenant]

    async def settle(self) -> None:
        """Close what is no longer needed; call it when no model is being asked."""
        for transport in self._transports.values():
            await transport.close_earlier()
        if len(self._clients) > _MOST:
            clients = list(self._clients.values())
            self._clients.clear()
            self._transports.clear()
            await asyncio.gather(*(client.aclose() for client in clients))


class _Transport(httpx2.AsyncBaseTransport):
    """Sends by the tenant's way out; by another one when the tenant's lists have changed."""

    def __init__(self, tenant: str, new_egress: Callable[[str], Awaitable[Egress]]) -> None:
        self._tenant = tenant
        self._new_egress = new_egress
        self._policy: EgressPolicy | None = None
        self._current: httpx2.AsyncBaseTransport | None = None
        self._earlier: list[httpx2.AsyncBaseTransport] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Make one call; raises what `Egress.client` raises."""
        return await (await self._fresh()).handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        await self.close_earlier()
        if self._current is not None:
            await self._current.aclose()

    async def close_earlier(self) -> None:
        """Close connections that were opened under other lists."""
        earlier, self._earlier = self._earlier, []
        for transport in earlier:
            await transport.aclose()

    async def _fresh(self) -> httpx2.AsyncBaseTransport:
        egress = await self._new_egress(self._tenant)  # opens nothing, and knows the lists for some seconds
        if self._current is None or egress.policy != self._policy:
            if self._current is not None:
                self._earlier.append(self._current)  # an answer may still be read from it
            # Prompts are secret enough to go by TLS only.
            self._current, self._policy = egress.transport("model", limits=LIMITS), egress.policy
        return self._current
