"""Deletions: nothing that belonged to an agent or a conversation is left, whatever interrupts them."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from agent_builder.errors import FenceLost, NotFound
from agent_builder.repositories import keys
from agent_builder.repositories.conversations import ConversationRepository, MessageItem
from agent_builder.repositories.purges import PurgeRepository
from agent_builder.repositories.table import Item
from agent_builder.repositories.uses import UseRepository
from agent_builder.services.purging import Purger
from tests.integration.store.parts import adding, credential, http, tool_ids, used_by, without
from tests.integration.store.product import Product, everything, run_end, step


def filled(product: Product, conversations: int = 3) -> str:
    """An agent with everything that can belong to one."""
    view = product.agents.create(product.me, product.wanted(), idempotency_key=uuid.uuid4().hex)
    agent_id = str(view["id"])
    product.agents.patch(product.me, agent_id, {"name": "New"}, expected_revision=None)
    product.parts.change(product.me, agent_id, adding(http("kept"), http("dropped"), ids=(ids := tool_ids(2))))
    product.parts.change(product.me, agent_id, without(ids[1]))
    for n in range(conversations):
        conversation = product.say(agent_id, "one", client_message_id=f"m{n}", connection_id="c").conversation_id
        product.say(agent_id, "two", conversation_id=conversation)
        lease = product.claim(conversation)
        run = lease.queue[0]
        product.runs.save_steps(product.tenant, conversation, run.run_id, [step(1)], begun_at=1, fence=lease.fence)
        end = run_end(run, steps=[step(2)])
        product.runs.finish(product.tenant, conversation, end, fence=lease.fence, wake=None)
    return agent_id


def purge_fully(product: Product, target: str) -> None:
    for _ in range(3):
        product.purger.carry_out(product.tenant, target, seconds=60)


def test_of_a_deleted_agent_nothing_is_left(product: Product) -> None:
    agent_id = filled(product)
    other = filled(product)
    others = [key for key in everything(product.tenant) if other in str(key)]
    assert len(everything(product.tenant)) > 40
    product.agents.delete(product.me, agent_id, expected_revision=None)
    purge_fully(product, agent_id)
    assert everything(agent_id) == []
    left = everything(product.tenant)
    assert set(others) <= set(left)
    product.agents.delete(product.me, other, expected_revision=None)
    purge_fully(product, other)
    assert everything(product.tenant) == []


def test_of_a_deleted_conversation_nothing_is_left_and_the_agent_stays(product: Product) -> None:
    agent_id = filled(product, conversations=2)
    page, _ = product.conversations.page(product.me, agent_id, limit=10, after=None)
    gone, stays = page[0].id, page[1].id
    messages = product.conversations.messages(product.me, stays, limit=10, after=None)
    product.conversations.delete(product.me, gone, expected_revision=None)
    with pytest.raises(NotFound):
        product.conversations.get(product.me, gone)
    assert [c.id for c in product.conversations.page(product.me, agent_id, limit=10, after=None)[0]] == [stays]
    purge_fully(product, gone)
    assert [key for key in everything(gone) if "ACCEPTED" not in key[1]] == []
    assert product.conversations.messages(product.me, stays, limit=10, after=None) == messages
    assert product.agents.get(product.me, agent_id).name == "New"


def test_a_conversation_is_purged_while_its_run_goes_on(product: Product) -> None:
    agent_id = product.agent()
    conversation = product.say(agent_id).conversation_id
    lease = product.claim(conversation)
    product.runs.save_steps(
        product.tenant, conversation, lease.queue[0].run_id, [step(1)], begun_at=1, fence=lease.fence
    )
    product.conversations.delete(product.me, conversation, expected_revision=None)
    with pytest.raises(FenceLost):
        product.runs.heartbeat(product.tenant, conversation, fence=lease.fence, now=product.clock())
    purge_fully(product, conversation)
    with pytest.raises(FenceLost):
        product.finish(conversation, lease, lease.queue[0])
    assert everything(conversation) == []
    assert everything(lease.queue[0].run_id) == []


def test_what_is_left_when_time_runs_out_stays_due(product: Product) -> None:
    agent_id = filled(product)
    product.agents.delete(product.me, agent_id, expected_revision=None)
    product.purger.carry_out(product.tenant, agent_id, seconds=-1)
    assert everything(agent_id)
    product.bell.rung.clear()
    product.clock.ahead = 1_000
    product.rescue.sweep()
    assert ("purge", {"tenant_id": product.tenant, "target_id": agent_id}) in product.bell.rung
    purge_fully(product, agent_id)
    assert everything(agent_id) == []


def using(product: Product, credentials: int) -> tuple[str, list[str]]:
    """An agent whose tools name credentials, each twice, of which another agent names all as well."""
    made = [credential(product) for _ in range(credentials)]
    agents = [product.agent(), product.agent()]
    for agent_id in agents:
        tools = [http(f"t{n}", credential_id=made[n // 2]) for n in range(credentials * 2)]
        product.parts.change(product.me, agent_id, adding(*tools))
    return agents[0], made


def test_a_deleted_agent_gives_its_credentials_back(product: Product) -> None:
    agent_id, made = using(product, 5)
    assert {len(used_by(product, one)) for one in made} == {4}
    product.agents.delete(product.me, agent_id, expected_revision=None)
    purge_fully(product, agent_id)
    assert everything(agent_id) == []
    assert {len(used_by(product, one)) for one in made} == {2}


class FragileUses(UseRepository):
    """Dies after some releases, each time between one and the next."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def _release(self, tenant: str, agent_id: str, credential_id: str) -> None:
        self.left -= 1
        if self.left < 0:
            raise Interrupted
        super()._release(tenant, agent_id, credential_id)


