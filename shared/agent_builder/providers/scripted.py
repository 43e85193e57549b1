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
import json
import re
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from typing import Any, get_args

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
from agent_builder.providers.arguments import parse_arguments
from agent_builder.providers.conversation import Said, finished, result_text

NAME = "scripted"
_COMMAND = re.compile(r"/(say|think|tool|error|long|slow|wait|stop|break|recall)\b[ \t]*(.*)")
_PIECE = re.compile(r"\s*\S+\s*?|\s+")
Sleep = Callable[[float], Awaitable[None]]


class Scripted:
    """`Provider` that follows a script. It holds nothing but how often a failing act with `times` has failed."""

    name = NAME

    def __init__(self, sleep: Sleep = asyncio.sleep) -> None:
        self._sleep = sleep
        self._failures: Counter[tuple[str, int, str]] = Counter()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Play one step."""
        parts: list[Said] = []
        usage, stop, pause = Usage(), "end_turn", 0.0
        for act in _acts(request):
            if "delay_ms" in act:
                await self._sleep(act["delay_ms"] / 1000)
            elif "slow_ms" in act:
                pause = act["slow_ms"] / 1000
            elif "error" in act:
                self._fail(act, request)
            elif "break" in act:
                raise ProviderError("broken_stream", "The script ended the stream early.")
            elif "tool" in act:
                parts.append(_call(act, request, len(parts)))
            else:
                stop, usage = act.get("stop", stop), Usage(**act["usage"]) if "usage" in act else usage
                for delta in _deltas(act):
                    _join(parts, delta)
                    yield delta
                    await self._sleep(pause)
        yield finished(request, parts, _reason(stop), _usage(usage, request, parts), request.model, stop)

    def _fail(self, act: Json, request: ModelRequest) -> None:
        kind = act["error"]
        times, key = act.get("times"), (request.cache_key, len(request.messages), str(kind))
        self._failures[key] += 1
        if times is not None and self._failures[key] > times:
            return
        if kind not in get_args(ProviderErrorKind):
            raise ProviderError("invalid_request", "The script names an error that does not exist.")
        raise ProviderError(kind, f"The script asked for this error: {kind}.", retry_after=act.get("retry_after"))


def _acts(request: ModelRequest) -> list[Json]:
    script = request.options.get("script")
    acts = script if isinstance(script, list) else list(_commands(request))
    step, results = _position(request.messages)
    groups = _groups(acts)
    if step < len(groups):
        return groups[step]
    if results:
        named = (f"{result.name} answered: {result_text(result)}" for result in results)
        return [{"text": "\n".join(named)}]
    return [{"text": "Done."}]


def _groups(acts: list[Json]) -> list[list[Json]]:
    """One list of acts a model step."""
    groups: list[list[Json]] = [[]]
    for act in acts:
        if groups[-1] and "tool" in groups[-1][-1] and "tool" not in act:
            groups.append([])
        groups[-1].append(act)
    return groups


def _position(messages: Any) -> tuple[int, tuple[ToolResultPart, ...]]:
    """How many steps this run has had, and the results of the last."""
    last: Message | None = messages[-1] if messages else None
    if last is None or last.role == "user":
        return 0, ()
    done = list(rounds(last))
    return len(done), done[-1].results if done else ()


def _commands(request: ModelRequest) -> Iterator[Json]:
    said = [message.text for message in request.messages if message.role == "user"]
    last = said[-1] if said else ""
    found = [] if request.model == "echo" else [m for line in last.splitlines() if (m := _COMMAND.match(line.strip()))]
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


def _deltas(act: Json) -> Iterator[TextDelta | ThinkingDelta]:
    yield from (TextDelta(piece) for piece in _PIECE.findall(str(act.get("text", ""))))
    yield from (ThinkingDelta(piece) for piece in _PIECE.findall(str(act.get("thinking", ""))))


def _join(parts: list[Said], delta: TextDelta | ThinkingDelta) -> None:
    kind = TextPart if isinstance(delta, TextDelta) else ThinkingPart
    before = parts[-1] if parts else None
    if isinstance(before, kind):
        parts[-1] = before.model_copy(update={"text": before.text + delta.text})
    else:
        parts.append(kind(text=delta.text))


def _call(act: Json, request: ModelRequest, position: int) -> ToolCallPart:
    raw = act["raw"] if "raw" in act else json.dumps(act.get("input", {}))
    parsed, invalid = parse_arguments(raw)
    before = sum(isinstance(p, ToolCallPart) for m in request.messages for p in m.parts)
    call_id = act.get("id") or f"scripted_{before + position + 1}"
    return ToolCallPart(tool_use_id=call_id, name=str(act["tool"]), input=parsed, invalid=invalid)


def _reason(stop: str) -> StopReason:
    for known in get_args(StopReason):
        if known == stop:
            reason: StopReason = known
            return reason
    return "end_turn"


def _usage(given: Usage, request: ModelRequest, parts: list[Said]) -> Usage:
    if given != Usage():
        return given
    read = len(request.system) + sum(len(m.text) for m in request.messages)
    written = sum(len(part.text) for part in parts if not isinstance(part, ToolCallPart))
    return Usage(input_tokens=-(-read // 4), output_tokens=-(-written // 4))
