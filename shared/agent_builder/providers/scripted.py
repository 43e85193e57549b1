r"""A model that does as it is told: for tests, and for trying the product without a key. It is no language model.

What it does in one model step is a list of *acts*, taken from the first of these that there is:

1. `options.script`, a list of acts: `{"text": "…"}`, `{"thinking": "…"}`, `{"tool": name, "input": {…}, "id"?: "…"}`
   (or `"raw": "…"` in place of `input`), `{"error": kind, "times"?: n, "retry_after"?: seconds}`, `{"delay_ms": n}`,
   `{"slow_ms": n}` (between all further pieces), `{"usage": {…}}`, `{"stop": reason}`, `{"break": true}`.
2. Lines of the last user message that begin with a slash:
       /say TEXT          /think TEXT          /tool NAME {JSON}
       /error KIND [N]    fails (N: only the first N times it is asked)
       /long N            a text of N words    /slow N  N ms between pieces    /wait N  N ms once
       /stop REASON       such as max_tokens   /break   the stream ends early
       /recall            repeats the first user message of the conversation
3. Otherwise it says `You said: ` and the message.

Acts up to and with a group of tools are one step; those that follow are for the step after the tools have answered.
When none are left after tools have answered, it names their results. With `echo` as the model's name only 3 counts.
Usage, unless given, is a quarter of the characters, rounded up.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from agent_builder.errors import ProviderError, ProviderErrorKind
from agent_builder.messages import (
    Json,
    Message,
    ModelEvent,
    ModelRequest,
    StopReason,
    TextDelta,
    TextPart,
    ThinkingDelta,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
    Usage,
    rounds,
)
from agent_builder.providers.arguments import compact, parse_arguments
from agent_builder.providers.conversation import Said, counted, finished, result_text

NAME = "scripted"
_COMMAND = re.compile(r"/(say|think|tool|error|long|slow|wait|stop|break|recall)\b[ \t]*(.*)")
_PIECE = re.compile(r"\s*\S+\s*?|\s+")
Sleep = Callable[[float], Awaitable[None]]


class Act(BaseModel):
    """One act of a script."""

    model_config = ConfigDict(extra="forbid")

    text: str = ""
    thinking: str = ""
    tool: str | None = None
    input: Json = Field(default_factory=dict)
    raw: str | None = None
    id: str | None = None
    error: ProviderErrorKind | None = None
    times: int | None = None
    retry_after: float | None = None
    delay_ms: int | None = Field(default=None, ge=0, le=600_000)
    slow_ms: int | None = Field(default=None, ge=0, le=60_000)
    usage: Usage | None = None
    stop: StopReason | None = None
    early_end: bool = Field(default=False, alias="break")


_SCRIPT = TypeAdapter(list[Act])


class Scripted:
    """`Provider` that follows a script. It holds nothing but how often a failing act with `times` has failed."""

    name = NAME

    def __init__(self, sleep: Sleep = asyncio.sleep) -> None:
        self._sleep = sleep
        self._failures: Counter[tuple[str, int, str]] = Counter()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Play one step."""
        parts: list[Said] = []
        usage: Usage | None = None
        stop: StopReason = "end_turn"
        pause = 0.0
        for act in _acts(request):
            await self._sleep((act.delay_ms or 0) / 1000)
            pause = pause if act.slow_ms is None else act.slow_ms / 1000
            self._fail(act, request)
            if act.tool is not None:
                parts.append(_call(act, act.tool, request, len(parts)))
            stop, usage = act.stop or stop, counted(**act.usage.model_dump()) if act.usage else usage
            for delta in _deltas(act):
                _join(parts, delta)
                yield delta
                await self._sleep(pause)
        yield finished(request, parts, stop, usage or _usage(request, parts), request.model, stop)

    def _fail(self, act: Act, request: ModelRequest) -> None:
        if act.early_end:
            raise ProviderError("broken_stream", "The script ended the stream early.")
        if act.error is None:
            return
        key = (request.cache_key, len(request.messages), act.error)
        self._failures[key] += 1
        if act.times is None or self._failures[key] <= act.times:
            detail = f"The script asked for this error: {act.error}."
            raise ProviderError(act.error, detail, retry_after=act.retry_after)


