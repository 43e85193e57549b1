"""MCP servers as tools. The runner's side: sessions of a run, and what a server offers to choose from."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent_builder.errors import OutboundFailed, OutcomeUnknown, ToolError
from agent_builder.messages import Json, ToolSpec
from agent_builder.models.agents import PartRef
from agent_builder.models.tools import Integration, McpTool, StoredTool
from agent_builder.repositories.parts import PartRepository
from agent_builder.services.authorization import Authorization
from agent_builder.services.toolbox import Bench
from agent_builder.tools.auth.masking import masked
from agent_builder.tools.auth.material import Material
from agent_builder.tools.base import CallContext, Tool
from agent_builder.tools.egress import Egress
from agent_builder.tools.mcp import RemoteTool, changed_since, read_result
from agent_builder.tools.schemas import check_arguments, restored
from agent_builder.tools.vendor_schemas import Adapted, adapt

if TYPE_CHECKING:
    from agent_builder.tools.mcp_client import McpSession
    from agent_builder.tools.mcp_wire import McpWire

OFFER_SECONDS = 20.0
_MAX_SESSIONS = 3
_GONE = "The integration of this tool is gone; choose the tool again."
_ENDS_TOO_OFTEN = "The MCP server ends its sessions too often; it is not asked again in this run."


@dataclass(slots=True)
class McpServer:
    """One server, as one run uses it: one session for all its tools, opened when the first of them is called.

    Attributes:
        egress: The run's way out.
        authorization: Gives the credential, for `tenant`.
    """

    tenant: str
    integration: Integration
    egress: Callable[[], Awaitable[Egress]]
    authorization: Authorization
    _session: McpSession | None = None
    _wire: McpWire | None = None
    _offered: list[RemoteTool] = field(default_factory=list)
    _sessions: int = 0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def offered(self) -> list[RemoteTool]:
        """What the server offers, as it said when this session was opened.

        Raises:
            ToolError: It cannot be had.
        """
        await self._opened()
        return self._offered

    async def call(self, tool: McpTool, arguments: Json) -> Json:
        """Call a tool, if it is still the one that was chosen. What only reads is tried again in a new session.

        Raises:
            OutcomeUnknown: The tool writes, and its answer was lost.
            ToolError: It was not called, or failed.
        """
        from agent_builder.tools.mcp_wire import SessionEnded

        try:
            return await self._once(tool, arguments)
        except SessionEnded:
            await self._drop()
            if tool.effect != "read":
                raise
        return await self._once(tool, arguments)

    async def aclose(self) -> None:
        """End the session."""
        session, self._session = self._session, None
        if session is not None:
            await session.aclose()

    async def _once(self, tool: McpTool, arguments: Json) -> Json:
        session = await self._opened()
        if refused := changed_since(tool, self._offered):
            raise refused
        assert self._wire is not None
        try:
            return read_result(await session.call(tool.remote_name, arguments), self._wire.secrets)
        except OutboundFailed as failed:
            if failed.sent and tool.effect == "write":
                raise OutcomeUnknown(failed.detail) from failed
            raise

    async def _drop(self) -> None:
        async with self._lock:
            await self.aclose()

    async def _opened(self) -> McpSession:
        async with self._lock:
            if self._session is not None and self._session.alive:
                return self._session
            if self._sessions >= _MAX_SESSIONS:
                raise ToolError(_ENDS_TOO_OFTEN, code="mcp_session_ended")
            self._sessions += 1
            await self.aclose()
            session, self._wire = await self._new_session()
            try:
                self._offered = await session.tools()
            except BaseException:
                await session.aclose()
                raise
            self._session = session
            return session

    async def _new_session(self) -> tuple[McpSession, McpWire]:
        # In a thread: the first import takes a second, in which a lease must be renewed.
        client, wire = await asyncio.to_thread(_modules)
        definition = self.integration.definition
        made = wire(await self.egress(), self._credentials if definition.credential_id else None)
        session = client(definition.base_url, made)
        await session.open()
        return session, made

    async def _credentials(self, over: Material | None) -> Material:
        credential_id = self.integration.definition.credential_id
        assert credential_id is not None
        return await self.authorization.material(self.tenant, credential_id, instead_of=over)

    def clean(self, text: str) -> str:
        """A text of the server without the secrets that were sent to it."""
        return masked(text, self._wire.secrets if self._wire else ())


def _modules() -> tuple[type[McpSession], type[McpWire]]:
    from agent_builder.tools.mcp_client import McpSession
    from agent_builder.tools.mcp_wire import McpWire

    return McpSession, McpWire


@dataclass(frozen=True, slots=True)
class McpCall:
    """A tool of a server, ready to be called."""

    definition: McpTool
    server: McpServer | None
    adapted: Adapted

    @property
    def spec(self) -> ToolSpec:
        """How a model is told of it."""
        one = self.definition
        return ToolSpec(
            one.name,
            one.description,
            self.adapted.schema,
            effect=one.effect,
            timeout_seconds=one.timeout_seconds,
            approval_seconds=one.approval_seconds if one.requires_approval else 0,
            strict=self.adapted.strict,
        )

    async def call(self, arguments: Json, context: CallContext) -> Json:
        """Check the arguments, and call it."""
        if self.server is None:
            raise ToolError(_GONE, code="integration_not_found")
        given = restored(self.definition.input_schema, arguments, self.adapted.renamed)
        check_arguments(self.definition.input_schema, given)
        return await self.server.call(self.definition, given)


@dataclass(frozen=True, slots=True)
class McpMaker:
    """Makes tools of the kind `mcp`."""

    authorization: Authorization

    def __call__(self, stored: StoredTool, bench: Bench) -> Tool:
        """A tool that shares its server with the others of the run."""
        definition = stored.definition
        assert isinstance(definition, McpTool)
        integration = bench.integrations.get(definition.integration_id)
        server = None
        if integration is not None:
            server = bench.shared(
                f"mcp {integration.id}",
                lambda: McpServer(bench.tenant, integration, bench.egress, self.authorization),
            )
        provider = bench.version.llm_config.provider
        return McpCall(definition, server, adapt(definition.input_schema, provider, strict=True))


@dataclass(frozen=True, slots=True)
class McpOffers:
    """Asks servers what they offer, for REST."""

    parts: PartRepository
    authorization: Authorization

    async def offer(self, tenant: str, agent_id: str, integration: PartRef) -> Json:
        """What a server offers now: `{"tools": [...]}`, or `{"failure": {"code", "detail"}}`."""
        found = await asyncio.to_thread(self.parts.integrations, tenant, agent_id, [integration])
        if not found:
            return _failure(ToolError(_GONE, code="integration_not_found"))
        try:
            async with asyncio.timeout(OFFER_SECONDS), await self.authorization.new_egress(tenant) as egress:
                return await self._asked(McpServer(tenant, found[0], _ready(egress), self.authorization))
        except ToolError as error:
            return _failure(error)
        except TimeoutError:
            return _failure(ToolError("The MCP server did not answer in time.", code="outbound_failed"))

    async def _asked(self, server: McpServer) -> Json:
        try:
            return {"tools": [offer_view(one, server.clean) for one in await server.offered()]}
        finally:
            await server.aclose()


def offer_view(remote: RemoteTool, clean: Callable[[str], str]) -> Json:
    """A tool as a person is shown it. `input_schema` is null where no tool can be made of it; `notes` say why."""
    schema, notes = remote.accepted()
    return {
        "remote_name": remote.name,
        "title": clean(remote.title),
        "description": clean(remote.description),
        "input_schema": schema,
        "effect": remote.effect,
        "fingerprint": remote.fingerprint,
        "notes": [note.model_dump() for note in notes],
    }


def _failure(error: ToolError) -> Json:
    return {"failure": {"code": error.error_code, "detail": error.detail}}


def _ready(egress: Egress) -> Callable[[], Awaitable[Egress]]:
    async def answer() -> Egress:
        return egress

    return answer
