"""AWS Lambda, as far as a laptop needs it: functions, invocations, the queue of asynchronous events."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.environment import Invocation, Result, trace_id
from local.pool import Pool
from local.template import Function

_REAP_SECONDS = 15.0


class UnknownFunction(Exception):
    """No function, alias or version goes by that name. For the caller."""


@dataclass(frozen=True)
class Retries:
    """Waits before the second and third attempt of an asynchronous event, in seconds (AWS: one and two minutes)."""

    delays: tuple[float, ...] = (1.0, 2.0)


class LambdaService:
    """All functions of an application.

    `failures` is the file that asynchronous events go to, one JSON object a line, when every attempt failed: the
    stand-in for an on-failure destination.
    """

    def __init__(
        self,
        functions: Mapping[str, Function],
        make_pool: Callable[[Function], Pool],
        failures: Path,
        retries: Retries = Retries(),
    ) -> None:
        self._functions = {function.name: function for function in functions.values()}
        self._pools = {function.name: make_pool(function) for function in functions.values()}
        self._names = {function.logical_id: function.name for function in functions.values()}
        self._failures = failures
        self._retries = retries
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, schedules: bool = True, cold: Collection[str] = ()) -> None:
        """Warm every function but the `cold` ones (logical ids).

        Until `close`, end idle environments and send the events of the schedules.
        """
        self._spawn(self._reap())
        if not schedules:
            return
        names = {self._names[logical_id] for logical_id in cold}
        for name, pool in self._pools.items():
            if name not in names:
                pool.warm()
        for function in self._functions.values():
            for schedule in function.schedules:
                self._spawn(self._tick(function, schedule.seconds, schedule.input.encode()))

    async def close(self) -> None:
        """Stop taking events and kill all environments."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(pool.close() for pool in self._pools.values()))

    def find(self, name: str, qualifier: str | None = None) -> Function:
        """Return a function by logical id, name, `name:alias` or ARN. Raises UnknownFunction."""
        if name.startswith("arn:"):
            name = name.split(":", 6)[6]
        name, _, alias = name.partition(":")
        function = self._functions.get(self._names.get(name, name))
        alias = qualifier or alias
        if function is None or alias not in ("", "$LATEST", function.alias):
            raise UnknownFunction(f"Function not found: {name}{':' + alias if alias else ''}")
        return function

    async def invoke(self, function: Function, payload: bytes, qualifier: str = "") -> Result:
        """Run one event and wait for its result. A cancelled caller does not stop the environment."""
        return await self.submit(function, payload, qualifier).result

    def submit(self, function: Function, payload: bytes, qualifier: str = "") -> Invocation:
        """Queue one event; its `result` comes when an environment has answered."""
        alias = qualifier or function.alias
        arn = f"{function.arn}:{alias}" if alias else function.arn
        invocation = Invocation(payload, arn, trace_id(), function.timeout)
        self._pools[function.name].submit(invocation)
        return invocation

    def invoke_later(self, function: Function, payload: bytes) -> None:
        """Take an asynchronous event: it is tried again after an error, as often and as long as the template says."""
        first = self.submit(function, payload)
        self._spawn(self._attempts(function, payload, first))

    async def _attempts(self, function: Function, payload: bytes, first: Invocation) -> None:
        accepted = time.monotonic()
        result = await first.result
        for attempt in range(function.retries):
            if result.error is None:
                return
            delay = self._retries.delays[min(attempt, len(self._retries.delays) - 1)]
            if time.monotonic() + delay > accepted + function.max_event_age:
                break
            await asyncio.sleep(delay)
            result = await self.invoke(function, payload)
        if result.error is not None:
            self._give_up(function, payload, result)

    def _give_up(self, function: Function, payload: bytes, result: Result) -> None:
        record = {
            "at": time.time(),
            "function": function.name,
            "event": _decoded(payload),
            "error": _decoded(result.payload),
        }
        descriptor = os.open(self._failures, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a") as file:
            file.write(json.dumps(record) + "\n")

    async def _tick(self, function: Function, seconds: float, payload: bytes) -> None:
        while True:
            await asyncio.sleep(seconds)
            self.invoke_later(function, payload)

    async def _reap(self) -> None:
        while True:
            await asyncio.sleep(_REAP_SECONDS)
            for pool in self._pools.values():
                pool.reap()

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _decoded(text: bytes) -> Any:
    with contextlib.suppress(ValueError):
        return json.loads(text)
    return text.decode("utf-8", "replace")
