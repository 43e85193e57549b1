"""Runs as they can be looked up while they go on and afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agent_builder.messages import Cost, Usage
from agent_builder.models.usage import Timing

Progress = Literal["queued", "running", "waiting", "completed", "failed", "cancelled"]
OPEN: tuple[Progress, ...] = ("queued", "running", "waiting")


@dataclass(frozen=True, slots=True)
class RunHead:
    """A run without its steps. Times in milliseconds since the epoch.

    Attributes:
        status: As it is stored: `queued` until it is over.
        usage, cost: Of all its steps; None until it is over.
    """

    id: str
    agent_id: str
    conversation_id: str
    version: int
    message_id: str
    status: Progress
    created_by: str
    created_at: int
    finished_at: int | None
    stop_reason: str | None
    timing: Timing
    usage: Usage | None
    cost: Cost | None
    error_code: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs are wanted; times in milliseconds, of acceptance, the first included and the last not."""

    status: Progress | None = None
    error_code: str | None = None
    since: int | None = None
    until: int | None = None

    @property
    def chooses(self) -> bool:
        """Whether runs have to be looked at one by one."""
        return self.status is not None or self.error_code is not None

    def may_match(self, run: RunHead) -> bool:
        """Whether what is stored of a run does not rule it out already."""
        if self.error_code is not None and run.error_code != self.error_code:
            return False
        return self.status is None or run.status == self.status or (self.status in OPEN and run.status in OPEN)
