"""What the run engine tells whoever drives it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from agent_builder.errors import StoreError
from agent_builder.messages import TextDelta, ThinkingDelta, ToolCallPart, ToolResultPart
from agent_builder.models.conversations import Outcome


class Interrupted(Exception):
    """What goes on inside a call cannot go on here: there is no room, or its steps could not be stored (`error`)."""

    def __init__(self, error: StoreError | None = None) -> None:
        super().__init__()
        self.error = error


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """A tool is about to be called."""

    call: ToolCallPart


@dataclass(frozen=True, slots=True)
class ToolFinished:
    """A tool answered, or failed."""

    result: ToolResultPart


@dataclass(frozen=True, slots=True)
class ApprovalRequired:
    """A person is asked whether a call may be made, until `expires_at` (milliseconds). Told again after a break."""

    call: ToolCallPart
    expires_at: int


@dataclass(frozen=True, slots=True)
class StepReset:
    """What a model step had said is withdrawn: it broke off and is asked again. `step` is the number of the broken."""

    step: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The transcript's unsaved steps must be stored before the next event is asked for."""


@dataclass(frozen=True, slots=True)
class Suspended:
    """There is no room for another step: all that is over is stored, and another engine is to go on."""


@dataclass(frozen=True, slots=True)
class Parked:
    """Nothing is left to do until a person decides, or `until` (milliseconds) has come: then another engine goes on."""

    until: int


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The terminal event."""

    outcome: Outcome


EngineEvent = (
    TextDelta
    | ThinkingDelta
    | ToolStarted
    | ToolFinished
    | ApprovalRequired
    | StepReset
    | Checkpoint
    | Suspended
    | Parked
    | RunEnded
)
Events = AsyncGenerator[EngineEvent, None]
"""Whoever reads them closes them: then what goes on beside them is over when they are."""
