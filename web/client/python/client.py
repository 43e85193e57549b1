"""A client of one agent's playground: what `session.py` decides, carried out with asyncio and `websockets`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection

from web.client.python.answer import Frame
from web.client.python.archive import Archive, Messages
from web.client.python.connection import State
from web.client.python.content import check_content
from web.client.python.conversation import Conversation, Sent
from web.client.python.errors import ClientError, Closed, TicketFailed
from web.client.python.line import Line, open_socket
from web.client.python.outbox import Thread
from web.client.python.session import Session
from web.client.python.timing import Timing

SUBPROTOCOL = "aab.v1"

Ticket = Callable[[], Awaitable[str | None]]
Connect = Callable[[str, list[str]], Awaitable[ClientConnection]]
OnFrame = Callable[[str, Frame], None]


def playground_url(base_url: str, agent_id: str) -> str:
    """The WebSocket address of an agent, from the address that serves REST."""
    return re.sub("^http", "ws", base_url.rstrip("/")) + f"/api/v1/playground/{quote(agent_id, safe='')}"


class PlaygroundClient:
    """Talks to one agent until it is closed, through lost connections and restarted servers.

        async with PlaygroundClient(base_url="http://127.0.0.1:8787", agent_id="agt_…") as client:
            answer = await client.send("Hello").answer()
            print(answer.text)

    Args:
        url: Address of the agent's WebSocket; or `base_url` and `agent_id`.
        ticket: Fetches a ticket for each connection; None, or a ticket of None, where nobody has to sign in.
        messages: Fetches a conversation's stored messages, to complete answers that did not fit into frames.
        on_state: Told each new state of the connection.
        on_error: Told what concerns no message: a refused frame, a ticket that could not be had.
        on_frame: Told every frame, with "in" or "out".
        clock: Milliseconds from any origin, never backwards.
        open: Opens a WebSocket.

    All methods belong to the event loop in which the client was entered.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        base_url: str = "",
        agent_id: str = "",
        ticket: Ticket | None = None,
        messages: Messages | None = None,
        timing: Timing | None = None,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], float] = lambda: time.monotonic() * 1000,
        open: Connect = open_socket,  # noqa: A002
        on_state: Callable[[State, ClientError | None], None] | None = None,
        on_error: Callable[[ClientError], None] | None = None,
        on_frame: OnFrame | None = None,
    ) -> None:
        self.url = url or playground_url(base_url, agent_id)
        self.session = Session(timing, chance, renewable=ticket is not None)
        self._ticket = ticket
        self.archive = Archive(messages)
        self._clock = clock
        self._open = open
        self._on_state = on_state
        self._on_error = on_error
        self._on_frame = on_frame
        self._told: tuple[State, ClientError | None] = ("idle", None)
        self._waiters: set[asyncio.Future[None]] = set()
        self._fetches: set[asyncio.Task[None]] = set()
        self._lines: set[asyncio.Task[None]] = set()
        self._line: Line | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._complaints: list[ClientError] = []

    async def __aenter__(self) -> Self:
        self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # ------------------------------------------------------------ for users

    @property
    def state(self) -> State:
        """State of the connection: idle, connecting, open, waiting (for the next attempt), refused, closed."""
        return self.session.state

    def connect(self) -> None:
        """Begin; again after a refusal."""
        self.act(lambda session, now: session.connect(now))

    def conversation(self, conversation_id: str | None = None) -> Conversation:
        """A conversation; without an id one that begins with its first message."""
        return Conversation(self, self.session.thread(conversation_id))

    def watch(self, conversation_id: str) -> Conversation:
        """A stored conversation, with what goes on in it. An answer that runs is shown from its beginning."""
        conversation = self.conversation(conversation_id)
        self.act(lambda session, now: session.watch(now, conversation.thread))
        return conversation

    def send(self, content: str, conversation_id: str | None = None, *, client_message_id: str | None = None) -> Sent:
        """Say something; without a conversation a new one begins.

        It is sent when there is a connection and those before it are accepted, and again until it is accepted.

        Raises:
            InvalidContent, TooLarge: It could never be sent.
            Closed: The client is closed.
        """
        return self.conversation(conversation_id).send(content, client_message_id=client_message_id)

    def cancel(self, conversation_id: str, run_id: str | None = None) -> None:
        """End a run, or all that run and wait in a conversation."""
        self.conversation(conversation_id).cancel(run_id)

    def wake(self) -> None:
        """The network is back: try now."""
        self.act(lambda session, now: session.wake(now))

    async def close(self) -> None:
        """End it. Whoever waits gets `Closed`; what runs on the server goes on."""
        self.act(lambda session, _: session.close())
        if self._timer is not None:
            self._timer.cancel()
        for task in self._fetches:
            task.cancel()
        await asyncio.gather(*self._fetches, *self._lines, return_exceptions=True)

    # ------------------------------------------------------------ for conversations

    def say(self, conversation: Conversation, content: str, client_message_id: str | None) -> Sent:
        """Check and send a message."""
        check_content(content)
        if self.state == "closed":
            raise Closed("The client is closed.")
        own = client_message_id or uuid.uuid4().hex
        self.act(lambda session, now: session.say(now, conversation.thread, own, content))
        return Sent(conversation, own)

    def act(self, what: Callable[[Session, float], None]) -> None:
        """Tell the session something, and do what it asks for."""
        what(self.session, self._clock())
        for action in self.session.take_actions():
            self._do(action)
        self._arm()
        self._complete()
        self._tell()

    def check(self) -> None:
        """Raise what ended the client, if something did."""
        if self.session.error is not None:
            raise self.session.error
        if self.state == "closed":
            raise Closed("The client was closed.")

    async def changed(self) -> None:
        """Wait until something has happened."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)

    # ------------------------------------------------------------ inside

    def _do(self, action: Frame) -> None:
        if action["do"] == "connect":
            self._line = Line(self)
            self._line.task = _spawn(self._line.serve(), self._lines)
        elif self._line is not None and action["do"] == "send":
            if self._on_frame:
                self._on_frame("out", action["frame"])
            self._line.outgoing.put_nowait(json.dumps(action["frame"], ensure_ascii=False))
        elif self._line is not None:
            self._line.drop()
            self._line = None

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due = self.session.deadline
        if due is not None:
            pause = max(0.0, due - self._clock()) / 1000
            self._timer = asyncio.get_running_loop().call_later(pause, self.act, lambda session, now: session.tick(now))

    def _tell(self) -> None:
        state = (self.session.state, self.session.error)
        if state != self._told:
            self._told = state
            if self._on_state:
                self._on_state(*state)
        reports, self._complaints = [*self._complaints, *self.session.take_reports()], []
        for report in reports:
            if self._on_error:
                self._on_error(report)
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _complete(self) -> None:
        for thread in self.session.threads:
            if self.state != "closed" and self.archive.wants(thread):
                _spawn(self._fetch(thread), self._fetches)

    async def _fetch(self, thread: Thread) -> None:
        try:
            await self.archive.fetch(thread)
        except ClientError as error:
            self._complaints.append(error)
        self.act(lambda *_: None)

    async def protocols(self) -> list[str]:
        """What the next handshake offers."""
        if self._ticket is None:
            return [SUBPROTOCOL]
        try:
            ticket = await self._ticket()
        except ClientError:
            raise
        except Exception as error:
            raise TicketFailed(f"The ticket could not be had: {error}", retryable=True) from error
        return [SUBPROTOCOL] if ticket is None else [SUBPROTOCOL, f"ticket.{ticket}"]

    async def dial(self, protocols: list[str]) -> ClientConnection:
        """Open a WebSocket."""
        return await self._open(self.url, protocols)

    def received(self, text: str | bytes) -> None:
        """Take one frame; what is none is passed over."""
        with contextlib.suppress(ValueError):
            frame = json.loads(text)
            if isinstance(frame, dict):
                if self._on_frame:
                    self._on_frame("in", frame)
                self.act(lambda session, now: session.heard(now, frame))


def _spawn(work: Coroutine[Any, Any, None], tasks: set[asyncio.Task[None]]) -> asyncio.Task[None]:
    """Run beside; the set keeps it alive while it runs."""
    task = asyncio.get_running_loop().create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task
