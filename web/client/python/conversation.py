"""What users hold: a conversation, and a message that they sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from web.client.python.answer import Answer
from web.client.python.errors import Closed, Refused
from web.client.python.outbox import Thread
from web.client.python.transcript import Question, Transcript

if TYPE_CHECKING:
    from web.client.python.client import PlaygroundClient


@dataclass(frozen=True, slots=True)
class Accepted:
    """Ids of a message that the server has stored. `message_id` is that of the message itself."""

    conversation_id: str
    run_id: str
    message_id: str


class Conversation:
    """One conversation, kept up to date while the client is open. Make it by `client.conversation()` or `watch()`."""

    def __init__(self, client: PlaygroundClient, thread: Thread) -> None:
        self._client = client
        self.thread = thread

    @property
    def id(self) -> str | None:
        """Its id; None until the first message of a new one is accepted."""
        return self.thread.id

    @property
    def transcript(self) -> Transcript:
        """What is known of it. A new object after each change."""
        return self.thread.transcript

    @property
    def gone(self) -> bool:
        """Whether the server says that it does not exist (any more)."""
        return self.thread.gone

    def send(self, content: str, *, client_message_id: str | None = None) -> Sent:
        """Say something. See `PlaygroundClient.send`."""
        return self._client.say(self, content, client_message_id)

    def retry(self, client_message_id: str) -> Sent:
        """Send a refused message again: under its own id, so that it can never be there twice."""
        question = self.transcript.question(client_message_id)
        if question is None:
            raise KeyError(client_message_id)
        return self._client.say(self, question.content, client_message_id)

    def take_back(self, client_message_id: str) -> None:
        """Take back a message that is not accepted, or was refused. One on its way is cancelled once it is accepted."""
        self._client.act(lambda session, _: session.take_back(self.thread, client_message_id))

    def cancel(self, run_id: str | None = None) -> None:
        """End one run, or all that run and wait, with what is not accepted yet."""
        self._client.act(lambda session, now: session.cancel(now, self.thread, run_id))

    def approve(self, run_id: str, tool_use_id: str, *, input: dict[str, Any] | None = None) -> None:  # noqa: A002
        """Let a tool call go on, with other arguments if `input` is given."""
        self._decide(run_id, tool_use_id, "approve", {} if input is None else {"input": input})

    def deny(self, run_id: str, tool_use_id: str, *, reason: str | None = None) -> None:
        """Do not let a tool call go on; the model is told the reason."""
        self._decide(run_id, tool_use_id, "deny", {} if reason is None else {"reason": reason})

    async def until(self, happened: Callable[[Transcript], bool]) -> Transcript:
        """Wait for a state of the transcript.

        Raises:
            ClientError: The connection was refused for good, or the client closed.
        """
        while not happened(self.transcript):
            self._client.check()
            await self._client.changed()
        return self.transcript

    async def ended(self, run_id: str) -> Answer:
        """Wait for the end of a run; with `messages` given to the client, until the answer is whole."""

        def over(transcript: Transcript) -> bool:
            answer = transcript.answer(run_id)
            return answer is not None and answer.over and not self._client.archive.loading(run_id)

        answer = (await self.until(over)).answer(run_id)
        assert answer is not None
        return answer

    def close(self) -> None:
        """Look at it no longer. What runs there goes on."""
        self._client.act(lambda session, _: session.unwatch(self.thread))

    def _decide(self, run_id: str, tool_use_id: str, decision: str, more: dict[str, Any]) -> None:
        frame = {"type": "approval", "run_id": run_id, "tool_use_id": tool_use_id, "decision": decision, **more}
        self._client.act(lambda session, now: session.decide(now, self.thread, frame))


@dataclass(frozen=True)
class Sent:
    """A message on its way."""

    conversation: Conversation
    client_message_id: str

    async def accepted(self) -> Accepted:
        """Wait until the server has stored it.

        Raises:
            Refused: It did not take the message.
            Closed: The message was withdrawn, or the client closed.
        """
        await self.conversation.until(lambda transcript: _decided(transcript.question(self.client_message_id)))
        question = self.conversation.transcript.question(self.client_message_id)
        if question is None:
            raise Closed("The message was withdrawn before it was sent.", code="withdrawn")
        if question.error is not None:
            raise Refused(question.error.detail, code=question.error.code, retryable=question.error.retryable)
        assert self.conversation.id and question.run_id and question.message_id
        return Accepted(self.conversation.id, question.run_id, question.message_id)

    async def answer(self) -> Answer:
        """Wait for the end of the run. A failed or cancelled one is an answer too: see `status`."""
        accepted = await self.accepted()
        return await self.conversation.ended(accepted.run_id)


def _decided(question: Question | None) -> bool:
    return question is None or question.status != "sending"
