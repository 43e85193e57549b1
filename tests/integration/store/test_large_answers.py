"""Answers and steps that one item or one transaction does not hold are stored whole; what is refused ends the run."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from agent_builder.errors import StoreRefused
from agent_builder.repositories import keys
from agent_builder.repositories.conversations import ConversationRepository, PieceItem
from agent_builder.services.failing import unstorable
from tests.integration.store.product import Product, run_end, step

SIZES = ((1, 10), (2, 900_000), (3, 400_000), (4, 3_300_000), (5, 10))


def noise(length: int) -> str:
    """Text that does not compress well."""
    return "".join(random.Random(7).choices("abcdefghijklmnopqrstuvwxyzäöüß0123456789€漢字😀", k=length))


@pytest.mark.parametrize("length", [90_000, 700_000, 1_500_000, 3_300_000])
def test_a_large_answer_is_read_back_whole(product: Product, length: int) -> None:
    conversation = product.say(product.agent(), "go").conversation_id
    lease = product.claim(conversation)
    text = noise(length)
    large = replace(step(1), detail={"parts": [{"type": "text", "text": text}]})
    end = run_end(lease.queue[0], text, [large])
    assert product.runs.finish(product.tenant, conversation, end, fence=lease.fence, wake=lease.wake)
    store = ConversationRepository()
    (answer, _), _ = store.messages(product.tenant, conversation, limit=10)
    assert answer.message.text == text
    again = store.answer(product.tenant, conversation, answer.run_id)
    assert again is not None
    assert again.message.text == text


def test_pieces_go_with_their_conversation(product: Product) -> None:
    conversation = product.say(product.agent(), "go").conversation_id
    lease = product.claim(conversation)
    run = lease.queue[0]
    product.runs.finish(product.tenant, conversation, run_end(run, noise(700_000)), fence=lease.fence, wake=lease.wake)
    assert product.purger.repository.empty(keys.run(product.tenant, run.run_id)) >= 4


def test_what_the_store_refuses_for_good_is_not_retried_and_ends_the_run(product: Product) -> None:
    conversation = product.say(product.agent(), "go").conversation_id
    lease = product.claim(conversation)
    end = run_end(lease.queue[0], noise(30_000))
    end = replace(end, outcome=replace(end.outcome, stop_reason=noise(300_000)))
    with pytest.raises(StoreRefused):
        product.runs.finish(product.tenant, conversation, end, fence=lease.fence, wake=lease.wake)
    kept = replace(end, outcome=replace(unstorable(end.outcome), stop_reason=None))
    assert product.runs.finish(product.tenant, conversation, kept, fence=lease.fence, wake=lease.wake)
    answer = ConversationRepository().answer(product.tenant, conversation, None)
    assert answer is not None
    assert answer.status == "failed"
    assert answer.error_code == "answer_not_stored"
    assert len(answer.message.text) == 20_000


def test_steps_of_any_size_are_read_back_as_they_were(product: Product) -> None:
    conversation = product.say(product.agent(), "go").conversation_id
    lease = product.claim(conversation)
    run_id = lease.queue[0].run_id
    steps = [replace(step(n), detail={"parts": [{"type": "text", "text": noise(size)}]}) for n, size in SIZES]
    product.runs.save_steps(product.tenant, conversation, run_id, steps, fence=lease.fence, begun_at=5)
    assert product.runs.steps(product.tenant, run_id) == steps
    assert (product.lease(conversation).begun, product.lease(conversation).begun_at) == (run_id, 5)
    shorter = [replace(steps[1], detail={"parts": []})]
    product.runs.save_steps(product.tenant, conversation, run_id, shorter, fence=lease.fence, begun_at=5)
    assert product.runs.steps(product.tenant, run_id)[1] == shorter[0]


def test_an_answer_behind_a_longer_one_that_was_never_finished_is_whole(product: Product) -> None:
    conversation = product.say(product.agent(), "go").conversation_id
    lease = product.claim(conversation)
    run = lease.queue[0]
    PieceItem(pk=keys.run(product.tenant, run.run_id), sk=keys.piece(9), text="left over").save()
    text = noise(700_000)
    product.runs.finish(product.tenant, conversation, run_end(run, text), fence=lease.fence, wake=lease.wake)
    answer = ConversationRepository().answer(product.tenant, conversation, run.run_id)
    assert answer is not None
    assert answer.message.text == text
