"""MCP servers as tools: the sessions of a run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent_builder.errors import OutboundFailed, OutcomeUnknown, ToolError
from agent_builder.messages import Json, ToolSpec
from agent_builder.models.tools import Integration, McpTool, StoredTool
from agent_builder.services.authorization import Authorization
from agent_builder.services.toolbox import Bench
from agent_builder.tools.auth.masking import Masker
from agent_builder.tools.auth.material import Material
from agent_builder.tools.base import CallContext, Tool
from agent_builder.tools.egress import Egress
from agent_builder.tools.mcp import RemoteTool, changed_since, read_result, shaped, unanswered
from agent_builder.tools.specs import Checked, spec_of

if TYPE_CHECKING:
    from agent_builder.tools.mcp_client import McpSession
    from agent_builder.tools.mcp_wire import McpWire

_MAX_SESSIONS = 3
_GONE = "The integration of this tool is gone; choose the tool again."
_ENDS_TOO_OFTEN = "Sessions of the MCP server end, or cannot be opened; it is not asked again in this run."


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
    _retired: list[McpSession] = field(default_factory=list)
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

        session = await self._opened()
        try:
            return await self._once(session, tool, arguments)
        except SessionEnded:
            if self._session is session:
                self._retire()
            if tool.effect != "read":
                raise
        return await self._once(await self._opened(), tool, arguments)

    async def aclose(self) -> None:
        """End all sessions."""
        self._retire()
        retired, self._retired = self._retired, []
        await asyncio.gather(*(session.aclose() for session in retired))

    def _retire(self) -> None:
        """Use a session for no further call; those that are under way may end."""
        if self._session is not None:
            self._retired.append(self._session)
            self._session = None

    async def _once(self, session: McpSession, tool: McpTool, arguments: Json) -> Json:
        if refused := changed_since(tool, self._offered):
            raise refused
        try:
            return read_result(await session.call(tool.remote_name, arguments), Masker(session.secrets))
        except OutboundFailed as failed:
            if failed.sent and tool.effect == "write":
                raise OutcomeUnknown(failed.detail) from failed
            raise

    async def _opened(self) -> McpSession:
        async with self._lock:
            if self._session is not None and self._session.alive:
                return self._session
            if self._sessions >= _MAX_SESSIONS:
                raise ToolError(_ENDS_TOO_OFTEN, code="mcp_session_ended")
            self._sessions += 1
            self._retire()
            session = await self._new_session()
            try:
                self._offered = await session.tools()
            except BaseException:
                await session.aclose()
                raise
            self._session = session
            return session

    async def _new_session(self) -> McpSession:
        # In a thread: the first import takes a second, in which a lease must be renewed.
        client, wire = await asyncio.to_thread(_modules)
        definition = self.integration.definition
        guarded = definition.credential_id is not None
        made = wire(await self.egress(), self._credentials if guarded else None, self._accepted if guarded else None)
        session = client(definition.base_url, made)
        await session.open()
        return session

    async def _credentials(self, over: Material | None) -> Material:
        credential_id = self.integration.definition.credential_id
        assert credential_id is not None
        return await self.authorization.material(self.tenant, credential_id, instead_of=over)

    async def _accepted(self, material: Material) -> None:
        credential_id = self.integration.definition.credential_id
        assert credential_id is not None
        await self.authorization.accepted(self.tenant, credential_id, material)

    @property
    def address(self) -> str:
        """Where the server is."""
        return self.integration.definition.base_url

    @property
    def secrets(self) -> frozenset[str]:
        """What was sent to the server, and may come back from it."""
        return frozenset(self._session.secrets) if self._session else frozenset()


def _modules() -> tuple[type[McpSession], type[McpWire]]:
    from agent_builder.tools.mcp_client import McpSession
    from agent_builder.tools.mcp_wire import McpWire

    return McpSession, McpWire


@dataclass(slots=True)
class McpCall:
    """A tool of a server. It is called with arguments that were checked."""

    tool: McpTool
    server: McpServer | None
    spec: ToolSpec = field(init=False)

    def __post_init__(self) -> None:
        one = self.tool
        self.spec = spec_of(one, input_schema=one.input_schema, effect=one.effect, timeout_seconds=one.timeout_seconds)

    async def call(self, arguments: Json, context: CallContext) -> Json:
        """Call it, and shape its answer.

        Raises:
            OutcomeUnknown: It may have acted, and its answer was lost, or took too long.
            ToolError: It was not called, or failed.
        """
        if self.server is None:
            raise ToolError(_GONE, code="integration_not_found")
        context.note({"request": {"server": self.server.address, "tool": self.tool.remote_name}})
        try:
            async with asyncio.timeout(self.tool.timeout_seconds):
                answer = await self.server.call(self.tool, arguments)
        except TimeoutError:
            raise unanswered(self.tool) from None
        made = await shaped(answer, self.tool.response)
        if made.whole is not None:
            context.note({"whole": made.whole})
        return made.result


@dataclass(frozen=True, slots=True)
class McpTools:
    """Makes tools of the kind `mcp`."""

    authorization: Authorization

    def make(self, stored: StoredTool, bench: Bench) -> Tool:
        """A tool that shares its server with the others of the run."""
        tool = stored.definition
        assert isinstance(tool, McpTool)
        integration = bench.integrations.get(tool.integration_id)
        server = None
        if integration is not None:
            server = bench.shared(
                f"mcp {integration.id}",
                lambda: McpServer(bench.tenant, integration, bench.egress, self.authorization),
            )
        return Checked(McpCall(tool, server), bench.version.llm_config.provider)
