"""Real MCP servers on loopback, and one of our own that misbehaves."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent_builder.models.tools import Integration, IntegrationInput, McpTool
from agent_builder.services.mcp import McpServer
from agent_builder.tools.auth.material import Material
from agent_builder.tools.egress import Egress, EgressPolicy, Refusal
from agent_builder.tools.mcp import RemoteTool
from agent_builder.tools.mcp_offers import accepted
from tests.integration.mcp.hostile import Hostile, hostile

ROOT = Path(__file__).resolve().parents[3]
EVERYTHING = ROOT / "tests/node_modules/@modelcontextprotocol/server-everything/dist/index.js"
START_SECONDS = 60.0


@contextmanager
def running(command: list[str], port: int, **variables: str) -> Iterator[str]:
    """A server in a process of its own, once it listens; its address."""
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", **variables}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as one:
        try:
            deadline = time.monotonic() + START_SECONDS
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    assert one.poll() is None and time.monotonic() < deadline, "the server did not start"
                    time.sleep(0.02)
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            one.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def reference(kind: str) -> Any:
    port = free_port()
    return running([sys.executable, "-m", "tests.integration.mcp.reference", kind, str(port)], port)


@pytest.fixture(scope="package")
def everything() -> Iterator[str]:
    """The reference server of npm."""
    port = free_port()
    with running(["node", str(EVERYTHING), "streamableHttp"], port, PORT=str(port)) as url:
        yield url


@pytest.fixture(scope="package")
def sdk() -> Iterator[str]:
    with reference("sdk") as url:
        yield url


@pytest.fixture(scope="package")
def stateless() -> Iterator[str]:
    with reference("stateless") as url:
        yield url


@pytest.fixture(scope="package")
def time_server() -> Iterator[str]:
    """The reference server of PyPI that tells the time."""
    with reference("time") as url:
        yield url


@pytest.fixture(scope="package")
def served() -> Iterator[Hostile]:
    with hostile() as one:
        yield one


@pytest.fixture
def server(served: Hostile) -> Hostile:
    served.reset()
    return served


@dataclass
class Vault:
    """Gives material as `services.authorization` does, and counts."""

    materials: list[Material] = field(default_factory=list)
    asked: int = 0
    taken: list[Material] = field(default_factory=list)

    async def accepted(self, tenant: str, credential_id: str, material: Material) -> None:
        self.taken.append(material)

    async def material(self, tenant: str, credential_id: str, *, instead_of: Material | None = None) -> Material:
        self.asked += 1
        if instead_of is not None and len(self.materials) > 1:
            del self.materials[0]
        return self.materials[0]


@dataclass
class Run:
    """One run's use of one server."""

    server: McpServer
    refusals: list[Refusal]
    vault: Vault

    async def offered(self) -> dict[str, RemoteTool]:
        return {one.name: one for one in await self.server.offered()}

    async def call(self, name: str, arguments: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """Call a tool as somebody chose it who saw the list now."""
        remote = (await self.offered())[name]
        return await self.server.call(chosen(remote, **changes), arguments)


def chosen(remote: RemoteTool, **changes: Any) -> McpTool:
    schema, _ = accepted(remote)
    assert schema is not None
    fields = {"name": "t", "integration_id": "int_1", "remote_name": remote.name, "input_schema": schema, **changes}
    return McpTool(**{"fingerprint": remote.fingerprint, **fields})


@asynccontextmanager
async def run(url: str, *materials: Material, policy: EgressPolicy | None = None) -> AsyncIterator[Run]:
    refusals: list[Refusal] = []
    vault = Vault(list(materials))
    definition = IntegrationInput(kind="mcp", name="s", base_url=url, credential_id="crd_1" if materials else None)
    async with Egress(policy or EgressPolicy(allow_loopback=True), record=refusals.append) as egress:

        async def way_out() -> Egress:
            return egress

        server = McpServer("t", Integration("int_1", "agt_1", 1, definition, 0, 0), way_out, vault)  # type: ignore[arg-type]
        try:
            yield Run(server, refusals, vault)
        finally:
            await server.aclose()
