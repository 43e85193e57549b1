"""Conversations, runs and steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from agent_builder.messages import Cost, Json, Message, Usage

RunStatus = Literal["queued", "completed", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Conversation:
    """Times are milliseconds since the epoch."""

    id: str
    agent_id: str
    title: str
    created_by: str
    created_at: int
    updated_at: int
    revision: int


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
        subscribers: Connections that watch.
        cancelled: Runs that somebody asked to cancel.
        attempts: Claims since a run last came to an end.
        resumed: Requests for a snapshot that no runner has seen to yet, each `<connection>#<unique>`.
    """

    fence: int
    lease_until: int
    wake: int
    queue: tuple[QueuedRun, ...]
    subscribers: frozenset[str]
    cancelled: frozenset[str]
    resumed: frozenset[str] = frozenset()
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One model call or one tool call of a run. Times in milliseconds."""

    number: int
    kind: Literal["model", "tool"]
    started_at: int
    duration_ms: int
    detail: Json = field(default_factory=dict)
    usage: Usage | None = None
    cost: Cost | None = None
    error: str | None = None


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
