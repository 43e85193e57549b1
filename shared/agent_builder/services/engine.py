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
from dataclasses import dataclass, field, replace
from typing import Literal

from agent_builder.clock import Clock, now_ms
from agent_builder.errors import OutcomeUnknown, ProviderError, ToolError
from agent_builder.messages import (
    Cost,
    Effect,
    Json,
    Message,
    ModelEvent,
    ModelFinished,
    ModelRequest,
    TextDelta,
    TextPart,
    ThinkingDelta,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
    Usage,
)
from agent_builder.models.conversations import Outcome, Step, StepStatus
from agent_builder.services.transcript import UNKNOWN, Transcript
from agent_builder.tools.base import CallContext, Tool

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use. Times in seconds; `tokens` counts input and output of all its model calls."""

    model_steps: int = 25
    tool_calls: int = 50
    same_calls: int = 5
    tokens: int = 4_000_000
    run_seconds: float = 3_600.0
    tool_seconds: float = 30.0
    model_attempts: int = 3
    retry_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """A tool is about to be called."""

    call: ToolCallPart


@dataclass(frozen=True, slots=True)
class ToolFinished:
    """A tool answered, or failed."""

    result: ToolResultPart


@dataclass(frozen=True, slots=True)
class StepReset:
    """What a model step had said is withdrawn: it broke off and is asked again. `step` is the number of the broken."""

    step: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The transcript's unsaved steps must be stored before the next event is asked for."""


