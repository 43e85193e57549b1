"""A conversation that this runner owns: its lease, who watches, and the queue that it drains in order."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent_builder.errors import StoreError
from agent_builder.models.conversations import Lease, QueuedRun, StoredMessage
from agent_builder.models.tracing import FreshTrace, Target
from agent_builder.models.usage import UsageEntry
from agent_builder.realtime.delivery import Delivery
from agent_builder.realtime.frames import failed_frame
from agent_builder.repositories.runs import RunEnd
from agent_builder.services.context import History
from agent_builder.services.fresh_traces import fresh_trace
from agent_builder.services.ledger import Ended, entry_of
from agent_builder.services.narration import terminal_frame
from agent_builder.services.run import Run
from agent_builder.services.run_metrics import measure_end
from agent_builder.services.transcript import Transcript

if TYPE_CHECKING:
    from agent_builder.realtime.frames_out import RunIds

if TYPE_CHECKING:
    from agent_builder.services.runner import Runner

logger = logging.getLogger(__name__)

NEEDED_SECONDS = 20.0
MARGIN_SECONDS = 5.0
SETTLE_SECONDS = 4.0


class Claim:
    """Owns a conversation until it is let go. `turn` is when its last run here ended, in milliseconds; 0 before.

    Args:
        lease: As it was claimed.
        reading: The conversation, read beside the claim.
        until: When this invocation must have let go, in seconds of `time.monotonic()`.

    `orphaned` says that whoever had it before has died, and nobody has looked yet in the middle of what.
    """

    def __init__(
        self,
        runner: Runner,
        tenant: str,
        conversation_id: str,
        lease: Lease,
        reading: asyncio.Future[History],
        until: float,
    ) -> None:
        self.runner = runner
        self.tenant = tenant
        self.conversation_id = conversation_id
        self.lease = lease
        self.fence = lease.fence
        self.until = until
        self._span = until - time.monotonic()
        self.delivery = Delivery(runner.poster, runner.executor, runner.metrics, runner.clock)
        self.delivery.watch(lease.subscribers)
        self.latecomers = _connections(lease.resumed)
        self.seen = lease.resumed
        self.renewed = time.monotonic()
        self.turn = 0
        self.dropping: asyncio.Future[None] | None = None
        self.orphaned = 0 < lease.lease_before < runner.clock()
        self.settling: set[asyncio.Future[object]] = set()
        self.traces: list[FreshTrace] = []
        self.reading: asyncio.Future[History] | None = reading

    @property
    def left(self) -> float:
        """Seconds that this invocation has left."""
        return self.until - time.monotonic()

    async def drain(self) -> bool:
        """Run the queue empty and let go; true if something came in at the last moment.

        Raises:
            FenceLost: Somebody else owns the conversation.
        """
        runner = self.runner
        while self.lease.queue:
            if self.left < self.needed(NEEDED_SECONDS):
                await self.give_up()
                runner.ring(self.tenant, self.conversation_id)
                return False
            run = Run(self, self.lease.queue[0])
            if await run.carry_out():
                return False
            self.turn = runner.clock()
            run.tell_late(await self.beat())
        released = await runner.thread(
            runner.runs.release, self.tenant, self.conversation_id, fence=self.fence, wake=self.lease.wake
        )
        if not released:
            await self.beat()
        return not released

    def needed(self, seconds: float) -> float:
        """What a next step asks for; less where the whole invocation is short, so that each one gets something done."""
        return min(seconds, self._span / 3)

    @property
    def work_left(self) -> float:
        """Seconds in which a run may go on here; what is behind them is for letting go."""
        return self.left - min(MARGIN_SECONDS, self._span / 6)

    def tell_deleted(self) -> None:
        """End what was running for those who watch: its conversation was deleted."""
        if self.lease.queue:
            ids = self.ids(self.lease.queue[0])
            self.delivery.send(failed_frame(ids, "conversation_deleted", "The conversation was deleted."))

    async def give_up(self) -> None:
        """Let go at once, with what waits still due, so that the next ring or the rescue can take it."""
        runner = self.runner
        await runner.thread(
            runner.runs.abandon, self.tenant, self.conversation_id, fence=self.fence, now=runner.clock()
        )

    async def beat(self) -> frozenset[str]:
        """Renew the lease; answers which connections are to be shown what the others have seen."""
        runner = self.runner
        self.lease = await runner.thread(
            runner.runs.heartbeat,
            self.tenant,
            self.conversation_id,
            fence=self.fence,
            now=runner.clock(),
            gone=self.delivery.gone,
            seen=self.seen,
        )
        self.renewed = time.monotonic()
        resumed = self.lease.resumed - self.seen
        self.seen = self.lease.resumed
        return self.delivery.watch(self.lease.subscribers, anew=_connections(resumed))

    async def drop_cancelled(self) -> None:
        """End those who wait behind the first and were cancelled; they need not wait for their turn."""
        for place, run in reversed(list(enumerate(self.lease.queue))[1:]):
            if run.run_id in self.lease.cancelled:
                self.dropping = asyncio.ensure_future(self._drop(place, run))
                await asyncio.shield(self.dropping)  # once it is stored it is told, whoever is cancelled meanwhile

    async def _drop(self, place: int, run: QueuedRun) -> None:
        runner = self.runner
        outcome = Transcript().outcome("cancelled")
        now = runner.clock()
        used = entry_of(Ended(run, outcome, (), 0, now, {}))
        traced = await runner.traced(self.tenant, run.run_id)
        end = RunEnd(run, outcome, [], frozenset(), now, used=used, traced=traced)
        drop = runner.runs.drop
        try:
            if not await runner.thread(drop, self.tenant, self.conversation_id, end, place=place, fence=self.fence):
                return
        except StoreError:
            return  # at the next heartbeat, or at its turn
        measure_end(runner.metrics, outcome, runner.clock() - run.accepted_at)
        self.delivery.send(terminal_frame(self.ids(run), outcome))
        await self.give_back(run)
        self.settle(used)
        self.traces += [FreshTrace(run.run_id, traced)] if traced else []

    def settle(self, used: UsageEntry | None) -> None:
        """Add what a run used to the aggregates, beside whatever comes next."""
        if used is not None:
            settled = self.runner.thread(self.runner.settle, self.tenant, used)
            self.settling.add(asyncio.ensure_future(settled))

    def note_trace(self, ended: Ended | None, targets: tuple[Target, ...], history: Sequence[StoredMessage]) -> None:
        """Send a run's trace there, when everybody has their answer."""
        if ended is not None and targets:
            version = self.runner.known_version(self.tenant, ended.run.agent_id, ended.run.version)
            fresh = fresh_trace(self.tenant, self.conversation_id, ended, targets, version, history)
            self.traces.append(fresh)

    async def settled(self) -> None:
        """Wait for that a while; what is not done by then is still noted, and found by the rescue."""
        if self.settling:
            done, _ = await asyncio.wait(self.settling, timeout=SETTLE_SECONDS)
            for fault in filter(None, (task.exception() for task in done)):
                logger.error("what a run used was not added", exc_info=fault)

    async def give_back(self, run: QueuedRun) -> None:
        """Give a run's place among those at once back. A place that is not given back ends by itself."""
        try:
            await self.runner.thread(self.runner.give_back, self.tenant, run.message_id)
        except StoreError:
            logger.warning("the place of a run was not given back")

    def ids(self, run: QueuedRun) -> RunIds:
        """What a frame says of its run."""
        return {"conversation_id": self.conversation_id, "run_id": run.run_id, "message_id": run.message_id}


def _connections(requests: frozenset[str]) -> frozenset[str]:
    """Who asked: a request is `<watcher>#<unique>`."""
    return frozenset(request.rpartition("#")[0] for request in requests)
