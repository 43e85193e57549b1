"""What a message costs in calls to AWS. The counts are promises of docs/architecture.md."""

from benchmarks.calls import counted
from local.testing import running_stack

ACCEPT, RING, CLAIM, READ, FINISH = (
    "dynamodb.TransactWriteItems",
    "lambda.Invoke",
    "dynamodb.UpdateItem",
    "dynamodb.Query",
    "dynamodb.TransactWriteItems",
)


def test_a_warm_message_makes_four_calls_before_its_first_delta_and_one_after() -> None:
    with running_stack() as stack, counted(stack) as (calls, say):
        conversation = say("warm up")
        say("next", conversation)
        accept, ring, *beside, finish = calls.operations
        assert [accept, ring, *sorted(beside), finish] == [ACCEPT, RING, *sorted([CLAIM, READ]), FINISH]
        assert calls.first_delta == 4
        assert [frame["type"] for frame in calls.posts][:1] == ["message_accepted"]
        assert calls.posts[-1]["type"] == "message_complete"


def test_a_cold_message_adds_only_the_agent_its_version_and_the_greeting() -> None:
    with running_stack() as stack, counted(stack) as (calls, say):
        say("first")
        assert calls.first_delta is not None
        assert calls.first_delta <= 7
        assert len(calls.operations) == calls.first_delta + 1
