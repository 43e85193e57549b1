"""What is said over a connection: conversations that are watched, messages on their way, wishes. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from web.client.python.answer import Failure, Frame
from web.client.python.blocks import waits
from web.client.python.connection import Chore, Connection
from web.client.python.errors import ClientError, Refused
from web.client.python.outbox import Letter, Outbox, Thread
from web.client.python.overdue import Overdue
from web.client.python.standing import Standing, Wish, cancel
from web.client.python.timing import Timing
from web.client.python.transcript import closed, forgotten, reduce, refused, said
from web.client.python.verdicts import BLAMED, HARMLESS, MAX_TRIES, RETRIED, failure_of

_EARLY_KEPT = 1000


class Dialogue:
    """All conversations of one agent's client."""

    def __init__(self, connection: Connection, timing: Timing, chance: Callable[[], float]) -> None:
        self.threads: list[Thread] = []
        self.outbox = Outbox()
        self.reports: list[ClientError] = []
        self._connection = connection
        self._timing = timing
        self._chance = chance
        self._standing = Standing()
        self._overdue = Overdue(self.outbox, timing)
        self._early: list[Frame] = []

    @property
    def busy(self) -> bool:
        """Whether an answer is waited for."""
        return any(thread.transcript.active for thread in self.threads)

    # ------------------------------------------------------------ what the user wants

    def find(self, conversation_id: object) -> Thread | None:
        """The thread of a conversation."""
        return next((thread for thread in self.threads if thread.id is not None and thread.id == conversation_id), None)

    def say(self, now: float, thread: Thread, client_message_id: str, content: str) -> None:
        """Put a message in line; one that was refused takes its old place in the conversation."""
        if thread not in self.threads:
            self.threads.append(thread)
        thread.kept = True
        thread.transcript = said(thread.transcript, client_message_id, content)
        if self.outbox.find(client_message_id) is None:
            self.outbox.add(Letter(thread, client_message_id, content))
        self.flush(now)

    def cancel(self, now: float, thread: Thread, run_id: str | None) -> None:
        """End one run, or all of a conversation, with its messages that are not accepted."""
        for letter in self.outbox:
            if run_id is None and letter.thread is thread and letter.run_id is None:
                self._withdraw(letter)
        runs = [answer.run_id for answer in thread.transcript.active if run_id in (None, answer.run_id)]
        for run in runs:
            self.wish(now, cancel(thread, run))
        if not runs and thread.id and self._connection.open:
            frame = {"type": "cancel", "conversation_id": thread.id}
            self._connection.post(now, frame if run_id is None else {**frame, "run_id": run_id})

    def take_back(self, thread: Thread, client_message_id: str) -> None:
        """Take back one message that is not accepted."""
        letter = self.outbox.find(client_message_id)
        if letter is None:
            thread.transcript = forgotten(thread.transcript, client_message_id)
        elif letter.thread is thread and letter.run_id is None:
            self._withdraw(letter)

    def wish(self, now: float, wish: Wish) -> None:
        """Send a frame, and again on each new connection until it shows that it was heard."""
        if self._rests(wish.thread):
            wish.thread.heard_at = now  # from now on there is something to wait for
        self._standing.add(wish)
        if self._connection.open:
            self._connection.post(now, wish.frame)

    def resume(self, now: float, thread: Thread) -> None:
        """Ask for what a conversation is at."""
        if thread.id is not None and not thread.gone and self._connection.open:
            thread.asked_at = now
            self._connection.post(now, {"type": "resume", "conversation_id": thread.id})

    def sweep(self) -> None:
        """Drop the threads that nobody looks at and no message waits for."""
        waiting = {id(letter.thread) for letter in self.outbox}
        self.threads = [thread for thread in self.threads if thread.kept or id(thread) in waiting]

    # ------------------------------------------------------------ what happens

    def opened(self, now: float) -> None:
        """There is a new connection: it knows nothing of the one before."""
        self.landed()
        for thread in self.threads:
            thread.open_again(now)
            self.resume(now, thread)
        for frame in self._standing.left():
            self._connection.post(now, frame)
        self.flush(now)

    def landed(self) -> None:
        """The connection is gone, and what was on its way over it."""
        self.outbox.landed()
        self._early.clear()

    def heard(self, now: float, frame: Frame) -> None:
        """A frame of a conversation came."""
        if frame["type"] == "message_accepted":
            self._accepted(now, frame)
        thread = self.find(frame.get("conversation_id"))
        if thread is not None:
            thread.note(now, frame)
            thread.transcript = reduce(thread.transcript, frame)
            if frame["type"] == "approval_required":
                self._decide_again(now, frame)
        elif self.outbox.flying and self.outbox.flying.thread.id is None and len(self._early) < _EARLY_KEPT:
            self._early.append(frame)

    def mind(self, now: float) -> None:
        """After each frame: forget wishes that came true, ask for what was lost, send what may go."""
        self._standing.prune()
        for thread in self.threads:
            self._overdue.notice(now, thread)
            if thread.transcript.missing and now - thread.asked_at >= self._timing.gap_again:
                self.resume(now, thread)
        for letter in self.outbox:
            if letter.sent_at is None and letter.run_id and letter.run_id not in letter.thread.traces:
                self.outbox.remove(letter)
        self.flush(now)

    def objected(self, now: float, frame: Frame) -> None:
        """An `error` frame about one frame came."""
        code = frame["code"]
        letter = self.outbox.find(frame.get("client_message_id"))
        if letter is None and code in BLAMED:
            letter = self.outbox.flying
        if letter is None:
            self._report(frame)
        elif code in RETRIED and letter.tries < MAX_TRIES:
            self.again(now, letter)
        else:
            self.refuse(letter, failure_of(frame))

    def again(self, now: float, letter: Letter | None) -> None:
        """Send a message again after a pause that grows: whether it was stored is not known, its id makes that safe."""
        if letter is None or letter.sent_at is None:
            return
        letter.sent_at = None
        letter.retry_at = now + self._timing.backoff_base * 2**letter.tries * (0.5 + self._chance() / 2)
        letter.tries += 1

    def refuse(self, letter: Letter, failure: Failure) -> None:
        """A message will not be accepted."""
        self.outbox.remove(letter)
        self._early.clear()
        if letter.run_id is not None:
            self._overdue.put_off(letter, final=not failure.retryable)
        letter.thread.transcript = refused(letter.thread.transcript, letter.client_message_id, failure)
        self.sweep()

    def refuse_all(self, error: ClientError) -> None:
        """No message will be accepted."""
        for letter in self.outbox:
            if letter.run_id is not None:
                self.outbox.remove(letter)
            else:
                self.refuse(letter, Failure(error.code, error.detail, error.retryable))
        self.sweep()

    def flush(self, now: float) -> None:
        """Send the message whose turn it is."""
        letter = self.outbox.due(now)
        if letter is not None and self._connection.open:
            letter.sent_at = now
            self._connection.post(now, letter.sealed())

    def chores(self) -> Iterator[Chore]:
        """What this does by itself, and when."""
        first = self.outbox.first
        if first and first.sent_at is None:
            yield first.retry_at, self.flush
        elif first and first.sent_at is not None:
            yield first.sent_at + self._timing.resend_after, self._resend
        for thread in self.threads:
            if thread.id is not None and not thread.gone and thread.transcript.active:
                if thread.transcript.missing or not self._rests(thread):
                    yield self._question_at(thread), self._asker(thread)
                for when, run_id in self._overdue.due(thread):
                    yield when, self._reminder(thread, run_id)

    # ------------------------------------------------------------ inside

    def _rests(self, thread: Thread) -> bool:
        """Whether its run waits for people and nobody here has decided: then silence is as it should be."""
        running = [answer for answer in thread.transcript.active if answer.status == "running"]
        return bool(running) and all(
            waits(answer.blocks) and not self._standing.expects(answer.run_id) for answer in running
        )

    def _decide_again(self, now: float, frame: Frame) -> None:
        """What was decided already is asked again: a decision may be lost without its connection."""
        decision = self._standing.asked(frame["run_id"], frame["tool_use_id"])
        if decision is not None and self._connection.open:
            self._connection.post(now, decision)

    def _question_at(self, thread: Thread) -> float:
        """When to ask about a conversation that is silent although something runs, or of which text was lost."""
        timing = self._timing
        due = max(thread.heard_at + timing.silence_first, thread.asked_at + timing.silence_again)
        return min(due, thread.asked_at + timing.gap_again) if thread.transcript.missing else due

    def _asker(self, thread: Thread) -> Callable[[float], None]:
        def ask(now: float) -> None:
            self.resume(now, thread)
            if now - thread.heard_at >= self._timing.silence_first and not self._connection.probing:
                self._connection.probe(now)

        return ask

    def _reminder(self, thread: Thread, run_id: str) -> Callable[[float], None]:
        def remind(now: float) -> None:
            letter = self._overdue.reminder(now, thread, run_id)
            if letter is None:
                thread.transcript = closed(thread.transcript, run_id)
                self.mind(now)
            else:
                self.outbox.add(letter)
                self.flush(now)

        return remind

    def _resend(self, now: float) -> None:
        self.outbox.landed()
        self.flush(now)

    def _accepted(self, now: float, frame: Frame) -> None:
        """A new conversation has its id from now on; what came before this frame is its too."""
        letter = self.outbox.find(frame.get("client_message_id"))
        if letter is None:
            return
        self.outbox.remove(letter)
        thread, early = letter.thread, self._early
        self._early = []
        if thread.id is None:
            thread.id = frame["conversation_id"]
        for one in (frame, *early):
            if one.get("conversation_id") == thread.id:
                thread.transcript = reduce(thread.transcript, one)
        self._remember(now, letter, frame["run_id"])
        if letter.cancel:
            self.wish(now, cancel(thread, frame["run_id"]))
        self.sweep()

    def _remember(self, now: float, letter: Letter, run_id: str) -> None:
        """Until its run has ended, a message may have to be sent again."""
        trace = letter.thread.trace(run_id)
        if letter.run_id is None:
            trace.letter, trace.accepted_at = letter, now
        else:
            trace.answers += 1

    def _report(self, frame: Frame) -> None:
        """An error that names no message: perhaps the answer to a `resume`."""
        code = frame["code"]
        asked = [thread for thread in self.threads if thread.id and thread.asked_at > thread.heard_at]
        if code == "conversation_not_found" and len(asked) == 1:
            asked[0].gone = True
        if code not in HARMLESS:
            self.reports.append(Refused(frame["error"], code=code, retryable=bool(frame.get("retryable"))))

    def _withdraw(self, letter: Letter) -> None:
        """One that was never sent is forgotten; one that may have been stored is cancelled when it is accepted."""
        if letter.frame is not None:
            letter.cancel = True
            return
        self.outbox.remove(letter)
        letter.thread.transcript = forgotten(letter.thread.transcript, letter.client_message_id)
        self.sweep()
