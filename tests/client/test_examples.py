"""The examples of docs/client.md, as they stand there, against the real stack."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.testing import Instance
from tests.client.typescript import CLIENT, node
from tests.integration.rest import Rest

ROOT = CLIENT.parents[1]
QUESTION = "You said: What is 17.5 % of 2,349?"


def example(language: str) -> str:
    page = (ROOT / "docs" / "client.md").read_text("utf-8")
    found = re.search(rf"```{language}\n(.*?)```", page, re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def agent(stack: Instance) -> str:
    return str(Rest(stack.url).create()["id"])


def test_python(stack: Instance, agent: str, tmp_path: Path) -> None:
    script = tmp_path / "hello.py"
    script.write_text(example("python"), "utf-8")
    command = [sys.executable, str(script), agent, stack.url]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert result.stdout.endswith(f"completed {QUESTION}\n"), result.stderr


@pytest.mark.usefixtures("built")
def test_javascript(stack: Instance, agent: str, tmp_path: Path) -> None:
    script = tmp_path / "hello.mjs"
    script.write_text(example("js").replace('"./web/client/', f'"{CLIENT.as_uri()}/'), "utf-8")
    assert node(str(script), agent, stack.url).endswith(f"completed {QUESTION}\n")
