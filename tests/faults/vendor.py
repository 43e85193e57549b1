"""A model whose answers are known: OpenAI-compatible chat completions, streamed, that break off where the plan says.

What it answers follows from the mark in the user's message and from how many rounds of tools came after it. Each
attempt at a step has words of its own (`c1.0/s0a1w3`), so that a text shows of which attempts it was made.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.faults import processes
from tests.faults.history import History

_MARK = re.compile(r"\[\[(\w+)\.(\d+)\]\]")
STALL, DROP, CUT, ERROR, STATUS, KILL, PAUSE = "stall", "drop", "cut", "error", "status", "kill", "pause"


@dataclass(frozen=True)
class ToolUse:
    """A call of a tool that the model asks for. `{mark}` in an argument becomes the mark of the message."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One answer of the model: words, `together` in a chunk, then calls of tools. Without calls it is the last."""

    words: int = 12
    calls: tuple[ToolUse, ...] = ()
    pace: float = 0.01
    together: int = 1


@dataclass(frozen=True)
class Breakage:
    """How an attempt at a step goes wrong, after so many chunks.

    `drop` cuts the connection, `cut` ends the answer without its end, `error` sends an error event, `status` refuses
    with `code` before anything else, `stall` is silent for `seconds`; `kill` and `pause` strike who asked.
    """

    action: str
    chunk: int = 0
    step: int = 0
    attempt: int = 1
    seconds: float = 0.0
    code: int = 500

    @property
    def name(self) -> str:
        """What the report calls it."""
        return f"model: {self.action}{f' {self.code}' if self.action == STATUS else ''} at chunk {self.chunk}"


@dataclass
class Script:
    """What the model answers to one message."""

    steps: tuple[Step, ...] = (Step(),)
    breakages: tuple[Breakage, ...] = ()

    def breakage(self, step: int, attempt: int) -> Breakage | None:
        """What goes wrong with this attempt."""
        return next((item for item in self.breakages if (item.step, item.attempt) == (step, attempt)), None)


def word(mark: str, step: int, attempt: int, number: int) -> str:
    """One piece of text. Some hold a character that JavaScript counts as two."""
    return f"{mark}/s{step}a{attempt}w{number}{'🙂' if number % 4 == 3 else ''} "


def text_of(mark: str, step: int, attempt: int, words: int) -> str:
    """The whole text of an attempt."""
    return "".join(word(mark, step, attempt, number) for number in range(words))


class Struck(Exception):
    """The connection was cut instead of going on."""


