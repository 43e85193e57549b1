"""One run, from its claim to its terminal frame: restored from its steps, driven, stored step by step, told."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from agent_builder.errors import AgentBuilderError, FenceLost, ProviderError, StoreError, StoreRefused
from agent_builder.messages import Json
from agent_builder.models.agents import AgentVersion
from agent_builder.models.approvals import Decision
from agent_builder.models.conversations import LEASE_MS, Outcome, QueuedRun, Step, StoredMessage
from agent_builder.models.tracing import Target
from agent_builder.models.usage import UsageEntry
from agent_builder.observability import log_fields
from agent_builder.repositories.runs import RunEnd
from agent_builder.services.approvals import asked_of, decisions_on
from agent_builder.services.context import History, model_history
from agent_builder.services.engine import Engine, StepKind
from agent_builder.services.events import (
    ApprovalRequired,
    Checkpoint,
    Events,
    Parked,
    RunEnded,
    StepReset,
    Suspended,
    ToolStarted,
)
from agent_builder.services.failing import failure_of, unstorable
from agent_builder.services.ledger import Ended, entry_of
from agent_builder.services.narration import Narration
from agent_builder.services.nesting import Nesting
from agent_builder.services.purse import Purse
from agent_builder.services.run_metrics import RunMeter
from agent_builder.services.transcript import Transcript

if TYPE_CHECKING:
    from agent_builder.services.claim import Claim

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 1.0
PROGRESS_SECONDS = 4.0
MODEL_SECONDS = 120.0
MAX_HOPS = 50
MAX_ATTEMPTS = 5


class Run:
    """A run that is first in the queue of a conversation that this runner owns."""

    def __init__(self, claim: Claim, run: QueuedRun) -> None:
        self.claim = claim
        self.run = run
        self.runner = claim.runner
        self.tool_seconds = claim.runner.limits.tool_seconds
        self.transcript = Transcript()
        self.history: list[StoredMessage] = []
        self.ended: Outcome | None = None
        self.saving: asyncio.Future[None] | None = None
        # Who waits behind another message waits for the answer to that one.
        self.meter = RunMeter(claim.runner.metrics, claim.runner.clock, max(run.accepted_at, claim.turn))
        self.parking: Parked | None = None
        self.wake = 0
        self._one_save = asyncio.Lock()
        self.steps: dict[int, Step] = {}  # all of them, also those of earlier runners
        self.label: Json = {}
        self.tools: frozenset[str] | None = None
        self.over: Ended | None = None
        self.used: UsageEntry | None = None
        self.traced: asyncio.Future[tuple[Target, ...]] | None = None
        self.purse = Purse(claim.runner.budgets, claim.tenant, run, self.transcript.account, claim.runner.thread)
        self.narration = Narration(claim.delivery, claim.conversation_id, run, fence=claim.fence)

    async def carry_out(self) -> bool:
        """Run it, store how it ended, then say so; answers whether the conversation was let go.

        Raises:
            FenceLost: Somebody else owns the conversation; nothing more was written.
        """
        claim = self.claim
        await self._restore()
        while (outcome := await self._worked()) is None:
            if self.parking is None:
                await self._hand_over()
                return True
            if await self._park(self.parking):
                return True
        if outcome.status == "cancelled":
            self.transcript.cancel(self.runner.clock())
            outcome = self.transcript.outcome("cancelled")
        try:
            released = await self._store(outcome)
        except StoreRefused:  # never again and again: each time would call, and pay, the model anew
            logger.exception("an answer could not be stored")
            outcome = unstorable(outcome)
            self.transcript.account.strip()
            released = await self._store(outcome)
        self._remember(outcome)
        self.ended = outcome
        self._measure(outcome)
        self.narration.end(outcome)
        await claim.give_back(self.run)
        claim.settle(self.used)
        claim.note_trace(self.over, await self._traced(), self.history)
        return released

    async def _worked(self) -> Outcome | None:
        """How it ended; None where it did not: it is handed over, or `parking`."""
        self.parking = None
        outcome = await self._outcome()
        going_on = {going for going in (self.saving, self.claim.dropping, self.purse.writing) if going is not None}
        if going_on:  # their threads may go on behind a task that was cancelled
            await asyncio.wait(going_on)
        return outcome

    async def _restore(self) -> None:
        """Go on where an earlier runner ended, and withdraw what it had shown of the step that it did not end."""
        claim, lease = self.claim, self.claim.lease
        log_fields(run_id=self.run.run_id, agent_id=self.run.agent_id)
        went_on = lease.begun == self.run.run_id
        if went_on:
            steps = await self.runner.thread(self.runner.runs.steps, claim.tenant, self.run.run_id)
            self._note(steps)
            self.transcript.restore(steps, given_up=lease.attempts > MAX_ATTEMPTS)
            waited = self.runner.clock() - lease.parked_at if lease.parked_at else 0
            self.transcript.account.begun_at = lease.begun_at + max(0, waited)
            self.meter.goes_on(self.transcript.account.begun_at, has_spoken=bool(steps))
        number = self.transcript.account.steps + 1
        orphaned, claim.orphaned = claim.orphaned, False
        if orphaned and self.transcript.lost(lease.lease_before - LEASE_MS, [*self.steps.values()]):
            await self._save()  # whoever goes on after this one may not see that there was one before
        latecomers, claim.latecomers = claim.latecomers, frozenset()
        if latecomers:
            self.narration.snapshot(self.transcript, latecomers)
        if went_on or lease.attempts > 1:
            self.narration.reset(number, self.transcript.text)

    async def _hand_over(self) -> None:
        """Store what is over, and let a fresh invocation go on."""
        claim, runner = self.claim, self.runner
        self.transcript.account.cut_off(runner.clock(), "handed_over")
        await self._save()
        await runner.thread(
            runner.runs.hand_over,
            claim.tenant,
            claim.conversation_id,
            self.run.run_id,
            fence=claim.fence,
            begun_at=self.transcript.account.begun_at,
            now=runner.clock(),
        )
        await runner.thread(runner.ring, claim.tenant, claim.conversation_id)

    async def _park(self, parking: Parked) -> bool:
        """Let go until people have decided: nothing runs and nothing is due; False where something came in before."""
        claim, runner = self.claim, self.runner
        await claim.drop_cancelled()
        parked = await runner.thread(
            runner.runs.park,
            claim.tenant,
            claim.conversation_id,
            self.run.run_id,
            fence=claim.fence,
            wake=self.wake,
            begun_at=self.transcript.account.begun_at,
            now=runner.clock(),
            until=parking.until,
        )
        if parked:
            await claim.give_back(self.run)
        elif fresh := await claim.beat():
            self.narration.snapshot(self.transcript, fresh)
        return parked

    async def _decisions(self, steps: Sequence[Step]) -> Mapping[int, Decision]:
        """What was decided; whatever is decided later raises the wake counter above the one that is noted here."""
        self.wake = self.claim.lease.wake
        now, approvals = self.runner.clock(), self.runner.approvals
        return await self.runner.thread(decisions_on, approvals, self.claim.tenant, self.run.run_id, steps, now)

    async def _store(self, outcome: Outcome) -> bool:
        claim, steps, now = self.claim, self.transcript.take_unsaved(), self.runner.clock()
        self._note(steps)
        begun_at = self.transcript.account.begun_at
        self.over = ended = Ended(self.run, outcome, self.steps.values(), begun_at, now, self.label, self.tools)
        self.used = entry_of(ended)
        traced = await self._traced()
        return await self.runner.thread(
            self.runner.runs.finish,
            claim.tenant,
            claim.conversation_id,
            RunEnd(self.run, outcome, steps, claim.delivery.gone, now, claim.seen, ended.timing, self.used, traced),
            fence=claim.fence,
            wake=claim.lease.wake if len(claim.lease.queue) == 1 else None,
        )

    def _traced(self) -> asyncio.Future[tuple[Target, ...]]:
        """Where the trace is to be sent; found out beside what comes of the model, before anybody waits for it."""
        if self.traced is None:
            self.traced = asyncio.ensure_future(self.runner.traced(self.claim.tenant, self.run.run_id))
        return self.traced

    def _note(self, steps: Sequence[Step]) -> None:
        """Remember steps, for what the run used as a whole."""
        self.steps |= {step.number: step for step in steps}

    async def _save(self) -> None:
        """Store the steps that are new or have changed. One at a time, so that the newest state is written last."""
        async with self._one_save:
            if self.saving is not None and not self.saving.done():
                await asyncio.wait({self.saving})  # whoever asked for it was cancelled, its thread goes on
            if steps := self.transcript.take_unsaved():
                await asyncio.gather(self._save_steps(steps), self.purse.settle())

    async def _save_steps(self, steps: list[Step]) -> None:
        self._note(steps)
        claim = self.claim
        save = self.runner.thread(
            self.runner.runs.save_steps,
            claim.tenant,
            claim.conversation_id,
            self.run.run_id,
            steps,
            fence=claim.fence,
            begun_at=self.transcript.account.begun_at,
            asked=asked_of(self.transcript, steps, self.runner.clock()),
        )
        self.saving = asyncio.ensure_future(save)
        await asyncio.shield(self.saving)
        self.transcript.saved(steps)
        self.meter.stored(steps)

    def tell_late(self, connections: frozenset[str]) -> None:
        """Show the end to connections that began to watch in the run's last moment."""
        if connections and self.ended is not None:
            self.narration.snapshot(self.transcript, connections)
            self.narration.end(self.ended, connections)

    async def _outcome(self) -> Outcome | None:
        """How it ended; None where a fresh invocation must go on."""
        lease = self.claim.lease
        if self.run.run_id in lease.cancelled:
            return self.transcript.outcome("cancelled")
        if lease.attempts > MAX_ATTEMPTS or lease.hops > MAX_HOPS:  # each attempt calls, and pays, the model
            detail = f"The run broke off {max(lease.attempts - 1, lease.hops)} times and was given up."
            return self.transcript.outcome("failed", error=ProviderError("unavailable", detail, retryable=False))
        work = asyncio.ensure_future(self._engine_run())
        heart = asyncio.ensure_future(self._heartbeats())
        try:
            await asyncio.wait({work, heart}, return_when=asyncio.FIRST_COMPLETED, timeout=self.claim.work_left)
            if work.done():
                return work.result()
            if not heart.done():
                return None
            heart.result()  # raises FenceLost; ends normally only when the run is to be cancelled
            return self.transcript.outcome("cancelled")
        finally:
            for task in (work, heart):
                task.cancel()
            await asyncio.gather(work, heart, return_exceptions=True)

    async def _engine_run(self) -> Outcome | None:
        try:
            version, messages, _ = await asyncio.gather(
                self.runner.version(self.claim.tenant, self.run.agent_id, self.run.version),
                self._messages(),
                self.purse.refresh(),
            )
            if version is None:
                raise ProviderError("invalid_request", "The agent of this conversation was deleted.")
            return await self._answer(version, messages)
        except FenceLost:
            raise
        except StoreRefused as error:
            return self._failed(error)
        except StoreError:
            raise  # what cannot be stored now is tried again by the next runner
        except Exception as error:
            return self._failed(failure_of(error))

    def _failed(self, error: AgentBuilderError) -> Outcome:
        self.transcript.account.break_off(self.runner.clock(), error)
        return self.transcript.outcome("failed", error=error)

    async def _answer(self, version: AgentVersion, messages: list[StoredMessage]) -> Outcome | None:
        own_key = await self.runner.own_key(self.claim.tenant, version.llm_config.provider)
        caller = self.runner.models.caller(self.claim.tenant, version, self.claim.conversation_id, own_key=own_key)
        self.label = caller.label
        self.transcript.account.name_lost(None, "", caller.label)
        if self.purse.counts_money:
            await caller.rates.refresh()
        async with self.runner.tools_of(self.claim.tenant, version) as tools:
            self.tools = frozenset(tools)
            specs = [tool.spec for tool in tools.values()]
            others = (spec.timeout_seconds or 0 for spec in specs if not spec.resumable)  # those go on elsewhere
            self.tool_seconds = max([self.tool_seconds, *others])
            engine = Engine(
                stream=caller.stream,
                tools=tools,
                price=caller.price,
                limits=self.runner.limits,
                label=caller.label,
                clock=self.runner.clock,
                call_key=lambda number: f"{self.run.run_id}-{number}",
                room=self._room,
                decisions=self._decisions,
                hold=self.purse.hold,
                nest=Nesting((self.run.agent_id,), self._save, self.narration.tell_inside, self.claim.until).of,
            )
            request = caller.request(model_history(messages), tools=specs, deadline=self.claim.until)
            async with aclosing(engine.run(request, self.transcript)) as events:  # nothing goes on behind its end
                return await self._follow(events)

    def _room(self, kind: StepKind) -> bool:
        """Whether a step may begin here: one that is not paid for in vain, and that has the time it needs.

        Raises:
            FenceLost: This process was paused for so long that somebody else may own the conversation.
        """
        if time.monotonic() - self.claim.renewed > LEASE_MS / 1000:
            raise FenceLost("The lease was not renewed in time.")
        seconds = MODEL_SECONDS if kind == "model" else self.tool_seconds
        return self.claim.work_left > self.claim.needed(seconds)

    async def _follow(self, events: Events) -> Outcome | None:
        async for event in events:
            if isinstance(event, RunEnded):
                return event.outcome
            if isinstance(event, Suspended | Parked):
                self.parking = event if isinstance(event, Parked) else None
                return None
            if isinstance(event, Checkpoint):
                await self._save()
            elif isinstance(event, StepReset):
                self.narration.reset(event.step, self.transcript.text)
            else:
                self.meter.spoke()
                call = event.call if isinstance(event, ToolStarted | ApprovalRequired) else None
                self.narration.tell(event, self.transcript.step_of(call))
                self._traced()
        raise AssertionError("the engine ended without an end")

    def _measure(self, outcome: Outcome) -> None:
        """Count what is stored, and say that it ended."""
        self.meter.stored(self.transcript.take_unsaved())
        own_key = bool(self.label.get("own_key"))
        counts = {"steps": self.transcript.account.steps, "attempts": self.claim.lease.attempts}
        self.meter.ended(outcome, own_key=own_key, **counts)

    async def _messages(self) -> list[StoredMessage]:
        """The conversation up to this run, newest first."""
        claim = self.claim
        reading, claim.reading = claim.reading, None
        history = await reading if reading is not None else None
        if history is None or not history.holds(claim.fence, self.run.run_id):
            self.runner.histories.forget(claim.tenant, claim.conversation_id)
            history = await self.runner.read(claim.tenant, claim.conversation_id)
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
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            try:
                fresh = await self.claim.beat()
            except FenceLost:
                raise
            except StoreError as error:
                if time.monotonic() - self.claim.renewed > LEASE_MS / 1000:
                    raise FenceLost("The lease could not be renewed in time.") from error
                continue
            if fresh:
                self.narration.snapshot(self.transcript, fresh)
            await self.claim.drop_cancelled()
            if self.run.run_id in self.claim.lease.cancelled:
                return
            if self.narration.quiet_for() > PROGRESS_SECONDS:
                self.narration.progress("working")
