"""The execution environments of one function: waiting events, idle and busy environments, and when to start another.

An environment or two stand ready beyond those that are busy, so that an event almost never waits for a start. A change
of the source retires what runs the old code: idle environments at once, busy ones after the event at hand.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.environment import Environment, Invocation, Result
from local.launchers import INIT_SECONDS, LaunchFailed
from local.logs import FunctionLog
from local.sources import Sources

_RETRY_SECONDS = 1.0


@dataclass(frozen=True)
class Limits:
    """How many environments of one function there may be, how many stand ready, and for how long (seconds)."""

    environments: int = 64
    spares: int = 2
    idle_seconds: float = 600.0


class Generation:
    """The environments that run one state of the source, and the launcher that made them."""

    def __init__(self, launcher: Any) -> None:
        self.launcher = launcher
        self.members: set[Environment] = set()
        self.idle: list[Environment] = []
        self.starting = 0
        self.ready: asyncio.Task[None] | None = None

    async def close_when_empty(self) -> None:
        """Free the launcher if no environment is left."""
        if not self.members and not self.starting:
            await self.launcher.close()


class Pool:
    """Runs the events of one function. `launcher` makes a new launcher for the source as it is now."""

    def __init__(
        self, name: str, launcher: Callable[[], Any], sources: Sources, log: FunctionLog, limits: Limits = Limits()
    ) -> None:
        self.name = name
        self._launcher = launcher
        self._sources = sources
        self._log = log
        self._limits = limits
        self._waiting: deque[Invocation] = deque()
        self._generation: Generation | None = None
        self._old: list[Generation] = []
        self._failed_at = 0.0
        self._count = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    @property
    def size(self) -> int:
        """The number of living environments."""
        return sum(len(generation.members) for generation in self._generations())

    def submit(self, invocation: Invocation) -> None:
        """Run an event in the next free environment."""
        if self._sources.changed():
            self.restart()
        self._waiting.append(invocation)
        self._pump()

    def warm(self) -> None:
        """Start the template and the spares now, so that the first event need not wait."""
        self._pump()

    def restart(self) -> None:
        """Let the environments of the present generation end and start with the source as it is now."""
        generation, self._generation = self._generation, None
        self._failed_at = 0.0
        if generation is not None:
            self._old.append(generation)
            for environment in tuple(generation.members):
                environment.retire()
            self._spawn(generation.close_when_empty())

    def reap(self) -> None:
        """End environments that have been idle for long, down to the spares."""
        generation = self._generation
        if generation is None:
            return
        surplus = len(generation.idle) - self._limits.spares
        oldest = time.monotonic() - self._limits.idle_seconds
        for environment in sorted(generation.idle, key=lambda item: item.idle_since)[: max(0, surplus)]:
            if environment.idle_since < oldest:
                generation.idle.remove(environment)
                environment.retire()

    async def close(self) -> None:
        """Kill everything; events that still wait are failed."""
        self._closed = True
        while self._waiting:
            self._answer_one(None)
        for generation in self._generations():
            for environment in tuple(generation.members):
                environment.kill()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for generation in self._generations():
            await generation.launcher.close()

    def _generations(self) -> list[Generation]:
        return [*self._old, *([self._generation] if self._generation else [])]

    def _pump(self) -> None:
        """Hand waiting events to idle environments, and start as many more as events and spares ask for."""
        if self._closed:
            return
        if self._generation is None:
            if time.monotonic() < self._failed_at + _RETRY_SECONDS and not self._waiting:
                return
            self._generation = Generation(self._launcher())
            self._generation.ready = self._spawn(self._prepare(self._generation))
        generation = self._generation
        while self._waiting and generation.idle:
            generation.idle.pop().assign(self._waiting.popleft())
        wanted = len(self._waiting) + self._limits.spares - len(generation.idle) - generation.starting
        room = self._limits.environments - len(generation.members) - generation.starting
        for _ in range(min(wanted, room)):
            generation.starting += 1
            self._spawn(self._start(generation))

    async def _prepare(self, generation: Generation) -> None:
        log = await self._log.pipe(f"[{self.name}]")
        try:
            await generation.launcher.start(log)
        except LaunchFailed as failure:
            self._fail(generation, failure)
        except OSError as error:
            self._fail(generation, LaunchFailed({"errorType": "Runtime.LaunchError", "errorMessage": str(error)}))
        finally:
            os.close(log)

    async def _start(self, generation: Generation) -> None:
        assert generation.ready is not None
        await asyncio.wait([generation.ready])
        self._count += 1
        name = f"{self.name}/{self._count}"
        environment = Environment(name, self._idle(generation), self._ended(generation))
        if generation is not self._generation:
            generation.starting -= 1
            await generation.close_when_empty()
            return
        log = await self._log.pipe(f"[{name}]")
        try:
            process = await generation.launcher.launch(name, environment.handle, log)
        except LaunchFailed as failure:
            generation.starting -= 1
            self._fail(generation, failure)
        else:
            generation.members.add(environment)
            environment.attach(process)
            asyncio.get_running_loop().call_later(INIT_SECONDS, environment.kill_unstarted)
            if generation is not self._generation:
                environment.retire()
        finally:
            os.close(log)

    def _idle(self, generation: Generation) -> Callable[[Environment], None]:
        def idle(environment: Environment) -> None:
            if environment.started_now():
                generation.starting -= 1
            generation.idle.append(environment)
            self._pump()

        return idle

    def _ended(self, generation: Generation) -> Callable[[Environment], None]:
        def ended(environment: Environment) -> None:
            generation.members.discard(environment)
            if environment in generation.idle:
                generation.idle.remove(environment)
            if environment.started_now():
                generation.starting -= 1
                self._answer_one(environment.init_error)
            if generation in self._old:
                self._spawn(generation.close_when_empty())
            elif self._waiting:
                self._pump()

        return ended

    def _answer_one(self, error: Result | None) -> None:
        """An environment ended before its first event: fail one event with its reason, so that none waits for ever."""
        if self._waiting:
            text = b'{"errorType": "Runtime.ExitError", "errorMessage": "the environment ended while it was starting"}'
            self._waiting.popleft().resolve(error or Result(text, "Unhandled"))

    def _fail(self, generation: Generation, failure: LaunchFailed) -> None:
        """The handler cannot be started: tell all who wait, and try again with the next event."""
        if generation is self._generation:
            self._generation = None
            self._failed_at = time.monotonic()
            while self._waiting:
                self._answer_one(_result(failure))

    def _spawn(self, coroutine: Any) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _result(failure: LaunchFailed) -> Result:
    return Result(json.dumps(failure.error).encode(), "Unhandled")
