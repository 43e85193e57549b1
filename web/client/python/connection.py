"""The life of a connection: attempts with pauses between them, pings, a planned end before the gateway's. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from web.client.python.answer import Frame
from web.client.python.errors import ClientError, Refused
from web.client.python.timing import Timing
from web.client.python.verdicts import closed_for_good, handshake_refusal

State = Literal["idle", "connecting", "open", "waiting", "refused", "closed"]
Chore = tuple[float, Callable[[float], None]]


class Connection:
    """One agent's connection, again and again. What is to be done stands in `actions`, in order."""

    def __init__(self, timing: Timing, chance: Callable[[], float], *, renewable: bool) -> None:
        self.state: State = "idle"
        self.error: ClientError | None = None
        self.actions: list[Frame] = []
        self._timing = timing
        self._chance = chance
        self._renewable = renewable
        self._attempt = self._strikes = 0
        self._expired = False
        self._changed_at = self._heard_at = self._sent_at = 0.0
        self._planned_at = self._retry_at = 0.0
        self._probed_at: float | None = None

    @property
    def open(self) -> bool:
        """Whether frames can be sent."""
        return self.state == "open"

    @property
    def probing(self) -> bool:
        """Whether the answer to a ping is waited for."""
        return self._probed_at is not None

    def dial(self, now: float) -> None:
        """Make an attempt now."""
        self.state = "connecting"
        self.error = None
        self._changed_at = now
        self.actions.append({"do": "connect"})

    def opened(self, now: float) -> None:
        """The attempt succeeded."""
        self.state = "open"
        self._changed_at = self._heard_at = self._sent_at = now
        self._probed_at = None
        self._expired = False
        self._planned_at = now + self._timing.planned_from + self._chance() * self._timing.planned_spread

    def heard(self, now: float, kind: object) -> None:
        """A frame came; one that shows that the server works ends the growth of the pauses."""
        self._heard_at = now
        self._probed_at = None
        if isinstance(kind, str) and kind not in ("error", "agent_loaded"):
            self._attempt = self._strikes = 0

    def post(self, now: float, frame: Frame) -> None:
        """Send a frame; only while it is open."""
        self._sent_at = now
        self.actions.append({"do": "send", "frame": frame})

    def probe(self, now: float) -> None:
        """Ask for a sign of life; without one the connection is given up."""
        self.post(now, {"type": "ping"})
        if self._probed_at is None:
            self._probed_at = now

    def wake(self, now: float) -> None:
        """The network is back, or the page is looked at again."""
        if self.state == "waiting":
            self._attempt = 0
            self.dial(now)
        elif self.open and now - self._heard_at > self._timing.probe_after:
            self.probe(now)

    def notice_lateness(self, now: float, due: float) -> None:
        """A timer that comes late slept with its machine: the connection may be dead without having said so."""
        expected = max(due, self._changed_at, self._heard_at, self._sent_at)
        if self.open and now - expected > self._timing.late_after:
            self.probe(now)

    def expire(self) -> None:
        """The server says that the sign-in has ended; it closes the connection next."""
        self._expired = True

    def lost(self, now: float, code: int | None, status: int | None) -> None:
        """It ended with a close code, or the handshake was answered by an HTTP status, or neither is known."""
        self.state = "waiting"
        if self._expired and not self._renewable:
            self.give_up(Refused("The sign-in has ended.", code="token_expired", final=True))
            return
        self._strikes += status in (401, 403)
        final = closed_for_good(code) or handshake_refusal(status, self._strikes, renewable=self._renewable)
        if final:
            self.give_up(final)
        else:
            self.pause(now)

    def pause(self, now: float) -> None:
        """Wait for the next attempt: longer each time, by chance, so that many clients do not come at once."""
        self.state = "waiting"
        timing = self._timing
        longest = min(timing.backoff_cap, timing.backoff_base * 2 ** min(self._attempt, 16))
        self._attempt += 1
        self._retry_at = now + self._chance() * longest

    def give_up(self, error: ClientError) -> None:
        """Trying again would change nothing."""
        if self.open:
            self.actions.append({"do": "drop"})
        self.state = "refused"
        self.error = error

    def close(self) -> None:
        """The user is done with it."""
        if self.state in ("connecting", "open"):
            self.actions.append({"do": "drop"})
        self.state = "closed"

    def drop(self, now: float) -> None:
        """It does not answer: leave it and try another."""
        self.actions.append({"do": "drop"})
        self.pause(now)

    def renew(self, now: float) -> None:
        """Another one at once, before the gateway ends this one in the middle of something."""
        self.actions.append({"do": "drop"})
        self.dial(now)

    def timeout(self) -> float | None:
        """When the attempt, or the wait for a pong, has lasted too long."""
        if self.state == "connecting":
            return self._changed_at + self._timing.open_within
        if self.open and self._probed_at is not None:
            return self._probed_at + self._timing.pong_within
        return None

    def chores(self) -> Iterator[Chore]:
        """What this does by itself, and when."""
        if self.state == "waiting":
            yield self._retry_at, self.dial
        elif self.open and self._probed_at is None:
            yield self._sent_at + self._timing.ping_every, self.probe

    def renewal(self, *, busy: bool) -> float:
        """When the planned reconnect is due; later while a run goes on."""
        return self._changed_at + self._timing.planned_latest if busy else self._planned_at
