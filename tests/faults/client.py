"""A client of the playground that keeps what a person would see, over any number of connections."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection, connect

from tests.faults.history import History

Frame = dict[str, Any]
SILENCE, AGAIN, RESEND = 8.0, 5.0, 4.0
TERMINAL = frozenset({"message_complete", "run_cancelled"})


@dataclass
class RunView:
    """One run as it is shown."""

    text: str = ""
    status: str = "running"
    terminals: int = 0
    holes: int = 0
    seq: int = 0
    ends: list[Frame] = field(default_factory=list)

    def apply(self, frame: Frame) -> None:
        """Take one frame in, by the contract."""
        kind = frame["type"]
        seq = frame.get("seq", self.seq)
        if seq < self.seq and self.status != "running":
            return
        self.seq = max(seq, self.seq)
        if kind == "content_snapshot":
            self.text = frame["content"]
        elif kind == "step_reset":
            self.text = _cut(self.text, frame["offset"])
        elif kind == "content_delta" and self.status == "running":
            self._append(frame)
        elif kind in TERMINAL or (kind == "error" and "run_id" in frame):
            self._end(kind, frame)

    def _append(self, frame: Frame) -> None:
        length = _units(self.text)
        if frame["offset"] > length:
            self.holes += 1
        elif frame["offset"] + _units(frame["delta"]) > length:
            self.text = _cut(self.text, frame["offset"]) + frame["delta"]

    def _end(self, kind: str, frame: Frame) -> None:
        self.ends.append(frame)
        self.terminals += 1
        self.status = {"message_complete": "completed", "run_cancelled": "cancelled"}.get(kind, "failed")
        if "content" in frame:
            self.text = frame["content"]


@dataclass
class Client:
    """One tab. `url` is the agent's WebSocket address; every connection of it is opened anew after it was cut."""

    url: str
    history: History
    case: str
    name: str = "tab"
    runs: dict[str, RunView] = field(default_factory=dict)
    accepted: dict[str, Frame] = field(default_factory=dict)
    watched: set[str] = field(default_factory=set)
    errors: list[Frame] = field(default_factory=list)
    cut_at: int = 0  # cut the connection after so many deltas
    _deltas: int = 0
    _socket: ClientConnection | None = None
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _tasks: list[asyncio.Task[Any]] = field(default_factory=list)
    _heard: float = 0.0
    _unaccepted: dict[str, Frame] = field(default_factory=dict)

    async def open(self) -> None:
        """Connect, and stay connected until `close`."""
        self._heard = asyncio.get_running_loop().time()
        self._tasks = [asyncio.create_task(self._stay()), asyncio.create_task(self._watch_silence())]

    async def close(self) -> None:
        """Leave."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def cut(self) -> None:
        """Lose the connection, without a goodbye."""
        if self._socket:
            self.history.write("client.cut", case=self.case, client=self.name)
            self._socket.transport.abort()

    async def send(self, content: str, message_id: str, conversation: str | None = None) -> Frame:
        """Say something, again until it is accepted; the frame that accepts it."""
        frame: Frame = {"type": "user_message", "content": content, "client_message_id": message_id}
        if conversation:
            frame["conversation_id"] = conversation
            self.watched.add(conversation)
        self._unaccepted[message_id] = frame
        while message_id not in self.accepted:
            await self._put(frame)
            await self._until(lambda: message_id in self.accepted, RESEND)
        self._unaccepted.pop(message_id, None)
        self.watched.add(self.accepted[message_id]["conversation_id"])
        return self.accepted[message_id]

    async def put(self, **frame: Any) -> None:
        """Send one frame, once."""
        await self._put(frame)

    async def watch(self, conversation: str) -> None:
        """Watch a conversation that began elsewhere."""
        self.watched.add(conversation)
        await self._put({"type": "resume", "conversation_id": conversation})

    async def ended(self, run: str, seconds: float) -> bool:
        """Wait for the end of a run; whether it came."""
        return await self._until(lambda: run in self.runs and self.runs[run].terminals > 0, seconds)

    async def shown(self, run: str, length: int, seconds: float) -> bool:
        """Wait until so much of a run's text is shown."""
        return await self._until(lambda: run in self.runs and len(self.runs[run].text) >= length, seconds)

    async def until(self, happened: Any, seconds: float) -> bool:
        """Wait until something holds that frames bring about."""
        return await self._until(happened, seconds)

    async def _until(self, happened: Any, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(happened)
        return bool(happened())

    async def _put(self, frame: Frame) -> None:
        self.history.write("client.sent", case=self.case, client=self.name, frame=frame)
        if self._socket:
            with contextlib.suppress(websockets.ConnectionClosed):
                await self._socket.send(json.dumps(frame))

    async def _stay(self) -> None:
        wait = 0.1
        while True:
            with contextlib.suppress(OSError, websockets.WebSocketException, TimeoutError):
                async with connect(self.url, max_size=None, open_timeout=20, ping_interval=None) as socket:
                    self.history.write("client.opened", case=self.case, client=self.name)
                    self._socket, wait = socket, 0.1
                    for conversation in self.watched:
                        await self._put({"type": "resume", "conversation_id": conversation})
                    for frame in tuple(self._unaccepted.values()):
                        await self._put(frame)
                    async for text in socket:
                        await self._take(json.loads(text))
            self._socket = None
            self.history.write("client.lost", case=self.case, client=self.name)
            await asyncio.sleep(wait)
            wait = min(2.0, wait * 2)

    async def _watch_silence(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(0.25)
            if loop.time() - self._heard > SILENCE and self._running():
                self._heard = loop.time() - SILENCE + AGAIN
                for conversation in tuple(self.watched):
                    await self._put({"type": "resume", "conversation_id": conversation})

    def _running(self) -> bool:
        known = {frame["run_id"] for frame in self.accepted.values()} | set(self.runs)
        unseen = self.watched and not self.runs
        return bool(unseen) or any(run not in self.runs or not self.runs[run].terminals for run in known)

    async def _take(self, frame: Frame) -> None:
        self._heard = asyncio.get_running_loop().time()
        self.history.write("client.got", case=self.case, client=self.name, frame=frame)
        async with self._changed:
            self._apply(frame)
            self._changed.notify_all()

    def _apply(self, frame: Frame) -> None:
        kind = frame.get("type")
        if kind == "message_accepted" and "client_message_id" in frame:
            self.accepted[frame["client_message_id"]] = frame
        elif kind == "error" and "run_id" not in frame:
            self.errors.append(frame)
        elif kind and "run_id" in frame and kind != "message_accepted":
            self.runs.setdefault(frame["run_id"], RunView()).apply(frame)
        if kind == "content_delta":
            self._deltas += 1
            if self.cut_at and self._deltas == self.cut_at:
                self.cut()


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _cut(text: str, units: int) -> str:
    return text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", "ignore")
