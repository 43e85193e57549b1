"""Plays cases side by side. The same seed plays the same cases in the same order."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tests.faults import catalogue
from tests.faults.cases import Case, perform
from tests.faults.checker import Checker, Verdicts
from tests.faults.history import History
from tests.faults.rig import Options, Rig, running_rig
from tests.faults.stored import Entry

LEASE_SECONDS = 15.0
AT_ONCE = 20
DATA_KILLS = 4


@dataclass(frozen=True)
class Wanted:
    """What is to be played.

    Attributes:
        seed: Of the order, and of the pairs of faults.
        only: Texts of which a case's description holds one; none for all.
        runs: How often each case is played.
        some: How many cases of each kind of fault are played; 0 for all. Crash points are always played.
        pairs: How many cases with two faults are added, each time.
        rescue_seconds: How often the rescue is invoked; AWS does it once a minute.
        retry_delays: Seconds before Lambda's retries; AWS waits one and two minutes.
    """

    seed: int
    only: tuple[str, ...] = ()
    runs: int = 1
    some: int = 0
    pairs: int = 0
    rescue_seconds: float = 60.0
    retry_delays: str = "60,120"
    at_once: int = AT_ONCE
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "chance", random.Random(self.seed))

    def options(self, **changes: int) -> Options:
        """How a rig is set up for it."""
        return replace(Options(self.retry_delays, self.rescue_seconds), **changes)

    def chosen(self, cases: Sequence[Case]) -> list[Case]:
        """The cases that are wanted, in their order."""
        wanted = [case for case in cases if self._wants(f"{case.family}: {case.what}")]
        chosen = (catalogue.some(wanted, self.chance, self.some) if self.some else wanted) * self.runs
        self.chance.shuffle(chosen)
        return chosen

    def crashes(self, points: Counter[str]) -> list[Case]:
        """The crash points that are wanted, each once at least."""
        found = catalogue.crashes(points, each=2 if self.some else 4)
        return [case for case in found if self._wants(f"{case.family}: {case.what}")] * self.runs

    def _wants(self, what: str) -> bool:
        return not self.only or any(text in what for text in self.only)


async def campaign(wanted: Wanted, history: History) -> Verdicts:
    """Play everything that is wanted, on three rigs at once: the main one, one with short invocations, a skewed one."""
    others = [
        (wanted.options(timeout=40), "h", wanted.chosen(list(catalogue.handovers()))),
        (wanted.options(skew_ms=30_000), "s", wanted.chosen(list(catalogue.skewed()))),
    ]
    stored = await asyncio.gather(
        _main_rig(wanted, history), *(_other_rig(options, history, name, cases) for options, name, cases in others)
    )
    return Checker(history, [item for items in stored for item in items]).judge()


async def _main_rig(wanted: Wanted, history: History) -> list[Entry]:
    async with running_rig(wanted.options(), history) as rig:
        points = await _probe(rig)
        single = catalogue.everything(LEASE_SECONDS)
        crashes = wanted.crashes(points)
        more = catalogue.pairs([*single, *crashes], wanted.chance, wanted.pairs)
        chosen = [*wanted.chosen(single), *crashes, *more]
        wanted.chance.shuffle(chosen)
        if not wanted.only:
            rig.plan.add("*", *catalogue.anywhere())
        await _play(rig, "c", chosen, wanted.at_once)
        kills = wanted.chosen(list(catalogue.data_kills()))
        if kills:
            await asyncio.gather(_play(rig, "d", kills, wanted.at_once), _kill_data(rig, wanted.chance))
        return await asyncio.to_thread(rig.items)


async def _other_rig(options: Options, history: History, name: str, cases: Sequence[Case]) -> list[Entry]:
    if not cases:
        return []
    async with running_rig(options, history) as rig:
        await _play(rig, name, cases, AT_ONCE)
        return await asyncio.to_thread(rig.items)


async def _kill_data(rig: Rig, chance: random.Random) -> None:
    """Kill the process that holds the data, and again as soon as there is something new to lose."""
    for _ in range(DATA_KILLS):
        await asyncio.sleep(chance.uniform(0.5, 4.0))
        await rig.kill_store()


async def _probe(rig: Rig) -> Counter[str]:
    """Play without faults; the calls that were made are the crash points."""
    probes = [replace(case, name=f"p{number}") for number, case in enumerate(catalogue.probes())]
    await asyncio.gather(*(perform(rig, case) for case in probes))
    found: Counter[str] = Counter()
    for case in probes:
        found |= rig.plan.points.get(case.name, Counter())
    unnamed = [point for point in found if ":write:" in point]
    assert not unnamed, f"give these writes a name in points.py: {unnamed}"
    return found


async def _play(rig: Rig, prefix: str, cases: Sequence[Case], at_once: int) -> None:
    places = asyncio.Semaphore(at_once)

    async def one(number: int, case: Case) -> None:
        async with places:
            await perform(rig, fresh(case, f"{prefix}{number}"))

    await asyncio.gather(*(one(number, case) for number, case in enumerate(cases)))


def fresh(case: Case, name: str) -> Case:
    """A case of its own, whose faults have struck nobody yet."""
    return replace(case, name=name, faults=[replace(fault, met=0, struck=0) for fault in case.faults])
