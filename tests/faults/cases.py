"""A case: a conversation, what the model and the tools do in it, what goes wrong, and how it is played."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.faults.effects import Mishap
from tests.faults.faults import Fault
from tests.faults.rig import Rig
from tests.faults.tab import Tab
from tests.faults.vendor import Script, Step, ToolUse
from web.client.python.conversation import Accepted
from web.client.python.errors import ClientError

END_SECONDS = 200.0
PATIENCE_SECONDS = 25.0
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
    """A case while it is played. Its tabs are closed when it is over."""

    case: Case
    rig: Rig
    tabs: contextlib.AsyncExitStack

    async def tab(self, name: str = "tab", **options: Any) -> Tab:
        """A new tab."""
        return await self.tabs.enter_async_context(
            Tab(self.rig.stack.url, self.rig.agent, self.rig.history, self.case.name, name, **options)
        )

    def content(self, number: int) -> str:
        """What message `number` says; the model finds its script by the mark."""
        return f"message {number} [[{self.case.name}.{number}]]"

    def message_id(self, number: int) -> str:
        """The client's own id of message `number`."""
        return f"{self.case.name}-{number}"

    async def say(self, tab: Tab, number: int, conversation: str | None = None) -> Accepted:
        """Send a message until it is accepted."""
        return await tab.say(self.content(number), self.message_id(number), conversation)


async def perform(rig: Rig, case: Case) -> None:
    """Play a case to its end, and write down what every tab shows then."""
    rig.plan.add(case.name, *case.faults)
    for number, script in enumerate(case.scripts):
        rig.vendor.scripts[f"{case.name}.{number}"] = script
    for name, mishap in case.mishaps.items():
        rig.effects.mishaps[f"{case.name}-{name}"] = mishap
    about = {"family": case.family, "wrong": case.what, "may_fail": case.may_fail}
    rig.history.write("case", case=case.name, **about)
    async with contextlib.AsyncExitStack() as tabs:
        try:
            async with asyncio.timeout(END_SECONDS):
                await case.play(Play(case, rig, tabs))
        except TimeoutError:
            rig.history.write("case.stuck", case=case.name)
        except ClientError as error:
            rig.history.write("case.refused", case=case.name, error=str(error))
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


def asking() -> Script:
    """Some text; a write that needs approval beside one that needs none, then another that does; some text."""
    asked = [ToolUse("effect_asked", {"name": f"{{mark}}-w{number}"}) for number in (1, 2)]
    free = ToolUse("effect_write", {"name": "{mark}-w3"})
    return Script((Step(5, (asked[0], free)), Step(5, (asked[1],)), Step(8)))


# ---------------------------------------------------------------- plays


async def talk(play: Play) -> None:
    """One tab: each message after the end of the answer before."""
    await _go_on(play, await play.tab())


async def _go_on(play: Play, tab: Tab, after: int = 0, conversation: str | None = None) -> None:
    for number in range(after, len(play.case.scripts)):
        accepted = await play.say(tab, number, conversation)
        conversation = accepted.conversation_id
        await tab.ended(accepted)
    if conversation:
        await _look_again(play, conversation)


async def _look_again(play: Play, conversation: str) -> None:
    """Somebody who comes when all is over sees the last answer; who sees nothing for long opens the page again."""
    while True:
        late = await play.tab("late")
        late.watch(conversation)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await late.any_ended(conversation)
        play.rig.history.write("client.reloads", case=play.case.name)
        await late.leave()


async def cut(play: Play, at: int) -> None:
    """The connection is lost at the `at`-th delta."""
    await _go_on(play, await play.tab(cut_at=at))


async def approve(play: Play) -> None:
    """Somebody approves each call that waits; the next message comes before, and waits behind it."""
    tab = await play.tab()
    accepted = await play.say(tab, 0)
    conversation = accepted.conversation_id
    more = [await play.say(tab, number, conversation) for number in range(1, len(play.case.scripts))]
    await tab.approve_all(accepted)
    for one in (accepted, *more):
        await tab.ended(one)
    await _look_again(play, conversation)


async def leave(play: Play) -> None:
    """Nobody is connected once the message is accepted; somebody comes back when the run is stored."""
    tab = await play.tab()
    accepted = await play.say(tab, 0)
    await tab.leave()
    await _stored(play, accepted)
    await _look_again(play, accepted.conversation_id)


