"""Works a conversation: claims it, runs what waits in it in order, and lets go without losing a wake-up."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import ParamSpec, Protocol, TypeVar

from agent_builder.clock import Clock, now_ms
from agent_builder.errors import FenceLost
from agent_builder.metrics import Metrics
from agent_builder.models.agents import AgentVersion
from agent_builder.models.conversations import Lease
from agent_builder.models.tracing import FreshTrace, Target
from agent_builder.models.usage import UsageEntry
from agent_builder.realtime.delivery import Poster
from agent_builder.repositories.agents import AgentRepository
from agent_builder.repositories.approvals import ApprovalRepository
from agent_builder.repositories.conversations import ConversationRepository
from agent_builder.repositories.runs import RunRepository
from agent_builder.services.budget import Limits
from agent_builder.services.budgets import BudgetBook
from agent_builder.services.claim import Claim
from agent_builder.services.context import HISTORY_PAGE, Histories, History
from agent_builder.services.models import ModelCaller
from agent_builder.tools.base import Tool

logger = logging.getLogger(__name__)

_VERSIONS_KEPT = 256

P = ParamSpec("P")
R = TypeVar("R")


class Models(Protocol):
    """Where a run gets its model from."""

    def caller(self, tenant: str, version: AgentVersion, conversation_id: str, *, own_key: str) -> ModelCaller:
        """How to call the model that a version names; raises `ProviderError`."""
        ...


async def _no_key(tenant: str, provider: str) -> str:
    return ""


async def _not_traced(tenant: str, run_id: str) -> tuple[Target, ...]:
    return ()


async def _not_sent(tenant: str, ended: Sequence[FreshTrace]) -> None:
    return


@dataclass(slots=True)
class Runner:
    """One instance per execution environment; one conversation at a time.

    Attributes:
        tools_of: Opens the tools of a tenant's agent version, by name, for the time of a run.
        executor: Where the blocking calls of the store and the connections happen.
        own_key: A tenant's own key of a provider, or "".
        ring: Wakes another runner for a tenant's conversation.
        metrics: Counts runs and what they did.
        give_back: Gives the place of a tenant's run back; its name is the answer's id.
        budgets: What tenants' runs may use.
        settle: Adds what a tenant's run used to the aggregates; what it does not add stays noted.
        traced: Where the trace of a tenant's run is to be sent.
        send_traces: Sends the traces of a tenant's runs, for two seconds at most; what it does not send stays marked.
    """

    runs: RunRepository
    conversations: ConversationRepository
    agents: AgentRepository
    models: Models
    tools_of: Callable[[str, AgentVersion], AbstractAsyncContextManager[Mapping[str, Tool]]]
    poster: Poster
    executor: Executor
    ring: Callable[[str, str], object]
    own_key: Callable[[str, str], Awaitable[str]] = _no_key
    give_back: Callable[[str, str], object] = lambda tenant, answer_id: None
    settle: Callable[[str, UsageEntry], object] = lambda tenant, used: None
    traced: Callable[[str, str], Awaitable[tuple[Target, ...]]] = _not_traced
    send_traces: Callable[[str, Sequence[FreshTrace]], Awaitable[object]] = _not_sent
    clock: Clock = now_ms
    limits: Limits = field(default_factory=Limits)
    metrics: Metrics = field(default_factory=Metrics)
    histories: Histories = field(default_factory=Histories)
    approvals: ApprovalRepository = field(default_factory=ApprovalRepository)
    budgets: BudgetBook = field(default_factory=BudgetBook)
    _versions: dict[tuple[str, str, int], AgentVersion] = field(default_factory=dict, init=False)

    async def work(self, tenant: str, conversation_id: str, *, seconds: float) -> None:
        """Run what waits in a conversation, if nobody else does.

        Args:
            tenant, conversation_id: Whose, and which.
            seconds: What is left of this invocation.
        """
        until = time.monotonic() + seconds
        reading = asyncio.ensure_future(self.read(tenant, conversation_id))  # beside the claim: both are needed
        lease = await self.thread(self.runs.claim, tenant, conversation_id, now=self.clock())
        if lease is None:
            reading.cancel()
            lease = await self._outwait(tenant, conversation_id, until)
            if lease is None:
                return
            reading = asyncio.ensure_future(self.read(tenant, conversation_id))
        work = Claim(self, tenant, conversation_id, lease, reading, until)
        try:
            while await work.drain():
                pass
            await work.delivery.flush()  # only now: a slow connection must not hold up the next run
        except FenceLost:
            logger.info("the conversation belongs to another runner now, or was deleted")
            if not await self.thread(self.runs.lease, tenant, conversation_id):
                work.tell_deleted()
                await work.delivery.flush()
        except Exception:
            await work.give_up()
            raise
        finally:
            await work.settled()
            await work.delivery.close()
            if work.traces:  # only now: everybody has their answer, and the conversation is let go
                await self.send_traces(tenant, work.traces)

    async def _outwait(self, tenant: str, conversation_id: str, until: float) -> Lease | None:
        """Claim what a runner that fell silent still holds, once its lease ends; None if it is at work or done."""
        held = await self.thread(self.runs.lease, tenant, conversation_id)
        if held is None or not held.unattended(self.clock()):
            return None
        left = (held.lease_until - self.clock()) / 1000
        if time.monotonic() + left > until:
            return None
        await asyncio.sleep(max(0.0, left) + 0.05)
        return await self.thread(self.runs.claim, tenant, conversation_id, now=self.clock())

    async def version(self, tenant: str, agent_id: str, number: int) -> AgentVersion | None:
        """A version never changes, so it is read once."""
        key = (tenant, agent_id, number)
        if key not in self._versions:
            found = await self.thread(self.agents.version, tenant, agent_id, number)
            if found is None:
                return None
            if len(self._versions) >= _VERSIONS_KEPT:
                self._versions.clear()
            self._versions[key] = found
        return self._versions[key]

    def known_version(self, tenant: str, agent_id: str, number: int) -> AgentVersion | None:
        """A version, where this process has read it."""
        return self._versions.get((tenant, agent_id, number))

    async def read(self, tenant: str, conversation_id: str) -> History:
        """The conversation, newest first; only what is new is read where this runner may have given the last answer."""
        known = self.histories.known(tenant, conversation_id)
        if known is None:
            newest = self.conversations.messages
            messages, _ = await self.thread(newest, tenant, conversation_id, limit=HISTORY_PAGE)
            return History(None, messages)
        since = self.conversations.messages_since
        fresh = await self.thread(since, tenant, conversation_id, known.messages[0].run_id)
        return History(known.fence, [*fresh, *known.messages])

    async def thread(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Make a blocking call on the executor."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.executor, lambda: call(*args, **kwargs))