def _acts(request: ModelRequest) -> list[Act]:
    script = request.options.get("script")
    try:
        acts = _SCRIPT.validate_python(list(_commands(request)) if script is None else script)
    except ValidationError as error:
        raise ProviderError("invalid_request", "The script has an act that does not exist or is incomplete.") from error
    step, results = _position(request.messages)
    groups = _groups(acts)
    if step < len(groups):
        return groups[step]
    named = (f"{result.name} answered: {result_text(result)}" for result in results)
    return [Act(text="\n".join(named) or "Done.")]


def _groups(acts: list[Act]) -> list[list[Act]]:
    """One list of acts a model step."""
    groups: list[list[Act]] = [[]]
    for act in acts:
        if groups[-1] and groups[-1][-1].tool is not None and act.tool is None:
            groups.append([])
        groups[-1].append(act)
    return groups


def _position(messages: Sequence[Message]) -> tuple[int, tuple[ToolResultPart, ...]]:
    """How many steps this run has had, and the results of the last."""
    last = messages[-1] if messages else None
    if last is None or last.role == "user":
        return 0, ()
    done = list(rounds(last))
    return len(done), done[-1].results if done else ()


def _commands(request: ModelRequest) -> Iterator[Json]:
    said = [message.text for message in request.messages if message.role == "user"]
    last = said[-1] if said else ""
    found = [] if request.model == "echo" else [m for line in last.split("\n") if (m := _COMMAND.match(line.strip()))]
    if not found:
        yield {"text": f"You said: {last}"}
    for command in found:
        yield _act(command[1], command[2].strip(), said[0])


def _act(command: str, rest: str, first: str) -> Json:
    first_word, _, more = rest.partition(" ")
    number = int(first_word) if first_word.isdigit() else 0
    match command:
        case "say" | "think":
            return {"text" if command == "say" else "thinking": rest}
        case "tool":
            return {"tool": first_word, "raw": more}
        case "error":
            return {"error": first_word or "unavailable"} | ({"times": int(more)} if more.strip().isdigit() else {})
        case "long":
            return {"text": " ".join(f"word{n}" for n in range(1, number + 1))}
        case "slow" | "wait":
            return {"slow_ms" if command == "slow" else "delay_ms": number}
        case "stop":
            return {"stop": first_word}
        case "recall":
            return {"text": f"Your first message was: {first}"}
    return {"break": True}


def _deltas(act: Act) -> Iterator[TextDelta | ThinkingDelta]:
    yield from (TextDelta(piece) for piece in _PIECE.findall(act.text))
    yield from (ThinkingDelta(piece) for piece in _PIECE.findall(act.thinking))


def _join(parts: list[Said], delta: TextDelta | ThinkingDelta) -> None:
    kind = TextPart if isinstance(delta, TextDelta) else ThinkingPart
    before = parts[-1] if parts else None
    if isinstance(before, kind):
        parts[-1] = before.model_copy(update={"text": before.text + delta.text})
    else:
        parts.append(kind(text=delta.text))


def _call(act: Act, name: str, request: ModelRequest, position: int) -> ToolCallPart:
    parsed, invalid = parse_arguments(compact(act.input) if act.raw is None else act.raw)
    before = sum(isinstance(p, ToolCallPart) for m in request.messages for p in m.parts)
    call_id = act.id or f"scripted_{before + position + 1}"
    return ToolCallPart(tool_use_id=call_id, name=name, input=parsed, invalid=invalid)


def _usage(request: ModelRequest, parts: list[Said]) -> Usage:
    read = len(request.system) + sum(len(m.text) for m in request.messages)
    written = sum(len(part.text) for part in parts if not isinstance(part, ToolCallPart))
    return Usage(input_tokens=-(-read // 4), output_tokens=-(-written // 4))
