"""Agents in the real store: versions, revisions, idempotency, races, paging, deletion."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from agent_builder.errors import AgentBuilderError, IdempotencyMismatch, NotFound, PreconditionFailed, Unprocessable
from agent_builder.models.identity import Identity
from tests.integration.store.product import Product, everything


def test_created_and_read(product: Product) -> None:
    view = product.agents.create(product.me, product.wanted(description="d"), idempotency_key=None)
    agent = product.agents.get(product.me, view["id"])
    assert (agent.name, agent.description, agent.status, agent.version, agent.revision) == ("Test", "d", "draft", 1, 1)
    assert product.agents.version(product.me, agent.id, 1).created_by == "ann"


def test_a_patch_makes_a_version_and_a_revision(product: Product) -> None:
    agent_id = product.agent()
    changed = product.agents.patch(product.me, agent_id, {"name": "New"}, expected_revision=1)
    assert (changed.version, changed.revision, changed.name) == (2, 2, "New")
    assert product.agents.version(product.me, agent_id, 1).name == "Test"


@pytest.mark.parametrize("patch", [{}, {"name": "Test"}, {"description": None}, {"model_config": {"model": "echo"}}])
def test_a_patch_that_changes_nothing_makes_nothing(product: Product, patch: dict[str, Any]) -> None:
    agent_id = product.agent()
    before = product.agents.get(product.me, agent_id)
    assert product.agents.patch(product.me, agent_id, patch, expected_revision=None) == before
    assert product.agents.get(product.me, agent_id) == before


def test_status_alone_makes_a_revision_but_no_version(product: Product) -> None:
    agent_id = product.agent()
    changed = product.agents.patch(product.me, agent_id, {"status": "active"}, expected_revision=None)
    assert (changed.status, changed.version, changed.revision) == ("active", 1, 2)
    both = product.agents.patch(product.me, agent_id, {"status": "inactive", "name": "X"}, expected_revision=2)
    assert (both.status, both.version, both.revision) == ("inactive", 2, 3)


def test_a_merge_patch_goes_into_the_model_config(product: Product) -> None:
    config = {"provider": "scripted", "model": "m", "temperature": 0.5, "options": {"a": {"b": 1, "c": 2}}}
    agent_id = product.agent(model_config=config)
    patch = {"model_config": {"temperature": None, "max_tokens": 5, "options": {"a": {"b": None}}}}
    changed = product.agents.patch(product.me, agent_id, patch, expected_revision=None)
    shown = changed.definition()["model_config"]
    assert shown == {"provider": "scripted", "model": "m", "max_tokens": 5, "options": {"a": {"c": 2}}}


@pytest.mark.parametrize(
    ("patch", "pointer"),
    [
        ({"name": None}, "/name"),
        ({"model_config": None}, "/model_config"),
        ({"model_config": {"provider": None}}, "/model_config/provider"),
        ({"model_config": {"temperature": 9}}, "/model_config/temperature"),
        ({"id": "agt_1"}, "/id"),
        ({"version": 7}, "/version"),
        ({"builtin_tools": ["calculator", "calculator"]}, "/builtin_tools"),
    ],
)
def test_a_patch_to_something_invalid_is_refused(product: Product, patch: dict[str, Any], pointer: str) -> None:
    agent_id = product.agent()
    with pytest.raises(Unprocessable) as refusal:
        product.agents.patch(product.me, agent_id, patch, expected_revision=None)
    assert refusal.value.faults[0].pointer == pointer
    assert product.agents.get(product.me, agent_id).revision == 1


def test_an_old_revision_is_refused(product: Product) -> None:
    agent_id = product.agent()
    product.agents.patch(product.me, agent_id, {"name": "New"}, expected_revision=1)
    for act in (
        lambda: product.agents.patch(product.me, agent_id, {"name": "Other"}, expected_revision=1),
        lambda: product.agents.restore(product.me, agent_id, 1, expected_revision=1),
        lambda: product.agents.delete(product.me, agent_id, expected_revision=1),
    ):
        with pytest.raises(PreconditionFailed):
            act()
    assert product.agents.get(product.me, agent_id).name == "New"


def _race(count: int, act: Any) -> list[Any]:
    def one(number: int) -> Any:
        try:
            return act(number)
        except AgentBuilderError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_of_many_who_change_the_same_revision_exactly_one_wins(product: Product) -> None:
    agent_id = product.agent()
    results = _race(10, lambda n: product.agents.patch(product.me, agent_id, {"name": f"n{n}"}, expected_revision=1))
    winners = [result for result in results if not isinstance(result, Exception)]
    assert len(winners) == 1
    assert all(isinstance(r, PreconditionFailed) for r in results if r is not winners[0])
    assert product.agents.get(product.me, agent_id) == winners[0]
    assert winners[0].version == 2


def test_without_if_match_every_change_is_applied_to_what_stands_there(product: Product) -> None:
    agent_id = product.agent()
    fields = [{"name": "X"}, {"description": "Y"}, {"system_prompt": "Z"}, {"status": "active"}]
    results = _race(4, lambda n: product.agents.patch(product.me, agent_id, fields[n], expected_revision=None))
    assert not [result for result in results if isinstance(result, Exception)]
    agent = product.agents.get(product.me, agent_id)
    assert (agent.name, agent.description, agent.system_prompt, agent.status) == ("X", "Y", "Z", "active")
    assert (agent.revision, agent.version) == (5, 4)


def test_versions_are_listed_newest_first_and_page(product: Product) -> None:
    agent_id = product.agent()
    for n in range(11):
        product.agents.patch(product.me, agent_id, {"name": f"n{n}"}, expected_revision=None)
    numbers: list[int] = []
    after: str | None = None
    while True:
        page, after = product.agents.versions(product.me, agent_id, limit=5, after=after)
        numbers += [version.version for version in page]
        if after is None:
            break
    assert numbers == list(range(12, 0, -1))


def test_a_restored_version_is_a_version_of_its_own(product: Product) -> None:
    agent_id = product.agent(system_prompt="old")
    product.agents.patch(product.me, agent_id, {"system_prompt": "new", "status": "active"}, expected_revision=None)
    restored = product.agents.restore(product.me, agent_id, 1, expected_revision=2)
    assert (restored.system_prompt, restored.status, restored.version, restored.revision) == ("old", "active", 3, 3)
    assert product.agents.version(product.me, agent_id, 3).restored_from == 1
    assert product.agents.version(product.me, agent_id, 2).system_prompt == "new"
    again = product.agents.restore(product.me, agent_id, 1, expected_revision=None)
    assert again.version == 3, "restoring what stands there changes nothing"
    with pytest.raises(NotFound):
        product.agents.restore(product.me, agent_id, 99, expected_revision=None)


def test_the_same_key_and_body_get_the_same_answer(product: Product) -> None:
    wanted = product.wanted()
    results = _race(8, lambda _: product.agents.create(product.me, wanted, idempotency_key="k"))
    assert len({result["id"] for result in results}) == 1
    assert all(result == results[0] for result in results)
    page, _ = product.agents.page(product.me, limit=10, after=None, status=None)
    assert len(page) == 1


def test_a_key_stands_for_its_body_and_its_owner(product: Product) -> None:
    first = product.agents.create(product.me, product.wanted(), idempotency_key="k")
    with pytest.raises(IdempotencyMismatch):
        product.agents.create(product.me, product.wanted(name="Other"), idempotency_key="k")
    other = product.agents.create(Identity(product.tenant, "bob"), product.wanted(), idempotency_key="k")
    assert other["id"] != first["id"]
    assert product.agents.create(product.me, product.wanted(), idempotency_key="l")["id"] != first["id"]


def test_a_key_is_forgotten_after_a_day(product: Product) -> None:
    first = product.agents.create(product.me, product.wanted(), idempotency_key="k")
    product.clock.ahead = 25 * 3600 * 1000
    assert product.agents.create(product.me, product.wanted(name="Other"), idempotency_key="k")["id"] != first["id"]


def test_a_list_is_newest_first_pages_and_filters(product: Product) -> None:
    ids = [product.agent(status=("draft", "active")[n % 2]) for n in range(7)]
    assert _all_pages(product, None) == ids[::-1]
    assert _all_pages(product, "active") == [one for n, one in enumerate(ids) if n % 2][::-1]
    assert _all_pages(product, "inactive") == []


def _all_pages(product: Product, status: str | None) -> list[str]:
    found: list[str] = []
    after: str | None = None
    while True:
        page, after = product.agents.page(product.me, limit=2, after=after, status=status)
        assert len(page) <= 2
        found += [agent.id for agent in page]
        if after is None:
            return found


def test_deleted_it_is_gone_at_once_and_leaves_a_note(product: Product) -> None:
    agent_id = product.agent()
    product.agents.delete(product.me, agent_id, expected_revision=None)
    for act in (
        lambda: product.agents.get(product.me, agent_id),
        lambda: product.agents.patch(product.me, agent_id, {"name": "X"}, expected_revision=None),
        lambda: product.agents.versions(product.me, agent_id, limit=5, after=None),
        lambda: product.agents.restore(product.me, agent_id, 1, expected_revision=None),
        lambda: product.agents.delete(product.me, agent_id, expected_revision=None),
        lambda: product.conversations.page(product.me, agent_id, limit=5, after=None),
    ):
        with pytest.raises(NotFound):
            act()
    assert product.bell.rung == [("purge", {"tenant_id": product.tenant, "target_id": agent_id})]
    assert product.agents.page(product.me, limit=5, after=None, status=None) == ([], None)


def test_of_many_who_delete_exactly_one_does(product: Product) -> None:
    agent_id = product.agent()
    results = _race(5, lambda _: product.agents.delete(product.me, agent_id, expected_revision=None))
    assert [result for result in results if result is None] == [None]
    assert sum(isinstance(result, NotFound) for result in results) == 4


@pytest.mark.parametrize("length", [100_000])
@pytest.mark.parametrize("char", ["x", "ä", "😀", '"', "\u0001"], ids=["ascii", "latin", "emoji", "quote", "control"])
def test_the_longest_prompt_is_stored_whatever_it_is_made_of(product: Product, char: str, length: int) -> None:
    agent_id = product.agent(system_prompt=char * length)
    changed = product.agents.patch(product.me, agent_id, {"name": "X"}, expected_revision=None)
    assert changed.system_prompt == char * length
    assert product.agents.get(product.me, agent_id).system_prompt == char * length
    assert product.agents.version(product.me, agent_id, 2).system_prompt == char * length


def test_another_tenant_sees_nothing(product: Product) -> None:
    agent_id = product.agent()
    other = Product()
    for act in (
        lambda: other.agents.get(other.me, agent_id),
        lambda: other.agents.patch(other.me, agent_id, {"name": "X"}, expected_revision=None),
        lambda: other.agents.delete(other.me, agent_id, expected_revision=None),
        lambda: other.agents.versions(other.me, agent_id, limit=5, after=None),
        lambda: other.say(agent_id),
    ):
        with pytest.raises(NotFound):
            act()
    assert everything(other.tenant) == []
