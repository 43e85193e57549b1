"""The inside of a tool call: an agent or a model that is asked there, with steps that belong to the run."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from dataclasses import dataclass, field, replace

from agent_builder.clock import Clock, now_ms
from agent_builder.errors import OutcomeUnknown, ReconnectNeeded, StoreError, ToolError
from agent_builder.messages import (
    Cost,
    Effect,
    Json,
    ModelEvent,
    ModelRequest,
    TextDelta,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    Usage,
)
from agent_builder.models.conversations import Outcome, Step
from agent_builder.services.account import UNKNOWN, Account
from agent_builder.services.engine import Engine, Price
from agent_builder.services.events import (
    Checkpoint,
    EngineEvent,
    Events,
    Interrupted,
    RunEnded,
    StepReset,
    Suspended,
    ToolFinished,
    ToolStarted,
)
from agent_builder.services.transcript import Transcript
from agent_builder.tools.base import Answered, Model, Nest, Tool
from agent_builder.tools.outcomes import CallFailed

_PART = "call"


@dataclass(frozen=True, slots=True)
class Inside:
    """Something happened inside the call named `of`. `event` None: its text begins anew, after `kept`."""

    of: str
    event: TextDelta | ToolStarted | ToolFinished | None
    kept: str = ""


async def _nothing() -> None:
    """Store nothing."""


@dataclass(frozen=True, slots=True)
class Nesting:
    """What all calls at one depth of a run have in common for what they do inside.

    Attributes:
        agents: The ids of the agents that they are inside of, from the run's own.
        save: Stores what is unsaved of the run.
        tell: Told what those who watch may see. A call is named by the ids of the calls around it and its own,
            joined by `/`, since models give their calls ids that are unique for themselves only.
        deadline: Seconds of `time.monotonic()` after which a model call is given up.
        around: The name of the call that they are inside of, with a `/`; empty for the run's own.
    """

    agents: tuple[str, ...]
    save: Callable[[], Awaitable[None]] = _nothing
    tell: Callable[[Inside], None] = lambda event: None
    deadline: float | None = None
    around: str = ""

    def of(self, engine: Engine, transcript: Transcript, call: ToolCallPart) -> Nest:
        """For one call of an engine's transcript."""
        return _Inner(self, engine, transcript, call)


@dataclass(frozen=True, slots=True)
class Alone:
    """The inside of one call that belongs to no run: limited as if it were a run's, counted, and stored nowhere.

    Args:
        key: The idempotency key of the call; those inside have keys of their own that begin with it.
        seconds: What is left for it.
        hold: As an engine has it.
    """

    agent_id: str
    key: str
    seconds: float
    hold: Callable[[ModelRequest, Price], AbstractAsyncContextManager[None]] = lambda request, price: nullcontext()
    account: Account = field(default_factory=Account)
    clock: Clock = now_ms

    def nest(self, effect: Effect) -> Nest:
        """For the call."""
        call = ToolCallPart(tool_use_id="test", name="test", input={})
        transcript = Transcript(self.account)
        self.account.begun_at = now = self.clock()
        transcript.reserve(call, effect, now)
        transcript.begins(call, now)
        key = f"{self.key}-{{}}".format
        engine = Engine(stream=_no_model, tools={}, price=_no_price, clock=self.clock, call_key=key, hold=self.hold)
        return Nesting((self.agent_id,), deadline=time.monotonic() + self.seconds).of(engine, transcript, call)

    def model_steps(self, now: int) -> list[Step]:
        """All that models were asked inside; what goes on ends here."""
        self.account.cut_off(now, "cut_off")
        return [step for _, step in sorted(self.account.nested.items()) if step.kind == "model"]

    @property
    def begun(self) -> bool:
        """Whether anything was begun inside."""
        return bool(self.account.inside(1))

    @property
    def noted(self) -> Json:
        """What the tool noted of a call that was made inside, if one was."""
        calls = (step.detail for step in self.account.inside(1) if step.detail.get("purpose") == _PART)
        noted: Json = next(calls, {}).get("call", {})
        return noted


def _no_model(request: ModelRequest) -> AsyncIterator[ModelEvent]:
    raise AssertionError("no model is asked outside of a call")


def _no_price(model: str, usage: Usage) -> Cost:
    return Cost()


