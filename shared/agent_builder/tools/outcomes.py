"""Failures of tools that say what became of the call in a word that programs go by."""

from __future__ import annotations

from agent_builder.errors import OutboundFailed, ToolError
from agent_builder.messages import CallOutcome


class CallFailed(ToolError):
    """A call of which more is known than that it failed."""

    def __init__(self, detail: str, outcome: CallOutcome) -> None:
        super().__init__(detail)
        self.outcome: CallOutcome = outcome


class InvalidArguments(CallFailed):
    """What a tool was called with is not what it takes."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, "invalid_arguments")


def outcome_of(error: ToolError) -> CallOutcome:
    """What became of a call that failed like this."""
    if isinstance(error, CallFailed):
        return error.outcome
    return "timeout" if isinstance(error, OutboundFailed) and error.kind == "timeout" else "failed"
