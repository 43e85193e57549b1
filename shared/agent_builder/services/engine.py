"""The run engine: from a conversation to its next answer, as a stream of events.

It knows nothing of AWS, of storage or of connections: the model, the tools and the prices are passed in, so that
something else than a Lambda function could drive it. Its steps are checkpoints: whoever drives it stores the
transcript's unsaved steps at each `Checkpoint`, and another engine goes on from a transcript made of them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

from agent_builder.clock import Clock, now_ms
from agent_builder.errors import BudgetExceeded, OutcomeUnknown, ProviderError, ReconnectNeeded, ToolError
from agent_builder.messages import (
    CallOutcome,
    Cost,
    Effect,
    Json,
    ModelEvent,
    ModelFinished,
    ModelRequest,
    TextDelta,
    TextPart,
    ThinkingDelta,
    ToolCallPart,
    ToolResultPart,
    ToolSpec,
    Usage,
)
from agent_builder.models.approvals import Decision
from agent_builder.models.conversations import Step, StepStatus
from agent_builder.services.account import UNKNOWN
from agent_builder.services.budget import Limits, calls_reached, reached_limit
from agent_builder.services.events import (
    ApprovalRequired,
    Checkpoint,
    Events,
    Interrupted,
    Parked,
    RunEnded,
    StepReset,
    Suspended,
    ToolFinished,
    ToolStarted,
)
from agent_builder.services.model_calls import ModelCall, as_taken, cost_of
from agent_builder.services.transcript import Transcript, failed
from agent_builder.tools.base import CallContext, Nest, Tool
from agent_builder.tools.outcomes import CallFailed, InvalidArguments, outcome_of

logger = logging.getLogger(__name__)


StepKind = Literal["model", "tool"]
Price = Callable[[str, Usage], Cost]


async def undecided(steps: Sequence[Step]) -> Mapping[int, Decision]:
    """Nobody decides."""
    return {}


@dataclass(frozen=True, slots=True)
class Engine:
    """Runs one agent.

    Attributes:
        stream: Calls the model, retries included; raises `ProviderError`.
        tools: By the name the model knows.
        price: Cost of a model step from the answering model's name and its usage.
        label: Fields for each model step's detail, like provider and model.
        call_key: A step's number to the idempotency key of its call.
        room: Whether a step of this kind may still begin here.
        decisions: What was decided on steps that wait for a person, by their numbers.
        hold: Holds what a model call may cost at a price while it goes on; raises `BudgetExceeded`.
        nest: What a call is given for steps of its own, if anything: of the engine and the transcript that make it.
    """

    stream: Callable[[ModelRequest], AsyncIterator[ModelEvent]]
    tools: Mapping[str, Tool]
    price: Price
    limits: Limits = field(default_factory=Limits)
    label: Json = field(default_factory=dict)
    clock: Clock = now_ms
    call_key: Callable[[int], str] = str
    room: Callable[[StepKind], bool] = lambda kind: True
    decisions: Callable[[Sequence[Step]], Awaitable[Mapping[int, Decision]]] = undecided
    hold: Callable[[ModelRequest, Price], AbstractAsyncContextManager[None]] = lambda request, price: nullcontext()
    nest: Callable[[Engine, Transcript, ToolCallPart], Nest | None] = lambda engine, transcript, call: None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def run(self, request: ModelRequest, transcript: Transcript) -> Events:
        """Answer the last message of `request`, from where the transcript stands.

        Ends with exactly one `RunEnded`, `Suspended` or `Parked`, unless it is cancelled.
        """
        account = transcript.account
        account.begun_at = account.begun_at or self.clock()
        while True:
            for part in (self._round, self._ask_model):
                async with aclosing(part(request, transcript)) as events:
                    async for event in events:
                        yield event
                        if isinstance(event, RunEnded | Suspended | Parked):
                            return

    async def _round(self, request: ModelRequest, transcript: Transcript) -> Events:
        """Make the calls that the model asked for last, if there are any, within the limits."""
        if not transcript.round:
            return
        async for event in self._settle_lost(transcript):  # before the limit is looked at: others share it
            yield event
        reached = calls_reached(self.limits, transcript)
        if reached is None and transcript.open_calls and not self.room("tool"):
            yield Suspended()
            return
        if reached is None:
            async with aclosing(self.calls(transcript)) as events:
                async for event in events:
                    yield event
        else:
            yield self._note(transcript, reached[1])
            yield RunEnded(transcript.outcome("completed", reached[0]))

    async def _ask_model(self, request: ModelRequest, transcript: Transcript) -> Events:
        """Call the model, within the limits; its answer ends the run unless it asks for tools."""
        reached = reached_limit(self.limits, transcript, self.clock())
        if reached is not None:
            yield self._note(transcript, reached[1])
            yield RunEnded(transcript.outcome("completed", reached[0]))
            return
        if not self.room("model"):
            yield Suspended()
            return
        history = replace(request, messages=transcript.behind(request.messages))
        try:
            with transcript.account.engage():
                async with self.hold(history, self.price):
                    async for event in self._model_step(history, transcript):
                        yield event
        except (ProviderError, BudgetExceeded) as error:
            yield RunEnded(transcript.outcome("failed", error=error))
            return
        if transcript.round:
            yield Checkpoint()
        else:  # a call of an answer that was cut off is never run
            yield RunEnded(transcript.outcome("completed", transcript.stop_reason))

    async def _model_step(
        self, request: ModelRequest, transcript: Transcript
    ) -> AsyncIterator[TextDelta | ThinkingDelta | StepReset | Checkpoint]:
        """Ask the model; again where its answer broke off in the middle, with what it had said withdrawn.

        Raises:
            ProviderError: It failed for good.
        """
        for attempt in range(1, self.limits.model_attempts + 1):
            call = ModelCall(self.clock())
            transcript.asks(call.started, self.label)
            try:
                async for event in self._ask(request, transcript, call):
                    yield event
                return
            except ProviderError as error:
                broken = self._broken(transcript, call, error)
                transcript.broke(broken)
                if not error.retryable or call.first is None or attempt == self.limits.model_attempts:
                    raise
            transcript.drop_partial()
            yield Checkpoint()  # so that whoever goes on elsewhere counts as we do
            yield StepReset(broken.number)
            await self.sleep(self.limits.retry_seconds * attempt)

    async def _ask(
        self, request: ModelRequest, transcript: Transcript, call: ModelCall
    ) -> AsyncIterator[TextDelta | ThinkingDelta]:
        finished: ModelFinished | None = None
        async for event in self.stream(request):
            call.first = call.first or time.monotonic()
            if isinstance(event, ModelFinished):
                finished = as_taken(event, request)
                continue
            if isinstance(event, TextDelta):
                transcript.text_pieces.append(event.text)
            else:
                transcript.thinking_pieces.append(event.text)
            yield event
        if finished is None:
            raise ProviderError("broken_stream", "The model's answer broke off before its end.")
        calls = [part for part in finished.parts if isinstance(part, ToolCallPart)]
        asked = calls if finished.stop_reason == "tool_use" else []
        step = self._finished(transcript, call, finished)
        transcript.said(step, [(part, self._effect(part), self._asks(part)) for part in asked])

    def _finished(self, transcript: Transcript, call: ModelCall, finished: ModelFinished) -> Step:
        told = {"stop_reason": finished.stop_reason, "answered_by": finished.model, "retries": finished.retries}
        parts = [part.model_dump(mode="json", exclude_none=True) for part in finished.parts]
        cost = cost_of(finished, self.price)
        step = self._model_record(transcript, call, {**self.label, **call.timing, **told, "parts": parts})
        return replace(step, usage=finished.usage, cost=cost)

    def _broken(self, transcript: Transcript, call: ModelCall, error: ProviderError) -> Step:
        """A call that failed; where it may have begun to answer it was charged for, nobody says how much."""
        cost = Cost(unpriced_steps=1) if call.first is not None or error.lost else None
        step = self._model_record(transcript, call, {**self.label, **call.timing, "retries": error.retries})
        return replace(step, status="failed", cost=cost, error=error.error_code)

    def _model_record(self, transcript: Transcript, call: ModelCall, detail: Json) -> Step:
        account = transcript.account
        account.steps += 1
        return Step(account.steps, "model", call.started, call.elapsed_ms, detail=detail, parent=transcript.parent)

    async def calls(self, transcript: Transcript) -> Events:
        """Make the calls of a round, those that a person must approve once one has.

        Ends with `Suspended` or `Parked` where another engine is to go on.
        """
        for part in (self._settle_lost, self._ask_approvals, self._make_free_calls, self._make_approved_calls):
            async with aclosing(part(transcript)) as events:
                async for event in events:
                    yield event
                    if isinstance(event, Suspended | Parked):
                        return
        transcript.close_round()

    async def _settle_lost(self, transcript: Transcript) -> Events:
        """Calls that another engine began, and that may have acted, are over: nobody knows how."""
        for call in transcript.round:
            step = transcript.ledger[call.tool_use_id]
            if step.status == "running" and step.detail["effect"] == "write" and not self._resumable(call):
                result = transcript.ended(failed(call, UNKNOWN, "unknown"), "unknown")
                yield Checkpoint()
                yield ToolFinished(result)

    async def _ask_approvals(self, transcript: Transcript) -> Events:
        """Ask people about the calls that need it; on whom an earlier engine asked, those who watch are told again."""
        fresh = [call for call in transcript.round if self._asks_first(call, transcript)]
        for call in fresh:
            seconds = self.tools[call.name].spec.approval_seconds
            transcript.awaits(call, self.clock() + seconds * 1000)
        if fresh:
            yield Checkpoint()
        asked = transcript.waiting
        decided = await self.decisions(asked) if len(asked) > len(fresh) else {}
        calls = {call.tool_use_id: call for call in transcript.round}
        for step in asked:
            if step.number not in decided:
                yield ApprovalRequired(calls[step.detail["tool_use_id"]], step.detail["expires_at"])

    def _asks_first(self, call: ToolCallPart, transcript: Transcript) -> bool:
        """Whether a call needs a person's yes that nobody was asked for yet.

        What is never called needs none; what is called inside of a call was approved with it.
        """
        tool = self.tools.get(call.name) if call.invalid is None else None
        if tool is None or not tool.spec.approval_seconds or transcript.parent is not None:
            return False
        return transcript.ledger[call.tool_use_id].status == "reserved"

    def _make_free_calls(self, transcript: Transcript) -> Events:
        """Make the calls for which nobody is waited."""
        asked = {step.detail["tool_use_id"] for step in transcript.waiting}
        free = [call for call in transcript.open_calls if call.tool_use_id not in asked]
        return self._make_calls(free, transcript)

    async def _make_approved_calls(self, transcript: Transcript) -> Events:
        """Make calls as they are approved, as long as there are decisions; what is denied has its result."""
        while waiting := transcript.waiting:
            decisions = await self.decisions(waiting)
            if not decisions:
                yield Parked(min(step.detail["expires_at"] for step in waiting))
                return
            for step in waiting:
                decision = decisions.get(step.number)
                result = transcript.decided(step, decision) if decision else None
                if result is not None:
                    yield Checkpoint()
                    yield ToolFinished(result)
            async with aclosing(self._make_free_calls(transcript)) as events:
                async for event in events:
                    yield event
                    if isinstance(event, Suspended):
                        return

    async def _make_calls(self, calls: Sequence[ToolCallPart], transcript: Transcript) -> Events:
        """Make calls side by side. Ends with `Suspended` where there was no room for what one does inside."""
        todo = [transcript.as_approved(call) for call in calls]
        for call in todo:
            yield ToolStarted(call)
            transcript.begins(call, self.clock())
        if any(transcript.ledger[call.tool_use_id].detail["effect"] == "write" for call in todo):
            yield Checkpoint()  # from here on each of them may have acted
        tasks = [asyncio.create_task(self._call(call, transcript)) for call in todo]
        unfinished = False
        try:
            for done in asyncio.as_completed(tasks):
                ended = await done
                if ended is None:
                    unfinished = True
                    continue
                result = transcript.ended(*ended)
                yield Checkpoint()
                yield ToolFinished(result)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)  # so that nothing of theirs comes later
        if unfinished:
            yield Suspended()

    async def _call(self, call: ToolCallPart, transcript: Transcript) -> tuple[ToolResultPart, StepStatus] | None:
        """Make one call; None where there is no room for what it does inside, so that another engine goes on."""
        begun, number = time.monotonic(), transcript.ledger[call.tool_use_id].number
        result: Json = {}
        error: str | None = None
        reconnect: str | None = None
        status: StepStatus = "failed"
        outcome: CallOutcome | None = "failed"
        doubt: StepStatus = "unknown" if self._effect(call) == "write" else "failed"
        try:
            result = await self._attempt(call, transcript)
            status, outcome = "succeeded", None
        except Interrupted as stop:
            if stop.error:
                raise stop.error from stop
            return None
        except OutcomeUnknown as failure:
            error, status = failure.detail, doubt
        except ReconnectNeeded as failure:
            error, reconnect = failure.detail, failure.credential_id
        except ToolError as failure:
            error, outcome = failure.detail, outcome_of(failure)
        except TimeoutError:
            error, status = f"The tool did not answer within {self._seconds(call):g} seconds.", doubt
            outcome = "timeout"
        except Exception:
            logger.exception("a tool failed unexpectedly", extra={"tool": call.name})
            error, status = "The tool failed because of a fault on our side.", doubt
        transcript.account.abandon(self.clock(), "tool_error", within=number)
        if status == "unknown":
            error, outcome = f"{error} {UNKNOWN}", "unknown"
        duration = round((time.monotonic() - begun) * 1000)
        told: Json = {"result": result, "error": error, "duration_ms": duration, "needs_reconnect": reconnect}
        return ToolResultPart(tool_use_id=call.tool_use_id, name=call.name, outcome=outcome, **told), status

    async def _attempt(self, call: ToolCallPart, transcript: Transcript) -> Json:
        """Call the tool, in its time; that of one that goes on where it ended counts from its first beginning."""
        tool, step = self._tool(call), transcript.ledger[call.tool_use_id]
        seconds = self._seconds(call)
        if tool.spec.resumable:
            seconds -= (self.clock() - step.started_at) / 1000
        note, nest = partial(transcript.note, call), self.nest(self, transcript, call)
        async with asyncio.timeout(seconds):
            return await tool.call(call.input, CallContext(self.call_key(step.number), note, nest))

    def _seconds(self, call: ToolCallPart) -> float:
        tool = self.tools.get(call.name)
        return (tool.spec.timeout_seconds if tool else None) or self.limits.tool_seconds

    def _tool(self, call: ToolCallPart) -> Tool:
        if call.invalid is not None:
            raise InvalidArguments("The arguments are not a JSON object; call the tool again with valid JSON.")
        tool = self.tools.get(call.name)
        if tool is None:
            raise CallFailed(f"There is no tool named {call.name!r}.", "unknown_tool")
        return tool

    def _effect(self, call: ToolCallPart) -> Effect:
        """What is never called has none."""
        spec = self._spec(call)
        return spec.effect if spec else "read"

    def _asks(self, call: ToolCallPart) -> Json:
        spec = self._spec(call)
        return {"asks": list(spec.asks)} if spec and spec.asks else {}

    def _resumable(self, call: ToolCallPart) -> bool:
        spec = self._spec(call)
        return spec is not None and spec.resumable

    def _spec(self, call: ToolCallPart) -> ToolSpec | None:
        tool = self.tools.get(call.name) if call.invalid is None else None
        return tool.spec if tool else None

    def _note(self, transcript: Transcript, text: str) -> TextDelta:
        """Say something to the user in our own words."""
        transcript.settle_round(text)
        transcript.close_round()
        separated = f"\n\n{text}" if transcript.text else text
        transcript.parts.append(TextPart(text=separated))
        return TextDelta(separated)
