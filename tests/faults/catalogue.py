"""All faults of the campaign, as cases. Crash points are not listed but found: every call that a probe made is one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from random import Random

from tests.faults import cases
from tests.faults.cases import Case, asking, plain, tools
from tests.faults.effects import Mishap
from tests.faults.faults import DOUBLE, DROP, HOLD, KILL, LOSE, PAUSE, REFUSE, Fault
from tests.faults.vendor import Breakage, Script, Step, ToolUse

# Calls of which a run makes as many as it lasts; two of them stand for all.
_MANY = ("post.content_delta", "heartbeat", "read")
_APPROVALS = ("ledger.waiting", "park", "decide", "post.approval_required")
_STEPS = ("save_steps", "ledger.running", "ledger.result")
_WRITES = ("accept", "claim", "save_steps", "ledger.running", "ledger.result", "finish", "heartbeat", "release")
LONG = Script(
    (Step(3_000, together=20, pace=0.02),)
)  # more than one frame holds, so that its last frame comes without it
SLOW = plain(80, pace=0.1)  # slow enough for others to do something meanwhile, on a busy machine too


def probes() -> list[Case]:
    """What is played without a fault to find the crash points, and to see that nothing is wrong to begin with."""
    long = Script((Step(120, pace=0.02),))
    return [
        Case("no fault", scripts=[tools(), plain()]),
        Case("no fault", scripts=[long]),
        Case("no fault", scripts=[plain(60, pace=0.02)], play=partial(cases.cut, at=2)),
        Case("no fault", scripts=[asking(), plain()], play=cases.approve),
    ]


def crashes(points: Counter[str], *, each: int) -> Iterator[Case]:
    """A kill before and after each call that the probes made; of calls that come again, the first few."""
    for name, count in sorted(points.items()):
        function, _, point = name.partition(":")
        most = each if point in _STEPS else min(each, 2) if point in _MANY else 1
        for nth in range(1, min(count, most) + 1):
            for when in ("before", "after"):
                fault = Fault(point, KILL, when, nth=nth, function=function)
                yield Case(f"kill {function}", [fault], _script_for(point), play=_play_for(point))


def _script_for(point: str) -> list[Script]:
    if point in _APPROVALS:
        return [asking(), plain()]
    if point in ("heartbeat", "subscribe", "cancel"):
        return [Script((Step(120, pace=0.02),))]
    return [tools(), plain()]


def _play_for(point: str) -> cases.Playing:
    if point in _APPROVALS:
        return cases.approve
    return partial(cases.cut, at=2) if point == "subscribe" else cases.talk


def abandoned() -> Iterator[Case]:
    """A kill while nobody is connected: the rescue finds the run."""
    for point in ("claim", "save_steps", "ledger.running", "finish"):
        yield Case("kill, nobody connected", [Fault(point, KILL, "after")], play=cases.leave)


def rings() -> Iterator[Case]:
    """Invocations that are lost, doubled and late."""
    yield Case("ring lost", [Fault("ring.run", LOSE)])
    yield Case("ring lost, nobody connected", [Fault("ring.run", LOSE)], play=cases.leave)
    for seconds in (0.0, 0.3, 3.0):
        yield Case("ring doubled", [Fault("ring.run", DOUBLE, seconds=seconds)])
    yield Case("ring late", [Fault("ring.run", HOLD, seconds=4.0)])
    yield Case("ring refused", [Fault("ring.run", REFUSE, code="429", times=4)])


def posts() -> Iterator[Case]:
    """Posts to the client that fail, before and after they are delivered."""
    for code in ("410", "429", "500"):
        for when in ("before", "after"):
            yield Case(f"post {code}", [Fault("post.content_delta", REFUSE, when, nth=2, code=code)])
            yield Case(f"post {code}", [Fault("post.message_complete", REFUSE, when, code=code)])
    for when in ("before", "after"):
        yield Case("post times out", [Fault("post.content_delta", HOLD, when, nth=2, seconds=4.0)])
        yield Case("post times out", [Fault("post.tool_use_*", DROP, when)])
        yield Case("post times out", [Fault("post.message_accepted", DROP, when)])
        yield Case("post times out", [Fault("post.content_delta", HOLD, when, nth=2, seconds=4.0)], [LONG])
        yield Case("post 500", [Fault("post.content_delta", REFUSE, when, nth=2, times=2, code="500")], [LONG])
    yield Case("post 429", [Fault("post.*", REFUSE, code="429", nth=4, times=12, function="runner")])


def store_errors() -> Iterator[Case]:
    """Writes that are throttled, collide, fail, or whose answer is lost."""
    for point in _WRITES:
        script = _script_for(point)
        for code in ("ProvisionedThroughputExceededException", "TransactionConflictException", "InternalServerError"):
            yield Case("store refuses", [Fault(point, REFUSE, code=code, times=2)], script)
        yield Case("answer of the store lost", [Fault(point, DROP, "after")], script)
        yield Case("call of the store lost", [Fault(point, DROP)], script)
    for point in ("accept", "claim", "finish"):  # longer than a call may take: it is repeated, and comes late as well
        yield Case("store is slow", [Fault(point, HOLD, "before", seconds=12.0)])
        yield Case("store is slow", [Fault(point, HOLD, "after", seconds=12.0)])


def pauses(lease_seconds: float) -> Iterator[Case]:
    """A runner that stands still until its lease is over, and then goes on; its call comes late, or its answer."""
    seconds = lease_seconds + 6
    for point in ("claim", "save_steps", "finish", "heartbeat", "post.content_delta", "ledger.running"):
        for when in ("before", "after"):
            yield Case("runner paused", [Fault(point, PAUSE, when, seconds=seconds)], _script_for(point))
    yield Case("runner paused", scripts=[plain(12, Breakage("pause", 4, seconds=seconds))])


def models() -> Iterator[Case]:
    """A model that breaks off at every chunk, stalls, errs, refuses; a runner killed and paused meanwhile."""
    for chunk in range(9):  # of the first step: words, the call, the reason, usage, the end
        yield Case("model drops", scripts=[tools(Breakage("drop", chunk))])
    for chunk in (0, 3, 5):
        yield Case("model errs after 200", scripts=[tools(Breakage("error", chunk))])
        yield Case("model is cut off", scripts=[tools(Breakage("cut", chunk))])
        yield Case("kill while the model speaks", scripts=[tools(Breakage("kill", chunk))])
        yield Case("kill while the model speaks", scripts=[tools(Breakage("kill", chunk, step=1))])
    yield Case("model stalls", scripts=[tools(Breakage("stall", 3, seconds=10.0))])
    for code in (429, 500, 529):
        yield Case("model refuses", scripts=[tools(Breakage("status", code=code))])


def effects() -> Iterator[Case]:
    """Tools whose runner is killed, which fail or stall, before and after their effect."""
    for tool in ("0-w1", "0-r1", "0-w2"):
        for when in ("before", "after"):
            yield Case("kill in a tool", mishaps={tool: Mishap("kill", when)})
    for when in ("before", "after"):
        yield Case("tool fails", mishaps={"0-w1": Mishap("fail", when)})
        yield Case("tool stalls", mishaps={"0-w2": Mishap("stall", when, seconds=6.0)})


def approvals() -> Iterator[Case]:
    """Calls that wait for a person, when what wakes their run or lets it wait goes wrong."""
    told = {"scripts": [asking(), plain()], "play": cases.approve}
    for point in ("park", "decide"):
        for code in ("TransactionConflictException", "InternalServerError"):
            yield Case("approval, store refuses", [Fault(point, REFUSE, code=code, times=2)], **told)
        for when in ("before", "after"):
            yield Case("approval, store refuses", [Fault(point, DROP, when)], **told)
            yield Case("approval, pause", [Fault(point, PAUSE, when, seconds=21.0)], **told)
    for nth in (1, 2, 3):
        yield Case("approval, kill", [Fault("claim", KILL, "after", nth=nth)], **told)
        yield Case("approval, ring lost", [Fault("ring.run", LOSE, nth=nth)], **told)
    for when in ("before", "after"):
        yield Case("approval, kill in the call", mishaps={"0-w1": Mishap("kill", when)}, **told)


def wake_ups() -> Iterator[Case]:
    """A message that comes in while a runner is about to let go."""
    hold = Fault("finish", HOLD, seconds=5.0)
    yield Case("message at the end", [hold], [plain(), plain()], play=cases.at_the_end)
    yield Case(
        "message at the end", [hold, Fault("release", HOLD, seconds=5.0)], [plain(), plain()], play=cases.at_the_end
    )


def clients() -> Iterator[Case]:
    """What clients do: lose the connection, repeat, come twice, all at once, cancel."""
    for at in (1, 2, 3, 5):
        yield Case("connection cut", scripts=[tools(), plain(40)], play=partial(cases.cut, at=at))
    yield Case("message repeated", scripts=[plain()], play=cases.repeat)
    yield Case("two tabs", scripts=[SLOW, plain(), plain()], play=cases.two_tabs)
    yield Case("messages out of order", scripts=[SLOW, plain(), plain(), plain()], play=cases.queue)
    yield Case("connection cut, others wait", scripts=[SLOW, plain(), plain()], play=cases.queue_cut)
    for at in (1, 4):
        yield Case("connection cut, long answer", scripts=[LONG], play=partial(cases.cut, at=at))
    yield Case("cancel", scripts=[SLOW, plain()], play=cases.cancel_running)
    for when in ("before", "after"):
        kill = Fault("finish", KILL, when)
        yield Case("cancel, kill", [kill], [SLOW, plain()], play=cases.cancel_running)
        yield Case("cancel, kill", [Fault("cancel", KILL, when)], [SLOW, plain()], play=cases.cancel_running)
    yield Case("cancel a queued one", scripts=[SLOW, plain(), plain()], play=cases.cancel_queued)
    yield Case("cancel in a tool", mishaps={"0-w1": Mishap("stall", "after", seconds=8.0)}, play=cases.cancel_tool)


def handovers() -> Iterator[Case]:
    """Runs that last longer than an invocation, with and without a kill where one ends and the next begins."""
    yield Case("time limit", scripts=[_rounds()])
    for point, function in (("hand_over", "runner"), ("ring.run", "runner"), ("claim", "runner")):
        nth = 2 if point == "claim" else 1
        for when in ("before", "after"):
            fault = Fault(point, KILL, when, nth=nth, function=function)
            yield Case("kill at the time limit", [fault], [_rounds()])
    yield Case("time limit", scripts=[_rounds()], play=partial(cases.cut, at=60))


def _rounds() -> Script:
    rounds = tuple(Step(20, (ToolUse("effect_write", {"name": f"{{mark}}-w{n}"}),), pace=0.15) for n in range(6))
    return Script((*rounds, Step(8)))


def skewed() -> Iterator[Case]:
    """Runners whose clocks are half a minute off, some fast, some slow, with faults on top."""
    for _ in range(3):
        yield Case("clocks skewed", scripts=[SLOW, tools()])
        yield Case("clocks skewed", [Fault("ring.run", DOUBLE, seconds=1.0)], [tools(), SLOW])
    for point in ("claim", "ledger.running", "finish"):
        yield Case("clocks skewed, kill", [Fault(point, KILL, "after")])
    yield Case("clocks skewed, pause", [Fault("ledger.result", PAUSE, seconds=20.0)])


def data_kills() -> Iterator[Case]:
    """What goes on while the process that holds the data is killed."""
    for _ in range(4):
        yield Case("data process killed", scripts=[tools(), SLOW, plain()])
        yield Case("data process killed", scripts=[SLOW, tools()])


def anywhere() -> list[Fault]:
    """Faults of calls that belong to no conversation: whoever makes them is struck."""
    found = []
    for number, point in enumerate(("connect", "greeting", "post.agent_loaded", "ring.greet", "limits", "disconnect")):
        for turn, when in enumerate(("before", "after")):
            found.append(Fault(point, KILL, when, nth=10 + 7 * number + 40 * turn))
            found.append(Fault(point, DROP, when, nth=13 + 7 * number + 40 * turn))
    return [*found, Fault("ring.greet", LOSE, nth=20, times=3), Fault("post.agent_loaded", REFUSE, nth=30, code="410")]


def everything(lease_seconds: float) -> list[Case]:
    """All cases of the main rig but the probes and the crash points."""
    groups = (
        pauses(lease_seconds),
        abandoned(),
        rings(),
        posts(),
        store_errors(),
        models(),
        effects(),
        approvals(),
        wake_ups(),
        clients(),
    )
    return [case for group in groups for case in group]


def some(cases_: list[Case], chance: Random, count: int) -> list[Case]:
    """So many of each kind of fault, chosen by chance."""
    kinds: dict[str, list[Case]] = {}
    for case in cases_:
        kinds.setdefault(case.family, []).append(case)
    return [case for kind in kinds.values() for case in chance.sample(kind, min(count, len(kind)))]


def pairs(single: list[Case], chance: Random, count: int) -> list[Case]:
    """Two faults at once, chosen by chance."""
    with_faults = [case for case in single if case.faults and case.play is cases.talk]
    chosen = []
    for _ in range(count):
        first, second = chance.sample(with_faults, 2)
        may_fail = first.may_fail or second.may_fail
        faults = [*first.faults, *second.faults]
        chosen.append(Case("two faults", faults, first.scripts, may_fail=may_fail))
    return chosen
