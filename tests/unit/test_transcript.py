"""What a run has said so far, whole or cut off."""

from __future__ import annotations

from agent_builder.errors import ProviderError
from agent_builder.messages import (
    Cost,
    Message,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
    Usage,
    rounds,
)
from agent_builder.services.account import Account
from agent_builder.services.transcript import Transcript

CALL = ToolCallPart(tool_use_id="t1", name="x", input={})
RESULT = ToolResultPart(tool_use_id="t1", name="x", result={})


def test_empty_it_says_nothing() -> None:
    transcript = Transcript()
    assert transcript.text == ""
    assert transcript.message() == Message(role="assistant", parts=())


def test_partial_text_and_thinking_are_in_it() -> None:
    transcript = Transcript(parts=[TextPart(text="a")], text_pieces=["b"], thinking_pieces=["c"])
    assert transcript.text == "ab"
    assert transcript.message().parts == (TextPart(text="a"), ThinkingPart(text="c"), TextPart(text="b"))


def test_a_call_without_its_result_is_left_out() -> None:
    other = CALL.model_copy(update={"tool_use_id": "t2"})
    assert Transcript(parts=[CALL, other, RESULT]).message().parts == (CALL, RESULT)


def test_calls_that_did_not_begin_are_skipped() -> None:
    transcript = Transcript()
    transcript.reserve(CALL, "write", 1)
    transcript.cancel(2)
    (told,) = (part for part in transcript.results.values())
    assert (told.outcome, told.error) == ("skipped", "The run was cancelled before this call began.")


def test_a_result_that_was_stored_before_there_were_outcomes_is_read() -> None:
    stored = {"type": "tool_result", "tool_use_id": "t1", "name": "x", "result": {}, "error": "It failed."}
    assert ToolResultPart.model_validate(stored).outcome is None


def test_a_failure_is_told_in_its_own_words() -> None:
    error = ProviderError("overloaded", "Busy.")
    outcome = Transcript(Account(usage=Usage(input_tokens=3)), text_pieces=["a"]).outcome("failed", error=error)
    assert (outcome.status, outcome.error_code, outcome.error, outcome.retryable) == (
        "failed",
        "provider_overloaded",
        "Busy.",
        True,
    )
    assert outcome.usage.input_tokens == 3


def test_rounds_are_the_model_steps() -> None:
    first = (TextPart(text="a"), CALL)
    message = Message(role="assistant", parts=(*first, RESULT, TextPart(text="b"), CALL, RESULT, TextPart(text="c")))
    found = list(rounds(message))
    assert [len(found_.said) for found_ in found] == [2, 2, 1]
    assert found[0].said == first
    assert [len(found_.results) for found_ in found] == [1, 1, 0]
    assert list(rounds(Message(role="assistant", parts=()))) == []


def test_money_and_tokens_add_up_and_unknown_is_never_nothing() -> None:
    assert Cost() + Cost() == Cost()
    assert Cost(amount_nanousd=None, unpriced_steps=1) + Cost(amount_nanousd=5) == Cost(
        amount_nanousd=5, unpriced_steps=1
    )
    assert Cost(amount_nanousd=0) + Cost(amount_nanousd=0) == Cost(amount_nanousd=0)
    assert Usage(input_tokens=1, reasoning_tokens=2) + Usage(input_tokens=3, cache_read_tokens=1) == Usage(
        input_tokens=4, cache_read_tokens=1, reasoning_tokens=2
    )
