"""The small model that answers when no provider's key is set, as an OpenAI-compatible endpoint.

Its address is known before it runs: it is that of a proxy here, which starts the model when it is first wanted (at
once when there is no key) and lets requests wait meanwhile, so that a first conversation neither fails nor delays the
start.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import sys

import aiohttp
from aiohttp import web

from local import packages
from local.settings import Settings

NAME = "smollm2-135m-instruct"
_WAIT_SECONDS = 90.0
_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from local.model_launcher import main; del sys.path[0]; main()"
_FORWARDED = ("Content-Type", "Cache-Control")


class ModelUnavailable(Exception):
    """The model cannot run here. The message says why, for the caller and the operator."""


class Model:
    """The embedded model and the proxy in front of it."""

    def __init__(self, settings: Settings, wanted: packages.Packages = packages.MODEL) -> None:
        self._settings = settings
        self._packages = wanted
        self._secret = secrets.token_urlsafe(16)
        self._starting: asyncio.Task[str] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._closing = contextlib.AsyncExitStack()
        self.base_url: str | None = None

    @property
    def state(self) -> str:
        """One line for the person at the terminal."""
        if not self._settings.model:
            return "switched off (--no-model)"
        if self._packages.unavailable:
            return "there is no build for this machine; agents can use the scripted model"
        if self._starting is None:
            return f"{NAME} (starts when it is first used)"
        if not self._starting.done():
            return f"{NAME} (being {'loaded' if self._packages.installed else 'downloaded, about 130 MB, once'})"
        if self._starting.cancelled() or self._starting.exception():
            return f"failed: {None if self._starting.cancelled() else self._starting.exception()}"
        return f"{NAME} is ready (a small one: a demonstration, not an assistant)"

    async def start(self) -> None:
        """Serve the proxy; begin to start the model when nothing else could answer."""
        if not self._settings.model or self._packages.unavailable:
            return
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", f"/{self._secret}/v1/{{path:.*}}", self._forward)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        self._closing.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self._client = await self._closing.enter_async_context(
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(None))
        )
        self.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/{self._secret}/v1"
        if not self._settings.providers_with_keys:
            self._begin()

    async def settled(self) -> None:
        """Wait until a start that was begun has ended, well or not; for ever when none was begun."""
        await asyncio.wait([self._starting or asyncio.get_running_loop().create_future()])

    async def stop(self) -> None:
        """Stop the proxy and the model."""
        if self._starting is not None and not self._starting.done():
            self._starting.cancel()
            await asyncio.wait([self._starting])
        await self._closing.aclose()
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def _begin(self) -> asyncio.Task[str]:
        ended = self._process is not None and self._process.returncode is not None
        if self._starting is None or ended or (self._starting.done() and self._starting.exception()):
            self._process = None
            self._starting = asyncio.get_running_loop().create_task(self._run())
            self._starting.add_done_callback(_retrieve)
        return self._starting

    async def _run(self) -> str:
        """Install and start the model; return its address."""
        try:
            target = await asyncio.to_thread(self._packages.install)
        except packages.NoBuild as error:
            raise ModelUnavailable("the embedded model has no build for this machine") from error
        except packages.PackagesError as error:
            raise ModelUnavailable(f"the embedded model could not be installed: {error}") from error
        config = {"packages": str(target), "name": NAME, "key": self._secret, "parent": os.getpid()}
        with (self._settings.data / "logs" / "model.log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-S", "-c", _BOOT, str(packages.PROJECT)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(config).encode() + b"\n")
        self._process.stdin.close()
        async for line in self._process.stdout:
            if line.startswith(b'{"address"'):
                return str(json.loads(line)["address"])
        raise ModelUnavailable("the embedded model ended while it was loading; see logs/model.log in the data folder")

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        try:
            address = await asyncio.wait_for(asyncio.shield(self._begin()), _WAIT_SECONDS)
        except TimeoutError:
            return _unready("the embedded model is still being downloaded or loaded; try again in a minute")
        except (ModelUnavailable, OSError) as error:
            return _unready(str(error))
        url = f"{address}/v1/{request.match_info['path']}"
        headers = {"Authorization": f"Bearer {self._secret}", "Content-Type": request.headers.get("Content-Type", "")}
        try:
            async with self._client.request(request.method, url, data=await request.read(), headers=headers) as answer:
                return await _relay(request, answer)
        except aiohttp.ClientConnectionError:
            return _unready("the embedded model stopped; it is started again with the next request")


async def _relay(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    """Pass an answer on as it comes in. A client that leaves ends the generation too."""
    headers = {name: answer.headers[name] for name in _FORWARDED if name in answer.headers}
    response = web.StreamResponse(status=answer.status, headers=headers)
    await response.prepare(request)
    async for chunk in answer.content.iter_any():
        await response.write(chunk)
    await response.write_eof()
    return response


def _unready(message: str) -> web.Response:
    body = {"error": {"message": message, "type": "unavailable", "code": 503}}
    return web.json_response(body, status=503, headers={"Retry-After": "10"})


def _retrieve(task: asyncio.Task[str]) -> None:
    """Mark a failure as seen; the next request reports it."""
    if not task.cancelled():
        task.exception()
