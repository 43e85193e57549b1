"""Accepting messages: one transaction, once per client message id, in order, and only for an agent that is there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from agent_builder.errors import AgentBuilderError, Conflict, IdempotencyMismatch, NotFound, TooManyRequests
from agent_builder.ids import made_at, new_id
from agent_builder.models.identity import Identity
from agent_builder.models.traces import RunFilter
from agent_builder.repositories.conversations import ConversationRepository
from agent_builder.repositories.intake import MAX_QUEUED
from agent_builder.repositories.traces import TraceRepository
from agent_builder.services.intake import Accepted, UserMessage
from tests.integration.store.product import Clock, Product, everything


def stored(product: Product, conversation_id: str) -> list[tuple[str, str]]:
    messages, _ = ConversationRepository().messages(product.tenant, conversation_id, limit=100)
    return [(message.run_id, message.message.text) for message in reversed(messages)]


def test_a_first_message_begins_a_conversation(product: Product) -> None:
    agent_id = product.agent()
    accepted = product.say(agent_id, "  What is\n the time? " + "x" * 200, connection_id="con-1")
    assert accepted.conversation_is_new
    assert not accepted.queued
    conversation = product.conversations.get(product.me, accepted.conversation_id)
    assert conversation.agent_id == agent_id
    assert conversation.created_by == "ann"
    assert conversation.title.startswith("What is the time? xxx")
    assert conversation.title.endswith("…")
    assert len(conversation.title) == 80
    lease = product.lease(accepted.conversation_id)
    assert [run.run_id for run in lease.queue] == [accepted.run_id]
    assert (lease.fence, lease.wake, lease.subscribers) == (0, 1, {"con-1"})


def test_the_next_message_waits_behind_the_first(product: Product) -> None:
    agent_id = product.agent()
    first = product.say(agent_id, "one")
    second = product.say(agent_id, "two", conversation_id=first.conversation_id, connection_id="con-2")
    assert second.queued
    assert not second.conversation_is_new
    assert stored(product, first.conversation_id) == [(first.run_id, "one"), (second.run_id, "two")]
    assert product.lease(first.conversation_id).subscribers == {"con-2"}


def test_a_message_after_the_answer_is_not_queued(product: Product) -> None:
    agent_id = product.agent()
    first = product.say(agent_id)
    lease = product.claim(first.conversation_id)
    assert product.finish(first.conversation_id, lease, lease.queue[0], release=True)
    second = product.say(agent_id, "two", conversation_id=first.conversation_id)
    assert not second.queued
    assert product.claim(first.conversation_id).fence == lease.fence + 1


def test_a_resend_gets_the_same_ids(product: Product) -> None:
    agent_id = product.agent()
    first = product.say(agent_id, "one", client_message_id="m")
    again = product.say(agent_id, "one", client_message_id="m")
    elsewhere = product.say(agent_id, "one", client_message_id="m", conversation_id=first.conversation_id)
    assert again.repeated
    for repeat in (again, elsewhere):
        assert (repeat.conversation_id, repeat.run_id, repeat.message_id) == (
            first.conversation_id,
            first.run_id,
            first.message_id,
        )
    assert stored(product, first.conversation_id) == [(first.run_id, "one")]


def test_the_same_id_with_other_content_is_refused(product: Product) -> None:
    agent_id = product.agent()
    first = product.say(agent_id, "one", client_message_id="m")
    with pytest.raises(IdempotencyMismatch):
        product.say(agent_id, "two", client_message_id="m")
    assert stored(product, first.conversation_id) == [(first.run_id, "one")]


def test_a_client_message_id_is_a_subjects_and_an_agents_own(product: Product) -> None:
    agent_id, other_agent = product.agent(), product.agent()
    first = product.say(agent_id, "one", client_message_id="m")
    other = product.say(other_agent, "two", client_message_id="m")
    bob = product.intake.accept(Identity(product.tenant, "bob"), agent_id, UserMessage("three", client_message_id="m"))
    assert len({first.run_id, other.run_id, bob.run_id}) == 3


def test_a_client_message_id_is_free_again_after_a_week(product: Product) -> None:
    agent_id = product.agent()
    first = product.say(agent_id, "one", client_message_id="m")
    product.clock.ahead = 8 * 24 * 3600 * 1000
    assert product.say(agent_id, "two", client_message_id="m").run_id != first.run_id


def test_many_resends_at_once_are_one_message(product: Product) -> None:
    agent_id = product.agent()
    product.say(agent_id, "warm the cache")
    results = _at_once(10, lambda _: product.say(agent_id, "one", client_message_id="m"))
    assert len({result.run_id for result in results}) == 1
    assert stored(product, results[0].conversation_id) == [(results[0].run_id, "one")]


@pytest.mark.parametrize("case", ["unknown", "malformed", "foreign", "deleted", "inactive"])
def test_an_agent_that_cannot_be_talked_to(product: Product, case: str) -> None:
    agent_id = product.agent()
    conversation = product.say(agent_id).conversation_id
    if case == "deleted":
        product.agents.delete(product.me, agent_id, expected_revision=None)
    elif case == "inactive":
        product.agents.patch(product.me, agent_id, {"status": "inactive"}, expected_revision=None)
    asked = {"unknown": new_id("agt"), "malformed": "agt_x", "foreign": Product().agent()}.get(case, agent_id)
    before = everything(product.tenant)
    for conversation_id in (None, conversation):
        for intake in (product.intake, product.new_intake()):
            with pytest.raises(Conflict if case == "inactive" else NotFound) as refusal:
                intake.accept(product.me, asked, UserMessage("x", conversation_id))
            assert refusal.value.error_code == ("agent_inactive" if case == "inactive" else "agent_not_found")
    assert everything(product.tenant) == before


def test_a_version_that_changed_between_cache_and_accept_is_noticed(product: Product) -> None:
    agent_id = product.agent()
    first = product.say(agent_id)
    product.agents.patch(product.me, agent_id, {"name": "New"}, expected_revision=None)
    second = product.say(agent_id, conversation_id=first.conversation_id)
    versions = [run.version for run in product.lease(first.conversation_id).queue]
    assert versions == [1, 2]
    assert second.queued


@pytest.mark.parametrize("conversation", ["cnv_x", new_id("cnv"), "", "x" * 64, "agt_01M82K8EMXT7G14V9AF00XZ8T2"])
def test_a_conversation_that_is_not_there(product: Product, conversation: str) -> None:
    agent_id = product.agent()
    with pytest.raises(NotFound) as refusal:
        product.say(agent_id, conversation_id=conversation)
    assert refusal.value.error_code == "conversation_not_found"


def test_the_conversation_of_another_agent_or_tenant_is_not_there(product: Product) -> None:
    agent_id, other = product.agent(), product.agent()
    conversation = product.say(agent_id).conversation_id
    stranger = Product()
    for act in (
        lambda: product.say(other, conversation_id=conversation),
        lambda: stranger.say(stranger.agent(), conversation_id=conversation),
        lambda: product.intake.subscribe(product.me, other, conversation, "con"),
        lambda: stranger.intake.subscribe(stranger.me, agent_id, conversation, "con"),
    ):
        with pytest.raises(NotFound):
            act()
    lease = product.lease(conversation)
    assert (len(lease.queue), lease.subscribers, lease.wake) == (1, frozenset(), 1)


def test_a_deleted_conversation_takes_nothing_more(product: Product) -> None:
    agent_id = product.agent()
    conversation = product.say(agent_id).conversation_id
    lease = product.lease(conversation)
    product.conversations.delete(product.me, conversation, expected_revision=None)
    for act in (
        lambda: product.say(agent_id, conversation_id=conversation),
        lambda: product.intake.subscribe(product.me, agent_id, conversation, "con"),
        lambda: product.intake.cancel(product.me, conversation, None, lease),
    ):
        with pytest.raises(AgentBuilderError):
            act()


def test_a_full_queue_says_so_and_stores_nothing(product: Product) -> None:
    agent_id = product.agent()
    first = product.say(agent_id)
    for n in range(MAX_QUEUED - 1):
        product.say(agent_id, str(n), conversation_id=first.conversation_id)
    with pytest.raises(TooManyRequests) as refusal:
        product.say(agent_id, "too much", conversation_id=first.conversation_id, client_message_id="m")
    assert refusal.value.error_code == "queue_full"
    assert refusal.value.retryable
    assert len(stored(product, first.conversation_id)) == MAX_QUEUED
    lease = product.claim(first.conversation_id)
    product.finish(first.conversation_id, lease, lease.queue[0])
    assert product.say(agent_id, "now", conversation_id=first.conversation_id, client_message_id="m").queued


def _at_once(count: int, act: Any) -> list[Accepted]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(act, range(count)))


def test_twenty_at_once_all_get_in_and_stand_in_one_order(product: Product) -> None:
    agent_id = product.agent()
    first = product.say(agent_id, "first")
    environments = [product.new_intake() for _ in range(MAX_QUEUED - 1)]

    def say(number: int) -> Accepted:
        said = UserMessage(str(number), first.conversation_id)
        return environments[number].accept(product.me, agent_id, said)

    accepted = _at_once(MAX_QUEUED - 1, say)
    queue = [run.run_id for run in product.lease(first.conversation_id).queue]
    assert sorted(queue) == queue
    assert set(queue) == {first.run_id, *(one.run_id for one in accepted)}
    assert [run_id for run_id, _ in stored(product, first.conversation_id)] == queue
    assert product.lease(first.conversation_id).wake == MAX_QUEUED


def test_a_clock_that_lags_does_not_change_the_order(product: Product) -> None:
    agent_id = product.agent()
    first = product.say(agent_id, "one")
    lagging = product.new_intake(Clock(-3_600_000))
    said = UserMessage("two", conversation_id=first.conversation_id)
    second = lagging.accept(product.me, agent_id, said)
    assert second.run_id > first.run_id
    assert lagging.accept(product.me, agent_id, UserMessage("Hello")).run_id < first.run_id


def test_a_run_is_accepted_when_its_id_says(product: Product) -> None:
    """Runs are shown with the one and found by the other."""
    agent_id = product.agent()
    runs = [product.say(agent_id)]
    product.clock.ahead = 5_000
    for clock in (product.clock, Clock(-3_600_000), Clock(7_000)):
        said = UserMessage("Go on", conversation_id=runs[0].conversation_id)
        runs.append(product.new_intake(clock).accept(product.me, agent_id, said))
    assert sorted(run.run_id for run in runs) == [run.run_id for run in runs]
    for run in runs:
        head = TraceRepository().run(product.tenant, run.run_id)
        assert head is not None
        wanted = RunFilter(since=head.created_at, until=head.created_at + 1)
        found, _ = TraceRepository().of_agent(product.tenant, agent_id, wanted, limit=9, before=None)
        assert run.run_id in [one.id for one in found]
        assert {made_at(one.id) for one in found} == {head.created_at}


def test_cancel_names_what_waits(product: Product) -> None:
    agent_id = product.agent()
    first = product.say(agent_id, "one")
    second = product.say(agent_id, "two", conversation_id=first.conversation_id)
    lease = product.lease(first.conversation_id)
    assert product.intake.cancel(product.me, first.conversation_id, second.run_id, lease) == [second.run_id]
    assert product.lease(first.conversation_id).cancelled == {second.run_id}
    assert product.intake.cancel(product.me, first.conversation_id, None, lease) == [first.run_id, second.run_id]
    with pytest.raises(Conflict) as refusal:
        product.intake.cancel(product.me, first.conversation_id, new_id("run"), lease)
    assert refusal.value.error_code == "nothing_to_cancel"


def test_a_greeting_falls_to_exactly_one(product: Product) -> None:
    product.intake.connect(Identity(product.tenant, "ann", "agt_1"), "con-1")
    assert product.bell.rung[-1][0] == "greet"
    claims = _at_once(8, lambda _: product.intake.claim_greeting(product.tenant, "con-1"))
    assert sorted(claims) == [False] * 7 + [True]
    product.intake.disconnect(product.me, "con-1")
    assert not product.intake.claim_greeting(product.tenant, "con-1")
    assert everything(product.tenant) == []
