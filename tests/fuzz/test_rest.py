"""Every REST operation fuzzed from the OpenAPI document, with all checks, alone and in sequences.

FUZZ_EXAMPLES=1000 tries more for each operation; FUZZ_SEED=… repeats a run.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.testing import Instance, running_stack
from tests.integration.chat import chatting
from tests.integration.rest import Rest

LIMITS = "/api/v1/limits"
# As much as a tenant may have: what is tried in a minute is more than what one gets by itself.
ROOM = {
    "tenant_requests_per_minute": 6_000,
    "requests_per_minute": 6_000,
    "messages_per_minute": 3_000,
    "messages_per_minute_per_subject": 3_000,
    "messages_per_minute_per_agent": 3_000,
    "runs_at_once": 1_000,
}
CONFIG = Path(__file__).parent / "schemathesis.toml"
EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "30")
SEED = os.environ.get("FUZZ_SEED", "1")


@pytest.mark.timeout(900)
def test_no_request_makes_it_break_its_contract(stack: Instance, tmp_path: Path) -> None:
    rest = Rest(stack.url)
    assert rest("PATCH", LIMITS, ROOM).status == 200
    agent = str(rest.create()["id"])
    with chatting(stack, agent) as chat:
        chat.ask("/say so that there is a conversation")
    fuzz(stack, tmp_path, "--exclude-path", LIMITS)


@pytest.mark.timeout(300)
def test_no_change_of_limits_breaks_its_contract(tmp_path: Path) -> None:
    """On a stack of its own: what it sets refuses requests, here and of every other test."""
    with running_stack() as stack:
        fuzz(stack, tmp_path, "--include-path", LIMITS)


def fuzz(stack: Instance, folder: Path, *which: str) -> None:
    program = Path(sys.executable).with_name("schemathesis")
    command = [str(program), "--config-file", str(CONFIG), "run", f"{stack.url}/api/v1/openapi.json", *which]
    options = ["--max-examples", EXAMPLES, "--seed", SEED, "--checks", "all", "--no-color", "--warnings", "off"]
    since = len(stack.function_log())
    done = subprocess.run([*command, *options, "--request-timeout", "30"], capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-2_000:]
    assert stack.logged("unexpectedly", since=since) == []
