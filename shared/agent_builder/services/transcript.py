"""What a run has said, done and used so far: readable at any time, and made again from its stored steps."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agent_builder.errors import AgentBuilderError
from agent_builder.messages import (
    Cost,
    Effect,
    Json,
    Message,
    Part,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
    Usage,
)
from agent_builder.models.conversations import OPEN_STATUSES, Outcome, RunStatus, Step, StepStatus

UNKNOWN = "It is not known whether this call took effect: its answer was lost. Do not simply repeat it; check first."
_NOT_BEGUN = "The run was cancelled before this call began."
_CANCELLED = "The run was cancelled while this call went on."


@dataclass(slots=True)
class Transcript:
    """A run from its first step.

    Attributes:
        parts: What is over: everything said, and the results of all rounds but the one that goes on.
        text_pieces, thinking_pieces: Of the model step that goes on; joining them as they come would cost the square.
        steps: The number of the newest step.
        model_steps, tool_calls: How many were finished or begun.
        round: The calls of the round that goes on; `ledger` and `results` are theirs, by `tool_use_id`.
        unsaved: Steps that changed and are not stored yet, by number.
        asking: When the model step that goes on began, if one does; milliseconds.
        begun_at: When the run began; milliseconds.
    """

    parts: list[Part] = field(default_factory=list)
    text_pieces: list[str] = field(default_factory=list)
    thinking_pieces: list[str] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    cost: Cost = field(default_factory=Cost)
    steps: int = 0
    model_steps: int = 0
    tool_calls: int = 0
    stop_reason: str | None = None
    round: list[ToolCallPart] = field(default_factory=list)
    ledger: dict[str, Step] = field(default_factory=dict)
    results: dict[str, ToolResultPart] = field(default_factory=dict)
    unsaved: dict[int, Step] = field(default_factory=dict)
    asking: int | None = None
    begun_at: int = 0
    repeats: Counter[str] = field(default_factory=Counter)

    @property
    def text(self) -> str:
        """All text shown so far."""
        return self.settled_text + "".join(self.text_pieces)

    @property
    def settled_text(self) -> str:
        """The text of the steps that are over."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def open_calls(self) -> list[ToolCallPart]:
        """The calls of the round that goes on which are not over."""
        return [call for call in self.round if self.ledger[call.tool_use_id].status in OPEN_STATUSES]

    def step_of(self, call: ToolCallPart | None) -> int:
        """The number of the step of a call; without one, of the model step that goes on."""
        return self.ledger[call.tool_use_id].number if call is not None else self.steps + 1

    def restore(self, steps: Sequence[Step]) -> None:
        """Go on where these stored steps, in order, ended."""
        for step in steps:
            self.steps = max(self.steps, step.number)
            self._account(step)
            if step.kind == "tool":
                self.ledger[step.detail["tool_use_id"]] = step
                self.tool_calls += step.status != "reserved"
                if step.status not in OPEN_STATUSES:
                    self.results[step.detail["tool_use_id"]] = _result_of(step)
            elif step.status == "succeeded":
                self.close_round()
                self._said(step)

    def said(self, step: Step, effects: Sequence[tuple[ToolCallPart, Effect]]) -> None:
        """A model step is over; the calls it asks for are reserved with it."""
        self.drop_partial()
        self.record(step)
        self._account(step)
        self._said(step)
        self.round = []
        for call, effect in effects:
            self.round.append(call)
            self.steps += 1
            detail = {"tool": call.name, "tool_use_id": call.tool_use_id, "effect": effect}
            self.record(Step(self.steps, "tool", step.started_at, status="reserved", detail=detail))

    def broke(self, step: Step) -> None:
        """A model step failed. What it cost is not known, if it had begun to answer."""
        self.record(step)
        self._account(step)
        self.asking = None

    def begins(self, call: ToolCallPart, now: int) -> None:
        """A call is about to be made."""
        self.tool_calls += self.ledger[call.tool_use_id].status == "reserved"
        self.record(replace(self.ledger[call.tool_use_id], status="running", started_at=now))

    def ended(self, result: ToolResultPart, status: StepStatus) -> None:
        """A call is over."""
        step = self.ledger[result.tool_use_id]
        detail = {**step.detail, "result": result.model_dump(mode="json", exclude_none=True)}
        error = None if status == "succeeded" else "tool_outcome_unknown" if status == "unknown" else "tool_error"
        self.results[result.tool_use_id] = result
        self.record(replace(step, status=status, duration_ms=result.duration_ms or 0, detail=detail, error=error))

    def close_round(self) -> None:
        """All calls of a round are over; their results stand in the order of the calls."""
        for call in self.round:
            result = self.results.get(call.tool_use_id)
            if result is not None:
                self.parts.append(result)
                self.repeats[_digest(call, result)] += 1
        self.round, self.ledger, self.results = [], {}, {}

    def drop_partial(self) -> None:
        """Forget what a model step said that is not over."""
        self.text_pieces.clear()
        self.thinking_pieces.clear()
        self.asking = None

    def cancel(self, now: int) -> None:
        """Settle what was going on when the run was cancelled, for those who read it later."""
        self.cut_off(now, "cancelled")
        self.settle_round(_NOT_BEGUN)

    def cut_off(self, now: int, error: str) -> None:
        """Account for the model step that goes on, if one does: it is charged for, nobody says how much."""
        if self.asking is not None:
            self.steps += 1
            spent, unpriced = max(0, now - self.asking), Cost(unpriced_steps=1)
            self.broke(Step(self.steps, "model", self.asking, spent, "failed", cost=unpriced, error=error))

    def lost(self, since: int) -> bool:
        """A runner died after `since` (milliseconds). Unless it was making calls of tools, it most likely asked the
        model: that is charged for, nobody says how much."""
        if self.open_calls:
            return False
        self.steps += 1
        unpriced = Cost(unpriced_steps=1)
        self.broke(Step(self.steps, "model", since, 0, "failed", cost=unpriced, error="runner_lost"))
        return True

    def settle_round(self, not_begun: str) -> None:
        """Give each call of the round that has no result one: it did not begin, was cut off, or may be done."""
        for call in self.round:
            step = self.ledger[call.tool_use_id]
            if step.status == "reserved":
                self.ended(_failed(call, not_begun), "failed")
            elif step.status == "running":
                wrote = step.detail["effect"] == "write"
                self.ended(_failed(call, UNKNOWN if wrote else _CANCELLED), "unknown" if wrote else "failed")

    def record(self, step: Step) -> None:
        """A step is new, or has changed."""
        if step.kind == "tool":
            self.ledger[step.detail["tool_use_id"]] = step
        self.unsaved[step.number] = step

    def take_unsaved(self) -> list[Step]:
        """What must be stored; it stays `unsaved` until `saved` is told."""
        return [self.unsaved[number] for number in sorted(self.unsaved)]

    def saved(self, steps: Sequence[Step]) -> None:
        """These are stored."""
        for step in steps:
            if self.unsaved.get(step.number) is step:
                del self.unsaved[step.number]

    def message(self) -> Message:
        """The assistant's message as far as it came; calls without a result are left out."""
        parts = list(self.parts)
        parts += [self.results[call.tool_use_id] for call in self.round if call.tool_use_id in self.results]
        if self.thinking_pieces:
            parts.append(ThinkingPart(text="".join(self.thinking_pieces)))
        if self.text_pieces:
            parts.append(TextPart(text="".join(self.text_pieces)))
        answered = {part.tool_use_id for part in parts if isinstance(part, ToolResultPart)}
        whole = [p for p in parts if not isinstance(p, ToolCallPart) or p.tool_use_id in answered]
        return Message(role="assistant", parts=tuple(whole))

    def outcome(
        self, status: RunStatus, stop_reason: str | None = None, error: AgentBuilderError | None = None
    ) -> Outcome:
        """How the run ended, with what there was."""
        return Outcome(
            status=status,
            message=self.message(),
            stop_reason=stop_reason,
            usage=self.usage,
            cost=self.cost,
            error_code=error.error_code if error else None,
            error=error.detail if error else None,
            retryable=error.retryable if error else False,
        )

    def _said(self, step: Step) -> None:
        said = Message.model_validate({"role": "assistant", "parts": step.detail["parts"]}).parts
        self.parts.extend(said)
        self.model_steps += 1
        self.stop_reason = step.detail["stop_reason"]
        asked = [part for part in said if isinstance(part, ToolCallPart)]
        self.round = asked if self.stop_reason == "tool_use" else []

    def _account(self, step: Step) -> None:
        if step.usage is not None:
            self.usage += step.usage
        if step.cost is not None:
            self.cost += step.cost


def _failed(call: ToolCallPart, error: str) -> ToolResultPart:
    return ToolResultPart(tool_use_id=call.tool_use_id, name=call.name, result={}, error=error)


def _result_of(step: Step) -> ToolResultPart:
    return ToolResultPart.model_validate(step.detail["result"])


def _digest(call: ToolCallPart, result: ToolResultPart) -> str:
    """The same for the same call with the same result."""
    told: list[str | Json | None] = [call.name, call.input, call.invalid, result.result, result.error]
    text = json.dumps(told, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
