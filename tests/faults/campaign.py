"""Plays cases side by side on one rig. The same seed plays the same cases in the same order."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tests.faults import catalogue
from tests.faults.cases import Case, perform
from tests.faults.checker import Checker, Verdicts
from tests.faults.history import History
from tests.faults.rig import Options, Rig, running_rig

SHORT = Options(rescue_seconds=10.0)
LONG = Options()
AT_ONCE = 32
LEASE_SECONDS = 15.0


@dataclass(frozen=True)
class Wanted:
    """What is to be played. `runs` is how often every case; `only` a text that the case's description holds."""

    seed: int
    only: str = ""
    runs: int = 1
    options: Options = SHORT
    at_once: int = AT_ONCE


async def campaign(wanted: Wanted, history: History) -> Verdicts:
    """Play everything that is wanted."""
    chance = random.Random(wanted.seed)
    async with running_rig(wanted.options, history) as rig:
        points = await _probe(rig)
        cases = catalogue.everything(points, LEASE_SECONDS)
        chosen = [case for case in cases if wanted.only in f"{case.family}: {case.what}"] * wanted.runs
        chance.shuffle(chosen)
        await _play(rig, chosen, wanted.at_once)
        return Checker(history, await asyncio.to_thread(rig.items)).judge()


async def _probe(rig: Rig) -> Counter[str]:
    """Play without faults; the calls that were made are the crash points."""
    names = []
    for number, case in enumerate(catalogue.probes()):
        names.append(f"p{number}")
        await perform(rig, replace(case, name=names[-1]))
    found: Counter[str] = Counter()
    for name in names:
        found |= rig.plan.points.get(name, Counter())
    return found


async def _play(rig: Rig, cases: Sequence[Case], at_once: int) -> None:
    places = asyncio.Semaphore(at_once)

    async def one(number: int, case: Case) -> None:
        async with places:
            await perform(rig, fresh(case, f"c{number}"))

    await asyncio.gather(*(one(number, case) for number, case in enumerate(cases)))


def fresh(case: Case, name: str) -> Case:
    """A case of its own, whose faults have struck nobody yet."""
    return replace(case, name=name, faults=[replace(fault) for fault in case.faults])
