"""Both clients under one set of commands, so that each test against the real stack is a test of both."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from tests.client.typescript import BUILT, CLIENT, FLAGS, executable
from tests.client.view import view
from web.client.python import (
    Answer,
    ClientError,
    Conversation,
    PlaygroundClient,
    Sent,
    Timing,
    Transcript,
    message_source,
    ticket_source,
)

Json = dict[str, Any]


class Refusal(Exception):
    """A ClientError of either language; its text is the code."""


class Talker(Protocol):
    """A client. Messages and conversations are called by names of the test's own."""

    async def do(self, what: str, **arguments: Any) -> Any:
        """One command; see `_PythonTalker`."""
        ...


class _PythonTalker:
    def __init__(self) -> None:
        self.states: list[str] = []
        self.sent: dict[str, Sent] = {}
        self.watched: dict[str, Conversation] = {}
        self.client: PlaygroundClient

    async def do(self, what: str, **arguments: Any) -> Any:
        try:
            return await getattr(self, f"do_{what}")(**arguments)
        except ClientError as error:
            raise Refusal(error.code) from error

    async def do_open(
        self, base_url: str, agent_id: str, token: str | None = None, timing: Json | None = None, *, rest: bool = True
    ) -> None:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self.client = PlaygroundClient(
            base_url=base_url,
            agent_id=agent_id,
            ticket=None if token is None else ticket_source(base_url, agent_id, headers),
            messages=message_source(base_url, headers) if rest else None,
            timing=Timing(**(timing or {})),
            on_state=lambda state, _: self.states.append(state),
        )
        self.client.connect()

    async def do_say(self, name: str, content: str, after: str | None = None) -> None:
        conversation = self.sent[after].conversation if after else self.client.conversation()
        self.sent[name] = conversation.send(content)

    async def do_accepted(self, name: str) -> Json:
        ids = await self.sent[name].accepted()
        return {"conversation_id": ids.conversation_id, "run_id": ids.run_id, "message_id": ids.message_id}

    async def do_answer(self, name: str) -> Json:
        return view(Transcript((await self.sent[name].answer(),)))[0]

    async def do_grown(self, name: str, length: int) -> Json:
        """An answer when its text is this long, or has ended."""
        run_id = (await self.sent[name].accepted()).run_id
        conversation = self.sent[name].conversation

        def long(transcript: Transcript) -> bool:
            answer = transcript.answer(run_id)
            return answer is not None and (answer.over or answer.length >= length)

        answer = (await conversation.until(long)).answer(run_id)
        assert answer is not None
        return view(Transcript((answer,)))[0]

    async def do_transcript(self, name: str) -> list[Json]:
        return view(self.sent[name].conversation.transcript)

    async def do_cancel(self, name: str) -> None:
        self.sent[name].conversation.cancel()

    async def do_watch(self, name: str, conversation: str) -> None:
        self.watched[name] = self.client.watch(conversation)

    async def do_seen(self, name: str) -> list[Json]:
        """A watched conversation when its last answer has ended."""

        def over(transcript: Transcript) -> bool:
            answers = [entry for entry in transcript.entries if isinstance(entry, Answer)]
            return bool(answers) and answers[-1].over and not self.client.archive.loading(answers[-1].run_id)

        return view(await self.watched[name].until(over))

    async def do_reached(self, state: str) -> None:
        """Wait until the connection has once been in a state."""
        while state not in self.states:
            await self.client.changed()

    async def do_states(self) -> list[str]:
        return self.states

    async def do_close(self) -> None:
        await self.client.close()


class _NodeTalker:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[Any]] = {}

    async def do(self, what: str, **arguments: Any) -> Any:
        number = next(self._numbers)
        waiting: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        timing = {_camel(name): value for name, value in (arguments.pop("timing", None) or {}).items()}
        line = json.dumps({"id": number, "do": what, "timing": timing, **arguments})
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        return await waiting

    async def listen(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = json.loads(line)
            waiting = self._waiting.pop(told["id"])
            if waiting.done():
                continue
            if "error" in told:
                waiting.set_exception(Refusal(told["error"]))
            else:
                waiting.set_result(told["value"])


@asynccontextmanager
async def talking(language: str) -> AsyncIterator[Talker]:
    """A client in one of the two languages."""
    if language == "python":
        talker = _PythonTalker()
        yield talker
        await talker.client.close()
        return
    command = [executable(), *FLAGS, str(BUILT / "tests" / "remote.js")]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=CLIENT, stdin=pipe, stdout=pipe, limit=2**24)
    node = _NodeTalker(process)
    listener = asyncio.get_running_loop().create_task(node.listen())
    try:
        yield node
        await node.do("close")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listener


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)
