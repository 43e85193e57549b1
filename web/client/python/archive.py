"""Completes transcripts from REST: what others asked, and answers of which frames did not tell everything."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from web.client.python.blocks import Json
from web.client.python.errors import ClientError
from web.client.python.outbox import Thread
from web.client.python.transcript import loaded

Messages = Callable[[str], Awaitable[list[Json]]]
_PAUSES = (0.5, 1.0, 2.0, 4.0)  # seconds before each further try


class Archive:
    """Fetches a conversation when a run is met that others began, and once more when it has ended."""

    def __init__(self, messages: Messages | None) -> None:
        self._messages = messages
        self._fetched: dict[tuple[str, bool], bool] = {}

    def wants(self, thread: Thread) -> bool:
        """Whether `fetch` should be called now; says so once for each reason."""
        if self._messages is None or thread.id is None:
            return False
        fresh = [reason for reason in _reasons(thread) if reason not in self._fetched]
        self._fetched.update(dict.fromkeys(fresh, False))
        return bool(fresh)

    async def fetch(self, thread: Thread) -> None:
        """Take in the stored messages.

        Raises:
            ClientError: They could not be had, several times.
        """
        assert self._messages is not None
        assert thread.id is not None
        reasons = [reason for reason in _reasons(thread) if reason in self._fetched]
        try:
            thread.transcript = loaded(thread.transcript, await self._persistently(self._messages, thread.id))
        finally:
            self._fetched.update(dict.fromkeys(reasons, True))

    def loading(self, run_id: str) -> bool:
        """Whether the whole of an ended answer is still on its way."""
        return self._fetched.get((run_id, True)) is False

    async def _persistently(self, messages: Messages, conversation_id: str) -> list[Json]:
        for pause in _PAUSES:
            try:
                return await messages(conversation_id)
            except (OSError, ValueError, KeyError):
                await asyncio.sleep(pause)
        try:
            return await messages(conversation_id)
        except (OSError, ValueError, KeyError) as error:
            detail = f"Stored messages could not be had: {error}"
            raise ClientError(detail, code="messages_failed", retryable=True) from error


def _reasons(thread: Thread) -> list[tuple[str, bool]]:
    answers = (thread.transcript.answer(run_id) for run_id in thread.transcript.wanting)
    return [(answer.run_id, answer.over) for answer in answers if answer is not None]
