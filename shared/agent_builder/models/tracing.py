"""Traces of runs that are sent elsewhere: where to, what of them, and which are still to be sent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from agent_builder.errors import ConfigurationError
from agent_builder.models.agents import LlmConfig, Strict
from agent_builder.models.conversations import Step
from agent_builder.models.credentials import Address
from agent_builder.models.traces import RunHead

Target = Literal["platform", "tenant"]


def _base(value: str) -> str:
    if "?" in value:
        raise ValueError("must be an address without a query")
    return value.rstrip("/")


class TracingSettings(Strict):
    """Where a tenant's traces go.

    Attributes:
        base_url: Of the Langfuse server.
        credential_id: A credential of the kind `basic`: public key and secret key.
        sample_rate: Which share of the runs is sent.
        content: Whether what people, models and tools said is sent too.
    """

    base_url: Annotated[Address, AfterValidator(_base)] = Field(examples=["https://cloud.langfuse.com"])
    credential_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    sample_rate: Annotated[float, Field(ge=0, le=1)] = 1.0
    content: bool = False


@dataclass(frozen=True, slots=True)
class TenantTracing:
    """A tenant's settings. Times in milliseconds.

    Attributes:
        revision: Counts the changes.
        failure: Why the newest attempt to send failed, "" if it did not.
        failed_at: When that was.
    """

    settings: TracingSettings
    revision: int
    updated_at: int
    failure: str = ""
    failed_at: int = 0


@dataclass(frozen=True, slots=True)
class PlatformTracing:
    """Where the platform's own traces go."""

    base_url: str
    public_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    sample_rate: float = 1.0
    content: bool = False

    @classmethod
    def of(cls, keys: Mapping[str, str]) -> PlatformTracing | None:
        """From names like `langfuse_public_key`; None where there are no keys.

        Raises:
            ConfigurationError: The sampling rate is none.
        """
        public, secret = keys.get("langfuse_public_key"), keys.get("langfuse_secret_key")
        if not public or not secret:
            return None
        try:
            rate = float(keys.get("langfuse_sample_rate") or 1)
        except ValueError:
            rate = -1.0
        if not 0 <= rate <= 1:
            raise ConfigurationError("LANGFUSE_SAMPLE_RATE must be a number from 0 to 1.")
        base = keys.get("langfuse_base_url") or "https://cloud.langfuse.com"
        content = (keys.get("langfuse_content") or "").lower() == "true"
        return cls(base.rstrip("/"), public, secret, rate, content)


@dataclass(frozen=True, slots=True)
class TraceMark:
    """A run whose trace is still to be sent. Times in milliseconds.

    Attributes:
        targets: Where it has not arrived yet.
        attempts: How often that was tried.
        due_at: When it is tried next.
    """

    run_id: str
    targets: tuple[Target, ...]
    ended_at: int
    attempts: int
    due_at: int


@dataclass(frozen=True, slots=True)
class RunTrace:
    """All that is told of a run.

    Attributes:
        agent: The agent's name.
        config: Its model, for steps that do not say which they asked.
        question: What the user said; "" where that is not told.
    """

    tenant: str
    head: RunHead
    steps: Sequence[Step]
    agent: str
    config: LlmConfig | None = None
    question: str = ""


@dataclass(frozen=True, slots=True)
class FreshTrace:
    """A run that ended just now, with its trace where whoever ended it knows all of it."""

    run_id: str
    targets: tuple[Target, ...]
    trace: RunTrace | None = None


def trace_id(run_id: str) -> int:
    """128 bits, the same whenever a run is told of, so that telling twice is telling once."""
    return int.from_bytes(hashlib.sha256(f"trace {run_id}".encode()).digest()[:16], "big")


def span_id(run_id: str, step: int) -> int:
    """64 bits of a step; 0 is the run itself."""
    return int.from_bytes(hashlib.sha256(f"span {run_id} {step}".encode()).digest()[:8], "big")


def sampled(run_id: str, rate: float) -> bool:
    """Whether a run is among the share that is sent: always the same runs."""
    return trace_id(run_id) % 2**64 < rate * 2**64
