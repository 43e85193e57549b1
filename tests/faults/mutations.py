"""Removes one guard of the product at a time, and shows that the campaign notices.

    make faults-mutations
    python -m tests.faults.mutations [NAME …] [--whole] [--report FILE]

Each mutation is made in a copy of the tree. A campaign that stays green without a guard proves nothing about it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.report import publish

ROOT = Path(__file__).resolve().parents[2]
RUNS = "shared/agent_builder/repositories/runs.py"
ENGINE = "shared/agent_builder/services/engine.py"
INTAKE = "shared/agent_builder/repositories/intake.py"
CLIENT = "web/client/python/frames.py"


@dataclass(frozen=True)
class Edit:
    """One place: exactly one occurrence of `old` in a file becomes `new`."""

    path: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutation:
    """A guard that is removed, and the faults against which it stands."""

    name: str
    what: str
    edits: tuple[Edit, ...]
    faults: tuple[str, ...]


MUTATIONS = (
    Mutation("nothing", "nothing is removed", (), ("paused", "in a tool", "post", "cut", "at the end", "repeated")),
    Mutation(
        "fence",
        "writes of a runner do not insist on its fence",
        (
            Edit(
                RUNS, "held = (LeaseItem.fence == fence) & (LeaseItem.lease_until > 0)", "held = LeaseItem.pk.exists()"
            ),
            Edit(
                RUNS,
                'mine = (LeaseItem.fence == fence) & (entry["run_id"] == run_id)',
                'mine = entry["run_id"] == run_id',
            ),
            Edit(
                RUNS,
                'write.update("lease", lease, progress, LeaseItem.fence == fence)',
                'write.update("lease", lease, progress)',
            ),
        ),
        ("paused", "skewed"),
    ),
    Mutation(
        "reservation",
        "a tool is called before the ledger says so",
        (Edit(ENGINE, "yield Checkpoint()  # from here on each of them may have acted", "pass"),),
        ("in a tool", "ledger"),
    ),
    Mutation(
        "unknown",
        "a call that may have happened is made again",
        (Edit(ENGINE, 'step.status == "running" and step.detail["effect"] == "write" and not', "False and not"),),
        ("in a tool", "ledger"),
    ),
    Mutation(
        "offset",
        "the client adds every delta at the end",
        (
            Edit(CLIENT, 'if verdict == "gap" or frame["offset"] > answer.sure:', 'if verdict == "gap":'),
            Edit(CLIENT, 'utf16.tail(frame["delta"], answer.sure - frame["offset"])', 'frame["delta"]'),
        ),
        ("post", "cut"),
    ),
    Mutation(
        "release",
        "a runner lets go although something came in",
        (
            Edit(
                RUNS,
                "unchanged = (LeaseItem.fence == fence) & (LeaseItem.wake == wake)",
                "unchanged = LeaseItem.fence == fence",
            ),
            Edit(RUNS, "mine &= LeaseItem.wake == wake", "pass"),
        ),
        ("at the end",),
    ),
    Mutation(
        "repetition",
        "the client's id of a message is not looked at",
        (
            Edit(
                INTAKE,
                'write.put("client_message", item, AcceptedItem.pk.does_not_exist() | (AcceptedItem.expires_at < now))',
                'write.put("client_message", item)',
            ),
        ),
        ("repeated", "kill playground"),
    ),
)


@dataclass(frozen=True)
class Found:
    """What the campaign said of one mutation: how often each invariant did not hold."""

    mutation: Mutation
    broken: Counter[str]
    code: int

    @property
    def as_it_should(self) -> bool:
        """Red where a guard is missing, green where none is."""
        return self.code == (1 if self.mutation.edits else 0)


def examine(mutation: Mutation, seed: int, *, whole: bool) -> Found:
    """Play the campaign on a mutated copy."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        tree = Path(folder) / "tree"
        copy(tree)
        for edit in mutation.edits:
            apply(tree, edit)
        command = [sys.executable, "-m", "tests.faults", "--seed", str(seed), "--rescue", "10"]
        for fault in () if whole else mutation.faults:
            command += ["--fault", fault]
        environment = {**os.environ, "PYTHONPATH": f"{tree}{os.pathsep}{tree / 'shared'}"}
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"the campaign broke down:\n{done.stderr[-4000:]}")
    broken = Counter(line.partition(":")[0] for line in done.stdout.splitlines() if line[:1] == "I" and ":" in line)
    return Found(mutation, broken, done.returncode)


def copy(tree: Path) -> None:
    """All files that git knows, and what the store needs."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listing.split("\0"):
        if name and (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, tree / name)
    (tree / ".local").mkdir()
    (tree / ".local" / "venvs").symlink_to(ROOT / ".local" / "venvs")


def apply(tree: Path, edit: Edit) -> None:
    """Make one change. Raises ValueError where its place is not found, or found twice."""
    path = tree / edit.path
    text = path.read_text("utf-8")
    if text.count(edit.old) != 1:
        raise ValueError(f"{edit.path} holds {text.count(edit.old)} times: {edit.old}")
    path.write_text(text.replace(edit.old, edit.new), "utf-8")


def table(found: Sequence[Found]) -> str:
    """The result, in Markdown."""
    lines = ["| removed | | campaign | what did not hold |", "|---|---|---|---|"]
    for one in found:
        colour = "red" if one.code else "green"
        broken = ", ".join(f"{name} ({count})" for name, count in sorted(one.broken.items())) or "-"
        lines.append(f"| {one.mutation.name} | {one.mutation.what} | {colour} | {broken} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Examine all mutations, or those that are named; 1 where one is not noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.mutations", description=__doc__)
    parser.add_argument("names", nargs="*", help=", ".join(mutation.name for mutation in MUTATIONS))
    parser.add_argument("--whole", action="store_true", help="play all faults, not only those a guard stands against")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path, default=None, help="page whose section of the mutations is written")
    given = parser.parse_args(arguments)
    chosen = [mutation for mutation in MUTATIONS if mutation.name in given.names or not given.names]
    found = []
    for mutation in chosen:
        found.append(examine(mutation, given.seed, whole=given.whole))
        sys.stdout.write(table(found[-1:]).splitlines()[-1] + "\n")
        sys.stdout.flush()
    if given.report:
        publish(given.report, "mutations", table(found))
    return 0 if all(one.as_it_should for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