def test_credentials_are_given_back_once_whatever_interrupts_it(product: Product) -> None:
    agent_id, made = using(product, 6)
    product.agents.delete(product.me, agent_id, expected_revision=None)
    for steps in (0, 2, 1):
        with pytest.raises(Interrupted):
            fragile = Purger(PurgeRepository(), product.clock, uses=FragileUses(steps))
            fragile.carry_out(product.tenant, agent_id, seconds=60)
    assert sorted(len(used_by(product, one)) for one in made) == [2, 2, 2, 4, 4, 4]
    with ThreadPoolExecutor(3) as pool:  # the rescue rings while another still works on it
        list(pool.map(lambda _: UseRepository().release(product.tenant, agent_id), range(3)))
    purge_fully(product, agent_id)
    assert {len(used_by(product, one)) for one in made} == {2}
    assert everything(agent_id) == []


class Interrupted(Exception):
    """Stands for a kill."""


class Fragile(PurgeRepository):
    """Dies after some deletions."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def _sort_keys(self, pk: str, prefix: str, *, after: str | None = None) -> list[str]:
        self.left -= 1
        if self.left < 0:
            raise Interrupted
        return super()._sort_keys(pk, prefix, after=after)


@pytest.mark.parametrize("seed", range(3))
def test_cut_off_at_every_point_it_ends_all_the_same(product: Product, seed: int) -> None:
    agent_id = filled(product, conversations=2)
    product.agents.delete(product.me, agent_id, expected_revision=None)
    for steps in range(seed, 400, 3):
        try:
            Purger(Fragile(steps), product.clock).carry_out(product.tenant, agent_id, seconds=60)
            break
        except Interrupted:
            continue
    else:
        pytest.fail("never came to an end")
    purge_fully(product, agent_id)
    assert everything(agent_id) == []
    assert everything(product.tenant) == []


def test_a_thousand_messages_in_one_conversation(product: Product) -> None:
    agent_id = product.agent()
    conversation = product.say(agent_id).conversation_id
    with Item.batch_write() as batch:
        for n in range(1_000):
            run = f"run_{n:026d}"
            pk = keys.conversation(product.tenant, conversation)
            parts = [{"type": "text", "text": "x" * 200}]
            sk, message_id = keys.message(run, "user"), f"msg_{n}"
            batch.save(
                MessageItem(pk=pk, sk=sk, message_id=message_id, run_id=run, role="user", parts=parts, created_at=n)
            )
    assert len(ConversationRepository().messages(product.tenant, conversation, limit=100)[0]) == 100
    product.agents.delete(product.me, agent_id, expected_revision=None)
    purge_fully(product, agent_id)
    assert everything(product.tenant) == []


def test_a_purge_gives_the_places_of_runs_back_that_nobody_will_end(product: Product) -> None:
    given_back: list[str] = []
    purger = Purger(PurgeRepository(), product.clock, lambda tenant, answers: given_back.extend(answers))
    agent_id = product.agent()
    accepted = product.say(agent_id, "one", answer_id="msg_1")
    product.say(agent_id, "two", conversation_id=accepted.conversation_id, answer_id="msg_2")
    product.conversations.delete(product.me, accepted.conversation_id, expected_revision=None)
    purger.carry_out(product.tenant, accepted.conversation_id, seconds=60)
    assert given_back == ["msg_1", "msg_2"]
