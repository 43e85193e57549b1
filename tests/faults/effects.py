"""The outside world of the campaign: a server that counts what was done to it, and is the judge of it.

It never recognises a repeated `Idempotency-Key`: what is sent twice is done twice, and counted.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from aiohttp import web

from tests.faults import processes
from tests.faults.history import History


@dataclass(frozen=True)
class Mishap:
    """How a call of a tool goes wrong: `kill` who calls, `fail` with 500, `stall` for `seconds`; before or after."""

    action: str
    when: str = "after"
    attempt: int = 1
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """What the report calls it."""
        return f"tool: {self.action} {self.when} the effect"


@dataclass
class Effects:
    """Serves `POST /write/<name>` and `POST /read/<name>`; names begin with the case."""

    history: History
    mishaps: dict[str, Mishap] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    port: int = 0
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on a free port."""
        app = web.Application()
        app.router.add_post("/{kind}/{name}", self._call)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner:
            await self._runner.cleanup()

    async def _call(self, request: web.Request) -> web.StreamResponse:
        kind, name = request.match_info["kind"], request.match_info["name"]
        key = request.headers.get("Idempotency-Key", "")
        case = name.partition("-")[0]
        self.calls[name] += 1
        mishap = self.mishaps.get(name)
        if mishap and mishap.attempt != self.calls[name]:
            mishap = None
        self.history.write("tool.called", case=case, name=name, kind=kind, key=key)
        if mishap and mishap.when == "before":
            await self._strike(request, case, name, mishap)
        self.done[name] += 1
        self.history.write("tool.done", case=case, name=name, kind=kind, key=key, count=self.done[name])
        if mishap and mishap.when == "after":
            await self._strike(request, case, name, mishap)
        return web.json_response({"name": name, "count": self.done[name]})

    async def _strike(self, request: web.Request, case: str, name: str, mishap: Mishap) -> None:
        entry = self.history.write("fault", case=case, fault=mishap.name, action=mishap.action, point="tool", tool=name)
        if mishap.action == "kill" and request.transport:
            entry["pid"] = await asyncio.to_thread(processes.pid_of_peer, processes.ports(request.transport))
            entry["struck"] = bool(entry["pid"]) and processes.kill(entry["pid"])
            request.transport.abort()
            raise web.HTTPServiceUnavailable
        if mishap.action == "fail":
            raise web.HTTPInternalServerError
        await asyncio.sleep(mishap.seconds)
