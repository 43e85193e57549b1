"""Wishes that outlive a connection: a cancel, or the decision on a tool call, until it shows that they were heard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from web.client.python.answer import Frame
from web.client.python.blocks import find_tool, is_open
from web.client.python.outbox import Thread
from web.client.python.verdicts import MAX_TRIES


@dataclass(frozen=True, eq=False)
class Wish:
    """A frame that is sent again on a new connection while its run, or its tool call, is open."""

    thread: Thread
    run_id: str
    frame: Frame
    tool_use_id: str | None = None

    @property
    def open(self) -> bool:
        """Whether there is still something to wish for."""
        answer = self.thread.transcript.answer(self.run_id)
        if answer is None or answer.over:
            return False
        card = find_tool(answer.blocks, self.tool_use_id) if self.tool_use_id else None
        return card is None or is_open(card)


class Standing:
    """All wishes, one for each run and tool call."""

    def __init__(self) -> None:
        self._wishes: dict[tuple[str, str | None], Wish] = {}
        self._asked_again: Counter[tuple[str, str | None]] = Counter()

    def add(self, wish: Wish) -> None:
        """Remember one; a later one for the same takes its place."""
        self._wishes[wish.run_id, wish.tool_use_id] = wish
        self._asked_again.pop((wish.run_id, wish.tool_use_id), None)

    def asked(self, run_id: str, tool_use_id: str) -> Frame | None:
        """The server asks about a call: the decision on it, where one was made; it was lost, or refused a few times."""
        name = (run_id, tool_use_id)
        wish = self._wishes.get(name)
        if wish is None or not wish.open:
            return None
        self._asked_again[name] += 1
        return wish.frame if self._asked_again[name] < MAX_TRIES else None

    def expects(self, run_id: str) -> bool:
        """Whether something of a run was wished for that may come true at any moment."""
        names = (name for name, wish in self._wishes.items() if wish.run_id == run_id and wish.open)
        return any(self._asked_again[name] < MAX_TRIES for name in names)

    def prune(self) -> None:
        """Forget what came true or is over."""
        if self._wishes:
            self._wishes = {name: wish for name, wish in self._wishes.items() if wish.open}

    def left(self) -> Iterator[Frame]:
        """Frames to send on a new connection."""
        self.prune()
        self._asked_again.clear()
        return (wish.frame for wish in self._wishes.values())


def cancel(thread: Thread, run_id: str) -> Wish:
    """To end a run."""
    return Wish(thread, run_id, {"type": "cancel", "conversation_id": thread.id, "run_id": run_id})


def decision(thread: Thread, frame: Frame) -> Wish:
    """To let a tool call go on, or not."""
    return Wish(thread, frame["run_id"], frame, frame["tool_use_id"])
