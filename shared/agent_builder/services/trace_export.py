"""Sends traces of ended runs to Langfuse: after the answer, within a bound, and again until they have arrived."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from agent_builder.clock import Clock, now_ms
from agent_builder.errors import AgentBuilderError, ConfigurationError, OutboundRefused, StoreError
from agent_builder.messages import TextPart
from agent_builder.metrics import TRACES, Metrics
from agent_builder.models.tracing import (
    FreshTrace,
    PlatformTracing,
    RunTrace,
    Target,
    TenantTracing,
    TraceMark,
    sampled,
)
from agent_builder.repositories.agents import AgentRepository
from agent_builder.repositories.conversations import ConversationRepository
from agent_builder.repositories.traces import TraceRepository
from agent_builder.repositories.tracing import SEND_AFTER_MS, TracingRepository

logger = logging.getLogger(__name__)

SECONDS = 2.0  # that servers may take of an invocation in all, after everything was answered
FRESH_MS = 60_000
GIVEN_UP_MS = 24 * 3600 * 1000
MOST_LATER_MS = 3600 * 1000
_AT_ONCE = 100
_KEPT = 1024
# What an answer says of a body that nobody will take: to send it again would change nothing.
_HOPELESS = frozenset({400, 413, 422})

# Sends a compressed body, and answers the status of what came back.
ToPlatform = Callable[[PlatformTracing, bytes], Awaitable[int]]
ToTenant = Callable[[str, TenantTracing, bytes], Awaitable[int]]

T = TypeVar("T")


class _Unknown(Exception):
    """Nobody can say now whether, and where to, traces are sent. `passing` is whether that may change by itself."""

    def __init__(self, code: str, *, passing: bool) -> None:
        super().__init__(code)
        self.code = code
        self.passing = passing


class _Failed(Exception):
    """It did not arrive. `code` says why; `for_good` that it never will."""

    def __init__(self, code: str, *, for_good: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.for_good = for_good


@dataclass(frozen=True, slots=True)
class Stored:
    """What traces are made of."""

    marks: TracingRepository = field(default_factory=TracingRepository)
    runs: TraceRepository = field(default_factory=TraceRepository)
    agents: AgentRepository = field(default_factory=AgentRepository)
    conversations: ConversationRepository = field(default_factory=ConversationRepository)


@dataclass(slots=True)
class TraceExport:
    """One an execution environment.

    Attributes:
        platform: The platform's own keys, if it has any; may read a secret.
        to_platform, to_tenant: Send a body.
        body: Makes a body of a trace, with content or without.
    """

    platform: Callable[[], PlatformTracing | None]
    to_platform: ToPlatform
    to_tenant: ToTenant
    body: Callable[[RunTrace, bool], bytes]
    stored: Stored = field(default_factory=Stored)
    clock: Clock = now_ms
    metrics: Metrics = field(default_factory=Metrics)
    _known: OrderedDict[str, tuple[int, TenantTracing | None]] = field(default_factory=OrderedDict)
    _rests: dict[tuple[Target, str], int] = field(default_factory=dict)

    async def targets(self, tenant: str, run_id: str) -> tuple[Target, ...]:
        """Where a run's trace is to be sent, by settings that are at most a minute old.

        What cannot be read now is asked again when it is sent: a trace that nobody wants is forgotten then.
        """
        platform, own = await asyncio.gather(
            self._wanted(self._platform(), lambda known: sampled(run_id, known.sample_rate)),
            self._wanted(self._settings(tenant), lambda known: sampled(run_id, known.settings.sample_rate)),
        )
        found: list[Target] = ["platform"] if platform else []
        return (*found, "tenant") if own else tuple(found)

    async def _wanted(self, asking: Awaitable[T | None], samples: Callable[[T], bool]) -> bool:
        try:
            known = await asking
        except _Unknown as unknown:
            return unknown.passing
        return known is not None and samples(known)

    async def send(self, tenant: str, ended: Sequence[FreshTrace]) -> None:
        """Send traces of runs that ended just now. What a server does not take in time is left to the rescue.

        So are, for a minute, the traces after it: an environment that waits for a server answers nobody.
        """
        for fresh in ended:
            try:
                rests = self._resting(tenant)
                if not set(fresh.targets) <= rests:
                    self._rest(tenant, set(await self._first(tenant, fresh, rests) or ()) - rests)
            except Exception:  # whatever it is: the run has ended well, and the mark stays
                logger.exception("a trace was not sent")

    def _resting(self, tenant: str) -> set[Target]:
        now = self.clock()
        return {target for (target, whose), until in self._rests.items() if whose in ("", tenant) and now < until}

    def _rest(self, tenant: str, targets: Collection[Target]) -> None:
        if len(self._rests) > _KEPT:
            self._rests.clear()
        for target in targets:
            self._rests[target, tenant if target == "tenant" else ""] = self.clock() + SEND_AFTER_MS

    async def send_due(self, tenant: str, *, seconds: float) -> int:
        """Send what is due, as far as `seconds` reach; answers how many arrived everywhere.

        Where a server does not take one, the others are not tried there: they wait for their turn, or are given up.
        """
        until, count = time.monotonic() + seconds, 0
        down: set[Target] = set()
        for mark in await asyncio.to_thread(self.stored.marks.due, tenant, now=self.clock(), limit=_AT_ONCE):
            if time.monotonic() + SECONDS > until:
                break
            try:
                left = await self._attempt(tenant, mark, down)
            except StoreError:
                logger.warning("a trace could not be read")
                continue
            down |= set(left or ())
            count += left == ()
        return count

    async def _first(self, tenant: str, fresh: FreshTrace, down: Collection[Target]) -> tuple[Target, ...] | None:
        """Try for the first time. The mark was written as taken, so that nothing has to be written before."""
        trace = fresh.trace
        ended_at = trace.head.finished_at if trace else None
        if trace is not None and ended_at and self._taken(ended_at):
            return await self._deliver(tenant, TraceMark(fresh.run_id, fresh.targets, ended_at, 1, 0), trace, down)
        mark = await asyncio.to_thread(self.stored.marks.mark, tenant, fresh.run_id)
        if mark is None or mark.attempts > 1:
            return None  # the rescue was first
        return await self._attempt(tenant, mark, down, taken=self._taken(mark.ended_at))

    def _taken(self, ended_at: int) -> bool:
        """Whether whoever ended a run then may still make the first attempt: long before the rescue makes another."""
        return self.clock() - ended_at < SEND_AFTER_MS / 2

    async def _attempt(
        self, tenant: str, mark: TraceMark, down: Collection[Target] = (), *, taken: bool = False
    ) -> tuple[Target, ...] | None:
        """Try to send one, not to what is `down`; answers where it did not arrive, None if somebody else is at it."""
        marks = self.stored.marks
        if not taken and not await asyncio.to_thread(marks.take, tenant, mark, until=self._later(mark)):
            return None
        if set(mark.targets) <= set(down):
            return await self._deliver(tenant, mark, None, down)
        trace = await self._trace(tenant, mark)
        if trace is None:
            await asyncio.to_thread(marks.settle, tenant, mark.run_id, ())
            return ()
        return await self._deliver(tenant, mark, trace, down)

    async def _deliver(
        self, tenant: str, mark: TraceMark, trace: RunTrace | None, down: Collection[Target]
    ) -> tuple[Target, ...]:
        """Send it at once to all that are not `down`, for `SECONDS` at most; answers where it did not arrive."""
        tried = [target for target in mark.targets if target not in down]
        arrived = await asyncio.gather(*(self._to(target, trace) for target in tried if trace))
        over = {target for target, done in zip(tried, arrived, strict=trace is not None) if done}
        left = tuple(target for target in mark.targets if target not in over)
        if left and self.clock() - mark.ended_at > GIVEN_UP_MS:
            logger.error("a trace was given up", extra={"trace_of": mark.run_id, "attempts": mark.attempts + 1})
            self.metrics.add(TRACES, len(left), outcome="given_up")
            await asyncio.to_thread(self.stored.marks.settle, tenant, mark.run_id, ())
        elif left != mark.targets:
            await asyncio.to_thread(self.stored.marks.settle, tenant, mark.run_id, left)
        return left

    async def _to(self, target: Target, trace: RunTrace) -> bool:
        """Send it to one place; answers whether that is over."""
        try:
            own = await self._settings(trace.tenant) if target == "tenant" else None
            platform = await self._platform() if target == "platform" else None
        except _Unknown as unknown:
            logger.warning("a trace could not be sent yet", extra={"target": target, "failure": unknown.code})
            return False
        if platform is None and own is None:
            return True  # switched off since
        content = platform.content if platform else bool(own and own.settings.content)
        try:
            body = await asyncio.to_thread(self.body, trace, content)
            async with asyncio.timeout(SECONDS):
                if platform is not None:
                    _check(await self.to_platform(platform, body))
                elif own is not None:
                    _check(await self.to_tenant(trace.tenant, own, body))
        except Exception as error:
            failed = _failure(error)
            logger.warning("a trace did not arrive", extra={"target": target, "failure": failed.code})
            self.metrics.add(TRACES, outcome="refused" if failed.for_good else "failed")
            await self._tell(trace.tenant, own, failed.code)
            return failed.for_good
        self.metrics.add(TRACES, outcome="sent")
        await self._tell(trace.tenant, own, "")
        return True

    async def _trace(self, tenant: str, mark: TraceMark) -> RunTrace | None:
        """A run as it is stored; None where it is gone, or was deleted with its conversation."""
        stored, run_id = self.stored, mark.run_id
        head = await asyncio.to_thread(stored.runs.run, tenant, run_id)
        if head is None or not await asyncio.to_thread(stored.runs.leases, tenant, [head.conversation_id]):
            return None
        steps, version, question = await asyncio.gather(
            asyncio.to_thread(stored.runs.steps, tenant, run_id),
            asyncio.to_thread(stored.agents.version, tenant, head.agent_id, head.version),
            asyncio.to_thread(stored.conversations.question, tenant, head.conversation_id, run_id),
        )
        said = question.message.parts if question else ()
        text = "".join(part.text for part in said if isinstance(part, TextPart))
        name, config = (version.name, version.llm_config) if version else (head.agent_id, None)
        return RunTrace(tenant, head, steps, name, config, text)

    async def _settings(self, tenant: str) -> TenantTracing | None:
        known = self._known.get(tenant)
        if known is not None and self.clock() - known[0] < FRESH_MS:
            return known[1]
        try:
            found = await asyncio.to_thread(self.stored.marks.get, tenant)
        except StoreError:
            logger.warning("a tenant's tracing could not be read")
            if known is None:
                raise _Unknown("store", passing=True) from None
            return known[1]
        self._known[tenant] = (self.clock(), found)
        self._known.move_to_end(tenant)
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return found

    async def _platform(self) -> PlatformTracing | None:
        try:
            return await asyncio.to_thread(self.platform)
        except ConfigurationError as error:
            logger.error("the platform's tracing is set up wrong", extra={"detail": error.detail})
            raise _Unknown("configuration", passing=False) from error
        except Exception as error:  # a secret that cannot be read now must not end a run
            logger.exception("the platform's tracing could not be read")
            raise _Unknown("secret", passing=True) from error

    async def _tell(self, tenant: str, own: TenantTracing | None, failure: str) -> None:
        """Let a tenant see why its traces do not arrive, and when they do again."""
        if own is None or (not failure and not own.failure):
            return
        try:
            await asyncio.to_thread(self.stored.marks.tell, tenant, own.revision, failure, now=self.clock())
        except StoreError:
            logger.warning("a failure of a tenant's tracing was not noted")
        self._known.pop(tenant, None)

    def _later(self, mark: TraceMark) -> int:
        """When the next attempt is due: a minute after the first, then twice as long each time, an hour at most."""
        return self.clock() + int(min(SEND_AFTER_MS * 2**mark.attempts, MOST_LATER_MS))


def _check(status: int) -> None:
    if not 200 <= status < 300:
        raise _Failed(f"http_{status}", for_good=status in _HOPELESS)


def _failure(error: Exception) -> _Failed:
    if isinstance(error, _Failed):
        return error
    if isinstance(error, TimeoutError):
        return _Failed("timeout")
    if isinstance(error, OutboundRefused):
        return _Failed(error.reason)
    if isinstance(error, AgentBuilderError):
        return _Failed(error.error_code)
    logger.info("a trace failed to be sent", exc_info=error)
    return _Failed("unreachable")
