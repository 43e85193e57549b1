"""Ids: their form, and their order whatever the clocks say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from agent_builder.errors import NotFound
from agent_builder.ids import first_id, is_id, made_at, new_id, require_id


def test_ids_are_prefixed_and_differ() -> None:
    made = {new_id("agt") for _ in range(1000)}
    assert len(made) == 1000
    assert all(is_id("agt", one) for one in made)


def test_an_id_sorts_behind_the_one_it_comes_after() -> None:
    future = f"run_{ULID.from_timestamp(4_000_000_000)}"
    ids = [future]
    for _ in range(100):
        ids.append(new_id("run", after=ids[-1]))
    assert ids == sorted(ids)
    assert len(set(ids)) == 101
    assert all(is_id("run", one) for one in ids)


def test_after_an_earlier_id_it_is_simply_new() -> None:
    past = f"run_{ULID.from_timestamp(1_000_000_000)}"
    fresh = new_id("run", after=past)
    assert fresh > past
    assert ULID.from_str(fresh[4:]).timestamp > 1_700_000_000


@given(st.integers(0, 2**48 - 2))
def test_an_id_tells_its_time(moment: int) -> None:
    one = new_id("run", at=moment)
    assert is_id("run", one)
    assert made_at(one) == moment
    assert first_id("run", moment) <= one < first_id("run", moment + 1)


@given(st.text(max_size=40) | st.none() | st.integers() | st.lists(st.text()))
def test_anything_else_is_no_id(value: object) -> None:
    assert not is_id("agt", value)


@pytest.mark.parametrize(
    "value",
    [
        "agt_01M82K8EMXT7G14V9AF00XZ8T",
        "agt_01M82K8EMXT7G14V9AF00XZ8T2X",
        "agt_81M82K8EMXT7G14V9AF00XZ8T2",
        "agt_01m82k8emxt7g14v9af00xz8t2",
        "agt_01M82K8EMXT7G14V9AF00XZ8TU",
        "agt_01M82K8EMXT7G14V9AF00XZ8T2\n",
        "cnv_01M82K8EMXT7G14V9AF00XZ8T2",
        "_01M82K8EMXT7G14V9AF00XZ8T2",
        "01M82K8EMXT7G14V9AF00XZ8T2",
        "",
    ],
)
def test_malformed_ids_do_not_exist(value: str) -> None:
    with pytest.raises(NotFound) as refusal:
        require_id("agt", value, "agent")
    assert refusal.value.detail == "There is no agent with this id."


def test_a_well_formed_id_passes() -> None:
    value = new_id("cnv")
    assert require_id("cnv", value, "conversation") == value