@dataclass(frozen=True, slots=True)
class Suspended:
    """There is no room for another step: all that is over is stored, and another engine is to go on."""


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The terminal event."""

    outcome: Outcome


EngineEvent = TextDelta | ThinkingDelta | ToolStarted | ToolFinished | StepReset | Checkpoint | Suspended | RunEnded
Said = TextPart | ThinkingPart | ToolCallPart
StepKind = Literal["model", "tool"]


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
    """

    stream: Callable[[ModelRequest], AsyncIterator[ModelEvent]]
    tools: Mapping[str, Tool]
    price: Callable[[str, Usage], Cost]
    limits: Limits = Limits()
    label: Json = field(default_factory=dict)
    clock: Clock = now_ms
    call_key: Callable[[int], str] = str
    room: Callable[[StepKind], bool] = lambda kind: True
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def run(self, request: ModelRequest, transcript: Transcript) -> AsyncIterator[EngineEvent]:
        """Answer the last message of `request`, from where the transcript stands.

        Ends with exactly one `RunEnded` or `Suspended`, unless it is cancelled.
        """
        transcript.begun_at = transcript.begun_at or self.clock()
        while True:
            for part in (self._round, self._ask_model):
                async for event in part(request, transcript):
                    yield event
                    if isinstance(event, RunEnded | Suspended):
                        return

    async def _round(self, request: ModelRequest, transcript: Transcript) -> AsyncIterator[EngineEvent]:
        """Make the calls that the model asked for last, if there are any, within the limits."""
        if not transcript.round:
            return
        reached = self._round_limit(transcript)
        if reached is None and transcript.open_calls and not self.room("tool"):
            yield Suspended()
            return
        if reached is None:
            async for event in self._call_tools(transcript):
                yield event
        else:
            yield self._note(transcript, reached[1])
            yield RunEnded(transcript.outcome("completed", reached[0]))

    async def _ask_model(self, request: ModelRequest, transcript: Transcript) -> AsyncIterator[EngineEvent]:
        """Call the model, within the limits; its answer ends the run unless it asks for tools."""
        reached = self._limit(transcript)
        if reached is not None:
            yield self._note(transcript, reached[1])
            yield RunEnded(transcript.outcome("completed", reached[0]))
            return
        if not self.room("model"):
            yield Suspended()
            return
        history = replace(request, messages=_with(request.messages, transcript))
        try:
            async for event in self._model_step(history, transcript):
                yield event
        except ProviderError as error:
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
            call = _ModelCall(self.clock())
            transcript.asking = call.started
            try:
                async for event in self._ask(request, transcript, call):
                    yield event
                return
            except ProviderError as error:
                transcript.broke(self._broken(transcript, call, error))
                if not error.retryable or call.first is None or attempt == self.limits.model_attempts:
                    raise
            transcript.drop_partial()
            yield Checkpoint()  # so that whoever goes on elsewhere counts as we do
            yield StepReset(transcript.steps)
            await self.sleep(self.limits.retry_seconds * attempt)

    async def _ask(
        self, request: ModelRequest, transcript: Transcript, call: _ModelCall
    ) -> AsyncIterator[TextDelta | ThinkingDelta]:
        finished: ModelFinished | None = None
        async for event in self.stream(request):
            call.first = call.first or time.monotonic()
            if isinstance(event, ModelFinished):
                finished = replace(event, parts=_with_unique_calls(event.parts))
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
        transcript.said(step, [(part, self._effect(part)) for part in asked])

    def _finished(self, transcript: Transcript, call: _ModelCall, finished: ModelFinished) -> Step:
        transcript.steps += 1
        detail: Json = {
            **self.label,
            **call.timing,
            "stop_reason": finished.stop_reason,
            "answered_by": finished.model,
            "retries": finished.retries,
            "parts": [part.model_dump(mode="json", exclude_none=True) for part in finished.parts],
        }
        cost = self.price(finished.model, finished.usage)
        return Step(
            transcript.steps, "model", call.started, call.elapsed_ms, detail=detail, usage=finished.usage, cost=cost
        )

    def _broken(self, transcript: Transcript, call: _ModelCall, error: ProviderError) -> Step:
        """A call that failed; once it had begun to answer it was charged for, nobody says how much."""
        transcript.steps += 1
        cost = Cost(unpriced_steps=1) if call.first is not None else None
        detail: Json = {**self.label, **call.timing}
        return Step(
            transcript.steps,
            "model",
            call.started,
            call.elapsed_ms,
            "failed",
            detail=detail,
            cost=cost,
            error=error.error_code,
        )

    async def _call_tools(self, transcript: Transcript) -> AsyncIterator[EngineEvent]:
        """Make the calls of a round side by side; those that another engine began are settled first."""
        for call in transcript.round:
            step = transcript.ledger[call.tool_use_id]
            if step.status == "running" and step.detail["effect"] == "write":
                result = ToolResultPart(tool_use_id=call.tool_use_id, name=call.name, result={}, error=UNKNOWN)
                transcript.ended(result, "unknown")
                yield Checkpoint()
                yield ToolFinished(result)
        todo = transcript.open_calls
        for call in todo:
            yield ToolStarted(call)
            transcript.begins(call, self.clock())
        if any(transcript.ledger[call.tool_use_id].detail["effect"] == "write" for call in todo):
            yield Checkpoint()  # from here on each of them may have acted
        tasks = [asyncio.create_task(self._call(call, transcript.ledger[call.tool_use_id].number)) for call in todo]
        try:
            for done in asyncio.as_completed(tasks):
                result, status = await done
                transcript.ended(result, status)
                yield Checkpoint()
                yield ToolFinished(result)
        finally:
            for task in tasks:
                task.cancel()
        transcript.close_round()

    async def _call(self, call: ToolCallPart, number: int) -> tuple[ToolResultPart, StepStatus]:
        begun, seconds = time.monotonic(), self.limits.tool_seconds
        result: Json = {}
        error: str | None = None
        status: StepStatus = "failed"
        doubt: StepStatus = "unknown" if self._effect(call) == "write" else "failed"
        try:
            tool = self._tool(call)
            seconds = tool.spec.timeout_seconds or seconds
            async with asyncio.timeout(seconds):
                result = await tool.call(call.input, CallContext(self.call_key(number)))
            status = "succeeded"
        except OutcomeUnknown as failure:
            error, status = failure.detail, doubt
        except ToolError as failure:
            error = failure.detail
        except TimeoutError:
            error, status = f"The tool did not answer within {seconds:g} seconds.", doubt
        except Exception:
            logger.exception("a tool failed unexpectedly", extra={"tool": call.name})
            error, status = "The tool failed because of a fault on our side.", doubt
        if status == "unknown":
            error = f"{error} {UNKNOWN}"
        duration = round((time.monotonic() - begun) * 1000)
        return ToolResultPart(
            tool_use_id=call.tool_use_id, name=call.name, result=result, error=error, duration_ms=duration
        ), status

    def _tool(self, call: ToolCallPart) -> Tool:
        if call.invalid is not None:
            raise ToolError("The arguments are not a JSON object; call the tool again with valid JSON.")
        tool = self.tools.get(call.name)
        if tool is None:
            raise ToolError(f"There is no tool named {call.name!r}.")
        return tool

    def _effect(self, call: ToolCallPart) -> Effect:
        """What is never called has none."""
        tool = self.tools.get(call.name) if call.invalid is None else None
        return tool.spec.effect if tool else "read"

    def _round_limit(self, transcript: Transcript) -> tuple[str, str] | None:
        """The limit that the calls of a round would break."""
        fresh = sum(transcript.ledger[call.tool_use_id].status == "reserved" for call in transcript.round)
        if transcript.tool_calls + fresh > self.limits.tool_calls:
            return (
                "tool_call_limit",
                f"Stopped: the limit of {self.limits.tool_calls} tool calls in one run is reached.",
            )
        return None

    def _limit(self, transcript: Transcript) -> tuple[str, str] | None:
        """The limit that is reached before another model call, and what the user is told."""
        limits = self.limits
        if transcript.model_steps >= limits.model_steps:
            return "step_limit", f"Stopped: the limit of {limits.model_steps} model calls in one run is reached."
        if max(transcript.repeats.values(), default=0) >= limits.same_calls:
            return "repeated_call", f"Stopped: the same tool call gave the same result {limits.same_calls} times."
        if transcript.usage.input_tokens + transcript.usage.output_tokens >= limits.tokens:
            return "token_limit", f"Stopped: the limit of {limits.tokens:,} tokens in one run is reached."
        if self.clock() - transcript.begun_at >= limits.run_seconds * 1000:
            return "time_limit", f"Stopped: the limit of {limits.run_seconds:g} seconds for one run is reached."
        return None

    def _note(self, transcript: Transcript, text: str) -> TextDelta:
        """Say something to the user in our own words."""
        transcript.settle_round(text)
        transcript.close_round()
        separated = f"\n\n{text}" if transcript.text else text
        transcript.parts.append(TextPart(text=separated))
        return TextDelta(separated)


@dataclass(slots=True)
class _ModelCall:
    """When a call of the model began (milliseconds), and when its first event came (seconds that only rise)."""

    started: int
    begun: float = field(default_factory=time.monotonic)
    first: float | None = None

    @property
    def elapsed_ms(self) -> int:
        return round((time.monotonic() - self.begun) * 1000)

    @property
    def timing(self) -> Json:
        return {} if self.first is None else {"first_token_ms": round((self.first - self.begun) * 1000)}


def _with(history: Sequence[Message], transcript: Transcript) -> list[Message]:
    if not transcript.parts:
        return list(history)
    return [*history, Message(role="assistant", parts=tuple(transcript.parts))]


def _with_unique_calls(parts: Sequence[Said]) -> tuple[Said, ...]:
    """The same parts; where a careless server gave several calls one id, each has its own."""
    seen: set[str] = set()
    unique: list[Said] = []
    for part in parts:
        if isinstance(part, ToolCallPart):
            name, count = part.tool_use_id, 1
            while name in seen or not name:
                count += 1
                name = f"{part.tool_use_id or 'call'}-{count}"
            seen.add(name)
            part = part if name == part.tool_use_id else part.model_copy(update={"tool_use_id": name})
        unique.append(part)
    return tuple(unique)
