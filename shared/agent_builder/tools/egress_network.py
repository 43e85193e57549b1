"""Connections to addresses that were checked: the name is looked up once, and what was looked up is dialled."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import httpcore2

from agent_builder.errors import OutboundRefused
from agent_builder.tools.egress_addresses import Address, is_public, parsed
from agent_builder.tools.egress_policy import NOT_PUBLIC, EgressPolicy

CONNECT_SECONDS = 5.0
_MAX_DIALLED = 4

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


async def resolve(host: str, port: int) -> list[str]:
    """All addresses of a name, as the operating system finds them."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedNetwork(httpcore2.AsyncNetworkBackend):
    """Opens TCP connections to permitted addresses only.

    A host is refused as soon as one of its addresses is not permitted: whoever controls the name could otherwise choose
    by chance. TLS still verifies the name, since that is done above this layer.
    """

    def __init__(
        self,
        policy: EgressPolicy,
        *,
        resolve: Resolve = resolve,
        dialler: httpcore2.AsyncNetworkBackend | None = None,
    ) -> None:
        self._policy = policy
        self._resolve = resolve
        self._dialler = dialler or httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (the parent's)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address of the host that answers.

        Raises:
            OutboundRefused: The host may not be called, or has no address.
            httpcore2.ConnectError, httpcore2.ConnectTimeout: None of its addresses answered.
        """
        addresses = await self._permitted(host.lower().rstrip("."), port)
        dialled = addresses[:_MAX_DIALLED]
        each = (CONNECT_SECONDS if timeout is None else timeout) / len(dialled)
        failure: Exception | None = None
        for address in dialled:
            try:
                return await self._dialler.connect_tcp(
                    str(address), port, timeout=each, local_address=None, socket_options=socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        assert failure is not None
        raise failure

    async def connect_unix_socket(self, *arguments: Any, **options: Any) -> httpcore2.AsyncNetworkStream:
        """Never."""
        raise OutboundRefused("address", NOT_PUBLIC)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def _permitted(self, host: str, port: int) -> list[Address]:
        literal = parsed(host)
        addresses = [literal] if literal else await self._looked_up(host, port)
        if self._policy.allow_private:  # names of a home network have addresses of the link besides
            addresses = [address for address in addresses if self._may_dial(address)]
        if not addresses or not all(self._may_dial(address) for address in addresses):
            raise OutboundRefused("address", NOT_PUBLIC)
        self._policy.check_addresses(host, addresses)
        if port not in self._policy.ports and not all(self._policy.opens(address) for address in addresses):
            raise OutboundRefused("port", f"Port {port} may not be called.")
        return addresses

    async def _looked_up(self, host: str, port: int) -> list[Address]:
        """The host's addresses; none where there are none, or where one of them cannot be read."""
        try:
            texts = await self._resolve(host, port)
        except (OSError, UnicodeError, ValueError):
            return []
        addresses = [address for address in map(parsed, texts) if address is not None]
        return addresses if len(addresses) == len(texts) or self._policy.allow_private else []

    def _may_dial(self, address: Address) -> bool:
        return is_public(address) or self._policy.opens(address)
