"""Traces over the real store, to servers that refuse, hang and come back: nothing is lost that can still arrive."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from agent_builder.clock import now_ms
from agent_builder.errors import ConfigurationError, StoreError
from agent_builder.metrics import Metrics
from agent_builder.models.conversations import Lease
from agent_builder.models.tracing import (
    FreshTrace,
    PlatformTracing,
    RunTrace,
    Target,
    TenantTracing,
    TracingSettings,
)
from agent_builder.repositories.traces import TraceRepository
from agent_builder.repositories.tracing import TracingRepository
from agent_builder.services.trace_export import GIVEN_UP_MS, MOST_LATER_MS, Stored, TraceExport
from tests.counting import Counting
from tests.integration.store.product import Product, run_end
from tests.integration.store.scene import CONNECTION, Scene, until

BOTH: tuple[Target, ...] = ("platform", "tenant")
MINUTE = 60_000


@dataclass
class Own:
    """The share of its runs that the tenant sends, if any; it may be unreadable."""

    rate: float | None = 1.0
    broken: bool = False


@dataclass(frozen=True)
class Marks(TracingRepository):
    """The real marks, and settings of our own."""

    own: Own = field(default_factory=Own)

    def get(self, tenant: str) -> TenantTracing | None:
        if self.own.broken:
            raise StoreError("No.")
        if self.own.rate is None:
            return None
        settings = TracingSettings(base_url="https://x", credential_id="crd_1", sample_rate=self.own.rate)
        return TenantTracing(settings, 1, 0)


@dataclass
class Servers:
    """Both of them: what came, and what each answers; `None` is silence."""

    status: dict[Target, int | None] = field(default_factory=lambda: dict.fromkeys(BOTH, 200))
    asked: list[tuple[Target, str]] = field(default_factory=list)
    arrived: list[tuple[Target, str]] = field(default_factory=list)

    async def take(self, target: Target, body: bytes) -> int:
        self.asked.append((target, body.decode()))
        status = self.status[target]
        if status is None:
            await asyncio.Event().wait()
            raise AssertionError("it is silent")
        if status == 200:
            self.arrived.append((target, body.decode()))
        return status


@dataclass
class World:
    """One tenant whose runs are traced, with a clock that stands still unless it is turned.

    `remembers` is whether those who end runs still know their traces; else they are read from the store.
    """

    product: Product
    remembers: bool = True
    now: int = field(default_factory=now_ms)
    marks: Marks = field(default_factory=Marks)
    servers: Servers = field(default_factory=Servers)
    counting: Counting = field(default_factory=Counting)
    platform: Callable[[], PlatformTracing | None] = lambda: PlatformTracing("https://y", "pk", "sk")

    def export(self) -> TraceExport:
        """Of an execution environment that remembers nothing."""

        async def to_platform(platform: PlatformTracing, body: bytes) -> int:
            return await self.servers.take("platform", body)

        async def to_tenant(tenant: str, own: TenantTracing, body: bytes) -> int:
            return await self.servers.take("tenant", body)

        def body(trace: RunTrace, content: bool) -> bytes:
            assert not content
            return trace.head.id.encode()

        metrics: Metrics = self.counting.metrics
        stored = Stored(marks=self.marks)
        return TraceExport(self.platform, to_platform, to_tenant, body, stored, lambda: self.now, metrics)

    def ended(self, *targets: Target) -> str:
        """A run that is over and whose trace is to be sent there."""
        accepted = self.product.say(self.product.agent())
        lease = self.product.claim(accepted.conversation_id)
        end = replace(run_end(lease.queue[0]), traced=targets, now=self.now)
        self.product.runs.finish(self.product.tenant, accepted.conversation_id, end, fence=lease.fence, wake=lease.wake)
        return accepted.run_id

    def fresh(self, run_id: str) -> FreshTrace:
        """A run as whoever ended it hands it on."""
        head = TraceRepository().run(self.product.tenant, run_id)
        assert head is not None
        trace = RunTrace(self.product.tenant, head, [], "Test") if self.remembers else None
        return FreshTrace(run_id, self.left(run_id), trace)

    def send(self, *run_ids: str, by: TraceExport | None = None) -> None:
        """What a runner does when everybody has their answer."""
        export = by or self.export()
        asyncio.run(export.send(self.product.tenant, [self.fresh(run_id) for run_id in run_ids]))

    def sweep(self) -> int:
        """What the rescue does."""
        return asyncio.run(self.export().send_due(self.product.tenant, seconds=60))

    def left(self, run_id: str) -> tuple[Target, ...]:
        mark = self.marks.mark(self.product.tenant, run_id)
        return mark.targets if mark else ()


@pytest.fixture
def world(product: Product) -> World:
    return World(product)


@pytest.fixture(params=[True, False], ids=["from memory", "from the store"])
def either(product: Product, request: pytest.FixtureRequest) -> World:
    return World(product, remembers=request.param)


def test_what_is_refused_is_tried_less_and_less_often_and_given_up_after_a_day(either: World) -> None:
    either.servers.status["platform"] = 503
    run_id, begun, waits = either.ended("platform"), either.now, []
    either.send(run_id)
    while mark := either.marks.mark(either.product.tenant, run_id):
        waits.append(mark.due_at - either.now)
        either.now = mark.due_at - 1
        assert either.sweep() == 0
        assert len(either.servers.asked) == len(waits), "it is not due yet"
        either.now = mark.due_at
        either.sweep()
    doubling = [MINUTE * 2**n for n in range(6)]
    assert waits == doubling + [MOST_LATER_MS] * (len(waits) - 6)
    assert GIVEN_UP_MS < either.now - begun <= GIVEN_UP_MS + MOST_LATER_MS
    assert either.servers.asked == [("platform", run_id)] * (len(waits) + 1)
    assert either.counting.values()["Traces", "given_up"] == [1]


def test_it_arrives_on_the_last_attempt_as_well(world: World) -> None:
    run_id = world.ended("platform")
    world.now += GIVEN_UP_MS + MOST_LATER_MS
    assert (world.sweep(), world.left(run_id), world.servers.arrived) == (1, (), [("platform", run_id)])


@pytest.mark.parametrize("status", [503, None])
def test_those_that_wait_behind_a_dead_server_are_given_up_too(world: World, status: int | None) -> None:
    """Else they would be more each day: only one of them is tried each time."""
    world.servers.status["platform"] = status
    runs = [world.ended("platform") for _ in range(4)]
    world.now += GIVEN_UP_MS + 1
    assert world.sweep() == 0
    assert [world.left(run_id) for run_id in runs] == [()] * 4
    assert len(world.servers.asked) == 1


def test_what_one_server_takes_is_not_sent_there_again(either: World) -> None:
    either.servers.status["tenant"] = 401
    run_id = either.ended(*BOTH)
    either.send(run_id)
    assert either.left(run_id) == ("tenant",)
    either.servers.status["tenant"] = 200
    either.now += MINUTE
    assert (either.sweep(), either.left(run_id)) == (1, ())
    assert Counter(either.servers.asked) == {("platform", run_id): 1, ("tenant", run_id): 2}
    assert sorted(either.servers.arrived) == [("platform", run_id), ("tenant", run_id)]


@pytest.mark.parametrize(("dead", "alive"), [BOTH, BOTH[::-1]])
def test_a_dead_server_is_asked_once_a_sweep_and_holds_the_other_up_no_more(
    world: World, dead: Target, alive: Target
) -> None:
    runs = [world.ended(*BOTH) for _ in range(4)]
    world.servers.status[dead] = None
    world.now += MINUTE
    assert world.sweep() == 0
    assert [target for target, _ in world.servers.asked].count(dead) == 1
    assert sorted(world.servers.arrived) == sorted((alive, run_id) for run_id in runs)
    assert [world.left(run_id) for run_id in runs] == [(dead,)] * 4
    world.servers.status[dead] = 200
    world.now += 2 * MINUTE
    assert world.sweep() == 4
    assert Counter(world.servers.arrived) == Counter((target, run_id) for run_id in runs for target in BOTH)


def test_an_environment_waits_for_a_dead_server_once_a_minute(either: World) -> None:
    """Who waits for it answers nobody meanwhile."""
    export = either.export()
    either.servers.status["tenant"] = None
    runs = [either.ended(*BOTH) for _ in range(4)]
    for run_id in runs[:3]:
        either.send(run_id, by=export)
    assert Counter(target for target, _ in either.servers.asked) == {"platform": 3, "tenant": 1}
    assert [either.left(run_id) for run_id in runs] == [("tenant",)] * 3 + [BOTH]
    either.servers.status["tenant"] = 200
    either.now += MINUTE
    either.send(*runs[3:], by=export)
    assert either.left(runs[3]) == ()
    either.now += MINUTE
    either.sweep()
    assert Counter(either.servers.arrived) == Counter((target, run_id) for run_id in runs for target in BOTH)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_nobody_will_ever_take_is_not_sent_again(either: World, status: int) -> None:
    either.servers.status = {"platform": status, "tenant": 503}
    run_id = either.ended(*BOTH)
    either.send(run_id)
    assert either.left(run_id) == ("tenant",)
    assert either.counting.values()["Traces", "refused"] == [1]


def test_where_nobody_can_say_whether_it_is_wanted_it_waits(either: World) -> None:
    """Keys that cannot be read now are no keys that were taken away."""

    def unreadable() -> PlatformTracing | None:
        raise OSError("no secret now")

    keys, either.platform, either.marks.own.broken = either.platform, unreadable, True
    run_id = either.ended(*asyncio.run(either.export().targets(either.product.tenant, "run_1")))
    assert either.left(run_id) == BOTH
    either.send(run_id)
    assert (either.left(run_id), either.servers.asked) == (BOTH, [])
    either.platform, either.marks.own.broken = keys, False
    either.now += 2 * MINUTE
    assert either.sweep() == 1
    assert sorted(either.servers.arrived) == [("platform", run_id), ("tenant", run_id)]


def test_what_is_set_up_wrong_marks_nothing_and_keeps_what_is_marked(world: World) -> None:
    def wrong() -> PlatformTracing | None:
        raise ConfigurationError("No rate.")

    world.marks.own.rate, world.platform = None, wrong
    assert asyncio.run(world.export().targets(world.product.tenant, "run_1")) == ()
    run_id = world.ended("platform")
    world.now += MINUTE
    assert (world.sweep(), world.left(run_id)) == (0, ("platform",))


def test_what_was_switched_off_is_forgotten(world: World) -> None:
    run_id = world.ended(*BOTH)
    world.marks.own.rate, world.platform = None, lambda: None
    world.now += MINUTE
    assert (world.sweep(), world.left(run_id), world.servers.asked) == (1, (), [])


def test_several_at_once_send_each_trace_once(world: World) -> None:
    runs = [world.ended("platform") for _ in range(5)]
    world.now += MINUTE

    async def race() -> list[int]:
        exports = [world.export() for _ in range(3)]
        return await asyncio.gather(*(export.send_due(world.product.tenant, seconds=60) for export in exports))

    assert sum(asyncio.run(race())) == 5
    assert Counter(world.servers.asked) == {("platform", run_id): 1 for run_id in runs}


@pytest.mark.parametrize("late", [MINUTE, MINUTE // 2])
def test_whoever_ended_runs_and_comes_late_races_the_rescue_for_each_trace(either: World, late: int) -> None:
    """Other runs came before, for longer than the first attempt was theirs."""
    runs = [either.ended("platform") for _ in range(5)]
    either.now += late

    async def race() -> None:
        tenant, ended = either.product.tenant, [either.fresh(run_id) for run_id in runs]
        sweeps = (either.export().send_due(tenant, seconds=60) for _ in range(2))
        await asyncio.gather(*sweeps, *(either.export().send(tenant, part) for part in (ended[:2], ended[2:])))

    asyncio.run(race())
    assert Counter(either.servers.asked) == {("platform", run_id): 1 for run_id in runs}
    assert [either.left(run_id) for run_id in runs] == [()] * 5


def test_the_first_attempt_begins_without_a_write(either: World) -> None:
    """The mark was written as taken: it is due when the rescue may have it, and counts as tried."""
    either.servers.status["platform"] = 503
    run_id = either.ended("platform")
    before = either.marks.mark(either.product.tenant, run_id)
    assert before is not None
    assert (before.attempts, before.due_at) == (1, either.now + MINUTE)
    either.send(run_id)
    assert either.marks.mark(either.product.tenant, run_id) == before
    assert len(either.servers.asked) == 1


@pytest.mark.parametrize(("rate", "least", "most"), [(0.0, 0, 0), (0.3, 270, 330), (1.0, 1_000, 1_000)])
def test_the_same_share_of_runs_is_sent_whoever_asks(world: World, rate: float, least: int, most: int) -> None:
    world.platform, world.marks.own.rate = lambda: PlatformTracing("https://y", "pk", "sk", rate), rate
    ids = [f"run_{number:04d}" for number in range(1_000)]

    async def wanted(export: TraceExport) -> list[tuple[Target, ...]]:
        return [await export.targets(world.product.tenant, run_id) for run_id in ids]

    found = asyncio.run(wanted(world.export()))
    assert found == asyncio.run(wanted(world.export())), "another environment decides alike"
    assert set(found) <= {(), BOTH}
    assert least <= len([one for one in found if one]) <= most


async def test_whoever_waits_for_a_trace_server_has_answered_and_let_go_before(scene: Scene) -> None:
    """It hangs for ever here; the next message is answered by somebody else meanwhile."""
    product, hangs = scene.product, asyncio.Event()
    seen: list[tuple[int, Lease]] = []

    async def traced(tenant: str, run_id: str) -> tuple[Target, ...]:
        return BOTH

    async def send(tenant: str, ended: Sequence[FreshTrace]) -> None:
        seen.append((len(scene.tab.of("message_complete")), product.lease(scene.conversation)))
        assert [(product_marks(product, fresh.run_id), fresh.targets) for fresh in ended] == [(BOTH, BOTH)]
        await hangs.wait()

    scene.model.rounds = 1
    runner = replace(scene.runner(), traced=traced, send_traces=send)
    first = asyncio.create_task(runner.work(product.tenant, scene.conversation, seconds=600))
    await until(lambda: seen)
    product.say(scene.agent, "more", conversation_id=scene.conversation, connection_id=CONNECTION)
    second = replace(scene.runner(), traced=traced, send_traces=send)
    other = asyncio.create_task(second.work(product.tenant, scene.conversation, seconds=600))
    await until(lambda: len(seen) == 2)
    assert [count for count, _ in seen] == [1, 2], "each was answered before its trace was sent"
    assert all(lease.lease_until <= product.clock() and not lease.queue for _, lease in seen)
    assert not first.done()
    hangs.set()
    await asyncio.gather(first, other)


async def test_settings_that_are_slow_hold_up_no_delta(scene: Scene) -> None:
    """They are found out beside the answer: all of it but its end is told while they are read."""
    known = asyncio.Event()

    async def traced(tenant: str, run_id: str) -> tuple[Target, ...]:
        await known.wait()
        return ()

    scene.model.rounds = 1
    runner = replace(scene.runner(), traced=traced)
    work = asyncio.create_task(runner.work(scene.product.tenant, scene.conversation, seconds=600))
    await until(lambda: scene.tab.of("content_delta"))
    assert not scene.tab.of("message_complete")
    known.set()
    await work
    assert scene.tab.of("message_complete")


def product_marks(product: Product, run_id: str) -> tuple[Target, ...]:
    mark = TracingRepository().mark(product.tenant, run_id)
    return mark.targets if mark else ()
