from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from agent_builder.providers import http
from tests.integration.providers.wire import WireServer, serving

HERE = Path(__file__).parent
AIMOCK = Path(__file__).parents[2] / "node_modules/@copilotkit/aimock/dist/cli.js"


@pytest.fixture(scope="session")
def aimock() -> Iterator[str]:
    """The address of aimock with our fixtures."""
    assert AIMOCK.exists(), "aimock is missing: run `npm ci` in tests/ (as `make test` does)"
    fixtures = HERE / "fixtures" / "aimock.json"
    process = subprocess.Popen(
        ["node", str(AIMOCK), "-p", "0", "-f", str(fixtures), "--strict"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = next((line for line in process.stdout if "listening on" in line), "")
        assert line, "aimock did not start"
        yield line.rsplit(" ", 1)[-1].strip()
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


@pytest.fixture
async def wire() -> AsyncIterator[WireServer]:
    async with serving() as server:
        yield server


@pytest.fixture(autouse=True)
async def _no_connection_is_left() -> AsyncIterator[None]:
    yield
    await http.close()
