"""What a run has said, done and used so far: readable at any time, and made again from its stored steps."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agent_builder.errors import AgentBuilderError
from agent_builder.messages import (
    CallOutcome,
    Effect,
    Json,
    Message,
    Part,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
)
from agent_builder.models.approvals import Decision
from agent_builder.models.conversations import NOT_BEGUN, OPEN_STATUSES, Outcome, RunStatus, Step, StepStatus
from agent_builder.services.account import UNKNOWN, Account
from agent_builder.services.orphans import asked_inside

logger = logging.getLogger(__name__)

_NOT_BEGUN = "The run was cancelled before this call began."
_CANCELLED = "The run was cancelled while this call went on."
_EDITED = "A person changed the arguments of this call before approving it."


@dataclass(slots=True)
class Transcript:
    """A run from its first step, or what one of its calls does inside: an agent or a model that is asked.

    Attributes:
        account: Of the run, and all that is nested in it.
        parent: The number of the call's step whose inside this is; None for the run itself.
        purpose: Tells one inside of a call from another, if a call has several.
        parts: What is over: everything said, and the results of all rounds but the one that goes on.
        text_pieces, thinking_pieces: Of the model step that goes on; joining them as they come would cost the square.
        stop_reason: Of the newest model step.
        round: The calls of the round that goes on; `ledger` and `results` are theirs, by `tool_use_id`.
    """

    account: Account = field(default_factory=Account)
    parent: int | None = None
    purpose: str = ""
    parts: list[Part] = field(default_factory=list)
    text_pieces: list[str] = field(default_factory=list)
    thinking_pieces: list[str] = field(default_factory=list)
    stop_reason: str | None = None
    round: list[ToolCallPart] = field(default_factory=list)
    ledger: dict[str, Step] = field(default_factory=dict)
    results: dict[str, ToolResultPart] = field(default_factory=dict)
    repeats: Counter[str] = field(default_factory=Counter)

    @property
    def over(self) -> bool:
        """Whether the newest model step asked for nothing more."""
        return self.stop_reason is not None and not self.round

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

    @property
    def waiting(self) -> list[Step]:
        """The steps of the round on which nobody has decided yet."""
        steps = [self.ledger[call.tool_use_id] for call in self.round]
        return [step for step in steps if step.status == "waiting" and "approval" not in step.detail]

    def step_of(self, call: ToolCallPart | None) -> int:
        """The number of the step of a call; without one, of the model step that goes on."""
        return self.ledger[call.tool_use_id].number if call is not None else self.account.steps + 1

    def restore(self, steps: Sequence[Step], *, given_up: bool = False) -> None:
        """Go on where these stored steps of a run, in order, ended; those inside its calls are for `resume`.

        Args:
            given_up: The run only ends: it is all counted, and what cannot be read of it is left out.
        """
        account = self.account
        for step in steps:
            account.steps = max(account.steps, step.number)
            account.add(step)
            account.keep(step)
            if step.kind == "tool":
                account.tool_calls += step.status not in NOT_BEGUN and _counts(step)
            elif step.status == "succeeded":
                account.model_steps += 1
        for step in steps:
            if step.parent is None:
                try:
                    self._take_up(step)
                except Exception:
                    if not given_up:  # whoever stored it, a newer release perhaps, may yet go on
                        raise
                    logger.exception("a stored step cannot be read")

    def resume(self) -> None:
        """Go on where the inside of this call ended, if an earlier runner began it."""
        if self.parent is not None:
            for step in self.account.inside(self.parent):
                if step.detail.get("purpose", "") == self.purpose:
                    self._take_up(step)

    def _take_up(self, step: Step) -> None:
        if step.kind == "tool":
            self.ledger[step.detail["tool_use_id"]] = step
            if step.status not in OPEN_STATUSES:
                self.results[step.detail["tool_use_id"]] = _result_of(step)
        elif step.status == "succeeded":
            self.close_round()
            self._said(step)

    def behind(self, history: Sequence[Message]) -> list[Message]:
        """A conversation, and what the run came to."""
        return [*history, *([Message(role="assistant", parts=tuple(self.parts))] if self.parts else [])]

    def said(self, step: Step, calls: Sequence[tuple[ToolCallPart, Effect, Json]]) -> None:
        """A model step is over; the calls it asks for are reserved with it."""
        self.drop_partial()
        self.record(step)
        self.account.add(step)
        self.account.model_steps += 1
        self._said(step)
        self.round = []
        for call, effect, more in calls:
            self.reserve(call, effect, step.started_at, **more)

    def reserve(self, call: ToolCallPart, effect: Effect, now: int, **more: Json) -> None:
        """A call belongs to the round that goes on."""
        self.round.append(call)
        self.account.steps += 1
        detail: Json = {"tool": call.name, "tool_use_id": call.tool_use_id, "effect": effect, **more}
        if self.purpose:
            detail["purpose"] = self.purpose
        step = Step(self.account.steps, "tool", now, status="reserved", detail=detail, parent=self.parent)
        self.record(step)

    def broke(self, step: Step) -> None:
        """A model step failed. What it cost is not known, if it had begun to answer."""
        self.record(step)
        self.account.add(step)
        self.account.asking.pop(self.parent, None)

    def awaits(self, call: ToolCallPart, expires_at: int) -> None:
        """A person is asked whether a call may be made."""
        step = self.ledger[call.tool_use_id]
        self.record(replace(step, status="waiting", detail={**step.detail, "expires_at": expires_at}))

    def decided(self, step: Step, decision: Decision) -> ToolResultPart | None:
        """A person has decided on a call, or nobody did in time; answers its result where it will not be made.

        Such a call counts like one that was made, for whoever asks again and again.
        """
        told = {"verdict": decision.verdict, "at": decision.at, "by": decision.by}
        more = {"input": decision.input, "reason": decision.reason or None}
        approval = told | {name: value for name, value in more.items() if value is not None}
        self.record(replace(step, detail={**step.detail, "approval": approval}))
        if decision.verdict == "approved":
            return None
        self.account.tool_calls += 1
        call = next(call for call in self.round if call.tool_use_id == step.detail["tool_use_id"])
        return self.ended(failed(call, decision.refusal, decision.verdict), "failed")

    def as_approved(self, call: ToolCallPart) -> ToolCallPart:
        """A call as it is made: with the arguments that a person gave it, if one did."""
        edited = self._edited(call.tool_use_id)
        return call if edited is None else call.model_copy(update={"input": edited})

    def begins(self, call: ToolCallPart, now: int) -> None:
        """A call is about to be made."""
        step = self.ledger[call.tool_use_id]
        self.account.tool_calls += step.status in NOT_BEGUN and _counts(step)
        begun = step.started_at if step.status == "running" else now
        self.record(replace(step, status="running", started_at=begun))

    def note(self, call: ToolCallPart, fields: Json) -> None:
        """Add to what will be stored of a call that goes on, beside its result."""
        step = self.ledger[call.tool_use_id]
        noted = {**step.detail.get("call", {}), **fields}
        self.ledger[call.tool_use_id] = replace(step, detail={**step.detail, "call": noted})

    def ended(self, result: ToolResultPart, status: StepStatus) -> ToolResultPart:
        """A call is over; answers its result as it is told."""
        step = self.ledger[result.tool_use_id]
        result = self._as_told(result)
        detail = {**step.detail, "result": result.model_dump(mode="json", exclude_none=True)}
        error = None if status == "succeeded" else "tool_outcome_unknown" if status == "unknown" else "tool_error"
        self.results[result.tool_use_id] = result
        self.record(replace(step, status=status, duration_ms=result.duration_ms or 0, detail=detail, error=error))
        return result

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
        self.account.asking.pop(self.parent, None)

    def asks(self, now: int, label: Json) -> None:
        """A call of a model begins; `label` is what its step says of the model."""
        self.account.asking[self.parent] = (now, label)

    def cancel(self, now: int) -> None:
        """Settle what was going on when the run was cancelled, for those who read it later."""
        self.account.abandon(now, "cancelled")
        self.settle_round(_NOT_BEGUN)

    def lost(self, since: int, steps: Sequence[Step]) -> bool:
        """A runner died after `since` (milliseconds) that had stored these steps; answers whether it most likely asked
        models. That is charged for, nobody says how much."""
        account = self.account
        account.begun_at = account.begun_at or since
        if not self.open_calls:
            account.lost(since, None, "", {})
            return True
        inside = list(asked_inside(steps))
        for number, purpose, label in inside:
            account.lost(since, number, purpose, label)
        return bool(inside)

    def settle_round(self, not_begun: str) -> None:
        """Give each call of the round that has no result one: it did not begin, was cut off, or may be done."""
        for call in self.round:
            step = self.ledger[call.tool_use_id]
            if step.status in NOT_BEGUN:
                self.ended(failed(call, not_begun, "skipped"), "failed")
            elif step.status == "running":
                if step.detail["effect"] == "write":
                    self.ended(failed(call, UNKNOWN, "unknown"), "unknown")
                else:
                    self.ended(failed(call, _CANCELLED, "cancelled"), "failed")

    def record(self, step: Step) -> None:
        """A step is new, or has changed."""
        if step.kind == "tool":
            self.ledger[step.detail["tool_use_id"]] = step
        self.account.record(step)

    def take_unsaved(self) -> list[Step]:
        """What must be stored, of the whole run; it stays `unsaved` until `saved` is told."""
        unsaved = self.account.unsaved
        return [unsaved[number] for number in sorted(unsaved)]

    def saved(self, steps: Sequence[Step]) -> None:
        """These are stored."""
        unsaved = self.account.unsaved
        for step in steps:
            if unsaved.get(step.number) is step:
                del unsaved[step.number]

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
            usage=self.account.usage,
            cost=self.account.cost,
            error_code=error.error_code if error else None,
            error=error.detail if error else None,
            retryable=error.retryable if error else False,
        )

    def _edited(self, tool_use_id: str) -> Json | None:
        """The arguments that a person gave a call in place of the model's."""
        approval: Json = self.ledger[tool_use_id].detail.get("approval") or {}
        return approval.get("input") if approval.get("verdict") == "approved" else None

    def _as_told(self, result: ToolResultPart) -> ToolResultPart:
        """The model asked for something else than what was done where a person changed it: the result says so."""
        edited = self._edited(result.tool_use_id)
        if edited is None:
            return result
        if result.error is None:
            told = {"note": _EDITED, "edited_input": edited, "result": result.result}
            return result.model_copy(update={"result": told})
        given = json.dumps(edited, ensure_ascii=False)
        return result.model_copy(update={"error": f"{result.error} {_EDITED} The arguments they gave are {given}."})

    def _said(self, step: Step) -> None:
        said = Message.model_validate({"role": "assistant", "parts": step.detail["parts"]}).parts
        self.parts.extend(said)
        self.stop_reason = step.detail["stop_reason"]
        asked = [part for part in said if isinstance(part, ToolCallPart)]
        self.round = asked if self.stop_reason == "tool_use" else []


def _counts(step: Step) -> bool:
    """Whether a call is one that the limit counts; what has a purpose is part of one that is counted."""
    return "purpose" not in step.detail


def failed(call: ToolCallPart, error: str, outcome: CallOutcome) -> ToolResultPart:
    """The result of a call that has none."""
    return ToolResultPart(tool_use_id=call.tool_use_id, name=call.name, result={}, error=error, outcome=outcome)


def _result_of(step: Step) -> ToolResultPart:
    return ToolResultPart.model_validate(step.detail["result"])


def _digest(call: ToolCallPart, result: ToolResultPart) -> str:
    """The same for the same call with the same result."""
    told: list[str | Json | None] = [call.name, call.input, call.invalid, result.result, result.error]
    text = json.dumps(told, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
