"""Counts of usage: percentiles from buckets, and what a run adds."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from agent_builder.messages import Cost, Message, Usage
from agent_builder.models.conversations import Outcome, QueuedRun, Step
from agent_builder.models.usage import bucket, cost_of, day_of, percentiles, usage_of, used
from agent_builder.services.ledger import OTHER, Ended, entry_of

RUN = QueuedRun("run_1", "agt_1", 1, "msg_1", "msg_2", "ann", 1_795_392_000_000)
TIMES = st.lists(st.integers(0, 10**9), min_size=1, max_size=200)


@given(TIMES)
def test_percentiles_are_at_most_five_percent_off(times: list[int]) -> None:
    found = percentiles("duration", Counter(bucket("duration", time) for time in times))
    assert found is not None
    for share, told in ((50, found.p50), (90, found.p90), (99, found.p99)):
        exact = sorted(times)[-(-len(times) * share // 100) - 1]
        assert abs(told - exact) <= 0.05 * exact + 0.5


@given(TIMES, TIMES)
def test_counts_add_up(one: list[int], other: list[int]) -> None:
    counts = [Counter(bucket("first", time) for time in times) for times in (one, other, one + other)]
    assert percentiles("first", counts[0] + counts[1]) == percentiles("first", counts[2])
    assert percentiles("duration", counts[2]) is None


def test_what_nothing_is_known_of_costs_null_and_not_nothing() -> None:
    assert cost_of(used(None, Cost(unpriced_steps=2))) == Cost(unpriced_steps=2)
    assert cost_of(used(None, Cost(amount_nanousd=0))) == Cost(amount_nanousd=0)
    assert cost_of(Counter()) == Cost()
    usage = Usage(input_tokens=5, cache_read_tokens=2, output_tokens=3, reasoning_tokens=1)
    assert usage_of(used(usage, None)) == usage


def ended(*steps: Step, tools: set[str] | None = None) -> Ended:
    outcome = Outcome("completed", Message(role="assistant", parts=()), "end_turn", Usage(), Cost())
    label = {"provider": "openai", "model": "m"}
    return Ended(RUN, outcome, steps, RUN.accepted_at + 100, RUN.accepted_at + 600, label, tools)


def tool(number: int, name: str, parent: int | None = None, **result: int) -> Step:
    detail = {"tool": name, "tool_use_id": "t", "result": {"result": {}, **result}}
    return Step(number, "tool", RUN.accepted_at + 100, result.get("duration_ms", 0), detail=detail, parent=parent)


def model(number: int, parent: int | None = None, **detail: object) -> Step:
    return Step(
        number,
        "model",
        RUN.accepted_at + 100,
        200,
        detail=dict(detail),
        usage=Usage(input_tokens=number),
        cost=Cost(amount_nanousd=number),
        parent=parent,
    )


def test_times_of_a_run() -> None:
    timing = ended(model(1), model(2, first_token_ms=40), model(3, 9, first_token_ms=1)).timing
    assert (timing.started_at, timing.duration_ms, timing.first_token_ms) == (RUN.accepted_at + 100, 500, 40)
    assert (ended().timing.started_at, ended().timing.first_token_ms) == (None, None)


def test_nested_steps_count_for_the_run_and_their_own_models() -> None:
    entry = entry_of(
        ended(model(1), tool(2, "ask", duration_ms=5), model(3, 2, provider="google", model="g"), model(4, 2))
    )
    rows = {(row.scope, row.dimension, row.name): row.counts for row in entry.rows}
    assert len(rows) == len(entry.rows), "a transaction takes an item once"
    assert entry.day == day_of(RUN.accepted_at) == "2026-11-23"
    for scope in ("", "agt_1"):
        assert rows[scope, "total", ""]["amount_nanousd"] == 8
        assert rows[scope, "model", "openai/m"]["amount_nanousd"] == 1
        assert rows[scope, "model", "google/g"]["input_tokens"] == 3
        assert rows[scope, "model", "/"]["calls"] == 1, "a nested step that does not say what it asked"
        assert rows[scope, "tool", "ask"]["calls"] == 1
    assert rows["", "agent", "agt_1"] == rows["", "total", ""]


def test_made_up_tools_share_a_name_and_calls_that_were_not_made_are_none() -> None:
    steps = [tool(1, "known", duration_ms=1), tool(2, "made up", duration_ms=1), tool(3, "x" * 65, duration_ms=1)]
    denied = Step(4, "tool", 0, 0, "failed", detail={"tool": "known", "result": {"error": "No."}})
    inside = tool(5, "inner", 1, duration_ms=1)
    rows = {row.name: row.counts for row in entry_of(ended(*steps, denied, inside, tools={"known"})).rows}
    assert {name: rows[name]["calls"] for name in ("known", OTHER, "inner")} == {"known": 1, OTHER: 2, "inner": 1}
    assert rows[""]["tool_calls"] == 4


def test_a_call_with_a_models_help_is_one_call() -> None:
    outer, part = tool(1, "weather", duration_ms=900), tool(3, "weather", 1, duration_ms=5)
    part.detail["purpose"] = "call"
    steps = [outer, model(2, 1, purpose="before"), part, model(4, 1, purpose="after")]
    rows = {(row.dimension, row.name): row.counts for row in entry_of(ended(*steps, tools={"weather"})).rows}
    assert (rows["total", ""]["tool_calls"], rows["total", ""]["calls"]) == (1, 2)
    assert rows["tool", "weather"] == Counter(
        {"runs": 1, "calls": 1, "errors": 0, "unknown": 0, bucket("duration", 900): 1}
    )
