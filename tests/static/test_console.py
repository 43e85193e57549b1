"""The console without a browser: its types are those of the API, its code is sound, its own tests pass."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CONSOLE = Path(__file__).resolve().parents[2] / "web" / "console"
NEXT = "node_modules/next/dist/bin/next"

CHECKS = {
    "generated types": [["scripts/generate.mjs", "--check"]],
    "types": [[NEXT, "typegen"], ["node_modules/typescript/bin/tsc", "--noEmit", "-p", "."]],
    "lint": [["node_modules/eslint/bin/eslint.js", "--max-warnings", "0", "."]],
    "tests": [["node_modules/vitest/vitest.mjs", "run"]],
}


@pytest.fixture(scope="module", autouse=True)
def client() -> None:
    """The playground's client, which the console imports, compiled."""
    run(["scripts/client.mjs"])


def run(command: list[str]) -> None:
    node = shutil.which("node")
    assert node, "Node.js is needed; `make test` installs what it may"
    environment = {**os.environ, "NEXT_TELEMETRY_DISABLED": "1", "NO_COLOR": "1"}
    done = subprocess.run(
        [node, *command], cwd=CONSOLE, env=environment, capture_output=True, text=True, check=False, timeout=500
    )
    if done.returncode:
        pytest.fail(f"{command[0]} exits with {done.returncode}\n{done.stdout}{done.stderr}", pytrace=False)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", CHECKS)
def test_console_has_no_fault(name: str) -> None:
    for command in CHECKS[name]:
        run(command)
