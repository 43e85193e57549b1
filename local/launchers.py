"""Three ways to make an execution environment: fork it off a warm template process, spawn it, or run AWS's own client.

Forking is the way on Linux. macOS cannot fork safely once its frameworks are loaded, so environments are spawned there,
some in advance. `awslambdaric` is what Lambda itself runs; tests and benchmarks use it on the built artefacts.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

from local import wire

_PROJECT = Path(__file__).resolve().parent.parent
_BOOT = "import sys; sys.path.insert(0, {root!r}); from local.{module} import main; del sys.path[0]; main()"

_TOO_LONG = {"errorType": "Sandbox.Timedout", "errorMessage": "importing the handler took too long"}
INIT_SECONDS = 60.0
_RESTORED = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
_DIED = {"errorType": "Runtime.ExitError", "errorMessage": "the template process died while starting; see the log"}


class LaunchFailed(Exception):
    """The handler cannot be started. `error` is the error object of the Runtime API."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error.get("errorMessage"))
        self.error = error


@dataclass(frozen=True)
class Program:
    """What an environment runs: handler, import path, variables; `isolated` keeps this interpreter's packages out."""

    handler: str
    path: tuple[Path, ...]
    variables: Mapping[str, str]
    isolated: bool = False

    def environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        """Return the process environment."""
        return {**self.variables, **extra, "PYTHONPATH": os.pathsep.join(map(str, self.path))}

    def interpreter(self) -> list[str]:
        """Return the interpreter and the options that give it this import path only."""
        return [sys.executable, "-P", *(["-S"] if self.isolated else [])]


@dataclass
class Spawned:
    """A started environment."""

    pid: int
    exited: asyncio.Future[int] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    waiter: asyncio.Task[None] | None = None

    def kill(self) -> None:
        """Kill the process and what it started."""
        if not self.exited.done():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)


class Launcher(Protocol):
    """Starts environments of one program."""

    async def launch(self, name: str, handler: wire.Handler, log: int) -> Spawned:
        """Start one whose Runtime API requests go to `handler` and whose output to the descriptor `log`."""

    async def close(self) -> None:
        """Free what the launcher holds; its environments may live on."""


