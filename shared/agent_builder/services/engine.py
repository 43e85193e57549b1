"""The run engine: from a conversation to its next answer, as a stream of events.

It knows nothing of AWS, of storage or of connections: the model, the tools and the prices are passed in, so that
something else than a Lambda function could drive it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from agent_builder.clock import Clock, now_ms
from agent_builder.errors import ProviderError, ToolError
from agent_builder.messages import (
    Cost,
    Json,
    Message,
    ModelEvent,
    ModelFinished,
    ModelRequest,
    Part,
    TextDelta,
    TextPart,
    ThinkingDelta,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
    Usage,
)
from agent_builder.models.conversations import Outcome, RunStatus, Step
from agent_builder.tools.base import Tool

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use. Times in seconds."""

    model_steps: int = 25
    tool_calls: int = 50
    tool_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """A tool is about to be called."""

    call: ToolCallPart


@dataclass(frozen=True, slots=True)
class ToolFinished:
    """A tool answered, or failed."""

    result: ToolResultPart


@dataclass(frozen=True, slots=True)
class StepEnded:
    """A model or tool step is over."""

    step: Step


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The terminal event."""

    outcome: Outcome


EngineEvent = TextDelta | ThinkingDelta | ToolStarted | ToolFinished | StepEnded | RunEnded


@dataclass(slots=True)
class Transcript:
    """What a run has said and used so far; readable at any time, also when the run is cut off.

    `text_pieces` and `thinking_pieces` are of the step that goes on; joining them as they come would cost the square.
    """

    parts: list[Part] = field(default_factory=list)
    text_pieces: list[str] = field(default_factory=list)
    thinking_pieces: list[str] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    cost: Cost = field(default_factory=Cost)
    steps: int = 0
    tool_calls: int = 0

    @property
    def text(self) -> str:
        """All text shown so far."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart)) + "".join(self.text_pieces)

    def message(self) -> Message:
        """The assistant's message as far as it came; calls without a result are left out."""
        parts = list(self.parts)
        if self.thinking_pieces:
            parts.append(ThinkingPart(text="".join(self.thinking_pieces)))
        if self.text_pieces:
            parts.append(TextPart(text="".join(self.text_pieces)))
        answered = {part.tool_use_id for part in parts if isinstance(part, ToolResultPart)}
        whole = [p for p in parts if not isinstance(p, ToolCallPart) or p.tool_use_id in answered]
        return Message(role="assistant", parts=tuple(whole))

    def outcome(self, status: RunStatus, stop_reason: str | None = None, error: ProviderError | None = None) -> Outcome:
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


