"""What a message costs in calls to AWS. The counts are promises of docs/architecture.md."""

import json

import pytest

from benchmarks.calls import counted
from benchmarks.plain_run import count_all
from benchmarks.running_cost import COUNTS
from benchmarks.tracing import Manner, count, receiving
from local.testing import Instance, running_stack

LIMIT, ACCEPT, RING, CLAIM, READ, FINISH, GIVE_BACK, ADD_UP = (
    "dynamodb.UpdateItem",
    "dynamodb.TransactWriteItems",
    "lambda.Invoke",
    "dynamodb.UpdateItem",
    "dynamodb.Query",
    "dynamodb.TransactWriteItems",
    "dynamodb.UpdateItem",
    "dynamodb.TransactWriteItems",
)


def test_a_warm_message_makes_five_calls_before_its_first_delta_and_three_after() -> None:
    with running_stack() as stack, counted(stack) as (calls, say):
        conversation = say("warm up")
        say("next", conversation)
        limit, accept, ring, *beside, finish, give_back, add_up = calls.operations
        assert [limit, accept, ring] == [LIMIT, ACCEPT, RING]
        assert sorted(beside) == sorted([CLAIM, READ])
        assert [finish, give_back, add_up] == [FINISH, GIVE_BACK, ADD_UP]
        assert calls.first_delta == 5
        assert [frame["type"] for frame in calls.posts][:1] == ["message_accepted"]
        assert calls.posts[-1]["type"] == "message_complete"


def test_a_cold_message_adds_only_the_agent_its_version_the_greeting_the_limits_and_the_budgets() -> None:
    with running_stack() as stack, counted(stack) as (calls, say):
        say("first")
        assert calls.first_delta is not None
        assert calls.first_delta <= 13  # three of them make the tenant's gate, once and for all; two look for budgets
        # Prices and tracing are read, once a minute, while the answer comes: a fast model has ended before its text
        # is posted.
        assert calls.first_delta + 3 <= len(calls.operations) <= calls.first_delta + 5


def test_telling_of_a_run_adds_no_call_before_its_first_delta_and_one_after(stack: Instance) -> None:
    """However many steps it has: the ledger one, Langfuse another; metrics are lines of the log."""
    with receiving("takes") as receiver:
        nothing, told = count(stack, tells=False), count(stack)
        traced = count(stack, langfuse=receiver.url)
        assert receiver.got == 2 + len(traced)
    for off, ledger, langfuse in zip(nothing, told, traced, strict=True):
        assert off.before == ledger.before == langfuse.before == 5
        assert (ledger.after - off.after, langfuse.after - ledger.after) == (1, 1)


@pytest.mark.parametrize("manner", ["refuses", "hangs"])
def test_a_server_that_takes_no_traces_costs_no_call(stack: Instance, manner: Manner) -> None:
    with receiving(manner) as receiver:
        assert count(stack, steps=1, langfuse=receiver.url) == count(stack, steps=1)
        assert receiver.got


@pytest.mark.timeout(300)
def test_the_page_of_costs_is_written_from_what_is_counted() -> None:
    """What hangs on the clock may be a fifth off, or more where the machine is busy; all else is the same."""
    told, found = json.loads(COUNTS.read_text("utf-8")), count_all()
    assert told.keys() == found.keys()
    for kind, before in told.items():
        now = found[kind]
        for name in ("invocations", "calls", "series", "log_lines", "read_units"):
            assert now[name] == before[name], (kind, name, "python -m benchmarks.running_cost --count counts anew")
        assert abs(now["write_units"] - before["write_units"]) <= 2, kind  # an index entry may happen to stay
        assert now["log_bytes"] == pytest.approx(before["log_bytes"], rel=0.05), kind
        assert before["messages"] * 0.6 <= now["messages"] <= before["messages"] * 1.2, kind
        assert before["heartbeats"] - 2 <= now["heartbeats"] <= before["heartbeats"] + 5, kind
        assert now["heartbeat_units"] <= 2 * now["heartbeats"], "most heartbeats leave the index alone"
