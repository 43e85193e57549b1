"""Delivers a run's frames to those who watch it, without ever slowing or failing the run.

Per connection: the first delta goes at once; after that at most one post is in flight, and what comes in meanwhile is
merged into the next, about ten frames a second. A connection that is gone, or whose sign-in has ended, is forgotten.
One that is slow (429) gets what has piled up, merged, when it takes it.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Executor
from typing import Protocol

from agent_builder.clock import Clock, now_ms
from agent_builder.jsontext import encode
from agent_builder.metrics import MERGED_FRAMES, Metrics
from agent_builder.realtime.connections import Posted, watching
from agent_builder.realtime.frames import Frame, split_delta, utf16_length

MIN_INTERVAL = 0.1
_GIVE_UP_AFTER = 10.0
_DELTAS = frozenset({"content_delta", "thinking_delta", "tool_output_delta"})


class Poster(Protocol):
    """What delivers one frame to one connection."""

    def post(self, connection_id: str, data: bytes) -> Posted:
        """Send; never raises."""
        ...


class Delivery:
    """Fans frames out to watchers, which are named as `realtime.connections.watcher` does.

    Args:
        poster: Blocking; called on `executor`.
        metrics: Counts frames that were merged into the one before.
        clock: By which sign-ins end.
    """

    def __init__(
        self,
        poster: Poster,
        executor: Executor,
        metrics: Metrics | None = None,
        clock: Clock = now_ms,
    ) -> None:
        self._poster = poster
        self._executor = executor
        self._metrics = metrics or Metrics()
        self._clock = clock
        self._channels: dict[str, _Channel] = {}

    @property
    def gone(self) -> frozenset[str]:
        """Watchers whose connection no longer exists, or whose sign-in has ended."""
        return frozenset(name for name, channel in self._channels.items() if channel.gone)

    def watch(self, watchers: frozenset[str], anew: frozenset[str] = frozenset()) -> frozenset[str]:
        """Send to these from now on; answers which are new or begin `anew`, without what was on its way to them."""
        fresh = watchers - self._channels.keys() | watchers & anew
        for name in fresh:
            channel = self._channels.get(name)
            if channel is None or channel.gone:
                self._channels[name] = _Channel(name, self._poster, self._executor, self._metrics, self._clock)
            else:  # the same channel, so that what is being posted stays before what comes now
                channel.forget()
        return fresh

    def send(self, frame: Frame, only: frozenset[str] | None = None) -> None:
        """Queue a frame for everybody who watches, or for some of them; returns at once."""
        for name, channel in self._channels.items():
            if only is None or name in only:
                channel.put(frame)

    async def close(self) -> None:
        """Drop what is still on its way: whoever owns the conversation next speaks from now on."""
        await asyncio.gather(*(channel.close() for channel in self._channels.values()))

    async def flush(self) -> None:
        """Wait until everything queued is sent or given up."""
        await asyncio.gather(*(channel.drained() for channel in self._channels.values()))


class _Channel:
    """Frames on their way to one connection."""

    def __init__(self, name: str, poster: Poster, executor: Executor, metrics: Metrics, clock: Clock) -> None:
        self._over = False
        self._id, self._expires_at = watching(name)
        self._clock = clock
        self._poster = poster
        self._executor = executor
        self._metrics = metrics
        self._pending: list[Frame] = []
        self._sending: list[Frame] = []
        self._task: asyncio.Task[None] | None = None
        self._urgent = asyncio.Event()
        self._last_delta = 0.0

    @property
    def gone(self) -> bool:
        """Whether nothing more can be sent: it is over, or the sign-in behind it is."""
        return self._over or bool(self._expires_at and self._clock() >= self._expires_at * 1000)

    def put(self, frame: Frame) -> None:
        """Queue a frame, merged into the one before it where both are deltas of one kind."""
        if self.gone:
            return
        self._pending.append(self._merged(frame))
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())
        elif frame["type"] not in _DELTAS:
            self._urgent.set()

    def _merged(self, frame: Frame) -> Frame:
        """A delta with those of its kind that wait before it; agents that speak side by side do not part each other."""
        if frame["type"] not in _DELTAS:
            return frame
        for place in range(len(self._pending) - 1, -1, -1):
            earlier = self._pending[place]
            if earlier["type"] != frame["type"]:
                break
            if earlier.get("tool_use_id") == frame.get("tool_use_id"):
                if "tool_use_id" in frame and frame["offset"] != earlier["offset"] + utf16_length(earlier["delta"]):
                    break  # its text was taken back in between
                del self._pending[place]
                self._metrics.add(MERGED_FRAMES)
                return {**earlier, "delta": earlier["delta"] + frame["delta"], "seq": frame["seq"]}
        return frame

    def forget(self) -> None:
        """Leave out what waits to be sent."""
        self._pending.clear()
        self._sending.clear()

    async def close(self) -> None:
        """Send nothing more."""
        self._over = True
        self.forget()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def drained(self) -> None:
        """Wait until nothing is pending."""
        self._urgent.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        """Send what is pending, then end; the next frame starts another.

        All that waits goes together, so that of several who speak side by side each is heard.
        """
        while (self._pending or self._sending) and not self.gone:
            if not self._sending:
                await self._pace()
                self._sending, self._pending = self._pending, []
                if not self._sending:
                    return  # forgotten meanwhile
            frame = self._sending.pop(0)
            for piece in split_delta(frame) if frame["type"] in _DELTAS else (frame,):
                await self._deliver(piece)
            if frame["type"] in _DELTAS:
                self._last_delta = time.monotonic()

    async def _pace(self) -> None:
        """Hold deltas back for the rest of their interval; with anything else they go at once."""
        wait = self._last_delta + MIN_INTERVAL - time.monotonic()
        if wait <= 0 or any(frame["type"] not in _DELTAS for frame in self._pending):
            return
        self._urgent.clear()
        try:
            await asyncio.wait_for(self._urgent.wait(), wait)
        except TimeoutError:
            return

    async def _deliver(self, frame: Frame) -> None:
        """Post until it is taken, refused for good, or given up. A doubled delta is harmless: it has its `offset`."""
        data = encode(frame).encode()
        give_up = time.monotonic() + _GIVE_UP_AFTER
        pause = 0.1
        while not self.gone:
            loop = asyncio.get_running_loop()
            outcome = await loop.run_in_executor(self._executor, self._poster.post, self._id, data)
            if outcome is Posted.GONE:
                self._over = True
                self.forget()
            elif outcome in (Posted.THROTTLED, Posted.FAILED) and time.monotonic() < give_up:
                await asyncio.sleep(pause)
                pause = min(1.0, pause * 2)
                continue
            elif outcome is not Posted.SENT:
                self._over = True  # what it missed it gets by `resume`; a hole in the text would be worse
                self.forget()
            return
