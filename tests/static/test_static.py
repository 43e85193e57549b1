"""What can be said of the project without running it. Each tool is a test, so one summary speaks for all of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAM = ROOT / ".venv-sam" / "bin"
SCRIPTS = Path(sys.executable).parent

ENVIRONMENT = {
    **os.environ,
    "AWS_DEFAULT_REGION": "us-east-1",
    "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "shared")]),
    "SAM_CLI_TELEMETRY": "0",
}

TOOLS = {
    "format": [sys.executable, "-m", "ruff", "format", "--check", "."],
    "lint": [sys.executable, "-m", "ruff", "check", "--quiet", "."],
    "types": [sys.executable, "-m", "mypy"],
    "import rules": [str(SCRIPTS / "lint-imports")],
    "template": [str(SAM / "sam"), "validate", "--lint"],
}


def run(command: list[str]) -> str:
    """The standard output of a tool. Fails the test with all that it printed if it objects."""
    result = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if result.returncode:
        pytest.fail(
            f"{Path(command[0]).name} exits with {result.returncode}\n{result.stdout}{result.stderr}", pytrace=False
        )
    return result.stdout


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", TOOLS)
def test_tool_has_no_objection(name: str) -> None:
    run(TOOLS[name])


@pytest.mark.timeout(600)
def test_transformed_template_lints(tmp_path: Path) -> None:
    """What SAM generates is linted as well: it hides faults that the source does not show."""
    transformed = tmp_path / "template.json"
    transformed.write_text(run([str(SAM / "python"), "scripts/transform.py"]), "utf-8")
    run([str(SAM / "cfn-lint"), str(transformed), "monitoring.yaml", "console.yaml"])
