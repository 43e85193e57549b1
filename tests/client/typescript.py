"""The TypeScript client, compiled, and Node to run it with."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

CLIENT = Path(__file__).resolve().parents[2] / "web" / "client"
BUILT = CLIENT / ".build"
# Node 20 has a WebSocket behind this flag; later ones have it anyway.
FLAGS = ["--experimental-websocket", "--no-warnings"]


def node(*arguments: str, stdin: str = "", seconds: float = 120) -> str:
    """What a script prints; fails the test with all it printed where it fails."""
    command = [executable(), *FLAGS, *arguments]
    result = subprocess.run(
        command, cwd=CLIENT, input=stdin, capture_output=True, text=True, timeout=seconds, check=False
    )
    if result.returncode:
        pytest.fail(f"{' '.join(arguments)}\n{result.stdout}{result.stderr}", pytrace=False)
    return result.stdout


def executable() -> str:
    """Where Node is."""
    found = shutil.which("node")
    assert found, "Node.js is needed by the tests; `make test` sets it up"
    return found


def compile_project(name: str) -> None:
    """Run the compiler over one of its projects."""
    compiler = CLIENT / "node_modules" / "typescript" / "bin" / "tsc"
    assert compiler.exists(), "the packages of web/client are not installed; `make test` installs them"
    node(str(compiler), "--project", name)