@dataclass(frozen=True, slots=True)
class _Inner:
    nesting: Nesting
    engine: Engine
    outer: Transcript
    made: ToolCallPart

    @property
    def agents(self) -> tuple[str, ...]:
        return self.nesting.agents

    @property
    def begun(self) -> Json:
        models = (step for step in self._steps if step.kind == "model" and step.status == "succeeded")
        return next((step.detail for step in models), {})

    async def ask(
        self,
        model: Model,
        request: ModelRequest,
        tools: Mapping[str, Tool],
        *,
        agent_id: str | None = None,
        purpose: str = "",
    ) -> Answered:
        depth = self.engine.limits.depth
        if agent_id is not None and len(self.agents) > depth:
            raise ToolError(f"Agents may ask agents at most {depth} deep; do this without asking another one.")
        transcript = self._transcript(purpose)
        if transcript.over:
            return _answered(transcript.outcome("completed", transcript.stop_reason))
        name = self.nesting.around + self.made.tool_use_id
        agents = (*self.agents, agent_id) if agent_id else self.agents
        nesting = replace(self.nesting, agents=agents, around=f"{name}/")
        engine = replace(
            self.engine,
            stream=model.stream,
            tools=tools,
            price=model.price,
            label={**model.label, "purpose": purpose} if purpose else model.label,
            nest=nesting.of,
        )
        self.outer.account.name_lost(self._number, purpose, engine.label)
        show = _Show(name, self.nesting.tell) if not purpose else None
        if show:
            show.again(transcript)
        request = replace(request, deadline=self.nesting.deadline)
        return _answered(await self._follow(engine.run(request, transcript), transcript, show))

    async def call(self, tool: Tool, arguments: Json) -> Json:
        spec = tool.spec
        call = ToolCallPart(tool_use_id=self.made.tool_use_id, name=spec.name, input=arguments)
        transcript = self._transcript(_PART)
        if transcript.ledger:
            transcript.round.append(call)
        else:
            transcript.reserve(call, spec.effect, self.engine.clock(), input=arguments)
        engine = replace(self.engine, tools={spec.name: tool})
        await self._follow(engine.calls(transcript), transcript, None)
        (result,) = (part for part in transcript.parts if isinstance(part, ToolResultPart))
        if result.error is None:
            return result.result
        (step,) = (step for step in self._steps if step.detail.get("purpose") == _PART)
        if step.status == "unknown":
            raise OutcomeUnknown(result.error.removesuffix(UNKNOWN).strip() or "Its answer was lost.")
        if result.needs_reconnect is not None:
            raise ReconnectNeeded(result.error, credential_id=result.needs_reconnect)
        raise CallFailed(result.error, result.outcome or "failed")

    @property
    def _steps(self) -> list[Step]:
        return self.outer.account.inside(self._number)

    @property
    def _number(self) -> int:
        return self.outer.ledger[self.made.tool_use_id].number

    def _transcript(self, purpose: str) -> Transcript:
        transcript = Transcript(self.outer.account, parent=self._number, purpose=purpose)
        transcript.resume()
        return transcript

    async def _follow(self, events: Events, transcript: Transcript, show: _Show | None) -> Outcome:
        """Drive an engine to its end, or to that of its calls.

        Raises:
            Interrupted: Another engine is to go on.
        """
        try:
            async with aclosing(events) as told:
                async for event in told:
                    if isinstance(event, RunEnded):
                        return event.outcome
                    if isinstance(event, Suspended):
                        raise Interrupted
                    if isinstance(event, Checkpoint):
                        await self.nesting.save()
                    elif show:
                        show.event(event, transcript)
        except StoreError as error:  # of the run's own steps; that of a tool was told to its model
            raise Interrupted(error) from error
        return transcript.outcome("completed")


@dataclass(frozen=True, slots=True)
class _Show:
    """Tells what an inside says and does."""

    name: str
    tell: Callable[[Inside], None]

    def again(self, transcript: Transcript) -> None:
        """What an earlier runner came to, for those who did not see it."""
        for part in transcript.message().parts:
            if isinstance(part, TextPart):
                self._send(TextDelta(part.text))
            elif isinstance(part, ToolCallPart):
                self._started(part)
            elif isinstance(part, ToolResultPart):
                self._finished(part)

    def event(self, event: EngineEvent, transcript: Transcript) -> None:
        """One event of its engine."""
        if isinstance(event, StepReset):
            self.tell(Inside(self.name, None, transcript.text))
        elif isinstance(event, TextDelta):
            self._send(event)
        elif isinstance(event, ToolStarted):
            self._started(event.call)
        elif isinstance(event, ToolFinished):
            self._finished(event.result)

    def _started(self, call: ToolCallPart) -> None:
        self._send(ToolStarted(call.model_copy(update={"tool_use_id": f"{self.name}/{call.tool_use_id}"})))

    def _finished(self, result: ToolResultPart) -> None:
        self._send(ToolFinished(result.model_copy(update={"tool_use_id": f"{self.name}/{result.tool_use_id}"})))

    def _send(self, event: TextDelta | ToolStarted | ToolFinished) -> None:
        self.tell(Inside(self.name, event))


def _answered(outcome: Outcome) -> Answered:
    if outcome.status != "completed":
        raise ToolError(f"The model that was asked failed. {outcome.error}")
    return Answered(outcome.message.text, outcome.stop_reason or "end_turn")
