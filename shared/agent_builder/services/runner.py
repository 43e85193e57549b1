"""Works a conversation: claims it, runs what waits in it in order, and lets go without losing a wake-up."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import ParamSpec, Protocol, TypeVar

from agent_builder.clock import Clock, now_ms
from agent_builder.errors import AgentBuilderError, FenceLost, ProviderError, StoreError, StoreRefused
from agent_builder.messages import ModelRequest
from agent_builder.models.agents import AgentVersion
from agent_builder.models.conversations import Lease, Outcome, QueuedRun, Step, StoredMessage
from agent_builder.realtime.delivery import Delivery, Poster
from agent_builder.realtime.frames import error_frame
from agent_builder.repositories.agents import AgentRepository
from agent_builder.repositories.conversations import ConversationRepository
from agent_builder.repositories.runs import LEASE_MS, RunEnd, RunRepository
from agent_builder.services.context import HISTORY_PAGE, Histories, History, model_history, unstorable
from agent_builder.services.engine import Engine, Limits, RunEnded, StepEnded, Transcript
from agent_builder.services.models import ModelCaller
from agent_builder.services.narration import Narration
from agent_builder.tools.base import Tool

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 1.0
PROGRESS_SECONDS = 4.0
RUN_SECONDS = 600.0
NEEDED_SECONDS = 30.0
MAX_HOPS = 100
MAX_ATTEMPTS = 5
_VERSIONS_KEPT = 256

P = ParamSpec("P")
R = TypeVar("R")


class Models(Protocol):
    """Where a run gets its model from."""

    def caller(self, version: AgentVersion, conversation_id: str) -> ModelCaller:
        """How to call the model that a version names; raises `ProviderError`."""
        ...


@dataclass(slots=True)
class Runner:
    """One instance per execution environment; one conversation at a time.

    Attributes:
        tools_of: The tools of an agent's version, by name.
        executor: Where the blocking calls of the store and the connections happen.
        ring: Wakes another runner for a tenant's conversation, with the number of hops so far.
        give_back: Gives the place of a tenant's run back; its name is the answer's id.
    """

    runs: RunRepository
    conversations: ConversationRepository
    agents: AgentRepository
    models: Models
    tools_of: Callable[[AgentVersion], Mapping[str, Tool]]
    poster: Poster
    executor: Executor
    ring: Callable[[str, str, int], object]
    give_back: Callable[[str, str], object] = lambda tenant, answer_id: None
    clock: Clock = now_ms
    limits: Limits = field(default_factory=Limits)
    histories: Histories = field(default_factory=Histories)
    _versions: dict[tuple[str, str, int], AgentVersion] = field(default_factory=dict, init=False)

    async def work(self, tenant: str, conversation_id: str, *, seconds: float, hops: int = 0) -> None:
        """Run what waits in a conversation, if nobody else does.

        Args:
            tenant, conversation_id: Whose, and which.
            seconds: What is left of this invocation.
            hops: How many invocations before this one handed the conversation over.
        """
        until = time.monotonic() + seconds
        reading = asyncio.ensure_future(self._read(tenant, conversation_id))  # beside the claim: both are needed
        lease = await self._thread(self.runs.claim, tenant, conversation_id, now=self.clock())
        if lease is None:
            reading.cancel()
            return
        work = _Claim(self, tenant, conversation_id, lease, reading, hops)
        try:
            while await work.drain(until):
                pass
        except FenceLost:
            logger.info("the conversation belongs to another runner now, or was deleted")
            if not await self._thread(self.runs.exists, tenant, conversation_id):
                await work.tell_deleted()
        except Exception:
            await work.give_up()
            raise
        finally:
            await work.delivery.close()

    async def version(self, tenant: str, agent_id: str, number: int) -> AgentVersion | None:
        """A version never changes, so it is read once."""
        key = (tenant, agent_id, number)
        if key not in self._versions:
            found = await self._thread(self.agents.version, tenant, agent_id, number)
            if found is None:
                return None
            if len(self._versions) >= _VERSIONS_KEPT:
                self._versions.clear()
            self._versions[key] = found
        return self._versions[key]

    async def _read(self, tenant: str, conversation_id: str) -> History:
        """The conversation, newest first; only what is new is read where this runner may have given the last answer."""
        known = self.histories.known(tenant, conversation_id)
        if known is None:
            newest = self.conversations.messages
            messages, _ = await self._thread(newest, tenant, conversation_id, limit=HISTORY_PAGE)
            return History(None, messages)
        since = self.conversations.messages_since
        fresh = await self._thread(since, tenant, conversation_id, known.messages[0].run_id)
        return History(known.fence, [*fresh, *known.messages])

    async def _thread(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.executor, lambda: call(*args, **kwargs))


class _Claim:
    """A conversation that this runner owns."""

    def __init__(
        self,
        runner: Runner,
        tenant: str,
        conversation_id: str,
        lease: Lease,
        reading: asyncio.Future[History],
        hops: int,
    ) -> None:
        self.runner = runner
        self.tenant = tenant
        self.conversation_id = conversation_id
        self.lease = lease
        self.fence = lease.fence
        self.hops = hops
        self.delivery = Delivery(runner.poster, runner.executor)
        self.delivery.watch(lease.subscribers)
        self.seen = lease.resumed
        self.reading: asyncio.Future[History] | None = reading

    async def drain(self, until: float) -> bool:
        """Run the queue empty and let go; true if something came in at the last moment.

        Raises:
            FenceLost: Somebody else owns the conversation.
        """
        runner = self.runner
        while self.lease.queue:
            if until - time.monotonic() < NEEDED_SECONDS:
                await self.give_up()
                if self.hops < MAX_HOPS:  # beyond, the rescue goes on: a chain must not run hot
                    runner.ring(self.tenant, self.conversation_id, self.hops + 1)
                return False
            run = _Run(self, self.lease.queue[0])
            if await run.carry_out(until):
                return False
            await run.tell_late(await self.beat())
        released = await runner._thread(
            runner.runs.release, self.tenant, self.conversation_id, fence=self.fence, wake=self.lease.wake
        )
        if not released:
            await self.beat()
        return not released

    async def tell_deleted(self) -> None:
        """End what was running for those who watch: its conversation was deleted."""
        if self.lease.queue:
            run = self.lease.queue[0]
            ids = {"conversation_id": self.conversation_id, "run_id": run.run_id, "message_id": run.message_id}
            frame = error_frame("conversation_deleted", "The conversation was deleted.")
            self.delivery.send({**frame, **ids})
            await self.delivery.flush()

    async def give_up(self) -> None:
        """Let go at once, with what waits still due, so that the next ring or the rescue can take it."""
        runner = self.runner
        await runner._thread(
            runner.runs.abandon, self.tenant, self.conversation_id, fence=self.fence, now=runner.clock()
        )

    async def beat(self) -> frozenset[str]:
        """Renew the lease; answers which connections are to be shown what the others have seen."""
        runner = self.runner
        self.lease = await runner._thread(
            runner.runs.heartbeat,
            self.tenant,
            self.conversation_id,
            fence=self.fence,
            now=runner.clock(),
            gone=self.delivery.gone,
            seen=self.seen,
        )
        resumed = self.lease.resumed - self.seen
        self.seen = self.lease.resumed
        return self.delivery.watch(self.lease.subscribers, anew=frozenset(one.rpartition("#")[0] for one in resumed))


class _Run:
    """One run, from its claim to its terminal frame."""

    def __init__(self, claim: _Claim, run: QueuedRun) -> None:
        self.claim = claim
        self.run = run
        self.runner = claim.runner
        self.transcript = Transcript()
        self.steps: list[Step] = []
        self.history: list[StoredMessage] = []
        self.ended: Outcome | None = None
        self.narration = Narration(claim.delivery, claim.conversation_id, run, fence=claim.fence)

    async def carry_out(self, until: float) -> bool:
        """Run it, store how it ended, then say so; answers whether the conversation was let go with it.

        Raises:
            FenceLost: Somebody else owns the conversation; nothing more was written.
        """
        if self.runner.clock() - self.run.accepted_at > LEASE_MS:
            self.narration.reset()
        outcome = await self._outcome(until)
        claim = self.claim
        try:
            released = await self._store(outcome, self.steps)
        except StoreRefused:  # never again and again: each time would call, and pay, the model anew
            logger.exception("an answer could not be stored")
            outcome = unstorable(outcome)
            released = await self._store(outcome, [])
        await self.runner._thread(self.runner.give_back, claim.tenant, self.run.message_id)
        self._remember(outcome)
        self.ended = outcome
        self.narration.end(outcome)
        await claim.delivery.flush()
        return released

    async def _store(self, outcome: Outcome, steps: list[Step]) -> bool:
        claim = self.claim
        return await self.runner._thread(
            self.runner.runs.finish,
            claim.tenant,
            claim.conversation_id,
            RunEnd(self.run, outcome, steps, claim.delivery.gone, self.runner.clock(), claim.seen),
            fence=claim.fence,
            wake=claim.lease.wake if len(claim.lease.queue) == 1 else None,
        )

    async def tell_late(self, connections: frozenset[str]) -> None:
        """Show the end to connections that began to watch in the run's last moment."""
        if connections and self.ended is not None:
            self.narration.snapshot(self.transcript, connections)
            self.narration.end(self.ended, connections)
            await self.claim.delivery.flush()

    async def _outcome(self, until: float) -> Outcome:
        if self.run.run_id in self.claim.lease.cancelled:
            return self.transcript.outcome("cancelled")
        if self.claim.lease.attempts > MAX_ATTEMPTS:  # whatever breaks it: each attempt calls, and pays, the model
            detail = f"The run broke off {MAX_ATTEMPTS} times and was given up."
            return self.transcript.outcome("failed", error=ProviderError("unavailable", detail, retryable=False))
        work = asyncio.ensure_future(self._engine_run(until))
        heart = asyncio.ensure_future(self._heartbeats())
        try:
            await asyncio.wait({work, heart}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return work.result()
            heart.result()  # raises FenceLost; ends normally only when the run is to be cancelled
            return self.transcript.outcome("cancelled")
        finally:
            for task in (work, heart):
                task.cancel()
            await asyncio.gather(work, heart, return_exceptions=True)

    async def _engine_run(self, until: float) -> Outcome:
        try:
            version, messages = await asyncio.gather(
                self.runner.version(self.claim.tenant, self.run.agent_id, self.run.version), self._messages()
            )
            if version is None:
                raise ProviderError("invalid_request", "The agent of this conversation was deleted.")
            return await self._answer(version, messages, until)
        except FenceLost:
            raise
        except ProviderError as error:
            return self.transcript.outcome("failed", error=error)
        except AgentBuilderError as error:
            logger.warning("a run failed", extra={"error": error.error_code})
            failure = ProviderError("unavailable", error.detail)
            return self.transcript.outcome("failed", error=failure)
        except Exception:
            logger.exception("a run failed unexpectedly")
            failure = ProviderError("unavailable", "The run failed because of a fault on our side; try again.")
            return self.transcript.outcome("failed", error=failure)

    async def _answer(self, version: AgentVersion, messages: list[StoredMessage], until: float) -> Outcome:
        caller = self.runner.models.caller(version, self.claim.conversation_id)
        tools = self.runner.tools_of(version)
        engine = Engine(
            stream=caller.stream,
            tools=tools,
            price=caller.price,
            limits=self.runner.limits,
            label=caller.label,
            clock=self.runner.clock,
        )
        request = caller.request(
            model_history(messages),
            tools=[tool.spec for tool in tools.values()],
            deadline=min(until - 20, time.monotonic() + RUN_SECONDS),
        )
        return await self._follow(engine, request)

    async def _follow(self, engine: Engine, request: ModelRequest) -> Outcome:
        async for event in engine.run(request, self.transcript):
            if isinstance(event, RunEnded):
                return event.outcome
            if isinstance(event, StepEnded):
                await self._keep(event.step)
            else:
                self.narration.tell(event)
        raise AssertionError("the engine ended without RunEnded")

    async def _keep(self, step: Step) -> None:
        """Store the steps before this one; the newest waits, so that a plain run stores its only step with its end."""
        waiting, self.steps = self.steps, [step]
        for earlier in waiting:
            claim = self.claim
            await self.runner._thread(
                self.runner.runs.save_step,
                claim.tenant,
                claim.conversation_id,
                self.run.run_id,
                earlier,
                fence=claim.fence,
            )

    async def _messages(self) -> list[StoredMessage]:
        """The conversation up to this run, newest first."""
        claim = self.claim
        reading, claim.reading = claim.reading, None
        history = await reading if reading is not None else None
        if history is None or not history.holds(claim.fence, self.run.run_id):
            self.runner.histories.forget(claim.tenant, claim.conversation_id)
            history = await self.runner._read(claim.tenant, claim.conversation_id)
        self.history = [message for message in history.messages if message.run_id <= self.run.run_id]
        return self.history

    def _remember(self, outcome: Outcome) -> None:
        """Keep the conversation as it is now, for the next message."""
        run, claim = self.run, self.claim
        if not any(message.run_id == run.run_id for message in self.history):
            return
        answer = StoredMessage(run.message_id, run.run_id, outcome.message, self.runner.clock(), status=outcome.status)
        history = History(claim.fence, [answer, *self.history])
        self.runner.histories.keep(claim.tenant, claim.conversation_id, history)

    async def _heartbeats(self) -> None:
        """Renew the lease each second; ends when the run is to be cancelled.

        Raises:
            FenceLost: The lease is lost, or could not be renewed before it ended.
        """
        renewed = time.monotonic()
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            try:
                fresh = await self.claim.beat()
                renewed = time.monotonic()
            except FenceLost:
                raise
            except StoreError as error:
                if time.monotonic() - renewed > LEASE_MS / 1000:
                    raise FenceLost("The lease could not be renewed in time.") from error
                continue
            if fresh:
                self.narration.snapshot(self.transcript, fresh)
            if self.run.run_id in self.claim.lease.cancelled:
                return
            if self.narration.quiet_for() > PROGRESS_SECONDS:
                self.narration.progress("working")
