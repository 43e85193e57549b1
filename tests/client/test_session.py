"""The shared vectors of the session: what happens at what time, and what the client does. Chance is 0.5 in them."""

from __future__ import annotations

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
        match step["do"]:
            case "connect" | "opened" | "wake" | "tick":
                getattr(session, step["do"])(now)
            case "heard":
                session.heard(now, step["frame"])
            case "lost":
                session.lost(now, step.get("code"), step.get("status"))
            case "failed":
                session.failed(now, ClientError("No.", code=step["code"], final=step["final"]))
            case "say":
                session.say(now, self.thread(step), step["id"], step["content"])
            case "watch":
                session.watch(now, self.thread(step))
            case "unwatch":
                session.unwatch(self.thread(step))
            case "cancel":
                session.cancel(now, self.thread(step), step.get("run"))
            case "decide":
                session.decide(now, self.thread(step), step["frame"])
            case "close":
                session.close()
            case other:
                raise ValueError(other)

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
