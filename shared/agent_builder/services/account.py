"""What a run did and used, with all that is nested in its calls: one account, however many transcripts there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from agent_builder.errors import AgentBuilderError, StoreRefused
from agent_builder.messages import Cost, Json, ToolResultPart, Usage
from agent_builder.models.conversations import NOT_BEGUN, OPEN_STATUSES, Step, StepStatus
from agent_builder.services.failing import bare

UNKNOWN = "It is not known whether this call took effect: its answer was lost. Do not simply repeat it; check first."
CUT_OFF = "The call was cut off before it ended."


@dataclass(slots=True)
class Account:
    """Shared by the transcript of a run and those of the agents and models that its calls ask.

    Attributes:
        steps: The number of the newest step.
        model_steps, tool_calls: How many were finished or begun.
        begun_at: When the run began; milliseconds.
        asking: When the model calls that go on began (milliseconds) and what is known of their model, by the number of
            the step they are nested in.
        orphans: The steps of nested model calls in which an earlier runner died, by what asked: the number of the
            call's step, and the purpose.
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
    asking: dict[int | None, tuple[int, Json]] = field(default_factory=dict)
    orphans: dict[tuple[int | None, str], Step] = field(default_factory=dict)
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
        for parent, (started, label) in list(self.asking.items()):
            if within is None or self._is_within(parent, within):
                del self.asking[parent]
                self._unpriced(started, max(0, now - started), error, parent, label)

    def lost(self, since: int, parent: int | None, purpose: str, label: Json) -> None:
        """Account for a model call in which an earlier runner died after `since` (milliseconds)."""
        self.orphans[parent, purpose] = self._unpriced(since, 0, Step.LOST, parent, label)

    def name_lost(self, parent: int | None, purpose: str, label: Json) -> None:
        """Whoever asks again knows which model was asked."""
        step = self.orphans.pop((parent, purpose), None)
        if step is not None:
            self.record(replace(step, detail=label))

    def _unpriced(self, started: int, duration: int, error: str, parent: int | None, label: Json) -> Step:
        self.steps += 1
        unpriced = Cost(unpriced_steps=1)
        step = Step(self.steps, "model", started, duration, "failed", label, cost=unpriced, error=error, parent=parent)
        self.record(step)
        self.add(step)
        return step

    def abandon(self, now: int, error: str, within: int | None = None) -> None:
        """Settle what goes on inside calls, for those who read it later: nobody goes on with it."""
        self.cut_off(now, error, within)
        for step in list(self.nested.values()):
            if step.status in OPEN_STATUSES and (within is None or self._is_within(step.parent, within)):
                self.record(_settled(step))

    def break_off(self, now: int, error: AgentBuilderError) -> None:
        """The run ends here, whatever goes on."""
        self.abandon(now, error.error_code)
        if isinstance(error, StoreRefused):
            self.strip()

    def strip(self) -> None:
        """Of what is not stored keep only what counts: the store refuses some of it. No runner can go on from that."""
        self.unsaved = {number: bare(step) for number, step in self.unsaved.items()}

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
        outcome="unknown" if unknown else "skipped" if step.status in NOT_BEGUN else "cancelled",
    )
    detail = {**step.detail, "result": result.model_dump(mode="json", exclude_none=True)}
    return replace(step, status=status, detail=detail, error="tool_outcome_unknown" if unknown else "tool_error")