@dataclass(frozen=True, slots=True)
class Engine:
    """Runs one agent.

    Attributes:
        stream: Calls the model, retries included; raises `ProviderError`.
        tools: By the name the model knows.
        price: Cost of a model step from the answering model's name and its usage.
        label: Fields for each model step's detail, like provider and model.
    """

    stream: Callable[[ModelRequest], AsyncIterator[ModelEvent]]
    tools: Mapping[str, Tool]
    price: Callable[[str, Usage], Cost]
    limits: Limits = Limits()
    label: Json = field(default_factory=dict)
    clock: Clock = now_ms

    async def run(self, request: ModelRequest, transcript: Transcript) -> AsyncIterator[EngineEvent]:
        """Answer the last message of `request`. Ends with exactly one `RunEnded`, unless it is cancelled."""
        history = list(request.messages)
        for _ in range(self.limits.model_steps):
            said: list[Part] = []
            try:
                async for event in self._model_step(replace(request, messages=_with(history, transcript)), transcript):
                    if isinstance(event, ModelFinished):
                        said = list(event.parts)
                        stop_reason = event.stop_reason
                    else:
                        yield event
            except ProviderError as error:
                yield RunEnded(transcript.outcome("failed", error=error))
                return
            calls = [part for part in said if isinstance(part, ToolCallPart)]
            if not calls or stop_reason != "tool_use":  # a call of an answer that was cut off is never run
                yield RunEnded(transcript.outcome("completed", stop_reason))
                return
            async for tool_event in self._tool_steps(calls, transcript):
                yield tool_event
        yield self._note(
            transcript, f"Stopped: the limit of {self.limits.model_steps} model calls in one run is reached."
        )
        yield RunEnded(transcript.outcome("completed", "step_limit"))

    async def _model_step(
        self, request: ModelRequest, transcript: Transcript
    ) -> AsyncIterator[TextDelta | ThinkingDelta | StepEnded | ModelFinished]:
        started, first = self.clock(), None
        begun = time.monotonic()
        finished: ModelFinished | None = None
        try:
            async for event in self.stream(request):
                first = time.monotonic() if first is None else first
                if isinstance(event, ModelFinished):
                    finished = event
                    continue
                if isinstance(event, TextDelta):
                    transcript.text_pieces.append(event.text)
                else:
                    transcript.thinking_pieces.append(event.text)
                yield event
        except ProviderError as error:
            yield StepEnded(self._step(transcript, started, begun, first, None, error.error_code))
            raise
        if finished is None:
            broken = ProviderError("broken_stream", "The model's answer broke off before its end.")
            yield StepEnded(self._step(transcript, started, begun, first, None, broken.error_code))
            raise broken
        transcript.parts.extend(finished.parts)
        transcript.text_pieces.clear()
        transcript.thinking_pieces.clear()
        yield StepEnded(self._step(transcript, started, begun, first, finished, None))
        yield finished

    def _step(
        self,
        transcript: Transcript,
        started: int,
        begun: float,
        first: float | None,
        finished: ModelFinished | None,
        error: str | None,
    ) -> Step:
        """Account for a model call."""
        transcript.steps += 1
        detail: Json = {**self.label}
        if first is not None:
            detail["first_token_ms"] = round((first - begun) * 1000)
        usage = cost = None
        if finished is not None:
            usage = finished.usage
            cost = self.price(finished.model, usage)
            transcript.usage += usage
            transcript.cost += cost
            detail |= {"stop_reason": finished.stop_reason, "answered_by": finished.model}
            detail["parts"] = [part.model_dump(mode="json", exclude_none=True) for part in finished.parts]
        return Step(
            number=transcript.steps,
            kind="model",
            started_at=started,
            duration_ms=round((time.monotonic() - begun) * 1000),
            detail=detail,
            usage=usage,
            cost=cost,
            error=error,
        )

    async def _tool_steps(
        self, calls: Sequence[ToolCallPart], transcript: Transcript
    ) -> AsyncIterator[ToolStarted | ToolFinished | StepEnded]:
        """Call the tools of one round side by side; results stand in the order of the calls."""
        for call in calls:
            yield ToolStarted(call)
        tasks = [asyncio.create_task(self._call(call, transcript)) for call in calls]
        try:
            for done in asyncio.as_completed(tasks):
                result, started = await done
                transcript.steps += 1
                yield ToolFinished(result)
                yield StepEnded(_tool_step(transcript.steps, result, started))
            transcript.parts.extend(task.result()[0] for task in tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def _call(self, call: ToolCallPart, transcript: Transcript) -> tuple[ToolResultPart, int]:
        started, begun = self.clock(), time.monotonic()
        result: Json = {}
        error: str | None = None
        try:
            transcript.tool_calls += 1
            if transcript.tool_calls > self.limits.tool_calls:
                raise ToolError(f"The limit of {self.limits.tool_calls} tool calls in one run is reached.")
            async with asyncio.timeout(self.limits.tool_seconds):
                result = await self._tool(call).call(call.input)
        except ToolError as failure:
            error = failure.detail
        except TimeoutError:
            error = f"The tool did not answer within {self.limits.tool_seconds:g} seconds."
        except Exception:
            logger.exception("a tool failed unexpectedly", extra={"tool": call.name})
            error = "The tool failed because of a fault on our side."
        part = ToolResultPart(
            tool_use_id=call.tool_use_id,
            name=call.name,
            result=result,
            error=error,
            duration_ms=round((time.monotonic() - begun) * 1000),
        )
        return part, started

    def _tool(self, call: ToolCallPart) -> Tool:
        if call.invalid is not None:
            raise ToolError("The arguments are not a JSON object; call the tool again with valid JSON.")
        tool = self.tools.get(call.name)
        if tool is None:
            raise ToolError(f"There is no tool named {call.name!r}.")
        return tool

    def _note(self, transcript: Transcript, text: str) -> TextDelta:
        """Say something to the user in our own words."""
        separated = f"\n\n{text}" if transcript.text else text
        transcript.parts.append(TextPart(text=separated))
        return TextDelta(separated)


def _with(history: Sequence[Message], transcript: Transcript) -> list[Message]:
    if not transcript.parts:
        return list(history)
    return [*history, Message(role="assistant", parts=tuple(transcript.parts))]


def _tool_step(number: int, result: ToolResultPart, started: int) -> Step:
    return Step(
        number=number,
        kind="tool",
        started_at=started,
        duration_ms=result.duration_ms or 0,
        detail={"tool": result.name, "tool_use_id": result.tool_use_id},
        error="tool_error" if result.error else None,
    )
