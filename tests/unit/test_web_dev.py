"""`make web-dev` leaves nothing running behind it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
# Each holds the write end of the pipe that is read here until it ends: only then is there an end to read.
_ATTEND = """
import sys
from pathlib import Path
from scripts.web_dev import attend
attend([([sys.executable, "-c", code], Path("."), {}) for code in sys.argv[1:]])
"""
_SAYS = "import os; os.write(1, b'up\\n')"
_SLEEPS = f"{_SAYS}; import time; time.sleep(600)"


@contextlib.contextmanager
def attended(codes: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """`attend` with processes that run these."""
    command = [sys.executable, "-c", _ATTEND, *codes]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_was_started_ends_with_it(number: int) -> None:
    with attended([_SLEEPS, _SLEEPS]) as process:
        assert process.stdout
        assert [process.stdout.readline() for _ in range(2)] == ["up\n"] * 2
        process.send_signal(number)
        assert process.stdout.read() == ""
        assert process.wait(20) == 0


def test_one_that_ends_takes_the_other_with_it() -> None:
    with attended([_SLEEPS, _SAYS]) as process:
        assert process.stdout
        assert process.stdout.read() == "up\nup\n"
        assert process.wait(20) == 0
