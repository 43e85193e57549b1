"""Who is struck is who called: connections to different servers may share their port."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.faults.processes import Ports, pid_of_peer, wake

_CONNECT = """
import socket, sys
one = socket.socket()
for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
    one.setsockopt(socket.SOL_SOCKET, option, 1)
one.bind(("127.0.0.1", int(sys.argv[1])))
one.connect(("127.0.0.1", int(sys.argv[2])))
print(one.getsockname()[1], flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def caller(port: int, server: socket.socket) -> Iterator[tuple[int, int]]:
    """A process that is connected to the server from a port, 0 for any: its id and the port."""
    command = [sys.executable, "-c", _CONNECT, str(port), str(server.getsockname()[1])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdin
        yield process.pid, int(process.stdout.readline())
        process.stdin.close()


def test_the_caller_is_told_from_another_one_with_the_same_port() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as other,
        caller(0, one) as (first, port),
        caller(port, other) as (second, shared),
    ):
        assert shared == port
        assert pid_of_peer(Ports(port, one.getsockname()[1])) == first
        assert pid_of_peer(Ports(port, other.getsockname()[1])) == second
        assert pid_of_peer(Ports(port, 1)) is None


def test_a_campaign_does_not_strike_itself() -> None:
    with pytest.raises(AssertionError):
        wake(os.getpid())
