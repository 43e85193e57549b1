"""Messages on their way to the server: one at a time until it is accepted, so that their order is the server's."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from web.client.python.answer import STORED, Frame
from web.client.python.transcript import Transcript


class Thread:
    """One conversation that is looked at.

    `id` is None until the first message of a new one is accepted. `heard_at` is when it was last spoken of (or the
    connection opened), `asked_at` when `resume` was last sent. `gone`: the server does not know it.
    `kept`: a user looks at it. `opened_at`: when the connection that it was resumed on opened. `shown` is the
    newest run that came from the store. `traces` are of its open runs.
    """

    def __init__(self, conversation_id: str | None) -> None:
        self.id = conversation_id
        self.transcript = Transcript()
        self.heard_at = 0.0
        self.asked_at = self.opened_at = float("-inf")
        self.gone = False
        self.kept = True
        self.shown = ""
        self.traces: dict[str, Trace] = {}

    def trace(self, run_id: str) -> Trace:
        """What is remembered of an open run."""
        return self.traces.setdefault(run_id, Trace())

    def open_again(self, now: float) -> None:
        """There is a new connection."""
        self.heard_at = self.opened_at = now
        for trace in self.traces.values():
            trace.answers = 0

    def note(self, now: float, frame: Frame) -> None:
        """Remember that a frame came, beyond what the transcript shows of it."""
        self.heard_at = now
        run_id = frame.get("run_id")
        if isinstance(run_id, str):
            self.trace(run_id).heard_at = now
            if frame["type"] == "content_snapshot" and frame["seq"] == STORED:
                self.shown = max(self.shown, run_id)


@dataclass(eq=False)
class Trace:
    """What is remembered of a run until it has ended.

    `letter` began it, where this client sent it, and was accepted at `accepted_at`. `heard_at` is when the run was last
    spoken of; `asked_at` when its message was last sent again, which was answered `answers` times on this connection.
    Since `overtaken_at` a later run is known that makes its end likely; `proven`: that makes it certain.
    """

    letter: Letter | None = None
    accepted_at: float = 0.0
    heard_at: float = float("-inf")
    asked_at: float = float("-inf")
    answers: int = 0
    overtaken_at: float | None = None
    proven: bool = False


@dataclass(eq=False)
class Letter:
    """A message that is not accepted. Its frame is made once: a resend must be the same to the letter.

    `run_id`: it was accepted before, and is sent again to hear what became of this run.
    """

    thread: Thread
    client_message_id: str
    content: str
    frame: Frame | None = None
    sent_at: float | None = None
    retry_at: float = float("-inf")
    tries: int = 0
    cancel: bool = False
    run_id: str | None = None

    def sealed(self) -> Frame:
        """Its frame."""
        if self.frame is None:
            place = {} if self.thread.id is None else {"conversation_id": self.thread.id}
            names = {"type": "user_message", "client_message_id": self.client_message_id}
            self.frame = {**names, "content": self.content, **place}
        return self.frame


@dataclass
class Outbox:
    """Letters in the order in which they were written; only the first is ever on its way."""

    letters: deque[Letter] = field(default_factory=deque)

    def __iter__(self) -> Iterator[Letter]:
        return iter(tuple(self.letters))

    @property
    def first(self) -> Letter | None:
        """The one whose turn it is."""
        return self.letters[0] if self.letters else None

    @property
    def flying(self) -> Letter | None:
        """The one that was sent on this connection and is not answered."""
        return self.first if self.first and self.first.sent_at is not None else None

    def add(self, letter: Letter) -> None:
        """Put one at the end."""
        self.letters.append(letter)

    def remove(self, letter: Letter) -> None:
        """Take one out."""
        self.letters.remove(letter)

    def find(self, client_message_id: object) -> Letter | None:
        """The letter with this id."""
        return next((one for one in self.letters if one.client_message_id == client_message_id), None)

    def due(self, now: float) -> Letter | None:
        """The letter that may be sent now, for the first time on this connection."""
        first = self.first
        return first if first and first.sent_at is None and first.retry_at <= now else None

    def landed(self) -> None:
        """The connection is gone: nothing is on its way any more."""
        for letter in self.letters:
            letter.sent_at = None
