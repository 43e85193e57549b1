"""Finds the process at the other end of a connection on this machine, to kill or pause it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable
from itertools import chain
from pathlib import Path


def pid_of_peer(port: int, among: Iterable[int] = ()) -> int | None:
    """The process whose end of a loopback connection has this port; None when it is gone or cannot be seen.

    Args:
        among: Where it is probably found; all processes are looked at where it is not.
    """
    if sys.platform.startswith("linux"):
        inode = _inode(port)
        return _owner(inode, tuple(among)) if inode else None
    command = ["lsof", "-nP", f"-iTCP:{port}", "-sTCP:ESTABLISHED", "-Fpn"]
    listing = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.findall(rf"(?ms)^p(\d+)$(?:(?!^p).)*?^n[^\n]*:{port}->", listing)
    return int(found[0]) if found else None


def kill(pid: int) -> bool:
    """End it as a crash or the out-of-memory killer would; whether it was still there."""
    return _signal(pid, signal.SIGKILL)


def pause(pid: int) -> bool:
    """Stop it where it is, as a frozen execution environment is stopped."""
    return _signal(pid, signal.SIGSTOP)


def wake(pid: int) -> bool:
    """Let a paused process go on."""
    return _signal(pid, signal.SIGCONT)


def children_of(pid: int) -> list[int]:
    """Processes that it started."""
    listing = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listing.splitlines()]
    return [int(child) for child, parent in rows if int(parent) == pid]


def _signal(pid: int, number: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False


def _inode(port: int) -> str | None:
    local = f"0100007F:{port:04X}"
    for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]:
        fields = line.split()
        if fields[1] == local and fields[9] != "0":
            return fields[9]
    return None


def _owner(inode: str, among: tuple[int, ...]) -> int | None:
    wanted = f"socket:[{inode}]"
    everybody = (int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit())
    return next((pid for pid in chain(among, everybody) if _holds(Path(f"/proc/{pid}/fd"), wanted)), None)


def _holds(descriptors: Path, wanted: str) -> bool:
    try:
        return any(str(link.readlink()) == wanted for link in descriptors.iterdir())
    except OSError:
        return False
