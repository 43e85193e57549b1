"""One tab: the client library as users have it, with all that it sends, hears and shows written down."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.faults.history import History
from web.client.python.answer import Answer, Frame
from web.client.python.client import PlaygroundClient
from web.client.python.conversation import Accepted, Conversation
from web.client.python.line import open_socket
from web.client.python.rest import message_source


class Tab:
    """A client of the campaign's agent, in one case.

    Args:
        base_url: Where REST and the playground are.
        agent: The agent's id.
        name: Tells the tabs of a case apart.
        cut_at: The connection is lost at this delta, counted over all connections.
    """

    def __init__(self, base_url: str, agent: str, history: History, case: str, name: str, *, cut_at: int = 0) -> None:
        self.name = name
        self.case = case
        self._history = history
        self._cut_at = cut_at
        self._deltas = 0
        self._back_at = 0.0
        self._looked: dict[str, str] = {}
        self._socket: ClientConnection | None = None
        self._conversations: dict[str, Conversation] = {}
        self._client = PlaygroundClient(
            base_url=base_url,
            agent_id=agent,
            messages=message_source(base_url),
            open=self._dial,
            on_frame=self._note,
        )

    async def __aenter__(self) -> Tab:
        self._client.connect()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def leave(self) -> None:
        """Leave before the end: what was shown until then is nobody's last sight."""
        await self._client.close()

    async def close(self) -> None:
        """Leave, and write down what was shown last."""
        if self._client.state == "closed":
            return
        for conversation in self._conversations.values():
            for answer in conversation.transcript.entries:
                if isinstance(answer, Answer):
                    view = {"run": answer.run_id, "text": answer.text, "status": answer.status, "whole": answer.whole}
                    self._history.write("client.view", case=self.case, client=self.name, **view)
        await self._client.close()

    async def say(self, content: str, message_id: str, conversation: str | None = None) -> Accepted:
        """Say something; comes back when it is accepted."""
        sent = self._client.send(content, conversation, client_message_id=message_id)
        accepted = await sent.accepted()
        self._conversations[accepted.conversation_id] = sent.conversation
        return accepted

    def watch(self, conversation: str) -> None:
        """Watch a conversation that began elsewhere."""
        self._conversations[conversation] = self._client.watch(conversation)

    def cancel(self, accepted: Accepted, *, all_runs: bool = False) -> None:
        """Cancel a run, or all of its conversation."""
        self._history.write("client.cancels", case=self.case, run=accepted.run_id)
        self._client.cancel(accepted.conversation_id, None if all_runs else accepted.run_id)

    async def approve_all(self, accepted: Accepted) -> None:
        """Approve whatever the run asks for, until it has ended."""
        conversation, decided = self._conversations[accepted.conversation_id], set[str]()

        def waiting(transcript: Any) -> list[str]:
            answer = transcript.answer(accepted.run_id)
            cards = answer.blocks if answer else ()
            return [card.id for card in cards if getattr(card, "status", "") == "waiting" and card.id not in decided]

        def moved(transcript: Any) -> bool:
            answer = transcript.answer(accepted.run_id)
            return bool(waiting(transcript)) or (answer is not None and answer.over)

        while call := next(iter(waiting(await conversation.until(moved))), None):
            self._history.write("client.approves", case=self.case, run=accepted.run_id, call=call)
            conversation.approve(accepted.run_id, call)
            decided.add(call)

    async def ended(self, accepted: Accepted) -> Answer:
        """Wait for the end of a run."""
        return await self._conversations[accepted.conversation_id].ended(accepted.run_id)

    async def any_ended(self, conversation: str) -> None:
        """Wait until an answer of a conversation is shown to its end."""
        await self._conversations[conversation].until(
            lambda transcript: any(isinstance(one, Answer) and one.over for one in transcript.entries)
        )

    async def shown(self, accepted: Accepted, length: int) -> None:
        """Wait until so much of an answer is shown."""
        run = accepted.run_id

        def enough(transcript: Any) -> bool:
            answer = transcript.answer(run)
            return answer is not None and (answer.length >= length or answer.over)

        await self._conversations[accepted.conversation_id].until(enough)

    async def put(self, **frame: Any) -> None:
        """Send a frame past the library."""
        self._note("out", frame)
        if self._socket:
            with contextlib.suppress(ConnectionClosed):
                await self._socket.send(json.dumps(frame))

    def cut(self, away: float = 0.0) -> None:
        """Lose the connection, without a goodbye, and find no other for a while (seconds)."""
        self._back_at = asyncio.get_running_loop().time() + away
        if self._socket:
            self._history.write("fault", case=self.case, fault="the connection is cut", action="cut", point="client")
            self._socket.transport.abort()

    async def _dial(self, url: str, protocols: list[str]) -> ClientConnection:
        await asyncio.sleep(self._back_at - asyncio.get_running_loop().time())
        self._socket = await open_socket(url, protocols)
        self._history.write("client.opened", case=self.case, client=self.name)
        return self._socket

    def _note(self, direction: str, frame: Frame) -> None:
        what = "client.got" if direction == "in" else "client.sent"
        self._history.write(what, case=self.case, client=self.name, frame=frame)
        if what == "client.got" and "run_id" in frame:
            asyncio.get_running_loop().call_soon(self._look, frame)
        if what == "client.got" and frame.get("type") == "content_delta":
            self._deltas += 1
            if self._deltas == self._cut_at:
                asyncio.get_running_loop().call_soon(self.cut)

    def _look(self, frame: Frame) -> None:
        """Write down what is shown after a frame."""
        conversation = self._conversations.get(frame.get("conversation_id", ""))
        answer = conversation.transcript.answer(frame["run_id"]) if conversation else None
        if answer is not None and answer.text != self._looked.get(answer.run_id):
            self._looked[answer.run_id] = answer.text
            about = {"run": answer.run_id, "text": answer.text}
            self._history.write("client.shows", case=self.case, client=self.name, **about)
