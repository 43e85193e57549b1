"""What a runner that died was in the middle of, told by the steps that it had stored.

A model call leaves a step when it is over, so that none costs a write before it: that one went on shows by what is
there, and by what is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent_builder.messages import Json
from agent_builder.models.conversations import OPEN_STATUSES, Step

_LABEL = ("provider", "model", "own_key", "agent_id", "agent_version", "purpose")


def asked_inside(steps: Sequence[Step]) -> Iterator[tuple[int, str, Json]]:
    """The model calls that most likely went on inside of calls: which step asked, for what, and what is known of it."""
    for call in steps:
        purposes = call.detail.get("asks", ())
        if purposes and _goes_on(call):
            inside = [step for step in steps if step.parent == call.number]
            asked = _asked(purposes, inside)
            if asked is not None:
                yield call.number, asked, _label(asked, inside)


def _goes_on(call: Step) -> bool:
    """Also what was reserved: its call begins right after."""
    approved: bool = (call.detail.get("approval") or {}).get("verdict") == "approved"
    return call.status in ("reserved", "running") or (call.status == "waiting" and approved)


def _asked(purposes: Sequence[str], inside: Sequence[Step]) -> str | None:
    """The purpose for which a model was asked, of those that come one after the other; None where none was."""
    called = [step for step in inside if step.detail.get("purpose") == "call"]
    for purpose in purposes:
        if purpose == "before" and called:
            continue
        if purpose == "after" and (not called or called[-1].status in OPEN_STATUSES):
            return None
        its = [step for step in inside if step.detail.get("purpose", "") == purpose]
        if any(step.kind == "tool" and step.status in OPEN_STATUSES for step in its):
            return None
        answers = [step for step in its if step.kind == "model" and step.status == "succeeded"]
        if not answers or answers[-1].detail["stop_reason"] == "tool_use":
            return purpose
    return None


def _label(purpose: str, inside: Sequence[Step]) -> Json:
    """What steps for the same say of their model."""
    models = (step.detail for step in inside if step.kind == "model" and step.detail.get("purpose", "") == purpose)
    said = next(models, {"purpose": purpose} if purpose else {})
    return {name: said[name] for name in _LABEL if name in said}
