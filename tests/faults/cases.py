"""A case: a conversation, what the model and the tools do in it, what goes wrong, and how it is played."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.faults.client import Client
from tests.faults.effects import Mishap
from tests.faults.faults import Fault
from tests.faults.rig import Rig
from tests.faults.vendor import Script, Step, ToolUse

END_SECONDS = 100.0
Playing = Callable[["Play"], Awaitable[None]]


@dataclass
class Case:
    """One conversation of the campaign.

    Attributes:
        family: What the report counts it under.
        scripts: What the model answers to each message.
        mishaps: What goes wrong with calls of tools, by number of the message and name: `0-w1`.
        play: What the client does.
        may_fail: Whether a run may end in an error that the user is told.
        store_only: Whether nobody is connected while it is repaired.
    """

    family: str
    faults: list[Fault] = field(default_factory=list)
    scripts: list[Script] = field(default_factory=lambda: [tools()])
    mishaps: dict[str, Mishap] = field(default_factory=dict)
    play: Playing = field(default_factory=lambda: talk)
    may_fail: bool = False
    name: str = ""

    @property
    def what(self) -> str:
        """What goes wrong, in words."""
        broken = [broken.name for script in self.scripts for broken in script.breakages]
        wrong = [*(fault.name for fault in self.faults), *broken, *(mishap.name for mishap in self.mishaps.values())]
        return "; ".join(wrong) or "nothing"


@dataclass
class Play:
    """A case while it is played."""

    case: Case
    rig: Rig
    clients: list[Client] = field(default_factory=list)

    async def client(self, name: str = "tab", **options: Any) -> Client:
        """A new tab."""
        client = Client(self.rig.url, self.rig.history, self.case.name, name, **options)
        self.clients.append(client)
        await client.open()
        return client

    def content(self, number: int) -> str:
        """What message `number` says; the model finds its script by the mark."""
        return f"message {number} [[{self.case.name}.{number}]]"

    def message_id(self, number: int) -> str:
        """The client's own id of message `number`."""
        return f"{self.case.name}-{number}"

    async def say(self, client: Client, number: int, conversation: str | None = None) -> dict[str, Any]:
        """Send a message until it is accepted."""
        return await client.send(self.content(number), self.message_id(number), conversation)


async def perform(rig: Rig, case: Case) -> None:
    """Play a case to its end, and write down what every client shows then."""
    play = Play(case, rig)
    rig.plan.add(case.name, *case.faults)
    for number, script in enumerate(case.scripts):
        rig.vendor.scripts[f"{case.name}.{number}"] = script
    for name, mishap in case.mishaps.items():
        rig.effects.mishaps[f"{case.name}-{name}"] = mishap
    rig.history.write("case", case=case.name, family=case.family, wrong=case.what, may_fail=case.may_fail)
    try:
        async with asyncio.timeout(END_SECONDS):
            await case.play(play)
    except TimeoutError:
        rig.history.write("case.stuck", case=case.name)
    for client in play.clients:
        for run, view in client.runs.items():
            shown = {"text": view.text, "status": view.status, "terminals": view.terminals, "holes": view.holes}
            rig.history.write("client.view", case=case.name, client=client.name, run=run, **shown)
        await client.close()
    unstruck = [fault.name for fault in case.faults if not fault.struck]
    rig.history.write("case.over", case=case.name, unstruck=unstruck)


# ---------------------------------------------------------------- scripts


def plain(words: int = 12, *breakages: Any, pace: float = 0.01) -> Script:
    """One answer without tools."""
    return Script((Step(words, pace=pace),), tuple(breakages))


def tools(*breakages: Any) -> Script:
    """Some text, a write; some text, a read and a write side by side; some text."""
    first = ToolUse("effect_write", {"name": "{mark}-w1"})
    second = ToolUse("effect_read", {"name": "{mark}-r1"})
    third = ToolUse("effect_write", {"name": "{mark}-w2"})
    return Script((Step(5, (first,)), Step(5, (second, third)), Step(8)), tuple(breakages))


# ---------------------------------------------------------------- plays


async def talk(play: Play) -> None:
    """One tab: each message after the end of the answer before."""
    client = await play.client()
    await _all(play, client)


async def _all(play: Play, client: Client, after: int = 0, conversation: str | None = None) -> None:
    for number in range(after, len(play.case.scripts)):
        accepted = await play.say(client, number, conversation)
        conversation = accepted["conversation_id"]
        assert await client.ended(accepted["run_id"], END_SECONDS)
    await _look_again(play, conversation)


