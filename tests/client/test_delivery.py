"""Messages over a bad connection, in made time: each is stored once, in the order in which it was said."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from web.client.python.session import Session
from web.client.python.transcript import Question

Frame = dict[str, Any]


class Server:
    """Stores messages by `client_message_id`, as the real one does; answers may get lost on the way back."""

    def __init__(self) -> None:
        self.stored: dict[str, Frame] = {}

    def accept(self, frame: Frame) -> Frame:
        own = frame["client_message_id"]
        if own not in self.stored:
            number = len(self.stored) + 1
            ids = {"conversation_id": frame.get("conversation_id", f"cnv_{number}"), "run_id": f"run_{number:03}"}
            self.stored[own] = {**ids, "message_id": f"msg_{number}", "frame": frame}
        place = {"conversation_id": self.stored[own]["conversation_id"]}
        assert {**self.stored[own]["frame"], **place} == {**frame, **place}, "a resend is the same to the letter"
        ids = {name: value for name, value in self.stored[own].items() if name != "frame"}
        return {"type": "message_accepted", **ids, "client_message_id": own, "queued": False}


class World:
    """A session, a server, and a connection between them that chance cuts."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.session = Session(chance=self.chance.random, renewable=True)
        self.server = Server()
        self.now = 0.0
        self.wire: list[Frame] = []
        self.calm = False
        self.session.connect(self.now)
        self.thread = self.session.thread(None)

    def step(self) -> None:
        """Some time passes, and one thing happens."""
        self.now += self.chance.choice((1, 50, 700, 9_000))
        self._carry_out()
        due = self.session.deadline
        if due is not None and due <= self.now:
            self.session.tick(self.now)
        elif self.session.state == "connecting":
            self._answer_handshake()
        elif self.session.state == "open":
            self._serve()
        elif self.session.state == "waiting" and due is not None:
            self.now = max(self.now, due)
            self.session.tick(self.now)
        self._carry_out()

    def _answer_handshake(self) -> None:
        if self.calm or self.chance.random() < 0.6:
            self.session.opened(self.now)
        else:
            self.session.lost(self.now, 1006)

    def _serve(self) -> None:
        fate = 1.0 if self.calm else self.chance.random()
        if fate < 0.2:
            self.wire.clear()
            self.session.lost(self.now, 1006)
        elif self.wire:
            frame = self.wire.pop(0)
            if frame["type"] == "user_message":
                self._say(self.server.accept(frame), fate)
            elif frame["type"] == "ping":
                self.session.heard(self.now, {"type": "pong"})

    def _say(self, accepted: Frame, fate: float) -> None:
        if fate < 0.35:
            return  # the answer is lost, or very late
        if fate < 0.45:
            own = accepted["client_message_id"]
            error = {"type": "error", "error": "Try again.", "code": "internal_error", "retryable": True}
            self.session.heard(self.now, {**error, "client_message_id": own})
            return
        self.session.heard(self.now, accepted)

    def _carry_out(self) -> None:
        for action in self.session.take_actions():
            if action["do"] == "send":
                assert self.session.state == "open"
                self.wire.append(action["frame"])
            else:
                self.wire.clear()


@settings(max_examples=250, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(0, 60))
def test_each_message_is_stored_once_and_in_order(seed: int, count: int, storms: int) -> None:
    world = World(seed)
    said = [f"m-{number}" for number in range(count)]
    for own in said:
        world.session.say(world.now, world.thread, own, f"text of {own}")
        for _ in range(storms // count):
            world.step()
    world.calm = True
    for _ in range(400):
        world.step()
    questions = [entry for entry in world.thread.transcript.entries if isinstance(entry, Question)]
    kept = [question.client_message_id for question in questions if question.status == "accepted"]
    refused = {question.client_message_id for question in questions if question.status == "refused"}
    assert len(questions) == count, "none is forgotten"
    assert kept == [own for own in said if own not in refused]
    assert [own for own in world.server.stored if own not in refused] == kept, "the order of the server is the user's"
    assert len({world.server.stored[own]["conversation_id"] for own in kept}) <= 1 + len(refused)
