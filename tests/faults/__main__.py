"""Plays the campaign and says what did not hold.

make faults [SEED=…] [FAULT=text] [RUNS=n]
python -m tests.faults --help
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.faults.campaign import Wanted, campaign
from tests.faults.history import History
from tests.faults.report import publish, report


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 1 where an invariant does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="of an earlier run, to repeat it")
    parser.add_argument(
        "--fault", action="append", help="only cases whose description holds this text; may be repeated"
    )
    parser.add_argument("--runs", type=int, default=1, help="how often each case is played")
    parser.add_argument("--some", type=int, default=0, help="only so many cases of each kind of fault")
    parser.add_argument("--pairs", type=int, default=0, help="how many cases with two faults are added")
    parser.add_argument("--rescue", type=float, default=60.0, help="seconds between two invocations of the rescue")
    parser.add_argument("--history", type=Path, default=None, help="file for all that happens")
    parser.add_argument("--report", type=Path, default=None, help="page whose section of the campaign is written")
    given = parser.parse_args(arguments)
    seed = secrets.randbelow(2**31) if given.seed is None else given.seed
    _say(f"seed {seed}")
    with History(given.history) as history:
        wanted = Wanted(seed, tuple(given.fault or ()), given.runs, given.some, given.pairs, given.rescue)
        verdicts = asyncio.run(campaign(wanted, history))
        text = report(history, verdicts, wanted)
    if given.report:
        publish(given.report, "campaign", text)
    _say(text)
    _say(str(verdicts))
    return 1 if verdicts else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