class ForkLauncher:
    """Environments forked off one template process. `start` raises LaunchFailed when the handler does not import."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._forked: dict[str, asyncio.Future[Spawned]] = {}
        self._living: dict[int, Spawned] = {}
        self._listener: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._control, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(0)

    async def start(self, log: int) -> None:
        """Start the template process and wait until the handler is imported."""
        loop = asyncio.get_running_loop()
        command = [*self._program.interpreter(), "-c", _BOOT.format(root=str(_PROJECT), module="zygote")]
        with self._theirs as theirs:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                self._program.handler,
                str(theirs.fileno()),
                env=self._program.environment(_RESTORED),
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            first = await asyncio.wait_for(loop.sock_recv(self._control, 65536), INIT_SECONDS)
            message = json.loads(first) if first else {"failed": _DIED}
        except TimeoutError:
            message = {"failed": _TOO_LONG}
        if "failed" in message:
            await self.close()
            raise LaunchFailed(message["failed"])
        self._listener = loop.create_task(self._listen())

    async def launch(self, name: str, handler: wire.Handler, log: int) -> Spawned:
        """Fork one."""
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        ours.settimeout(0)
        future: asyncio.Future[Spawned] = loop.create_future()
        self._forked[name] = future
        try:
            with theirs:
                socket.send_fds(self._control, [json.dumps({"fork": name}).encode()], [theirs.fileno(), log])
        except OSError as error:
            ours.close()
            raise LaunchFailed(_DIED) from error
        await loop.connect_accepted_socket(lambda: wire.Connection(handler), ours)
        return await future

    async def close(self) -> None:
        """End the template process. Environments that were forked off it end with it."""
        if self._listener is not None:
            self._listener.cancel()
        self._control.close()
        self._theirs.close()
        if self._process is not None:
            if self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
            await self._process.wait()
        self._bury()

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                data = await loop.sock_recv(self._control, 65536)
            except OSError:
                data = b""
            if not data:
                break
            self._take(json.loads(data))
        self._bury()

    def _bury(self) -> None:
        """The template process is gone, and with it every environment that was forked off it."""
        for spawned in self._living.values():
            if not spawned.exited.done():
                spawned.exited.set_result(-signal.SIGKILL)
        for future in self._forked.values():
            if not future.done():
                future.set_exception(LaunchFailed(_DIED))
        self._living.clear()
        self._forked.clear()

    def _take(self, message: dict[str, Any]) -> None:
        if "forked" in message:
            spawned = Spawned(message["pid"])
            self._living[spawned.pid] = spawned
            self._forked.pop(message["forked"]).set_result(spawned)
        elif (gone := self._living.pop(message["exited"], None)) and not gone.exited.done():
            gone.exited.set_result(message["status"])


class SpawnLauncher:
    """Environments that are interpreters of their own, each importing the handler."""

    def __init__(self, program: Program) -> None:
        self._program = program

    async def start(self, log: int) -> None:
        """Nothing is prepared."""

    async def launch(self, name: str, handler: wire.Handler, log: int) -> Spawned:
        """Spawn one; it asks for its first event when the handler is imported."""
        ours, theirs = socket.socketpair()
        ours.settimeout(0)
        await asyncio.get_running_loop().connect_accepted_socket(lambda: wire.Connection(handler), ours)
        with theirs:
            command = [*self._program.interpreter(), "-c", _BOOT.format(root=str(_PROJECT), module="worker")]
            arguments = [*command, self._program.handler, str(theirs.fileno())]
            return await _spawn(arguments, self._program.environment(_RESTORED), name, log, [theirs.fileno()])

    async def close(self) -> None:
        """Nothing is held."""


class StockLauncher:
    """Environments that run `awslambdaric`, which tells environments apart by the port of their Runtime API."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._servers: list[asyncio.Server] = []

    async def start(self, log: int) -> None:
        """Nothing is prepared."""

    async def launch(self, name: str, handler: wire.Handler, log: int) -> Spawned:
        """Spawn one, with a server of its own on loopback."""
        server = await wire.serve(handler)
        self._servers.append(server)
        variables = self._program.environment({"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{wire.port_of(server)}"})
        command = [*self._program.interpreter(), "-m", "awslambdaric", self._program.handler]
        spawned = await _spawn(command, variables, name, log, [])
        spawned.exited.add_done_callback(lambda _: server.close())
        return spawned

    async def close(self) -> None:
        """Close the servers."""
        for server in self._servers:
            server.close()


def stock_client(folder: Path) -> Path:
    """Fill a folder with links to `awslambdaric` and what it needs: what Lambda has in /var/runtime.

    Beside built artefacts that run without this interpreter's packages. Raises PackageNotFoundError when it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("awslambdaric", "simplejson", "snapshot-restore-py"):
        distribution = metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}:
            link = folder / top
            link.unlink(missing_ok=True)
            link.symlink_to(str(distribution.locate_file(top)))
    return folder


async def _spawn(command: list[str], variables: dict[str, str], name: str, log: int, descriptors: list[int]) -> Spawned:
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**variables, "AWS_LAMBDA_LOG_STREAM_NAME": name},
        pass_fds=descriptors,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    spawned = Spawned(process.pid)

    async def wait() -> None:
        spawned.exited.set_result(await process.wait())

    spawned.waiter = asyncio.get_running_loop().create_task(wait())
    return spawned


LAUNCHERS: dict[str, Callable[[Program], Any]] = {
    "fork": ForkLauncher,
    "spawn": SpawnLauncher,
    "awslambdaric": StockLauncher,
}
DEFAULT = "fork" if sys.platform.startswith("linux") else "spawn"
