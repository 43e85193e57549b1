"""Limits by counts: with twenty workers never more than the limit gets through, and never less than 95 % of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from agent_builder.clock import now_ms
from agent_builder.errors import Conflict, TooManyRequests
from agent_builder.models.identity import Identity
from agent_builder.models.limits import TenantLimits
from agent_builder.repositories import keys
from agent_builder.repositories.limits import GateItem, LimitRepository, LimitsItem
from agent_builder.repositories.table import get_item
from agent_builder.services.limits import CONNECTION_SLOT_MS, MAX_API_KEYS, RUN_SLOT_MS, LimitService
from local.testing import Instance

WORKERS = 20
MINUTE = 60_000


class Still:
    """A clock that stands at the middle of this minute until it is turned.

    Not of one long ago: the store deletes a gate a day after it was passed, by its own clock.
    """

    def __init__(self) -> None:
        self.now = now_ms() // MINUTE * MINUTE + 30_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock(store: Instance) -> Still:
    return Still()


@pytest.fixture
def me() -> Identity:
    return Identity(f"t-{uuid.uuid4().hex[:12]}", "ann")


def service(clock: Still, **limits: int) -> LimitService:
    """A worker of its own, that remembers nothing of the others."""
    return LimitService(LimitRepository(), clock, TenantLimits(**limits))


def together(workers: list[LimitService], attempt: Callable[[LimitService, int], bool], each: int) -> int:
    """All workers at once, each that many times; how many were let through."""
    ready = Barrier(len(workers))

    def work(index: int) -> int:
        ready.wait()
        return sum(attempt(workers[index], index * each + turn) for turn in range(each))

    with ThreadPoolExecutor(len(workers)) as pool:
        return sum(pool.map(work, range(len(workers))))


def say(limits: LimitService, me: Identity, agent: str = "agt_1", slot: str = "") -> bool:
    try:
        with limits.message(me, agent, slot or uuid.uuid4().hex):
            return True
    except TooManyRequests as refusal:
        assert refusal.retryable
        assert refusal.error_code == "rate_limited"
        assert refusal.retry_after
        return False


def test_requests_of_one_caller(clock: Still, me: Identity) -> None:
    workers = [service(clock, requests_per_minute=60) for _ in range(WORKERS)]
    assert together(workers, lambda limits, _: not limits.request(me).refused, 5) == 60


@pytest.mark.parametrize(("tenant", "each", "expected"), [(60, 1_000, 60), (1_000, 15, 60), (50, 15, 50)])
def test_requests_of_a_tenant_through_many_keys(
    clock: Still, me: Identity, tenant: int, each: int, expected: int
) -> None:
    keys_of_it = [Identity(me.tenant, f"key_{number}") for number in range(4)]
    limits = {"tenant_requests_per_minute": tenant, "requests_per_minute": each}
    workers = [service(clock, **limits) for _ in range(WORKERS)]
    passed = together(workers, lambda one, turn: not one.request(keys_of_it[turn % 4]).refused, 8)
    assert passed == expected


@pytest.mark.parametrize(
    "name", ["messages_per_minute", "messages_per_minute_per_subject", "messages_per_minute_per_agent"]
)
def test_messages_in_a_minute(clock: Still, me: Identity, name: str) -> None:
    workers = [service(clock, **{name: 40}) for _ in range(WORKERS)]
    assert together(workers, lambda limits, _: say(limits, me), 4) == 40


def test_runs_at_once(clock: Still, me: Identity) -> None:
    workers = [service(clock, runs_at_once=25) for _ in range(WORKERS)]
    assert together(workers, lambda limits, turn: say(limits, me, slot=f"m{turn}"), 3) == 25


def test_connections_at_once(clock: Still, me: Identity) -> None:
    def connect(limits: LimitService, turn: int) -> bool:
        try:
            limits.connect(me, f"c{turn}")
        except TooManyRequests:
            return False
        return True

    workers = [service(clock, connections_at_once=25) for _ in range(WORKERS)]
    assert together(workers, connect, 3) == 25


@pytest.mark.parametrize(("tenant", "each", "expected"), [(25, 100, 25), (500, 6, 24), (20, 6, 20)])
def test_connections_of_a_tenant_through_many_keys(
    clock: Still, me: Identity, tenant: int, each: int, expected: int
) -> None:
    keys_of_it = [Identity(me.tenant, f"key_{number}") for number in range(4)]
    limits = {"tenant_connections_at_once": tenant, "connections_at_once": each}
    workers = [service(clock, **limits) for _ in range(WORKERS)]
    opened: list[tuple[str, str]] = []

    def connect(one: LimitService, turn: int) -> bool:
        who, connection = keys_of_it[turn % 4], f"c{turn}"
        try:
            one.connect(who, connection)
        except TooManyRequests:
            return False
        opened.append((who.subject, connection))
        return True

    assert together(workers, connect, 4) == expected
    assert len(opened) == expected

    def close(one: LimitService, turn: int) -> bool:
        for subject, connection in opened[turn :: len(workers) * 2]:
            one.disconnect(me.tenant, subject, [connection, "never"])
            one.disconnect(me.tenant, subject, [connection])
        return True

    together(workers, close, 2)
    item = get_item(GateItem, keys.tenant_gate(me.tenant), "CONNECTIONS")
    assert item is not None
    assert (item.slots.as_dict(), item.held.as_dict()) == ({}, {})


def test_handshakes_in_a_minute(clock: Still, me: Identity) -> None:
    limits = service(clock, requests_per_minute=3)
    for turn in range(3):
        limits.connect(me, f"c{turn}")
        limits.disconnect(me.tenant, me.subject, [f"c{turn}"])
    with pytest.raises(TooManyRequests) as refusal:
        limits.connect(me, "one more")
    assert refusal.value.retry_after == 30
    clock.now += MINUTE
    limits.connect(me, "next minute")


def test_a_slot_that_was_taken_but_not_confirmed_counts_once(clock: Still, me: Identity) -> None:
    limits = service(clock, connections_at_once=2)
    for _ in range(3):
        limits.connect(me, "same")
    limits.connect(me, "other")
    limits.disconnect(me.tenant, me.subject, ["same", "other"])
    item = get_item(GateItem, keys.tenant_gate(me.tenant), "CONNECTIONS")
    assert item is not None
    assert (item.slots.as_dict(), item.held.as_dict()) == ({}, {})


def test_api_keys_of_a_tenant(clock: Still, me: Identity) -> None:
    def make(limits: LimitService, turn: int) -> bool:
        try:
            limits.api_key(me.tenant, f"key_{turn}", None if turn else clock.now // 1000 + 60)
        except Conflict:
            return False
        return True

    workers = [service(clock) for _ in range(WORKERS)]
    assert make(workers[0], 0)
    assert together(workers[1:], lambda limits, turn: make(limits, turn + 1), 7) == MAX_API_KEYS - 1
    clock.now += 2 * MINUTE
    assert make(workers[0], 1_000), "one has expired"
    assert not make(workers[0], 1_001)
    workers[0].end_api_key(me.tenant, "key_1000")
    assert make(workers[1], 1_002)


def test_who_is_over_the_limit_costs_no_call_until_the_minute_turns(clock: Still, me: Identity) -> None:
    limits = service(clock, requests_per_minute=2)
    for _ in range(3):
        limits.request(me)
    calls: list[str] = []

    def record(event_name: str = "", **_: object) -> None:
        calls.append(event_name)

    clients = [kind._get_connection().connection.client for kind in (GateItem, LimitsItem)]
    for client in clients:
        client.meta.events.register("before-call.dynamodb", record, unique_id="limits")
    try:
        assert all(limits.request(me).refused for _ in range(1_000))
        assert calls == []
        clock.now += 30_000
        assert not limits.request(me).refused
        assert len(calls) == 2  # the tenant's limits after ten seconds, and the gate
    finally:
        for client in clients:
            client.meta.events.unregister("before-call.dynamodb", record, unique_id="limits")


def test_across_the_turn_of_a_minute(clock: Still, me: Identity) -> None:
    workers = [service(clock, messages_per_minute=30) for _ in range(WORKERS)]
    assert together(workers, lambda limits, _: say(limits, me), 3) == 30
    clock.now += MINUTE
    assert together(workers, lambda limits, _: say(limits, me), 3) == 30


def test_a_standing_counts_down_and_says_when_it_is_whole_again(clock: Still, me: Identity) -> None:
    limits = service(clock, requests_per_minute=2)
    standings = [limits.request(me) for _ in range(3)]
    assert [standing.first for standing in standings] == [True, False, False]
    assert [(standing.remaining, standing.refused) for standing in standings] == [(1, False), (0, False), (0, True)]
    assert {standing.reset for standing in standings} == {30}
    clock.now += 30_000
    assert limits.request(me).remaining == 1


def test_one_callers_limit_is_not_anothers(clock: Still, me: Identity) -> None:
    limits = service(clock, requests_per_minute=1, messages_per_minute_per_subject=1, messages_per_minute_per_agent=2)
    bob, stranger = Identity(me.tenant, "bob"), Identity(f"{me.tenant}-2", "ann")
    for who in (me, bob, stranger):
        assert not limits.request(who).refused
        assert limits.request(who).refused
    assert say(limits, me)
    assert not say(limits, me)
    assert say(limits, bob)
    assert not say(limits, Identity(me.tenant, "eve"))
    assert say(limits, Identity(me.tenant, "eve"), "agt_2")
    assert say(limits, stranger)


def test_a_place_is_given_back(clock: Still, me: Identity) -> None:
    limits = service(clock, runs_at_once=1, connections_at_once=1)
    assert say(limits, me, slot="one")
    assert not say(limits, me, slot="two")
    limits.end_runs(me.tenant, ["one"])
    assert say(limits, me, slot="two")
    limits.connect(me, "one")
    limits.disconnect(me.tenant, me.subject, ["one", "never"])
    limits.connect(me, "two")
    with pytest.raises(TooManyRequests):
        limits.connect(me, "three")


def test_a_place_is_given_back_when_the_message_is_not_stored(clock: Still, me: Identity) -> None:
    limits = service(clock, runs_at_once=1)
    with pytest.raises(RuntimeError), limits.message(me, "agt_1", "one"):
        raise RuntimeError("not stored")
    assert say(limits, me)


def test_places_of_the_dead_free_themselves(clock: Still, me: Identity) -> None:
    limits = service(clock, runs_at_once=2, connections_at_once=1)
    assert say(limits, me)
    assert say(limits, me)
    limits.connect(me, "dead")
    clock.now += RUN_SLOT_MS + 1
    assert say(limits, me)
    assert say(limits, me)
    assert not say(limits, me)
    clock.now += CONNECTION_SLOT_MS
    limits.connect(me, "alive")
    with pytest.raises(TooManyRequests):
        limits.connect(me, "one more")


def test_a_clock_that_is_behind_counts_in_the_later_minute(clock: Still, me: Identity) -> None:
    late = Still()
    late.now -= MINUTE
    one, other = service(clock, messages_per_minute=2), service(late, messages_per_minute=2)
    assert say(one, me)
    assert say(other, me)
    assert not say(other, me)
    assert not say(one, me)


def test_a_tenants_own_limits_are_in_force_within_ten_seconds(clock: Still, me: Identity) -> None:
    one, other = service(clock), service(clock)
    assert not other.request(me).refused
    assert one.change(me.tenant, {"requests_per_minute": 10, "runs_at_once": 7}).requests_per_minute == 10
    assert one.request(me).limit == 10
    clock.now += 10_001
    assert other.request(me).limit == 10
    assert one.change(me.tenant, {"requests_per_minute": None}) == TenantLimits(runs_at_once=7)


def test_a_limit_of_nothing_lets_nothing_through(clock: Still, me: Identity) -> None:
    limits = service(clock, messages_per_minute=0)
    assert not say(service(clock, runs_at_once=0), me)
    assert not say(limits, me)
    clock.now += MINUTE
    assert not say(limits, me)


def test_a_gate_forgets_itself(clock: Still, me: Identity) -> None:
    service(clock).request(me)
    item = get_item(GateItem, keys.tenant_gate(me.tenant), "REQUESTS")
    assert item is not None
    assert item.expires_at == clock.now // 1000 + 24 * 3600
