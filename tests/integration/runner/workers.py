"""Finds and kills the worker processes of a function, as a crash or an out-of-memory kill would."""

from __future__ import annotations

import os
import signal
import subprocess

from local.testing import Instance


def worker_pids(stack: Instance, handler: str = "functions.runner.app.lambda_handler") -> list[int]:
    """Execution environments of one function: forks of the process that imported its handler."""
    assert stack.process is not None
    command = ["ps", "-ww", "-eo", "pid=,ppid=,args="]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listing.splitlines()]
    parents = {int(pid): int(ppid) for pid, ppid, _ in rows}
    mine = {int(pid) for pid, _, args in rows if handler in args and _descends(int(pid), stack.process.pid, parents)}
    return sorted(pid for pid in mine if parents[pid] in mine)


def kill_workers(stack: Instance) -> int:
    """SIGKILL them all; how many."""
    pids = worker_pids(stack)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return len(pids)


def _descends(pid: int, ancestor: int, parents: dict[int, int]) -> bool:
    while pid in parents and pid != ancestor:
        pid = parents[pid]
    return pid == ancestor
