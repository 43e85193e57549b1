"""Every REST operation fuzzed from the OpenAPI document, with all checks, alone and in sequences.

FUZZ_EXAMPLES=1000 tries more for each operation; FUZZ_SEED=… repeats a run.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.testing import Instance
from tests.integration.chat import chatting
from tests.integration.rest import Rest

CONFIG = Path(__file__).parent / "schemathesis.toml"
EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "30")
SEED = os.environ.get("FUZZ_SEED", "1")


@pytest.mark.timeout(900)
def test_no_request_makes_it_break_its_contract(stack: Instance, tmp_path: Path) -> None:
    agent = str(Rest(stack.url).create()["id"])
    with chatting(stack, agent) as chat:
        chat.ask("/say so that there is a conversation")
    program = Path(sys.executable).with_name("schemathesis")
    command = [str(program), "--config-file", str(CONFIG), "run", f"{stack.url}/api/v1/openapi.json"]
    options = ["--max-examples", EXAMPLES, "--seed", SEED, "--checks", "all", "--no-color", "--warnings", "off"]
    done = subprocess.run([*command, *options, "--request-timeout", "30"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr[-2_000:]
    assert "unexpectedly" not in stack.function_log()
