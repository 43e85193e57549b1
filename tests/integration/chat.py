"""A client of the playground, as the contract describes one."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.sync.client import ClientConnection, connect

from local.testing import Instance
from tests.frames import check_frame, check_outcomes

Frame = dict[str, Any]
TERMINAL = ("message_complete", "run_cancelled")
SECONDS = 30.0


def is_terminal(frame: Frame) -> bool:
    """Whether it ends a run."""
    return frame["type"] in TERMINAL or (frame["type"] == "error" and "run_id" in frame)


@dataclass
class Chat:
    """One connection; keeps all that came."""

    socket: ClientConnection
    frames: list[Frame] = field(default_factory=list)

    def send(self, **frame: Any) -> None:
        self.socket.send(json.dumps(frame))

    def say(self, content: str, **more: Any) -> None:
        self.send(type="user_message", content=content, **more)

    def next(self, seconds: float = SECONDS) -> Frame:
        """The next frame, which is as the schema has it; TimeoutError if none comes."""
        try:
            frame: Frame = json.loads(self.socket.recv(timeout=seconds))
        except TimeoutError as silence:
            silence.add_note(f"last frames: {self.frames[-5:]}")
            raise
        check_frame(frame)
        check_outcomes(frame)
        self.frames.append(frame)
        return frame

    def until(self, *types: str, seconds: float = SECONDS) -> Frame:
        """The next frame of one of these types; those before it are kept in `frames`."""
        deadline = time.monotonic() + seconds
        while True:
            frame = self.next(deadline - time.monotonic())
            if frame["type"] in types:
                return frame

    def end(self, seconds: float = SECONDS) -> Frame:
        """The next frame that ends a run."""
        deadline = time.monotonic() + seconds
        while True:
            frame = self.next(deadline - time.monotonic())
            if is_terminal(frame):
                return frame

    def ask(self, content: str, **more: Any) -> Frame:
        """Say something and wait for the end of the answer."""
        self.say(content, **more)
        return self.end()

    def quiet(self, seconds: float = 0.5) -> bool:
        """Whether nothing more comes: a ping is answered by nothing but its pong."""
        self.send(type="ping")
        return self.next()["type"] == "pong"

    def of(self, kind: str) -> list[Frame]:
        """All frames of a type so far."""
        return [frame for frame in self.frames if frame["type"] == kind]

    def text(self, run_id: str) -> str:
        """A run's text, put together from its frames by `seq` and `offset` as a client does."""
        shown, floor = "", 0
        for frame in self.frames:
            if frame.get("run_id") != run_id or frame.get("seq", floor) < floor:
                continue
            if frame["type"] == "step_reset":
                shown, floor = _cut(shown, frame["offset"]), frame["seq"]
            elif frame["type"] == "content_snapshot":
                shown = frame["content"]
            elif frame["type"] == "content_delta":  # one that comes late, or twice, changes nothing
                shown = max(shown, _cut(shown, frame["offset"]) + frame["delta"], key=len)
        return shown


def _cut(text: str, offset: int) -> str:
    units = text.encode("utf-16-le")
    assert len(units) >= 2 * offset, "a hole in the text"
    return units[: 2 * offset].decode("utf-16-le")


@contextmanager
def chatting(stack: Instance, agent_id: str, **options: Any) -> Iterator[Chat]:
    """An open connection to an agent."""
    with connect(stack.ws_url(agent_id), max_size=None, open_timeout=30, **options) as socket:
        yield Chat(socket)
