"""A client of one agent's playground: what `session.py` decides, carried out with asyncio and `websockets`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import time
import uuid
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from web.client.python.answer import Frame
from web.client.python.blocks import Json
from web.client.python.conversation import Conversation, Sent
from web.client.python.errors import ClientError, Closed, InvalidContent, TicketFailed, TooLarge
from web.client.python.outbox import Thread
from web.client.python.session import Session, State
from web.client.python.timing import Timing
from web.client.python.transcript import loaded

SUBPROTOCOL = "aab.v1"
FRAME_LIMIT = 32 * 1024
_ROOM = 512  # what a frame needs beside its content
_MAX_FRAME = 2**20

Ticket = Callable[[], Awaitable[str | None]]
Messages = Callable[[str], Awaitable[list[Json]]]
Connect = Callable[[str, list[str]], Awaitable[ClientConnection]]
OnFrame = Callable[[str, Frame], None]


def playground_url(base_url: str, agent_id: str) -> str:
    """The WebSocket address of an agent, from the address that serves REST."""
    return re.sub("^http", "ws", base_url.rstrip("/")) + f"/api/v1/playground/{quote(agent_id, safe='')}"


async def open_socket(url: str, protocols: list[str]) -> ClientConnection:
    """Open a WebSocket as a browser does: no pings of its own, any size of message."""
    names = [Subprotocol(name) for name in protocols]
    return await connect(url, subprotocols=names, ping_interval=None, max_size=_MAX_FRAME, close_timeout=1)


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
        self._messages = messages
        self._clock = clock
        self._open = open
        self._on_state = on_state
        self._on_error = on_error
        self._on_frame = on_frame
        self._told: tuple[State, ClientError | None] = ("idle", None)
        self._waiters: set[asyncio.Future[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._line: _Line | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._loaded: dict[tuple[int, str, bool], bool] = {}

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
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ------------------------------------------------------------ for conversations

    def say(self, conversation: Conversation, content: str, client_message_id: str | None) -> Sent:
        """Check and send a message."""
        _check_content(content)
        if self.state == "closed":
            raise Closed("The client is closed.")
        own = client_message_id or uuid.uuid4().hex
        self.act(lambda session, now: session.say(now, conversation.thread, own, content))
        return Sent(conversation, own)

    def act(self, what: Callable[[Session, float], None]) -> None:
        """Tell the session something, and do what it asks for."""
        what(self.session, self._clock())
        for action in self._take():
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

    def loading(self, thread: Thread, run_id: str) -> bool:
        """Whether a run's stored message is being fetched to complete it."""
        return self._loaded.get((id(thread), run_id, True)) is False

    # ------------------------------------------------------------ inside

    def _take(self) -> list[Frame]:
        actions, self.session.actions = self.session.actions, []
        return actions

    def _do(self, action: Frame) -> None:
        if action["do"] == "connect":
            self._line = _Line(self)
            self._spawn(self._line.serve())
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
        reports, self.session.reports = self.session.reports, []
        for report in reports:
            if self._on_error:
                self._on_error(report)
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _complete(self) -> None:
        """Fetch what frames did not tell: once when a run is met that others began, once when it has ended."""
        if self._messages is None or self.state == "closed":
            return
        for thread in self.session.threads:
            for run_id in thread.transcript.wanting:
                answer = thread.transcript.answer(run_id)
                name = (id(thread), run_id, answer is not None and answer.over)
                if thread.id and name not in self._loaded:
                    self._loaded[name] = False
                    self._spawn(self._load(thread, thread.id, name))

    async def _load(self, thread: Thread, conversation_id: str, name: tuple[int, str, bool]) -> None:
        assert self._messages is not None
        try:
            messages = await self._messages(conversation_id)
            thread.transcript = loaded(thread.transcript, messages)
        except (OSError, ValueError) as error:
            self.session.reports.append(
                ClientError(f"Stored messages could not be had: {error}", code="messages_failed")
            )
        finally:
            self._loaded[name] = True
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


class _Line:
    """One attempt at a connection, and the connection that came of it."""

    def __init__(self, client: PlaygroundClient) -> None:
        self.outgoing: asyncio.Queue[str] = asyncio.Queue()
        self._client = client
        self._dropped = False
        self._task: asyncio.Task[Any] | None = None

    def drop(self) -> None:
        """Nothing of this connection counts any more."""
        self._dropped = True
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    async def serve(self) -> None:
        """Open, send and receive until it ends; then say how."""
        self._task = asyncio.current_task()
        code = status = None
        try:
            socket = await self._client.dial(await self._client.protocols())
            code = await self._talk(socket)
        except ClientError as error:
            failure = error
            self._report(lambda session, now: session.failed(now, failure))
        except InvalidStatus as error:
            status = error.response.status_code
        except (OSError, EOFError, TimeoutError, WebSocketException):
            code = 1006
        self._report(lambda session, now: session.lost(now, code, status))

    async def _talk(self, socket: ClientConnection) -> int | None:
        writer = asyncio.get_running_loop().create_task(self._write(socket))
        try:
            self._report(lambda session, now: session.opened(now))
            async for text in socket:
                if self._dropped:
                    return None
                self._client.received(text)
        except ConnectionClosed:
            return socket.close_code
        finally:
            writer.cancel()
            with contextlib.suppress(Exception):
                await asyncio.shield(socket.close())
        return socket.close_code

    async def _write(self, socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await socket.send(await self.outgoing.get())

    def _report(self, what: Callable[[Session, float], None]) -> None:
        if not self._dropped:
            self._client.act(what)


def _check_content(content: str) -> None:
    """Find what the server could only refuse."""
    if not content.strip():
        raise InvalidContent("The message is empty.")
    if "\x00" in content or any("\ud800" <= char <= "\udfff" for char in content):
        raise InvalidContent("The message holds a NUL or half a surrogate pair.")
    if len(json.dumps(content, ensure_ascii=False).encode()) > FRAME_LIMIT - _ROOM:
        raise TooLarge("The message is longer than the 32 KB that fit into a frame; send it in pieces.")
