"""The tools of an agent's version, ready to be called by a run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, cast

from agent_builder.models.agents import AgentVersion
from agent_builder.models.tools import Integration, StoredTool
from agent_builder.repositories.parts import PartRepository
from agent_builder.tools.base import Tool
from agent_builder.tools.builtin import builtin_tools
from agent_builder.tools.egress import Egress

_KEPT = 256


@dataclass(frozen=True, slots=True)
class Parts:
    """What a version names."""

    tools: tuple[StoredTool, ...] = ()
    integrations: Mapping[str, Integration] = field(default_factory=dict)


class Shared(Protocol):
    """What is closed after a run."""

    async def aclose(self) -> None:
        """Close it; whatever fails at that is nobody's business."""
        ...


SharedType = TypeVar("SharedType", bound=Shared)


@dataclass(slots=True)
class Bench:
    """What the tools of one run are made with.

    Attributes:
        version: The agent's version that runs; `version.llm_config.provider` says for whom schemas are adapted.
    """

    tenant: str
    version: AgentVersion
    integrations: Mapping[str, Integration]
    new_egress: Callable[[str], Awaitable[Egress]]
    _egress: asyncio.Task[Egress] | None = None
    _shared: dict[str, Shared] = field(default_factory=dict)

    def shared(self, key: str, make: Callable[[], SharedType]) -> SharedType:
        """What several tools of this run use together: made for the first of them, closed after the run."""
        if key not in self._shared:
            self._shared[key] = make()
        return cast(SharedType, self._shared[key])

    async def egress(self) -> Egress:
        """The tenant's way out, opened when the first call needs it and closed after the run."""
        if self._egress is None:
            self._egress = asyncio.ensure_future(self.new_egress(self.tenant))
        return await asyncio.shield(self._egress)

    async def close(self) -> None:
        """Close what was opened."""
        await asyncio.gather(*(one.aclose() for one in self._shared.values()), return_exceptions=True)
        if self._egress is not None:
            opened = (await asyncio.gather(self._egress, return_exceptions=True))[0]
            if isinstance(opened, Egress):
                await opened.aclose()


Maker = Callable[[StoredTool, Bench], Tool]


@dataclass(slots=True)
class Toolbox:
    """Makes tools, one maker a kind.

    Attributes:
        new_egress: Makes a tenant's way out.
        makers: By the kind of tool; what has none is not offered to the model.
    """

    parts: PartRepository
    new_egress: Callable[[str], Awaitable[Egress]]
    makers: Mapping[str, Maker]
    _known: dict[tuple[str, str, int], Parts] = field(default_factory=dict)

    @asynccontextmanager
    async def open(self, tenant: str, version: AgentVersion) -> AsyncIterator[Mapping[str, Tool]]:
        """The enabled tools of a version, by the name the model knows, for as long as the context lasts."""
        parts = await self.parts_of(tenant, version)
        bench = Bench(tenant, version, parts.integrations, self.new_egress)
        made = [
            self.makers[stored.definition.kind](stored, bench)
            for stored in parts.tools
            if stored.definition.enabled and stored.definition.kind in self.makers
        ]
        try:
            yield {**builtin_tools(version.builtin_tools), **{tool.spec.name: tool for tool in made}}
        finally:
            await bench.close()

    @asynccontextmanager
    async def one(self, tenant: str, version: AgentVersion, tool_id: str) -> AsyncIterator[Tool | None]:
        """One stored tool of a version, enabled or not; None where the version has none with this id."""
        parts = await self.parts_of(tenant, version)
        bench = Bench(tenant, version, parts.integrations, self.new_egress)
        found = [tool for tool in parts.tools if tool.id == tool_id and tool.definition.kind in self.makers]
        try:
            yield self.makers[found[0].definition.kind](found[0], bench) if found else None
        finally:
            await bench.close()

    async def parts_of(self, tenant: str, version: AgentVersion) -> Parts:
        """What a version names; it never changes, so it is read once."""
        if not (version.tools or version.integrations):
            return Parts()
        key = (tenant, version.agent_id, version.version)
        if key not in self._known:
            tools, integrations = await asyncio.gather(
                asyncio.to_thread(self.parts.tools, tenant, version.agent_id, version.tools),
                asyncio.to_thread(self.parts.integrations, tenant, version.agent_id, version.integrations),
            )
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[key] = Parts(tuple(tools), {one.id: one for one in integrations})
        return self._known[key]
