"""What a run did and used, with all that is nested in its calls: one account, however many transcripts there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from agent_builder.messages import Cost, ToolResultPart, Usage
from agent_builder.models.conversations import OPEN_STATUSES, Step, StepStatus

UNKNOWN = "It is not known whether this call took effect: its answer was lost. Do not simply repeat it; check first."
CUT_OFF = "The call was cut off before it ended."


@dataclass(slots=True)
class Account:
    """Shared by the transcript of a run and those of the agents and models that its calls ask.

    Attributes:
        steps: The number of the newest step.
        model_steps, tool_calls: How many were finished or begun.
        begun_at: When the run began; milliseconds.
        asking: When the model calls that go on began (milliseconds), by the number of the step they are nested in.
        engaged: How many model steps go on; each takes one of those that the limit leaves.
        nested: Steps that have a parent, by their numbers, as they are now.
        unsaved: Steps that changed and are not stored yet, by number.
    """

    usage: Usage = field(default_factory=Usage)
    cost: Cost = field(default_factory=Cost)
    steps: int = 0
    model_steps: int = 0
    tool_calls: int = 0
    begun_at: int = 0
    asking: dict[int | None, int] = field(default_factory=dict)
    engaged: int = 0
    nested: dict[int, Step] = field(default_factory=dict)
    unsaved: dict[int, Step] = field(default_factory=dict)

    def add(self, step: Step) -> None:
        """Count what a step has used."""
        if step.usage is not None:
            self.usage += step.usage
        if step.cost is not None:
            self.cost += step.cost

    def keep(self, step: Step) -> None:
        """Know a step that may be asked for by the call it is nested in."""
        if step.parent is not None:
            self.nested[step.number] = step

    def record(self, step: Step) -> None:
        """A step is new, or has changed."""
        self.keep(step)
        self.unsaved[step.number] = step

    def inside(self, parent: int) -> list[Step]:
        """The steps of one call's own, in order."""
        return [step for _, step in sorted(self.nested.items()) if step.parent == parent]

    @contextmanager
    def engage(self) -> Iterator[None]:
        """A model step goes on."""
        self.engaged += 1
        try:
            yield
        finally:
            self.engaged -= 1

    def cut_off(self, now: int, error: str, within: int | None = None) -> None:
        """Account for the model calls that go on: they are charged for, nobody says how much.

        Args:
            within: Only those that are nested in the call with this number, at any depth.
        """
        for parent, started in list(self.asking.items()):
            if within is None or self._is_within(parent, within):
                del self.asking[parent]
                self.steps += 1
                spent, unpriced = max(0, now - started), Cost(unpriced_steps=1)
                step = Step(self.steps, "model", started, spent, "failed", cost=unpriced, error=error, parent=parent)
                self.record(step)
                self.add(step)

    def abandon(self, now: int, error: str, within: int | None = None) -> None:
        """Settle what goes on inside calls, for those who read it later: nobody goes on with it."""
        self.cut_off(now, error, within)
        for step in list(self.nested.values()):
            if step.status in OPEN_STATUSES and (within is None or self._is_within(step.parent, within)):
                self.record(_settled(step))

    def _is_within(self, parent: int | None, call: int) -> bool:
        while parent is not None and parent != call:
            above = self.nested.get(parent)
            parent = above.parent if above else None
        return parent == call


def _settled(step: Step) -> Step:
    unknown = step.status == "running" and step.detail["effect"] == "write"
    status: StepStatus = "unknown" if unknown else "failed"
    result = ToolResultPart(
        tool_use_id=step.detail["tool_use_id"],
        name=step.detail["tool"],
        result={},
        error=UNKNOWN if unknown else CUT_OFF,
    )
    detail = {**step.detail, "result": result.model_dump(mode="json", exclude_none=True)}
    return replace(step, status=status, detail=detail, error="tool_outcome_unknown" if unknown else "tool_error")