async def _stored(play: Play, accepted: Accepted) -> None:
    """Wait until the store has taken the end of a run."""
    stored = ("finish", 200, accepted.run_id)
    await play.rig.history.until(lambda one: (one.get("point"), one.get("status"), one.get("run")) == stored)


async def at_the_end(play: Play) -> None:
    """Somebody looks, and says something, while the end of a run is on its way to the store; then all leave."""
    first, second = await play.tab("first"), await play.tab("second")
    accepted = await play.say(first, 0)
    case, history = play.case.name, play.rig.history
    for number, fault in enumerate(play.case.faults):
        await history.until(lambda one, name=fault.name: (one.get("case"), one.get("fault")) == (case, name))
        if number + 1 < len(play.case.faults):
            second.watch(accepted.conversation_id)
    last = await play.say(first, 1, accepted.conversation_id)
    await first.leave()
    await second.leave()
    await _stored(play, last)
    await _look_again(play, accepted.conversation_id)


async def two_tabs(play: Play) -> None:
    """A second tab opens while the answer comes; both say something."""
    first, second = await play.tab("first"), await play.tab("second")
    accepted = await play.say(first, 0)
    conversation = accepted.conversation_id
    await first.shown(accepted, 1)
    second.watch(conversation)
    more = await asyncio.gather(play.say(second, 1, conversation), play.say(first, 2, conversation))
    for tab in (first, second):
        for one in (accepted, *more):
            await tab.ended(one)
    await _look_again(play, conversation)


async def repeat(play: Play) -> None:
    """The same message again and again, before it is accepted, after that and when all is over."""
    tab = await play.tab()
    frame = {"type": "user_message", "content": play.content(0), "client_message_id": play.message_id(0)}
    saying = asyncio.ensure_future(play.say(tab, 0))
    await play.rig.history.until(lambda one: (one["what"], one.get("case")) == ("client.opened", play.case.name))
    for _ in range(2):
        await tab.put(**frame)
    accepted = await saying
    await tab.put(**frame)
    await tab.ended(accepted)
    await tab.put(**frame)
    await _look_again(play, accepted.conversation_id)


async def queue(play: Play) -> None:
    """All messages at once, on connections of their own: they are answered in the order of acceptance."""
    first = await play.tab("first")
    accepted = await play.say(first, 0)
    conversation = accepted.conversation_id
    others = [await play.tab(f"tab{number}") for number in range(1, len(play.case.scripts))]
    more = await asyncio.gather(*(play.say(tab, n + 1, conversation) for n, tab in enumerate(others)))
    for one in (accepted, *more):
        await first.ended(one)
    await _look_again(play, conversation)


async def queue_cut(play: Play) -> None:
    """The connection is lost while one answer comes and others wait; it is back when they are over."""
    tab = await play.tab()
    accepted = [await play.say(tab, 0)]
    conversation = accepted[0].conversation_id
    accepted += [await play.say(tab, number, conversation) for number in range(1, len(play.case.scripts))]
    tab.cut(away=14.0)
    for one in accepted:
        await tab.ended(one)
    await _look_again(play, conversation)


async def cancel_running(play: Play, after: int = 20) -> None:
    """Cancel while the answer comes; the next message is answered."""
    tab = await play.tab()
    accepted = await play.say(tab, 0)
    await tab.shown(accepted, after)
    tab.cancel(accepted)
    await tab.ended(accepted)
    await _go_on(play, tab, 1, accepted.conversation_id)


async def cancel_queued(play: Play) -> None:
    """Cancel a message that waits; the ones around it are answered."""
    tab = await play.tab()
    accepted = [await play.say(tab, 0)]
    conversation = accepted[0].conversation_id
    accepted += [await play.say(tab, number, conversation) for number in range(1, len(play.case.scripts))]
    tab.cancel(accepted[1])
    for one in accepted:
        await tab.ended(one)
    await _look_again(play, conversation)


async def cancel_tool(play: Play) -> None:
    """Cancel everything while a tool runs."""
    tab = await play.tab()
    accepted = await play.say(tab, 0)
    name = play.case.name
    await play.rig.history.until(lambda one: (one["what"], one.get("case")) == ("tool.called", name))
    tab.cancel(accepted, all_runs=True)
    await tab.ended(accepted)
    await _look_again(play, accepted.conversation_id)
