"""What one run may use, and which limit is reached. All that is nested in a run uses the same."""

from __future__ import annotations

from dataclasses import dataclass

from agent_builder.models.conversations import NOT_BEGUN
from agent_builder.services.transcript import Transcript

Reached = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use, nested agents and models included.

    Attributes:
        model_steps, tool_calls: Never exceeded, however many calls go on side by side.
        same_calls: How often the same call may give the same result.
        tokens: Input and output of all model calls; looked at before each, so that the last ones may go beyond.
        run_seconds, tool_seconds: Of the run, and of a call whose tool says nothing else.
        model_attempts, retry_seconds: How often an answer that breaks off is asked for again, and after what pause.
        depth: How many agents may be asked inside of one another, below the run's own.
    """

    model_steps: int = 25
    tool_calls: int = 50
    same_calls: int = 5
    tokens: int = 4_000_000
    run_seconds: float = 3_600.0
    tool_seconds: float = 30.0
    model_attempts: int = 3
    retry_seconds: float = 1.0
    depth: int = 3


def calls_reached(limits: Limits, transcript: Transcript) -> Reached | None:
    """The limit that the calls of a round would break, and what the user is told."""
    fresh = sum(transcript.ledger[call.tool_use_id].status in NOT_BEGUN for call in transcript.round)
    if transcript.account.tool_calls + fresh > limits.tool_calls:
        return "tool_call_limit", f"Stopped: the limit of {limits.tool_calls} tool calls in one run is reached."
    return None


def reached_limit(limits: Limits, transcript: Transcript, now: int) -> Reached | None:
    """The limit that is reached before another model call, and what the user is told."""
    account = transcript.account
    if account.model_steps + account.engaged >= limits.model_steps:
        return "step_limit", f"Stopped: the limit of {limits.model_steps} model calls in one run is reached."
    if max(transcript.repeats.values(), default=0) >= limits.same_calls:
        return "repeated_call", f"Stopped: the same tool call gave the same result {limits.same_calls} times."
    if account.usage.input_tokens + account.usage.output_tokens >= limits.tokens:
        return "token_limit", f"Stopped: the limit of {limits.tokens:,} tokens in one run is reached."
    if now - account.begun_at >= limits.run_seconds * 1000:
        return "time_limit", f"Stopped: the limit of {limits.run_seconds:g} seconds for one run is reached."
    return None