@dataclass
class Vendor:
    """Serves the scripts, by mark. `runners` are the processes that may ask, as far as they are known."""

    history: History
    runners: set[int] = field(default_factory=set)
    scripts: dict[str, Script] = field(default_factory=dict)
    attempts: Counter[tuple[str, int]] = field(default_factory=Counter)
    port: int = 0
    _runner: web.AppRunner | None = None

    @property
    def base_url(self) -> str:
        """What an agent's model configuration names."""
        return f"http://127.0.0.1:{self.port}/v1"

    async def start(self) -> None:
        """Listen on a free port."""
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/v1/chat/completions", self._completions)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner:
            await self._runner.cleanup()

    async def _completions(self, request: web.Request) -> web.StreamResponse:
        mark, step = _asked((await request.json())["messages"])
        script = self.scripts.get(mark, Script())
        self.attempts[mark, step] += 1
        attempt = self.attempts[mark, step]
        case, _, message = mark.partition(".")
        about = {"case": case, "message": message, "step": step, "attempt": attempt}
        process = await self._who(request)
        self.history.write("model.asked", **about, process=process)
        breakage = script.breakage(step, attempt)
        if breakage and breakage.action == STATUS:
            self._struck(about, breakage)
            return web.json_response({"error": {"message": "no", "type": "server_error"}}, status=breakage.code)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        try:
            await response.prepare(request)
            await self._stream(request, response, script.steps[min(step, len(script.steps) - 1)], about, breakage)
        except Struck:
            if request.transport:
                request.transport.abort()
            return response
        except ConnectionError:
            self.history.write("model.left", **about)  # who asked is gone, or wants no more
        return response

    async def _stream(
        self,
        request: web.Request,
        response: web.StreamResponse,
        step: Step,
        about: dict[str, Any],
        breakage: Breakage | None,
    ) -> None:
        mark = f"{about['case']}.{about['message']}"
        chunks = _chunks(mark, step, about["step"], about["attempt"])
        reason = len(chunks) - 3  # with this chunk the answer is whole; usage may still be lost
        for number, chunk in enumerate(chunks):
            if breakage and number == breakage.chunk and await self._break(request, response, about, breakage):
                return
            await response.write(chunk)
            if number == reason:
                self.history.write("model.told", **about, words=step.words)
            await asyncio.sleep(step.pace)
        await response.write_eof()

    async def _who(self, request: web.Request) -> int | None:
        """The process that asks."""
        return await asyncio.to_thread(processes.pid_of_peer, processes.ports(request.transport), self.runners)

    async def _break(
        self, request: web.Request, response: web.StreamResponse, about: dict[str, Any], breakage: Breakage
    ) -> bool:
        """Strike; whether the answer ends here."""
        entry = self._struck(about, breakage)
        if breakage.action in (KILL, PAUSE):
            entry["pid"] = await self._who(request)
            strike = processes.kill if breakage.action == KILL else processes.pause
            entry["struck"] = bool(entry["pid"]) and strike(entry["pid"])
        if breakage.action in (STALL, PAUSE):
            await asyncio.sleep(breakage.seconds)
        if breakage.action == PAUSE and entry["pid"]:
            processes.wake(entry["pid"])
        if breakage.action in (DROP, KILL):
            raise Struck
        if breakage.action == ERROR:
            await response.write(b'data: {"error": {"message": "overloaded", "type": "overloaded_error"}}\n\n')
        if breakage.action in (CUT, ERROR):
            await response.write_eof()
            return True
        return False

    def _struck(self, about: dict[str, Any], breakage: Breakage) -> dict[str, Any]:
        return self.history.write("fault", **about, fault=breakage.name, action=breakage.action, point="model")


def _asked(messages: list[dict[str, Any]]) -> tuple[str, int]:
    """The mark of the message that is to be answered, and the number of the step."""
    last = max(number for number, message in enumerate(messages) if message["role"] == "user")
    found = _MARK.findall(str(messages[last]["content"]))
    rounds = sum(1 for message in messages[last:] if message.get("tool_calls"))
    return ".".join(found[-1]) if found else "none.0", rounds


def _chunks(mark: str, step: Step, number: int, attempt: int) -> list[bytes]:
    """The events of an answer: words, calls, the reason why it ends, usage, the end."""
    said = [word(mark, number, attempt, n) for n in range(step.words)]
    texts = ["".join(said[n : n + step.together]) for n in range(0, step.words, step.together)]
    chunks = [_event({"content": text}) for text in texts]
    for index, use in enumerate(step.calls):
        own = json.dumps(use.arguments).replace("{mark}", mark.replace(".", "-"))
        function = {"name": use.name, "arguments": own}
        call = {"index": index, "id": f"call_{number}_{attempt}_{index}", "type": "function", "function": function}
        chunks.append(_event({"tool_calls": [call]}))
    chunks.append(_event({}, "tool_calls" if step.calls else "stop"))
    usage = {"prompt_tokens": 100, "completion_tokens": step.words, "total_tokens": 100 + step.words}
    return [*chunks, _line({"choices": [], "usage": usage}), b"data: [DONE]\n\n"]


def _event(delta: dict[str, Any], finish: str | None = None) -> bytes:
    return _line({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def _line(fields: dict[str, Any]) -> bytes:
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "faults"}
    return f"data: {json.dumps({**head, **fields}, ensure_ascii=False)}\n\n".encode()
