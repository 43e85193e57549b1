"""Tool calls that wait for a person's yes, and what was decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agent_builder.messages import Json

REASON_LENGTH = 500
Verdict = Literal["approved", "denied", "expired"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of an approval. Times in milliseconds.

    Attributes:
        input: Arguments that take the place of the model's; None for those.
        reason: Why it was denied, in the words of whoever did.
        by: Who decided; nobody where it expired.
    """

    verdict: Verdict
    at: int
    by: str = ""
    input: Json | None = None
    reason: str = ""

    @property
    def refusal(self) -> str:
        """What the model is told of a call that was not approved."""
        if self.verdict == "expired":
            return "This call needs a person's approval, and nobody approved it in time. It was not made."
        reason = f" Their reason: {self.reason}" if self.reason else ""
        return f"A person was asked to approve this call and denied it. It was not made.{reason}"


@dataclass(frozen=True, slots=True)
class Approval:
    """One tool call of a run that a person must approve before it is made. Times in milliseconds.

    Attributes:
        number: Of its step.
        input: What the model asked for; cut to what a frame holds.
        expires_at: From then on nobody can approve it any more.
    """

    number: int
    tool_use_id: str
    tool_name: str
    input: Json
    asked_at: int
    expires_at: int
    decision: Decision | None = None

    def open(self, now: int) -> bool:
        """Whether a person can still decide."""
        return self.decision is None and self.expires_at > now
