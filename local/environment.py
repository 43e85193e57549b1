"""One execution environment as the Runtime API sees it: it asks for an event, answers it, asks for the next.

One event at a time. An environment that takes too long is killed, one that dies in the middle of an event fails that
event: both in the words Lambda uses.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local import wire
from local.launchers import Spawned

_API = "/2018-06-01/runtime/"
MAX_RESPONSE = 6 * 1024 * 1024
_ACCEPTED = wire.json_answer(202, {"status": "OK"})


@dataclass(frozen=True)
class Result:
    """What an invocation came to: the handler's answer, or an error object when `error` is set (`Unhandled`)."""

    payload: bytes
    error: str | None = None


def failed(kind: str, message: str) -> Result:
    """Return the result of an invocation that the handler did not answer."""
    return Result(json.dumps({"errorType": kind, "errorMessage": message}).encode(), "Unhandled")


@dataclass(eq=False)
class Invocation:
    """One event on its way through an environment."""

    payload: bytes
    arn: str
    trace_id: str
    timeout: float
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    result: asyncio.Future[Result] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def resolve(self, result: Result) -> None:
        """Answer it, once."""
        if not self.result.done():
            self.result.set_result(result)


class Environment:
    """One environment. `on_idle` is called when it asks for an event, `on_end` when its process is gone."""

    def __init__(
        self, name: str, on_idle: Callable[[Environment], None], on_end: Callable[[Environment], None]
    ) -> None:
        self.name = name
        self.idle_since = 0.0
        self.init_error: Result | None = None
        self.current: Invocation | None = None
        self.retired = False
        self._on_idle = on_idle
        self._on_end = on_end
        self._process: Spawned | None = None
        self._waiting: asyncio.Future[Invocation] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timed_out = False
        self._starting = True

    def started_now(self) -> bool:
        """Tell, once, that the environment is no longer starting: it asked for an event, or it ended."""
        first, self._starting = self._starting, False
        return first

    def attach(self, process: Spawned) -> None:
        """Take the process that was started for it."""
        self._process = process
        process.exited.add_done_callback(self._ended)

    def assign(self, invocation: Invocation) -> None:
        """Hand an event to an idle environment; its time runs from now."""
        assert self._waiting is not None
        self.current = invocation
        self._waiting.set_result(invocation)
        self._waiting = None
        self._timer = asyncio.get_running_loop().call_later(invocation.timeout, self._time_out)

    def kill(self) -> None:
        """Kill the process; `on_end` follows."""
        if self._process is not None:
            self._process.kill()

    def kill_unstarted(self) -> None:
        """Kill it if it has not asked for an event yet."""
        if self._starting:
            self.kill()

    def retire(self) -> None:
        """Take no more events: end now, or after the one at hand."""
        self.retired = True
        if self.current is None:
            self.kill()

    async def handle(self, request: wire.Request) -> wire.Answer:
        """Serve the Runtime API to this environment's process."""
        path = request.path.removeprefix(_API)
        if path == "invocation/next":
            return await self._next()
        if path == "init/error":
            self.init_error = Result(request.body, "Unhandled")
            return _ACCEPTED
        _, request_id, verb = [*path.split("/"), "", ""][:3]
        if self.current is None or self.current.request_id != request_id or verb not in ("response", "error"):
            return wire.json_answer(400, {"errorType": "InvalidRequestID", "errorMessage": "Invalid request ID"})
        if len(request.body) > MAX_RESPONSE:
            self._finish(failed("Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed size"))
            return wire.json_answer(
                413, {"errorType": "RequestEntityTooLarge", "errorMessage": "Exceeded maximum size"}
            )
        self._finish(Result(request.body, "Unhandled" if verb == "error" else None))
        return _ACCEPTED

    async def _next(self) -> wire.Answer:
        if self.retired:
            self.kill()
        self._waiting = asyncio.get_running_loop().create_future()
        self.idle_since = time.monotonic()
        waiting = self._waiting
        if not self.retired:
            self._on_idle(self)
        invocation = await waiting
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + invocation.timeout) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.arn,
            "Lambda-Runtime-Trace-Id": invocation.trace_id,
        }
        return wire.Answer(200, invocation.payload, headers)

    def _finish(self, result: Result) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        current, self.current = self.current, None
        if current is not None:
            current.resolve(result)

    def _time_out(self) -> None:
        self._timed_out = True
        self.kill()

    def _ended(self, exited: asyncio.Future[int]) -> None:
        if self.current is not None:
            self._finish(self._death(self.current, exited.result()))
        self._on_end(self)

    def _death(self, invocation: Invocation, status: int) -> Result:
        if self._timed_out:
            message = f"RequestId: {invocation.request_id} Error: Task timed out after {invocation.timeout:.2f} seconds"
            return failed("Sandbox.Timedout", message)
        how = f"signal: {-status}" if status < 0 else f"exit status {status}"
        message = f"RequestId: {invocation.request_id} Error: Runtime exited with error: {how}"
        return failed("Runtime.ExitError", message)


def trace_id() -> str:
    """Return an X-Ray header of a trace that is not sampled."""
    value: Any = uuid.uuid4().hex
    return f"Root=1-{int(time.time()):08x}-{value[:24]};Parent={value[16:]};Sampled=0"
