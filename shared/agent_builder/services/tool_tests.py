"""Trying a tool: one call of it, outside of any run, shown to the person who builds it. Both sides of it: REST asks,
and the runner, which alone may open credentials, calls."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from agent_builder.errors import AgentBuilderError, Conflict, NotFound, OutcomeUnknown
from agent_builder.ids import new_id, require_id
from agent_builder.messages import Json
from agent_builder.models.agents import AgentVersion
from agent_builder.models.identity import Identity
from agent_builder.realtime.doorbell import Doorbell
from agent_builder.repositories.agents import AgentRepository
from agent_builder.repositories.parts import PartRepository
from agent_builder.services.nesting import Alone
from agent_builder.tools.base import CallContext, Tool

# Within what an HTTP API waits for, and what the api function has: 29 s.
TEST_SECONDS = 22.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ToolTests:
    """REST's side."""

    parts: PartRepository
    agents: AgentRepository
    doorbell: Doorbell

    def test(self, identity: Identity, tool_id: str, arguments: Json, *, approved: bool) -> Json:
        """Have one call made, and what came of it.

        Raises:
            NotFound: Unknown, foreign or deleted, itself or with its agent.
            Conflict: `approval_required`: the tool asks for approval, and none was given.
            StoreError: The runner did not answer.
        """
        tenant = identity.tenant
        agent_id = self.parts.owner(tenant, require_id("tol", tool_id, "tool"))
        agent = self.agents.get(tenant, agent_id) if agent_id else None
        if agent is None or tool_id not in {ref.id for ref in agent.tools}:
            raise NotFound("There is no tool with this id.")
        answer = self.doorbell.ask(
            "tool_test",
            tenant_id=tenant,
            agent_id=agent.id,
            version=agent.version,
            tool_id=tool_id,
            arguments=arguments,
            approved=approved,
        )
        if answer.get("refused") == "approval_required":
            detail = "This tool asks for a person's approval before each call: send `approve: true` to give it."
            raise Conflict(detail, code="approval_required")
        if "test" not in answer:
            raise NotFound("There is no tool with this id that can be called.")
        test: Json = answer["test"]
        return test


@dataclass(frozen=True, slots=True)
class ToolTester:
    """The runner's side.

    Attributes:
        open_tool: Opens one tool of a tenant's agent version.
        seconds: What a test may take.
    """

    agents: AgentRepository
    open_tool: Callable[[str, AgentVersion, str], AbstractAsyncContextManager[Tool | None]]
    seconds: float = TEST_SECONDS

    async def carry_out(
        self, tenant: str, agent_id: str, version: int, tool_id: str, arguments: Json, *, approved: bool
    ) -> Json:
        """`{"test": …}`, `{"refused": "approval_required"}`, or `{}` where there is no such tool."""
        found = await asyncio.to_thread(self.agents.version, tenant, agent_id, version)
        if found is None:
            return {}
        async with self.open_tool(tenant, found, tool_id) as tool:
            if tool is None:
                return {}
            if tool.spec.approval_seconds and not approved:
                return {"refused": "approval_required"}
            called = await self._called(tool, arguments, agent_id)
            return {"test": {"tool_id": tool_id, "tool_name": tool.spec.name, **called}}

    async def _called(self, tool: Tool, arguments: Json, agent_id: str) -> Json:
        begun, result, error = time.monotonic(), None, None
        noted: Json = {}
        key = new_id("tst")
        inside = Alone(agent_id, key, self.seconds)
        context = CallContext(key, noted.update, inside.nest(tool.spec.effect))
        try:
            async with asyncio.timeout(self.seconds):
                result = await tool.call(arguments, context)
        except TimeoutError:
            detail = f"The tool did not answer within the {self.seconds:g} seconds that a test may take."
            error = {"code": "tool_test_timeout", "detail": detail, "outcome_unknown": tool.spec.effect == "write"}
        except AgentBuilderError as failure:
            error = _shown(failure, unknown=isinstance(failure, OutcomeUnknown))
        except Exception:
            logger.exception("a tool failed unexpectedly in a test", extra={"tool": tool.spec.name})
            detail = "The tool failed because of a fault on our side."
            error = {"code": "internal_error", "detail": detail, "outcome_unknown": tool.spec.effect == "write"}
        noted |= inside.noted
        return {
            "request": noted.get("request"),
            "response": noted.get("response"),
            "result": result,
            "error": error,
            "attempts": noted.get("attempts", int("request" in noted or inside.begun)),
            "cached": bool(noted.get("cached")),
            "usage": inside.account.usage.model_dump(),
            "cost": inside.account.cost.model_dump(),
            "duration_ms": round((time.monotonic() - begun) * 1000),
        }


def _shown(failure: AgentBuilderError, *, unknown: bool) -> Json:
    return {"code": failure.error_code, "detail": failure.detail, "outcome_unknown": unknown}
