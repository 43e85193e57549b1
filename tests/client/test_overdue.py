"""Several runs of a conversation over a bad connection, in made time: whatever of their end is missed, each ends."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from web.client.python.answer import FENCE, STORED, Answer
from web.client.python.session import Session

Frame = dict[str, Any]
TOTALS = {"usage": {"input_tokens": 1}, "cost": None}


class Server:
    """Runs of one conversation, one after the other; `resume` tells of the newest only, as the real one does."""

    def __init__(self) -> None:
        self.runs: dict[str, str] = {}
        self.ended: dict[str, str] = {}
        self.asked: list[str] = []

    @property
    def waiting(self) -> list[str]:
        return [own for own in self.runs if own not in self.ended]

    def ids(self, own: str) -> Frame:
        return {"conversation_id": "cnv_1", "run_id": self.runs[own], "message_id": f"msg_{own}"}

    def hear(self, frame: Frame) -> list[Frame]:
        if frame["type"] == "ping":
            return [{"type": "pong"}]
        if frame["type"] == "resume":
            return [told for own in [*self.waiting, *reversed(self.runs)][:1] for told in self.show(own)]
        own = frame["client_message_id"]
        repeated = own in self.runs
        self.runs.setdefault(own, f"run_{len(self.runs) + 1:03}")
        accepted = {**self.ids(own), "client_message_id": own, "queued": not repeated and len(self.waiting) > 1}
        shown = self.show(own) if repeated and own in (*self.ended, *self.waiting[:1]) else []
        self.asked += [own] if repeated else []
        return [{"type": "message_accepted", **accepted}, *shown]

    def show(self, own: str) -> list[Frame]:
        status = self.ended.get(own, "running")
        text, seq = (f"answer to {own}", STORED) if own in self.ended else ("", FENCE)
        about = {"content": text, "offset": 0, "parts": [], "status": status, "seq": seq}
        return [{"type": "content_snapshot", **self.ids(own), **about}, *(self.end(own) if own in self.ended else [])]

    def finish(self, own: str, status: str) -> list[Frame]:
        """A run ends; what is told of it to those who listen."""
        self.ended[own] = status
        delta = {"delta": f"answer to {own}", "offset": 0, "seq": FENCE + 1}
        return [{"type": "content_delta", **self.ids(own), **delta}, *self.end(own)]

    def end(self, own: str) -> list[Frame]:
        kind = "message_complete" if self.ended[own] == "completed" else "run_cancelled"
        return [{"type": kind, **self.ids(own), "content": f"answer to {own}", "stop_reason": None, **TOTALS}]


class World:
    """A session, a server, and a connection that chance cuts while runs end."""

    def __init__(self, seed: int, pauses: tuple[int, ...]) -> None:
        self.pauses = pauses
        self.chance = Random(seed)
        self.session = Session(chance=self.chance.random, renewable=True)
        self.server = Server()
        self.now = 0.0
        self.out: list[Frame] = []
        self.back: list[Frame] = []
        self.accepted: set[object] = set()
        self.calm = False
        self.session.connect(self.now)
        self.thread = self.session.thread("cnv_1")

    def step(self) -> None:
        self.now += self.chance.choice(self.pauses)
        due = self.session.deadline
        if due is not None and due <= self.now:
            self.session.tick(self.now)
        elif self.session.state == "connecting" and (self.calm or self.chance.random() < 0.5):
            self.session.opened(self.now)
        elif self.session.state == "open":
            self._talk()
        if self.server.waiting and self.chance.random() < 0.2:
            self._work()
        self._carry_out()

    def _talk(self) -> None:
        if not self.calm and self.chance.random() < 0.15:
            self.out, self.back = [], []
            self.session.lost(self.now, 1006)
        elif self.back and self.chance.random() < 0.7:
            frame = self.back.pop(0)
            self.accepted.add(frame.get("client_message_id"))
            self.session.heard(self.now, frame)
        elif self.out:
            self._serve(self.out.pop(0))

    def _serve(self, frame: Frame) -> None:
        own = frame.get("client_message_id")
        if own and own in self.accepted and not self.calm and self.chance.random() < 0.3:
            error = {"type": "error", "error": "No.", "code": "rate_limited", "retryable": True}
            self.back.append({**error, "client_message_id": own})
        else:
            self.back += self.server.hear(frame)

    def _work(self) -> None:
        """The first run ends, or a later one is cancelled."""
        cancelled = self.chance.random() < 0.3
        own = self.chance.choice(self.server.waiting) if cancelled else self.server.waiting[0]
        told = self.server.finish(own, "cancelled" if cancelled else "completed")
        if self.session.state == "open":
            self.back += told

    def _carry_out(self) -> None:
        for action in self.session.take_actions():
            if action["do"] == "send":
                self.out.append(action["frame"])
            else:
                self.out, self.back = [], []


def play(seed: int, count: int, storms: int, pauses: tuple[int, ...] = (1, 50, 700, 4_000)) -> World:
    world = World(seed, pauses)
    for number in range(count):
        world.session.say(world.now, world.thread, f"m-{number}", f"text {number}")
        for _ in range(storms // count):
            world.step()
    world.calm = True
    for _ in range(500):
        world.step()
    return world


@settings(max_examples=250, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(0, 120))
def test_each_run_ends_as_the_server_has_it(seed: int, count: int, storms: int) -> None:
    world = play(seed, count, storms)
    answers = [entry for entry in world.thread.transcript.entries if isinstance(entry, Answer)]
    seen = {answer.run_id: (answer.status, answer.text) for answer in answers}
    server = world.server
    assert len(server.ended) == count
    assert seen == {server.runs[own]: (status, f"answer to {own}") for own, status in server.ended.items()}


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 6))
def test_over_a_good_connection_nothing_is_asked_twice(seed: int, count: int) -> None:
    assert play(seed, count, 0, (1, 50)).server.asked == []
