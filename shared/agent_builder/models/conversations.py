"""Conversations, runs and steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from agent_builder.messages import Cost, Json, Message, Usage

LEASE_MS = 15_000
SILENT_MS = 3_000  # who has not renewed a lease for so long is dead or paused, most likely
RunStatus = Literal["queued", "completed", "failed", "cancelled"]
StepStatus = Literal["reserved", "waiting", "running", "succeeded", "failed", "unknown"]
NOT_BEGUN = ("reserved", "waiting")
OPEN_STATUSES = (*NOT_BEGUN, "running")


@dataclass(frozen=True, slots=True)
class Conversation:
    """Times are milliseconds since the epoch. `runs` that have ended are counted, and what they used."""

    id: str
    agent_id: str
    title: str
    created_by: str
    created_at: int
    updated_at: int
    revision: int
    runs: int = 0
    usage: Usage = field(default_factory=Usage)
    cost: Cost = field(default_factory=Cost)


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message with its place. `stop_reason`, `usage` and `cost` are an assistant's."""

    id: str
    run_id: str
    message: Message
    created_at: int
    stop_reason: str | None = None
    usage: Usage | None = None
    cost: Cost | None = None
    status: RunStatus = "completed"
    error_code: str | None = None
    error: str | None = None
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class QueuedRun:
    """A run as it waits in its conversation: all that a runner needs before it reads anything else."""

    run_id: str
    agent_id: str
    version: int
    user_message_id: str
    message_id: str
    subject: str
    accepted_at: int


@dataclass(frozen=True, slots=True)
class Lease:
    """Who works on a conversation, and on what.

    Attributes:
        fence: Rises with each claim; a write with an older one is refused.
        lease_until: Milliseconds; after that anybody may claim.
        wake: Rises with each accepted message; a release names the one it last saw.
        queue: Runs in the order of acceptance; the first is the one being worked on.
        subscribers: Connections that watch, each `<connection>` or `<connection>@<second at which its sign-in ends>`.
        cancelled: Runs that somebody asked to cancel.
        attempts: Claims since a run last came to an end, or a step of it was stored.
        hops: How often the run that goes on was handed to a fresh invocation.
        begun: The run that goes on, if steps of it are stored or it was handed over.
        begun_at: When that run began; milliseconds.
        resumed: Requests for a snapshot that no runner has seen to yet, each `<watcher>#<unique>`.
        lease_before: The `lease_until` that the claim found; milliseconds, 0 where the conversation had been let go.
        parked_until: Milliseconds; until then nobody is to work on it, since people have to decide first. 0: not so.
        parked_at: When the run that goes on was parked, until it goes on; milliseconds.
    """

    fence: int
    lease_until: int
    wake: int
    queue: tuple[QueuedRun, ...]
    subscribers: frozenset[str]
    cancelled: frozenset[str]
    resumed: frozenset[str] = frozenset()
    attempts: int = 0
    hops: int = 0
    begun: str = ""
    begun_at: int = 0
    lease_before: int = 0
    parked_until: int = 0
    parked_at: int = 0

    def parked(self, now: int) -> bool:
        """Whether the first of the queue waits for people, and for nothing else."""
        return bool(self.queue) and self.parked_until > now

    def unattended(self, now: int) -> bool:
        """Whether something waits and nobody seems to be at work: a ring is due, even if the lease has not ended."""
        silent = self.lease_until - now < LEASE_MS - SILENT_MS
        return bool(self.queue) and silent and not self.parked(now)


@dataclass(frozen=True, slots=True)
class Step:
    """One model call or one tool call of a run. Times in milliseconds.

    Attributes:
        status: A model step is stored when it is over. A tool step is `reserved` with the model step that asks for it,
            `waiting` where a person must approve it first, `running` before it may act on the outside world, then
            `succeeded`, `failed`, or `unknown`: it may have acted, and nobody can tell.
        detail: A model step's `parts`; a tool step's `tool`, `tool_use_id` and, when it is over, `result`. Of one that
            waits or waited: `expires_at` (milliseconds), then `approval`, what was decided.
        parent: The number of the tool step inside which it was made; None for the run's own.
    """

    LOST: ClassVar = "runner_lost"  # `error` of a model step whose runner died in it: nobody knows how long it took

    number: int
    kind: Literal["model", "tool"]
    started_at: int
    duration_ms: int = 0
    status: StepStatus = "succeeded"
    detail: Json = field(default_factory=dict)
    usage: Usage | None = None
    cost: Cost | None = None
    error: str | None = None
    parent: int | None = None

    @property
    def took_ms(self) -> int | None:
        """How long it took; None where nobody knows."""
        return None if self.error == self.LOST else self.duration_ms


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Attributes:
        message: The assistant's message, as far as it came.
        error_code, error: Set when `status` is `failed`; `error` is our own words for the user.
    """

    status: RunStatus
    message: Message
    stop_reason: str | None
    usage: Usage
    cost: Cost
    error_code: str | None = None
    error: str | None = None
    retryable: bool = False
