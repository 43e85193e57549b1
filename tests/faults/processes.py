"""Finds the process at the other end of a connection on this machine, to kill or pause it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path


@dataclass(frozen=True)
class Ports:
    """Of a loopback connection: one end's is not enough, connections to different servers may share it."""

    theirs: int
    ours: int


def ports(transport: asyncio.BaseTransport | None) -> Ports:
    """Of a connection that was accepted."""
    if transport is None or transport.get_extra_info("peername") is None:
        return Ports(0, 0)
    return Ports(transport.get_extra_info("peername")[1], transport.get_extra_info("sockname")[1])


def pid_of_peer(ports: Ports, among: Iterable[int] = ()) -> int | None:
    """The process at the other end of a loopback connection; None when it is gone or cannot be seen.

    Args:
        among: Where it is probably found; all processes are looked at where it is not.
    """
    if sys.platform.startswith("linux"):
        inode = _inode(ports)
        return _owner(inode, tuple(among)) if inode else None
    command = ["lsof", "-nP", f"-iTCP:{ports.theirs}", "-sTCP:ESTABLISHED", "-Fpn"]
    listing = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.findall(rf"(?ms)^p(\d+)$(?:(?!^p).)*?^n[^\n]*:{ports.theirs}->[^\n]*:{ports.ours}$", listing)
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
    assert pid not in (os.getpid(), os.getppid()), "the campaign would strike itself"
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False


def _inode(ports: Ports) -> str | None:
    ends = [f"0100007F:{port:04X}" for port in (ports.theirs, ports.ours)]
    for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]:
        fields = line.split()
        if fields[1:3] == ends and fields[9] != "0":
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
