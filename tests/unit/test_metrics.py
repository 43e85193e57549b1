"""Metrics as lines of the log: what CloudWatch's embedded metric format asks for, and nothing lost."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from agent_builder.messages import Cost, Message, Usage
from agent_builder.metrics import (
    COST,
    FIRST_TOKEN_LATENCY,
    MODEL_ERRORS,
    NAMESPACE,
    POSTS,
    RESCUES,
    RUN_DURATION,
    RUNS,
    Metric,
)
from agent_builder.models.conversations import Outcome, Step
from agent_builder.services.run_metrics import measure_end, measure_steps
from tests.counting import Counting


@pytest.fixture
def log() -> Counting:
    return Counting()


def test_a_line_is_what_cloudwatch_reads(log: Counting) -> None:
    log.metrics.add(RUNS, outcome="completed")
    [line] = log.flushed(run_id="run_1")
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == NAMESPACE
    assert directive["Metrics"] == [{"Name": "Runs", "Unit": "Count"}]
    assert set(directive["Dimensions"][0]) - {"service"} == {"outcome"}
    assert (line["outcome"], line["Runs"], line["run_id"]) == ("completed", [1], "run_1")
    assert abs(line["_aws"]["Timestamp"] - 1_000 * time.time()) < 60_000


def test_counts_are_summed_and_times_are_kept(log: Counting) -> None:
    for outcome in ("sent", "sent", "gone"):
        log.metrics.add(POSTS, outcome=outcome)
    for milliseconds in (30, 10, 20):
        log.metrics.add(FIRST_TOKEN_LATENCY, milliseconds)
    log.metrics.add(RESCUES, 4)
    assert log.values() == {
        ("Posts", "sent"): [2],
        ("Posts", "gone"): [1],
        ("FirstTokenLatency",): [30, 10, 20],
        ("Rescues",): [4],
    }


def test_what_was_written_is_not_written_again(log: Counting) -> None:
    log.metrics.add(RESCUES)
    assert len(log.flushed()) == 1
    assert log.flushed() == []


def test_a_line_holds_no_more_values_than_cloudwatch_takes(log: Counting, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(250):
        log.metrics.add(RUN_DURATION, number)
    lines = log.flushed()
    assert sorted(value for line in lines for value in line["RunDuration"]) == list(range(250))
    assert max(len(line["RunDuration"]) for line in lines) < 100
    assert capsys.readouterr().out == ""


def test_money_is_exact(log: Counting) -> None:
    for amount in (2**52, 1, 1):
        log.metrics.add(COST, amount, provider="openai")
    assert log.values() == {("CostNanodollars", "openai"): [2**52 + 2]}


@pytest.mark.parametrize("dimensions", [{}, {"provider": "x"}, {"error": "auth", "provider": "x"}, {"a": "b"}])
def test_dimensions_are_those_of_the_metric(dimensions: dict[str, str], log: Counting) -> None:
    with pytest.raises(ValueError, match="ModelErrors has the dimensions"):
        log.metrics.add(MODEL_ERRORS, **dimensions)


def test_threads_count_together(log: Counting) -> None:
    with ThreadPoolExecutor(8) as pool:
        for _ in range(4_000):
            pool.submit(log.metrics.add, POSTS, outcome="sent")
    assert log.values() == {("Posts", "sent"): [4_000]}


def test_a_metric_is_named_as_cloudwatch_asks() -> None:
    from agent_builder.metrics import CATALOGUE

    names = [metric.name for metric in CATALOGUE]
    assert len(set(names)) == len(names) > 20
    assert all(name.isalnum() and name[0].isupper() for name in names)
    assert all(isinstance(metric, Metric) and "service" not in metric.dimensions for metric in CATALOGUE)


# ---------------------------------------------------------------- runs


def model_step(number: int, **changes: Any) -> Step:
    detail = {"provider": "openai", "first_token_ms": 40, **changes.pop("detail", {})}
    return Step(number, "model", 1_000, 90, detail=detail, **changes)


def test_steps_that_are_over_are_counted(log: Counting) -> None:
    usage = Usage(input_tokens=10, cache_read_tokens=4, output_tokens=6)
    steps = [
        model_step(1, usage=usage, cost=Cost(amount_nanousd=700)),
        model_step(2, usage=usage, cost=Cost(unpriced_steps=1)),
        model_step(3, status="failed", error="provider_overloaded", detail={"provider": "google"}),
        Step(4, "tool", 1_000, 50, "unknown", {"tool": "pay"}, error="tool_outcome_unknown"),
        Step(5, "tool", 1_000, 0, "running", {"tool": "pay"}),
        Step(6, "tool", 1_000, 0, "reserved", {"tool": "pay"}),
        Step(7, "tool", 1_000, 20, "succeeded", {"tool": "pay", "purpose": "call"}, parent=4),
    ]
    assert measure_steps(log.metrics, steps) == {1, 2, 3, 4, 7}
    assert log.values() == {
        ("ModelFirstToken", "openai"): [40, 40],
        ("ModelFirstToken", "google"): [40],
        ("InputTokens", "openai"): [20],
        ("CacheReadTokens", "openai"): [8],
        ("OutputTokens", "openai"): [12],
        ("CostNanodollars", "openai"): [700],
        ("UnpricedCalls", "openai"): [1],
        ("ModelErrors", "google", "overloaded"): [1],
        ("ToolCalls", "unknown"): [1],
        ("ToolDuration",): [50],
    }


def test_a_tenant_s_own_key_is_nothing_for_the_operator(log: Counting) -> None:
    for detail in ({}, {"own_key": True}):
        measure_steps(log.metrics, [model_step(1, status="failed", error="provider_auth", detail=detail)])
    errors = {key[2]: values for key, values in log.values().items() if key[0] == "ModelErrors"}
    assert errors == {"auth": [1], "own_key_auth": [1]}


def test_a_step_without_a_provider_is_counted_all_the_same(log: Counting) -> None:
    cut_off = Step(1, "model", 0, 5, "failed", cost=Cost(unpriced_steps=1), error="cancelled")
    measure_steps(log.metrics, [cut_off])
    assert log.values() == {("UnpricedCalls", "unknown"): [1]}


@pytest.mark.parametrize(
    ("code", "own_key", "outcome"),
    [
        ("budget_exceeded", False, "refused"),
        ("provider_content_filter", False, "refused"),
        ("provider_context_too_long", False, "refused"),
        ("provider_auth", True, "refused"),
        ("provider_auth", False, "failed"),
        ("provider_overloaded", True, "failed"),
    ],
)
def test_what_is_no_fault_of_the_platform_is_no_failed_run(
    log: Counting, code: str, own_key: bool, outcome: str
) -> None:
    """The alarm on failing runs looks at `failed` and `completed`."""
    ended = Outcome("failed", Message(role="assistant", parts=()), None, Usage(), Cost(), code, "no")
    measure_end(log.metrics, ended, 1, own_key=own_key)
    assert log.values() == {("Runs", outcome): [1], ("RunDuration",): [1], ("RunErrors", code): [1]}


def test_the_end_of_a_run_is_counted(log: Counting) -> None:
    message = Message(role="assistant", parts=())
    failed = Outcome("failed", message, None, Usage(), Cost(), "provider_auth", "no")
    measure_end(log.metrics, failed, 1_500)
    measure_end(log.metrics, Outcome("completed", message, "end_turn", Usage(), Cost()), 500)
    assert log.values() == {
        ("Runs", "failed"): [1],
        ("Runs", "completed"): [1],
        ("RunDuration",): [1_500, 500],
        ("RunErrors", "provider_auth"): [1],
    }
