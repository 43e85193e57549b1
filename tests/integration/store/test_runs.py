"""Leases and fences: one runner at a time, an old one writes nothing, and no wake-up is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from agent_builder.errors import FenceLost
from agent_builder.models.conversations import Lease
from agent_builder.repositories.conversations import ConversationRepository
from agent_builder.repositories.runs import DUE_STEP_MS, LEASE_MS
from agent_builder.repositories.table import Item
from tests.integration.store.product import Product, run_end, step


@pytest.fixture
def waiting(product: Product) -> str:
    """A conversation in which two messages wait."""
    agent_id = product.agent()
    conversation = product.say(agent_id, "one").conversation_id
    product.say(agent_id, "two", conversation_id=conversation)
    return conversation


def test_of_many_who_claim_exactly_one_gets_it(product: Product, waiting: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda _: product.runs.claim(product.tenant, waiting, now=product.clock()), range(8)))
    won = [lease for lease in claims if lease]
    assert len(won) == 1
    assert won[0].fence == 1
    assert len(won[0].queue) == 2


def test_a_live_lease_is_respected_and_a_dead_one_taken(product: Product, waiting: str) -> None:
    product.claim(waiting)
    product.clock.ahead = LEASE_MS - 1_000
    assert product.runs.claim(product.tenant, waiting, now=product.clock()) is None
    product.clock.ahead = LEASE_MS + 1
    assert product.claim(waiting).fence == 2


def test_a_heartbeat_renews_and_tells(product: Product, waiting: str) -> None:
    lease = product.claim(waiting)
    product.intake.subscribe(product.me, _agent_of(product, waiting), waiting, "con-1")
    product.intake.cancel(product.me, waiting, lease.queue[1].run_id, lease)
    product.clock.ahead = LEASE_MS - 1_000
    beat = product.runs.heartbeat(product.tenant, waiting, fence=1, now=product.clock())
    assert (beat.subscribers, beat.cancelled) == ({"con-1"}, {lease.queue[1].run_id})
    product.clock.ahead = LEASE_MS + 1_000
    assert product.runs.claim(product.tenant, waiting, now=product.clock()) is None
    gone = frozenset({"con-1"})
    beat = product.runs.heartbeat(product.tenant, waiting, fence=1, now=product.clock(), gone=gone)
    assert beat.subscribers == frozenset()


def _agent_of(product: Product, conversation: str) -> str:
    return product.conversations.get(product.me, conversation).agent_id


def _heartbeat(product: Product, waiting: str, old: Lease) -> object:
    return product.runs.heartbeat(product.tenant, waiting, fence=old.fence, now=product.clock())


def _save_steps(product: Product, waiting: str, old: Lease) -> object:
    run = old.queue[0]
    return product.runs.save_steps(product.tenant, waiting, run.run_id, [step(1)], begun_at=1, fence=old.fence)


def _finish(product: Product, waiting: str, old: Lease) -> object:
    return product.runs.finish(product.tenant, waiting, run_end(old.queue[0]), fence=old.fence, wake=None)


def _finish_and_release(product: Product, waiting: str, old: Lease) -> object:
    return product.runs.finish(product.tenant, waiting, run_end(old.queue[0]), fence=old.fence, wake=old.wake)


def _release(product: Product, waiting: str, old: Lease) -> object:
    assert not product.runs.release(product.tenant, waiting, fence=old.fence, wake=old.wake)
    raise FenceLost


def _abandon(product: Product, waiting: str, old: Lease) -> object:
    product.runs.abandon(product.tenant, waiting, fence=old.fence, now=product.clock())
    raise FenceLost


def _hand_over(product: Product, waiting: str, old: Lease) -> object:
    run_id, now = old.queue[0].run_id, product.clock()
    return product.runs.hand_over(product.tenant, waiting, run_id, fence=old.fence, begun_at=now, now=now)


def _park(product: Product, waiting: str, old: Lease) -> object:
    run_id, now = old.queue[0].run_id, product.clock()
    assert not product.runs.park(
        product.tenant, waiting, run_id, fence=old.fence, wake=old.wake, begun_at=now, now=now, until=now + 60_000
    )
    raise FenceLost


def _drop(product: Product, waiting: str, old: Lease) -> object:
    assert not product.runs.drop(product.tenant, waiting, run_end(old.queue[1]), place=1, fence=old.fence)
    raise FenceLost


WRITES = [_hand_over, _park, _drop, _heartbeat, _save_steps, _finish, _finish_and_release, _release, _abandon]


def _snapshot(product: Product) -> list[str]:
    client = Item._get_connection().connection.client
    pages = client.get_paginator("scan").paginate(TableName=Item.Meta.table_name, ConsistentRead=True)
    return sorted(str(item) for page in pages for item in page["Items"] if product.tenant in item["pk"]["S"])


def _takeover(product: Product, waiting: str) -> None:
    product.clock.ahead = LEASE_MS + 1
    product.claim(waiting)


def _deletion(product: Product, waiting: str) -> None:
    product.conversations.delete(product.me, waiting, expected_revision=None)


def _purge(product: Product, waiting: str) -> None:
    _deletion(product, waiting)
    product.purger.carry_out(product.tenant, waiting, seconds=60)


@pytest.mark.parametrize("lost", [_takeover, _deletion, _purge], ids=["takeover", "deletion", "purge"])
@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.__name__.strip("_"))
def test_an_old_fence_writes_nothing(
    product: Product, waiting: str, write: Callable[..., object], lost: Callable[..., None]
) -> None:
    old = product.claim(waiting)
    lost(product, waiting)
    before = _snapshot(product)
    with pytest.raises(FenceLost):
        write(product, waiting, old)
    assert _snapshot(product) == before


def test_every_write_of_a_runner_was_tried_with_an_old_fence(product: Product) -> None:
    writes = {name for name in dir(product.runs) if not name.startswith("_")} - {"claim", "due", "lease", "steps"}
    tried = {write.__name__.strip("_").removesuffix("_and_release") for write in WRITES}
    assert tried == writes


def test_a_finished_run_leaves_the_queue_and_its_answer_stays(product: Product, waiting: str) -> None:
    lease = product.claim(waiting)
    run = lease.queue[0]
    product.intake.cancel(product.me, waiting, run.run_id, lease)
    assert not product.finish(waiting, lease, run)
    assert [queued.run_id for queued in product.lease(waiting).queue] == [lease.queue[1].run_id]
    assert product.lease(waiting).cancelled == frozenset()
    answer = ConversationRepository().answer(product.tenant, waiting, run.run_id)
    assert answer is not None
    assert (answer.id, answer.message.text, answer.status) == (run.message_id, "Answer", "completed")
    assert answer.cost is not None
    assert answer.cost.amount_nanousd == 7


def test_a_run_is_finished_once(product: Product, waiting: str) -> None:
    lease = product.claim(waiting)
    product.finish(waiting, lease, lease.queue[0])
    with pytest.raises(FenceLost):
        product.finish(waiting, lease, lease.queue[0])


def test_only_the_first_in_the_queue_can_be_finished(product: Product, waiting: str) -> None:
    lease = product.claim(waiting)
    with pytest.raises(FenceLost):
        product.finish(waiting, lease, lease.queue[1])


def test_a_message_between_the_last_look_and_the_release_is_not_lost(product: Product) -> None:
    agent_id = product.agent()
    conversation = product.say(agent_id).conversation_id
    lease = product.claim(conversation)
    product.finish(conversation, lease, lease.queue[0])
    looked = _heartbeat_of(product, conversation, lease)
    assert looked.queue == ()
    product.say(agent_id, "two", conversation_id=conversation)
    assert not product.runs.release(product.tenant, conversation, fence=lease.fence, wake=looked.wake)
    again = _heartbeat_of(product, conversation, lease)
    assert len(again.queue) == 1
    product.finish(conversation, lease, again.queue[0])
    assert product.runs.release(product.tenant, conversation, fence=lease.fence, wake=again.wake)


def _heartbeat_of(product: Product, conversation: str, lease: Lease) -> Lease:
    return product.runs.heartbeat(product.tenant, conversation, fence=lease.fence, now=product.clock())


def test_a_message_before_finish_with_release_keeps_the_conversation(product: Product) -> None:
    agent_id = product.agent()
    conversation = product.say(agent_id).conversation_id
    lease = product.claim(conversation)
    second = product.say(agent_id, "two", conversation_id=conversation)
    assert not product.finish(conversation, lease, lease.queue[0], release=True)
    left = product.lease(conversation)
    assert [run.run_id for run in left.queue] == [second.run_id]
    assert left.lease_until > product.clock()


def test_a_heartbeat_that_the_release_overtook_takes_no_lease(product: Product) -> None:
    agent_id = product.agent()
    conversation = product.say(agent_id).conversation_id
    lease = product.claim(conversation)
    assert product.finish(conversation, lease, lease.queue[0], release=True)
    with pytest.raises(FenceLost):
        _heartbeat_of(product, conversation, lease)
    product.say(agent_id, "two", conversation_id=conversation)
    assert product.claim(conversation).fence == 2


def test_what_is_given_up_can_be_taken_at_once(product: Product, waiting: str) -> None:
    lease = product.claim(waiting)
    product.runs.abandon(product.tenant, waiting, fence=lease.fence, now=product.clock())
    assert product.claim(waiting).fence == 2


def test_nothing_waits_then_nothing_is_claimed(product: Product) -> None:
    conversation = product.say(product.agent()).conversation_id
    lease = product.claim(conversation)
    product.finish(conversation, lease, lease.queue[0], release=True)
    assert product.runs.claim(product.tenant, conversation, now=product.clock()) is None
    assert product.runs.claim(product.tenant, "cnv_unknown", now=product.clock()) is None


def _work(product: Product, conversation: str, last_said: threading.Event) -> None:
    """Answer what waits, as a runner does, until all is said and answered."""
    while True:
        done = last_said.is_set()
        lease = product.runs.claim(product.tenant, conversation, now=product.clock())
        while lease and not _one_turn(product, conversation, lease):
            lease = _heartbeat_of(product, conversation, lease)
        if done and lease is None:
            return


def _one_turn(product: Product, conversation: str, lease: Lease) -> bool:
    """Answer one message or let go; whether the conversation was let go."""
    if lease.queue:
        return product.finish(conversation, lease, lease.queue[0], release=len(lease.queue) == 1)
    return product.runs.release(product.tenant, conversation, fence=lease.fence, wake=lease.wake)


def test_messages_and_answers_under_contention_all_arrive_in_order(product: Product) -> None:
    agent_id = product.agent()
    conversation = product.say(agent_id, "0").conversation_id
    last_said = threading.Event()

    with ThreadPoolExecutor(5) as pool:
        worker = pool.submit(_work, product, conversation, last_said)

        def talk(who: int) -> None:
            for number in range(8):
                product.say(agent_id, f"{who}-{number}", conversation_id=conversation)

        for speaker in [pool.submit(talk, who) for who in range(3)]:
            speaker.result(60)
        last_said.set()
        worker.result(60)
    messages, _ = ConversationRepository().messages(product.tenant, conversation, limit=100)
    assert [m.message.role for m in reversed(messages)] == ["user", "assistant"] * 25
    lease = product.lease(conversation)
    assert (lease.queue, lease.lease_until) == ((), 0)


def test_the_rescue_finds_what_is_overdue_and_nothing_else(product: Product, waiting: str) -> None:
    def mine() -> list[tuple[str, object]]:
        product.bell.rung.clear()
        product.rescue.sweep()
        return [(kind, ids) for kind, ids in product.bell.rung if ids["tenant_id"] == product.tenant]

    ring = ("run", {"tenant_id": product.tenant, "conversation_id": waiting})
    assert mine() == []
    product.clock.ahead = 30_000
    assert mine() == [ring], "nobody came"
    lease = product.claim(waiting)
    assert mine() == [], "somebody is at work"
    product.clock.ahead += LEASE_MS + 1_000 + DUE_STEP_MS
    assert mine() == [ring], "whoever was at work is dead"
    lease = product.claim(waiting)
    for run in lease.queue:
        product.finish(waiting, lease, run)
    product.runs.release(product.tenant, waiting, fence=lease.fence, wake=lease.wake)
    product.clock.ahead += 600_000
    assert mine() == [], "nothing waits"
    agent_id = _agent_of(product, waiting)
    product.agents.delete(product.me, agent_id, expected_revision=None)
    product.clock.ahead += 61_000
    assert mine() == [("purge", {"tenant_id": product.tenant, "target_id": agent_id})]


def test_a_purge_is_no_rescue(product: Product, waiting: str) -> None:
    """The store is everybody's: other tests' runs may be due as well, and are counted with ours."""
    product.agents.delete(product.me, _agent_of(product, waiting), expected_revision=None)
    product.clock.ahead += 600_000
    product.bell.rung.clear()
    rung = product.rescue.sweep()
    runs = [ids for kind, ids in product.bell.rung if kind == "run"]
    assert ("purge", product.tenant) in [(kind, ids["tenant_id"]) for kind, ids in product.bell.rung]
    assert rung > len(runs)
    assert sum(product.counting.values().get(("Rescues",), [])) == len(runs)


def test_a_claim_whose_answer_was_lost_takes_what_it_has_taken(product: Product, waiting: str) -> None:
    client = Item._get_connection().connection.client
    sent: list[dict[str, object]] = []
    client.meta.events.register_first(
        "provide-client-params.dynamodb.UpdateItem", lambda params, **_: sent.append(dict(params)), unique_id="claims"
    )
    try:
        product.claim(waiting)
    finally:
        client.meta.events.unregister("provide-client-params.dynamodb.UpdateItem", unique_id="claims")
    client.update_item(**sent[-1])
    assert product.lease(waiting).fence == 2
    assert product.runs.claim(product.tenant, waiting, now=product.clock()) is None
