"""Keys: every partition begins with its tenant, and no two tenants ever share one."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_builder.repositories import keys

TENANTS = st.from_regex(r"[A-Za-z0-9_.:@-]{1,20}", fullmatch=True)


def _builders() -> list[Callable[..., str]]:
    functions = [f for _, f in inspect.getmembers(keys, inspect.isfunction) if f.__module__ == keys.__name__]
    return [f for f in functions if "tenant" in inspect.signature(f).parameters and not f.__name__.startswith("_")]


def _call(builder: Callable[..., str], tenant: str) -> str:
    names = [name for name in inspect.signature(builder).parameters if name != "tenant"]
    return builder(tenant, *(f"{name}_1" for name in names))


def test_there_are_builders() -> None:
    assert len(_builders()) >= 8


@pytest.mark.parametrize("builder", _builders(), ids=lambda f: f.__name__)
@given(tenant=TENANTS, other=TENANTS)
def test_a_partition_begins_with_its_tenant(builder: Callable[..., str], tenant: str, other: str) -> None:
    key = _call(builder, tenant)
    assert key.startswith(f"T#{tenant}#")
    assert keys.tenant_of(key) == tenant
    assert (key == _call(builder, other)) == (tenant == other)


@pytest.mark.parametrize("tenant", ["", "a#b", "a b", "a/b", "ä", "a\n", "x" * 129, "#"])
@pytest.mark.parametrize("builder", _builders(), ids=lambda f: f.__name__)
def test_a_tenant_that_could_reach_into_another_is_refused(builder: Callable[..., str], tenant: str) -> None:
    with pytest.raises(ValueError, match="tenant"):
        _call(builder, tenant)


def test_kinds_never_meet() -> None:
    made = [_call(builder, "t") for builder in _builders()]
    assert len(set(made)) == len(made)


def test_versions_and_steps_sort_by_number() -> None:
    assert keys.version(9) < keys.version(10) < keys.version(123_456)
    assert keys.step(9) < keys.step(10)


def test_a_question_stands_before_its_answer_and_runs_in_order() -> None:
    rows = [keys.message("run_1", "user"), keys.message("run_1", "assistant"), keys.message("run_2", "user")]
    assert rows == sorted(rows)


@given(st.text(min_size=1))
def test_due_work_is_spread_over_the_shards(partition: str) -> None:
    assert keys.due(partition) in {f"DUE#{number}" for number in range(keys.DUE_SHARDS)}


def test_all_shards_are_used() -> None:
    assert len({keys.due(f"T#t#CONVERSATION#{n}") for n in range(500)}) == keys.DUE_SHARDS


def test_client_keys_of_two_subjects_differ_also_when_they_look_alike() -> None:
    assert keys.accepted("a", "bc") != keys.accepted("ab", "c")
    assert keys.idempotency("t", "a", "POST /agents", "k") != keys.idempotency("t", "b", "POST /agents", "k")


def test_an_id_is_found_again_in_its_key() -> None:
    assert keys.id_of(keys.conversation("t", "cnv_1")) == "cnv_1"
    assert keys.id_of(keys.run("t", "run_1")) == "run_1"
