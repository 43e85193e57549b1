"""The client's behaviour without sockets, timers and threads: what happens goes in, what is to be done comes out.

Every input has the time in milliseconds, from any origin. `actions` are to be carried out in order; `deadline` says
when `tick` is due. The same machine exists in TypeScript (`src/session.ts`); the vectors of both are the same files.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from web.client.python.answer import Failure, Frame
from web.client.python.connection import Chore, Connection, State
from web.client.python.dialogue import Dialogue
from web.client.python.errors import ClientError, Refused
from web.client.python.outbox import Thread
from web.client.python.standing import decision
from web.client.python.timing import Timing
from web.client.python.verdicts import LAST


class Session:
    """One agent's connection and the conversations that are watched over it.

    Args:
        timing: When it does what.
        chance: A number in [0, 1), anew at each call.
        renewable: Whether a new ticket can be had, so that a refused handshake is worth another try.
    """

    def __init__(
        self, timing: Timing | None = None, chance: Callable[[], float] = random.random, *, renewable: bool = False
    ) -> None:
        timing = timing or Timing()
        self._connection = Connection(timing, chance, renewable=renewable)
        self._dialogue = Dialogue(self._connection, timing, chance)

    @property
    def state(self) -> State:
        """State of the connection."""
        return self._connection.state

    @property
    def error(self) -> ClientError | None:
        """Why it was refused."""
        return self._connection.error

    @property
    def threads(self) -> list[Thread]:
        """Conversations that are kept up to date."""
        return self._dialogue.threads

    @property
    def deadline(self) -> float | None:
        """When `tick` is due next; None when nothing is to be waited for."""
        return min((when for when, _ in self._chores()), default=None)

    def take_actions(self) -> list[Frame]:
        """What is to be done now: {"do": "connect" | "drop"} or {"do": "send", "frame"}."""
        actions, self._connection.actions = self._connection.actions, []
        return actions

    def take_reports(self) -> list[ClientError]:
        """What went wrong and concerns no message."""
        reports, self._dialogue.reports = self._dialogue.reports, []
        return reports

    # ------------------------------------------------------------ what the user wants

    def connect(self, now: float) -> None:
        """Begin, or begin again after a refusal."""
        if self.state in ("idle", "refused", "waiting"):
            self._connection.dial(now)

    def thread(self, conversation_id: str | None) -> Thread:
        """The thread of a conversation, made where there is none; a new one without an id."""
        known = self._dialogue.find(conversation_id)
        if known is None:
            known = Thread(conversation_id)
            self.threads.append(known)
        known.kept = True
        return known

    def watch(self, now: float, thread: Thread) -> None:
        """Ask for what a conversation is at."""
        self._dialogue.resume(now, thread)

    def unwatch(self, thread: Thread) -> None:
        """Forget a conversation; what is on its way is still sent."""
        thread.kept = False
        self._dialogue.sweep()

    def say(self, now: float, thread: Thread, client_message_id: str, content: str) -> None:
        """Send a message as soon as it is its turn."""
        self._dialogue.say(now, thread, client_message_id, content)
        self._despair()

    def cancel(self, now: float, thread: Thread, run_id: str | None = None) -> None:
        """End one run, or all of a conversation with those messages that are not accepted yet."""
        self._dialogue.cancel(now, thread, run_id)

    def take_back(self, thread: Thread, client_message_id: str) -> None:
        """Take back a message that is not accepted, or was refused; one on its way is cancelled once it is accepted."""
        self._dialogue.take_back(thread, client_message_id)

    def decide(self, now: float, thread: Thread, frame: Frame) -> None:
        """Send an `approval` frame, again after a reconnect until the tool has gone on."""
        self._dialogue.wish(now, decision(thread, frame))

    def close(self) -> None:
        """End it for good."""
        self._connection.close()

    # ------------------------------------------------------------ what happens

    def opened(self, now: float) -> None:
        """The handshake succeeded."""
        self._connection.opened(now)
        self._dialogue.opened(now)

    def heard(self, now: float, frame: Frame) -> None:
        """A frame came."""
        kind = frame.get("type")
        self._connection.heard(now, kind)
        if not isinstance(kind, str):  # the gateway's own words: a function failed
            self._dialogue.again(now, self._dialogue.outbox.flying)
        elif kind == "error" and "run_id" not in frame:
            self._objected(now, frame)
        else:
            self._dialogue.heard(now, frame)
        self._dialogue.mind(now)

    def lost(self, now: float, code: int | None = None, status: int | None = None) -> None:
        """The connection ended with a close code, or the handshake was answered by an HTTP status, or neither."""
        if self.state not in ("connecting", "open"):
            return
        flying = self._dialogue.outbox.flying
        if code == 1009 and flying:
            self._dialogue.refuse(flying, Failure("payload_too_large", "The message is too large for the connection."))
        self._dialogue.landed()
        self._connection.lost(now, code, status)
        self._despair()

    def failed(self, now: float, error: ClientError) -> None:
        """The connection could not even be tried: no ticket."""
        if self.state != "connecting":
            return
        if error.final:
            self._connection.give_up(error)
            self._despair()
        else:
            self._dialogue.reports.append(error)
            self._connection.pause(now)

    def wake(self, now: float) -> None:
        """The network is back, or the page is looked at again."""
        self._connection.wake(now)

    def tick(self, now: float) -> None:
        """Do what is due."""
        due = self.deadline
        if due is None:
            return
        state = self.state
        self._connection.notice_lateness(now, due)
        for when, chore in list(self._chores()):
            if when <= now and self.state == state:
                chore(now)

    # ------------------------------------------------------------ inside

    def _chores(self) -> Iterator[Chore]:
        timeout = self._connection.timeout()
        if timeout is not None:
            yield timeout, self._drop
        yield from self._connection.chores()
        if self._connection.open:
            yield from self._dialogue.chores()
            if self._dialogue.outbox.first is None:
                yield self._connection.renewal(busy=self._dialogue.busy), self._renew

    def _drop(self, now: float) -> None:
        self._dialogue.landed()
        self._connection.drop(now)

    def _renew(self, now: float) -> None:
        self._dialogue.landed()
        self._connection.renew(now)

    def _objected(self, now: float, frame: Frame) -> None:
        """An `error` about the connection, or about one frame."""
        code = frame["code"]
        if code in LAST:
            self._connection.give_up(Refused(frame["error"], code=code, final=True))
            self._despair()
        elif code == "token_expired":  # a message that met it goes again, with a new ticket
            self._connection.expire()
        else:
            self._dialogue.objected(now, frame)

    def _despair(self) -> None:
        """Where nothing can be sent any more, nobody waits for it."""
        if self._connection.error is not None:
            self._dialogue.refuse_all(self._connection.error)