async def _look_again(play: Play, conversation: str | None) -> None:
    """Somebody who comes when all is over sees the last answer."""
    late = await play.client("late")
    if conversation:
        await late.watch(conversation)
        await late.until(lambda: any(view.terminals for view in late.runs.values()), END_SECONDS)


async def cut(play: Play, at: int) -> None:
    """The connection is lost at the `at`-th delta."""
    await _all(play, await play.client(cut_at=at))


async def leave(play: Play) -> None:
    """Nobody is connected once the message is accepted; comes back when the run is stored."""
    client = await play.client()
    accepted = await play.say(client, 0)
    await client.close()
    await _stored(play, accepted["run_id"])
    await _look_again(play, accepted["conversation_id"])


async def _stored(play: Play, run: str) -> None:
    await play.rig.history.until(
        lambda entry: (entry.get("point"), entry.get("status"), entry.get("run")) == ("finish", 200, run)
    )


async def two_tabs(play: Play) -> None:
    """A second tab opens while the answer comes; both say something."""
    first, second = await play.client("first"), await play.client("second")
    accepted = await play.say(first, 0)
    conversation = accepted["conversation_id"]
    await first.shown(accepted["run_id"], 1, END_SECONDS)
    await second.watch(conversation)
    rest = [play.say(tab, n + 1, conversation) for n, tab in enumerate((second, first))]
    runs = [accepted["run_id"], *((one["run_id"]) for one in await asyncio.gather(*rest))]
    for tab in (first, second):
        for run in runs:
            assert await tab.ended(run, END_SECONDS)
    await _look_again(play, conversation)


async def repeat(play: Play) -> None:
    """The same message five times, before and after it is accepted and when all is over."""
    client = await play.client()
    await client.until(lambda: client._socket is not None, END_SECONDS)
    frame = {"type": "user_message", "content": play.content(0), "client_message_id": play.message_id(0)}
    for _ in range(3):
        await client.put(**frame)
    accepted = await play.say(client, 0)
    assert await client.ended(accepted["run_id"], END_SECONDS)
    for _ in range(2):
        await client.put(**frame)
    await _look_again(play, accepted["conversation_id"])


async def queue(play: Play) -> None:
    """All messages at once, on connections of their own: they are answered in the order of acceptance."""
    first = await play.client("first")
    accepted = await play.say(first, 0)
    conversation = accepted["conversation_id"]
    tabs = [await play.client(f"tab{n}") for n in range(1, len(play.case.scripts))]
    rest = await asyncio.gather(*(play.say(tab, n + 1, conversation) for n, tab in enumerate(tabs)))
    for one in (accepted, *rest):
        assert await first.ended(one["run_id"], END_SECONDS)
    await _look_again(play, conversation)


async def cancel_running(play: Play, after: int = 20) -> None:
    """Cancel while the answer comes; what waits behind it goes on."""
    client = await play.client()
    accepted = await play.say(client, 0)
    ids = {"conversation_id": accepted["conversation_id"], "run_id": accepted["run_id"]}
    await client.shown(accepted["run_id"], after, END_SECONDS)
    play.rig.history.write("client.cancels", case=play.case.name, run=accepted["run_id"])
    await client.put(type="cancel", **ids)
    assert await client.ended(accepted["run_id"], END_SECONDS)
    await _all(play, client, 1, accepted["conversation_id"])


async def cancel_queued(play: Play) -> None:
    """Cancel a message that waits; the ones around it are answered."""
    client = await play.client()
    accepted = [await play.say(client, 0)]
    conversation = accepted[0]["conversation_id"]
    accepted += [await play.say(client, number, conversation) for number in range(1, len(play.case.scripts))]
    await client.put(type="cancel", conversation_id=conversation, run_id=accepted[1]["run_id"])
    for one in accepted:
        assert await client.ended(one["run_id"], END_SECONDS)
    await _look_again(play, conversation)


async def cancel_tool(play: Play) -> None:
    """Cancel while a tool runs."""
    client = await play.client()
    accepted = await play.say(client, 0)
    name, history = play.case.name, play.rig.history
    await history.until(lambda entry: (entry["what"], entry.get("case")) == ("tool.called", name))
    history.write("client.cancels", case=play.case.name, run=accepted["run_id"])
    await client.put(type="cancel", conversation_id=accepted["conversation_id"])
    assert await client.ended(accepted["run_id"], END_SECONDS)
    await _look_again(play, accepted["conversation_id"])
