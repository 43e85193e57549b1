"""The client's behaviour without sockets, timers and threads: what happens goes in, what is to be done comes out.

Every input has the time in milliseconds, from any origin. `actions` are to be carried out in order; `deadline` says
when `tick` is due. The same machine exists in TypeScript (`src/session.ts`); the vectors of both are the same files.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Literal

from web.client.python import standing
from web.client.python.answer import Failure, Frame
from web.client.python.errors import ClientError, Refused
from web.client.python.outbox import Letter, Outbox, Thread
from web.client.python.timing import Timing
from web.client.python.transcript import forgotten, reduce, refused, said
from web.client.python.verdicts import (
    BLAMED,
    HARMLESS,
    LAST,
    MAX_TRIES,
    RETRIED,
    closed_for_good,
    failure_of,
    handshake_refusal,
)

State = Literal["idle", "connecting", "open", "waiting", "refused", "closed"]
Chore = tuple[float, Callable[[float], None]]
_EARLY_KEPT = 1000


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
        self.timing = timing or Timing()
        self.state: State = "idle"
        self.error: ClientError | None = None
        self.threads: list[Thread] = []
        self.outbox = Outbox()
        self.standing = standing.Standing()
        self.reports: list[ClientError] = []
        self.actions: list[Frame] = []
        self.attempt = 0
        self._chance = chance
        self._renewable = renewable
        self._strikes = 0
        self._expired = False
        self._early: list[Frame] = []
        self._changed_at = self._heard_at = self._sent_at = self._planned_at = 0.0
        self._retry_at = 0.0
        self._probed_at: float | None = None

    # ------------------------------------------------------------ what the user wants

    def connect(self, now: float) -> None:
        """Begin, or begin again after a refusal."""
        if self.state in ("idle", "refused", "waiting"):
            self.error = None
            self._dial(now)

    def thread(self, conversation_id: str | None) -> Thread:
        """The thread of a conversation, made where there is none; a new one without an id."""
        known = self._find(conversation_id)
        if known is None:
            known = Thread(conversation_id)
            self.threads.append(known)
        return known

    def watch(self, now: float, thread: Thread) -> None:
        """Ask for what a conversation is at."""
        if self.state == "open":
            self._resume(now, thread)

    def unwatch(self, thread: Thread) -> None:
        """Forget a conversation; what is on its way is still sent."""
        thread.kept = False
        self._sweep()

    def say(self, now: float, thread: Thread, client_message_id: str, content: str) -> None:
        """Send a message as soon as it is its turn. An id that was refused before is sent again."""
        thread.transcript = said(thread.transcript, client_message_id, content)
        if self.outbox.find(client_message_id) is None:
            self.outbox.add(Letter(thread, client_message_id, content))
        if self.state == "refused":
            self._refuse_letters()
        self._flush(now)

    def cancel(self, now: float, thread: Thread, run_id: str | None = None) -> None:
        """End one run, or all of a conversation with those messages that are not accepted yet."""
        if run_id is None:
            for letter in self.outbox:
                if letter.thread is thread:
                    self._withdraw(letter)
        runs = [answer.run_id for answer in thread.transcript.active if run_id in (None, answer.run_id)]
        for run in runs:
            self._stand(now, standing.cancel(thread, run))
        if not runs and thread.id and self.state == "open":
            frame = {"type": "cancel", "conversation_id": thread.id}
            self._post(now, frame if run_id is None else {**frame, "run_id": run_id})

    def decide(self, now: float, thread: Thread, frame: Frame) -> None:
        """Send an `approval` frame, again after a reconnect until the tool has gone on."""
        self._stand(now, standing.decision(thread, frame))

    def close(self) -> None:
        """End it for good."""
        if self.state in ("connecting", "open"):
            self.actions.append({"do": "drop"})
        self.state = "closed"

    # ------------------------------------------------------------ what happens

    def opened(self, now: float) -> None:
        """The handshake succeeded."""
        self.state = "open"
        self._changed_at = self._heard_at = self._sent_at = now
        self._probed_at = None
        self._expired = False
        self._planned_at = now + self.timing.planned_from + self._chance() * self.timing.planned_spread
        for thread in self.threads:
            thread.heard_at = now
            self._resume(now, thread)
        for wish in self.standing.left():
            self._post(now, wish)
        self._flush(now)

    def heard(self, now: float, frame: Frame) -> None:
        """A frame came."""
        self._heard_at = now
        self._probed_at = None
        kind = frame.get("type")
        if not isinstance(kind, str):  # the gateway's own words: a function failed
            self._again(now, self.outbox.flying)
            return
        if kind not in ("error", "agent_loaded"):
            self.attempt = self._strikes = 0
        if kind == "error" and "run_id" not in frame:
            self._refusal(now, frame)
        else:
            self._conversed(now, frame)
        if self.state == "open":
            self.standing.prune()
            self._mend(now)
            self._flush(now)

    def lost(self, now: float, code: int | None = None, status: int | None = None) -> None:
        """The connection ended with a close code, or the handshake was answered by an HTTP status, or neither."""
        if self.state not in ("connecting", "open"):
            return
        if code == 1009 and self.outbox.flying:
            detail = "The message is larger than what the connection takes."
            self._refuse(self.outbox.flying, Failure("payload_too_large", detail))
        final = self._final(code, status)
        if final:
            self._give_up(final)
        else:
            self._pause(now)

    def failed(self, now: float, error: ClientError) -> None:
        """The connection could not even be tried: no ticket."""
        if self.state != "connecting":
            return
        if error.final:
            self._give_up(error)
        else:
            self.reports.append(error)
            self._pause(now)

    def wake(self, now: float) -> None:
        """The network is back, or the page is looked at again."""
        if self.state == "waiting":
            self.attempt = 0
            self._dial(now)
        elif self.state == "open" and now - self._heard_at > self.timing.probe_after:
            self._probe(now)

    def tick(self, now: float) -> None:
        """Do what is due."""
        due = self.deadline
        if due is None:
            return
        state, expected = self.state, max(due, self._changed_at, self._heard_at, self._sent_at)
        if state == "open" and now - expected > self.timing.late_after:
            self._probe(now)
        for when, chore in list(self._chores()):
            if when <= now and self.state == state:
                chore(now)

    @property
    def deadline(self) -> float | None:
        """When `tick` is due next; None when nothing is to be waited for."""
        return min((when for when, _ in self._chores()), default=None)

    # ------------------------------------------------------------ chores

    def _chores(self) -> Iterator[Chore]:
        timing = self.timing
        if self.state == "connecting":
            yield self._changed_at + timing.open_within, self._timed_out
        elif self.state == "waiting":
            yield self._retry_at, self._dial
        elif self.state == "open":
            if self._probed_at is not None:
                yield self._probed_at + timing.pong_within, self._timed_out
            else:
                yield self._sent_at + timing.ping_every, self._probe
            yield from self._letter_chores()
            yield from self._thread_chores()
            if not self.outbox.letters:
                busy = any(thread.transcript.active for thread in self.threads)
                latest = self._changed_at + timing.planned_latest
                yield (latest if busy else self._planned_at), self._renew

    def _letter_chores(self) -> Iterator[Chore]:
        first = self.outbox.first
        if first and first.sent_at is None:
            yield first.retry_at, self._flush
        elif first and first.sent_at is not None:
            yield first.sent_at + self.timing.resend_after, self._resend

    def _thread_chores(self) -> Iterator[Chore]:
        """Ask again about those that are silent although something runs, and those of which something was lost."""
        timing = self.timing
        for thread in self.threads:
            if thread.id is None or thread.gone or not thread.transcript.active:
                continue
            first = thread.heard_at + timing.silence_first
            due = max(first, thread.asked_at + timing.silence_again)
            if thread.transcript.missing:
                due = min(due, thread.asked_at + timing.gap_again)

            def ask(now: float, thread: Thread = thread, silent_from: float = first) -> None:
                self._resume(now, thread)
                if now >= silent_from and self._probed_at is None:
                    self._probe(now)

            yield due, ask

    def _timed_out(self, now: float) -> None:
        self.actions.append({"do": "drop"})
        self._pause(now)

    def _renew(self, now: float) -> None:
        """A planned reconnect, before the gateway ends the connection in the middle of something."""
        self.actions.append({"do": "drop"})
        self.outbox.landed()
        self._dial(now)

    def _probe(self, now: float) -> None:
        self._post(now, {"type": "ping"})
        if self._probed_at is None:
            self._probed_at = now

    def _mend(self, now: float) -> None:
        for thread in self.threads:
            if thread.transcript.missing and now - thread.asked_at >= self.timing.gap_again:
                self._resume(now, thread)

    # ------------------------------------------------------------ connection

    def _dial(self, now: float) -> None:
        self.state = "connecting"
        self._changed_at = now
        self.actions.append({"do": "connect"})

    def _pause(self, now: float) -> None:
        self.outbox.landed()
        self._early.clear()
        self.state = "waiting"
        timing = self.timing
        longest = min(timing.backoff_cap, timing.backoff_base * 2 ** min(self.attempt, 16))
        self.attempt += 1
        self._retry_at = now + self._chance() * longest

    def _final(self, code: int | None, status: int | None) -> ClientError | None:
        if self._expired and not self._renewable:
            return Refused("The sign-in has ended.", code="token_expired", final=True)
        if status in (401, 403):
            self._strikes += 1
        return closed_for_good(code) or handshake_refusal(status, self._strikes, renewable=self._renewable)

    def _give_up(self, error: ClientError) -> None:
        if self.state == "open":
            self.actions.append({"do": "drop"})
        self.state = "refused"
        self.error = error
        self._refuse_letters()

    def _refuse_letters(self) -> None:
        error = self.error or Refused("The connection was refused.")
        for letter in self.outbox:
            self._refuse(letter, Failure(error.code, error.detail))

    # ------------------------------------------------------------ frames

    def _conversed(self, now: float, frame: Frame) -> None:
        if frame["type"] == "message_accepted":
            self._landed(now, frame)
        conversation = frame.get("conversation_id")
        thread = self._find(conversation) if isinstance(conversation, str) else None
        if thread is not None:
            thread.heard_at = now
            thread.transcript = reduce(thread.transcript, frame)
        elif self.outbox.flying and self.outbox.flying.thread.id is None and len(self._early) < _EARLY_KEPT:
            self._early.append(frame)

    def _landed(self, now: float, frame: Frame) -> None:
        """A message was accepted. A new conversation has its id from now on; what came before this frame is its too."""
        letter = self.outbox.find(frame.get("client_message_id"))
        if letter is None:
            return
        self.outbox.remove(letter)
        thread, early = letter.thread, self._early
        self._early = []
        if thread.id is None:
            thread.id = frame["conversation_id"]
        thread.transcript = reduce(thread.transcript, frame)
        for one in early:
            if one.get("conversation_id") == thread.id:
                thread.transcript = reduce(thread.transcript, one)
        if letter.cancel:
            self._stand(now, standing.cancel(thread, frame["run_id"]))
        self._sweep()

    def _refusal(self, now: float, frame: Frame) -> None:
        """An `error` about one frame, or about the connection."""
        code = frame["code"]
        if code in LAST:
            self._give_up(Refused(frame["error"], code=code, final=True))
            return
        if code == "token_expired":  # the connection is closed next; the message goes again with a new ticket
            self._expired = True
            return
        letter = self.outbox.find(frame.get("client_message_id"))
        if letter is None and code in BLAMED:
            letter = self.outbox.flying
        if letter is None:
            self._reported(frame)
        elif code in RETRIED and letter.tries < MAX_TRIES:
            self._again(now, letter)
        else:
            self._refuse(letter, failure_of(frame))

    def _reported(self, frame: Frame) -> None:
        """An error that names no message: perhaps the answer to a `resume`."""
        code = frame["code"]
        asked = [thread for thread in self.threads if thread.id and thread.asked_at > thread.heard_at]
        if code == "conversation_not_found" and len(asked) == 1:
            asked[0].gone = True
        if code not in HARMLESS:
            self.reports.append(Refused(frame["error"], code=code, retryable=bool(frame.get("retryable"))))

    # ------------------------------------------------------------ sending

    def _post(self, now: float, frame: Frame) -> None:
        self._sent_at = now
        self.actions.append({"do": "send", "frame": frame})

    def _resume(self, now: float, thread: Thread) -> None:
        if thread.id is not None and not thread.gone:
            thread.asked_at = now
            self._post(now, {"type": "resume", "conversation_id": thread.id})

    def _stand(self, now: float, wish: standing.Wish) -> None:
        self.standing.add(wish)
        if self.state == "open":
            self._post(now, wish.frame)

    def _flush(self, now: float) -> None:
        letter = self.outbox.due(now)
        if self.state != "open" or letter is None:
            return
        if letter.frame is None:
            place = {} if letter.thread.id is None else {"conversation_id": letter.thread.id}
            names = {"type": "user_message", "client_message_id": letter.client_message_id}
            letter.frame = {**names, "content": letter.content, **place}
        letter.sent_at = now
        self._post(now, letter.frame)

    def _resend(self, now: float) -> None:
        self.outbox.landed()
        self._flush(now)

    def _again(self, now: float, letter: Letter | None) -> None:
        """Send a message again after a pause that grows: whether it was stored is not known, its id makes that safe."""
        if letter is None or letter.sent_at is None:
            return
        letter.sent_at = None
        letter.retry_at = now + self.timing.backoff_base * 2**letter.tries * (0.5 + self._chance() / 2)
        letter.tries += 1

    def _refuse(self, letter: Letter, failure: Failure) -> None:
        self.outbox.remove(letter)
        self._early = []
        letter.thread.transcript = refused(letter.thread.transcript, letter.client_message_id, failure)
        self._sweep()

    def _withdraw(self, letter: Letter) -> None:
        """One that was never sent is forgotten; one that may have been stored is cancelled when it is accepted."""
        if letter.frame is not None:
            letter.cancel = True
            return
        self.outbox.remove(letter)
        letter.thread.transcript = forgotten(letter.thread.transcript, letter.client_message_id)

    # ------------------------------------------------------------ threads

    def _find(self, conversation_id: str | None) -> Thread | None:
        if conversation_id is None:
            return None
        return next((thread for thread in self.threads if thread.id == conversation_id), None)

    def _sweep(self) -> None:
        """Drop the threads that nobody looks at and no message waits for."""
        busy = {id(letter.thread) for letter in self.outbox}
        self.threads = [thread for thread in self.threads if thread.kept or id(thread) in busy]
