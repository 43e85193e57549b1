"""What a message costs in calls to AWS. The counts are promises of docs/architecture.md."""

from benchmarks.calls import counted
from local.testing import running_stack

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
