"""Trying a tool: one call of it, outside of any run, shown to the person who builds it. Both sides of it: REST asks,
and the runner, which alone may open credentials, calls."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from agent_builder.clock import Clock, now_ms
from agent_builder.errors import AgentBuilderError, Conflict, NotFound, OutcomeUnknown, StoreError
from agent_builder.ids import new_id, require_id
from agent_builder.messages import Json
from agent_builder.models.agents import AgentVersion
from agent_builder.models.identity import Identity
from agent_builder.realtime.doorbell import Doorbell
from agent_builder.repositories.agents import AgentRepository
from agent_builder.repositories.parts import PartRepository
from agent_builder.services.account import Account
from agent_builder.services.budgets import BudgetBook
from agent_builder.services.ledger import Ledger, entry_of_test
from agent_builder.services.nesting import Alone
from agent_builder.services.purse import Purse
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
class Trial:
    """One test, to those who limit and count what models cost."""

    run_id: str
    agent_id: str
    accepted_at: int


@dataclass(frozen=True, slots=True)
class ToolTester:
    """The runner's side.

    Attributes:
        open_tool: Opens one tool of a tenant's agent version.
        budgets, ledger: Where what models cost in a test is held before, and counted after, as that of runs is.
        know_prices: Reads a tenant's prices, if that is due.
        seconds: What a test may take.
    """

    agents: AgentRepository
    open_tool: Callable[[str, AgentVersion, str], AbstractAsyncContextManager[Tool | None]]
    budgets: BudgetBook
    ledger: Ledger
    know_prices: Callable[[str], Awaitable[object]]
    seconds: float = TEST_SECONDS
    clock: Clock = now_ms

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
            called = await self._called(tool, arguments, tenant, agent_id)
            return {"test": {"tool_id": tool_id, "tool_name": tool.spec.name, **called}}

    async def _called(self, tool: Tool, arguments: Json, tenant: str, agent_id: str) -> Json:
        result, error = None, None
        noted: Json = {}
        trial, account = Trial(new_id("tst"), agent_id, self.clock()), Account()
        purse = await self._purse(tenant, trial, account)
        begun, inside = time.monotonic(), Alone(agent_id, trial.run_id, self.seconds, purse.hold, account, self.clock)
        context = CallContext(trial.run_id, noted.update, inside.nest(tool.spec.effect))
        try:
            async with asyncio.timeout(self.seconds):
                result = await tool.call(arguments, context)
            if purse.refusal:  # a run ends at it, whatever the tool makes of it
                raise purse.refusal
        except TimeoutError:
            detail = f"The tool did not answer within the {self.seconds:g} seconds that a test may take."
            error = {"code": "tool_test_timeout", "detail": detail, "outcome_unknown": tool.spec.effect == "write"}
        except AgentBuilderError as failure:
            result, error = None, _shown(purse.refusal or failure, unknown=isinstance(failure, OutcomeUnknown))
        except Exception:
            logger.exception("a tool failed unexpectedly in a test", extra={"tool": tool.spec.name})
            detail = "The tool failed because of a fault on our side."
            error = {"code": "internal_error", "detail": detail, "outcome_unknown": tool.spec.effect == "write"}
        duration = round((time.monotonic() - begun) * 1000)
        await self._count(tenant, trial, inside, purse)
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
            "duration_ms": duration,
        }

    async def _purse(self, tenant: str, trial: Trial, account: Account) -> Purse:
        purse = Purse(self.budgets, tenant, trial, account, asyncio.to_thread)
        await purse.refresh()
        if purse.counts_money:
            await self.know_prices(tenant)
        return purse

    async def _count(self, tenant: str, trial: Trial, inside: Alone, purse: Purse) -> None:
        steps, held = inside.model_steps(self.clock()), purse.writing
        if held is not None:
            await asyncio.wait({held})  # its thread goes on behind a test that was out of time
        if not steps:
            if held is not None:
                await purse.settle()  # it was held for a model that was not asked any more
            return
        entry = entry_of_test(trial.run_id, trial.agent_id, trial.accepted_at, steps)
        try:
            await asyncio.to_thread(self.ledger.add, tenant, entry)
        except StoreError:  # what was called has happened: it is shown all the same
            logger.exception("what a test used could not be noted")


def _shown(failure: AgentBuilderError, *, unknown: bool) -> Json:
    return {"code": failure.error_code, "detail": failure.detail, "outcome_unknown": unknown}
