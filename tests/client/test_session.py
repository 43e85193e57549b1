"""The shared vectors of the session: what happens at what time, and what the client does. Chance is 0.5 in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.client.view import matches, vectors, view
from web.client.python.errors import ClientError
from web.client.python.outbox import Thread
from web.client.python.session import Session
from web.client.python.timing import Timing

CASES = vectors("session")


class Play:
    """Plays the steps of one vector."""

    def __init__(self, vector: dict[str, Any]) -> None:
        timing = Timing(**vector.get("timing", {}))
        self.session = Session(timing, chance=lambda: 0.5, renewable=vector.get("renewable", False))
        self.threads: dict[str, Thread] = {}

    def thread(self, step: dict[str, Any]) -> Thread:
        name = step["thread"]
        if name not in self.threads:
            self.threads[name] = self.session.thread(step.get("conversation"))
        return self.threads[name]

    def do(self, step: dict[str, Any]) -> None:
        session, now = self.session, step["at"]
        thread = self.thread(step) if "thread" in step else Thread(None)
        moves: dict[str, Callable[[], None]] = {
            "connect": lambda: session.connect(now),
            "opened": lambda: session.opened(now),
            "wake": lambda: session.wake(now),
            "tick": lambda: session.tick(now),
            "heard": lambda: session.heard(now, step["frame"]),
            "lost": lambda: session.lost(now, step.get("code"), step.get("status")),
            "failed": lambda: session.failed(now, ClientError("No.", code=step["code"], final=step["final"])),
            "say": lambda: session.say(now, thread, step["id"], step["content"]),
            "watch": lambda: session.watch(now, thread),
            "unwatch": lambda: session.unwatch(thread),
            "takeBack": lambda: session.take_back(thread, step["id"]),
            "cancel": lambda: session.cancel(now, thread, step.get("run")),
            "decide": lambda: session.decide(now, thread, step["frame"]),
            "close": session.close,
        }
        moves[step["do"]]()

    def seen(self, step: dict[str, Any]) -> dict[str, Any]:
        """What the step expects something about, as it is."""
        session = self.session
        actions = [{"send": a["frame"]} if a["do"] == "send" else a["do"] for a in session.take_actions()]
        reports = [report.code for report in session.take_reports()]
        found = {
            "actions": actions,
            "state": session.state,
            "error": session.error.code if session.error else None,
            "deadline": session.deadline,
            "reports": reports,
            "ids": {name: thread.id for name, thread in self.threads.items()},
            "gone": [name for name, thread in self.threads.items() if thread.gone],
            "transcripts": {name: view(thread.transcript) for name, thread in self.threads.items()},
        }
        return {name: value for name, value in found.items() if name in step}


@pytest.mark.parametrize("vector", CASES, ids=[vector["name"] for vector in CASES])
def test_vector(vector: dict[str, Any]) -> None:
    play = Play(vector)
    for number, step in enumerate(vector["steps"]):
        play.do(step)
        seen = play.seen(step)
        for name, value in seen.items():
            assert matches(value, step[name]), f"step {number} at {step['at']}, {name}: {value}"


def test_names_are_unique() -> None:
    names = [vector["name"] for vector in CASES]
    assert len(set(names)) == len(names)
