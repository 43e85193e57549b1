"""All parts of the laptop runtime, joined: started in order, stopped in the opposite one.

browser -- http_gateway, websocket_gateway (public port, guard) -- lambda_service -- pool -- environment -- worker
                                                                        ^                                     |
store (process, own packages) <---------------------- aws_api (loopback port, access key) <-------------------+
model (process, own packages) <-----------------------------------------------------------------------------+
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from aiohttp import web

from local import wire
from local.admission import Admission, Authorizers, Everybody
from local.aws_api import AwsApi
from local.connections import Connections
from local.guard import Guard
from local.http_gateway import MAX_BODY, HttpGateway
from local.lambda_service import LambdaService, Retries
from local.launchers import LAUNCHERS, Program, stock_client
from local.logs import FunctionLog
from local.model import Model
from local.oidc import OidcServer, sign_in_origins, start_oidc
from local.pool import Limits, Pool
from local.server import Server
from local.settings import IDENTITY, Settings
from local.sources import Sources
from local.static import StaticFiles
from local.store import Store, start_store
from local.template import Application, Function, load
from local.variables import Endpoints, variables
from local.websocket_gateway import WebSocketGateway

RUNNING = "running.json"
_DRAIN_SECONDS = 1.0


class StartError(Exception):
    """The runtime cannot start; the message says what to do. For the operator."""


class Stack:
    """One running instance on one data folder. `say` prints a line for the person at the terminal."""

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        self.settings = settings
        self.say = say
        self.application: Application = load(settings.template, settings.region)
        self.connections = Connections()
        self.model = Model(settings)
        self.store: Store | None = None
        self.oidc: OidcServer | None = None
        self.aws_url = ""
        self.port = settings.port
        self._closing = contextlib.AsyncExitStack()

    @property
    def base_url(self) -> str:
        """The address of the public port, without a slash at the end."""
        host = "127.0.0.1" if self.settings.host in ("0.0.0.0", "::") else self.settings.host  # noqa: S104
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def url(self) -> str:
        """The address to open; beyond loopback with the token in it."""
        return f"{self.base_url}/?token={self.settings.token}" if self.settings.token else self.base_url

    @property
    def stage(self) -> str:
        """The stage of the WebSocket API, which is part of the address of @connections."""
        return next((api.stage for api in self.application.websockets), "default")

    async def start(self) -> None:
        """Start everything. Raises StartError, StoreError or PackagesError."""
        self._open_data()
        listener = self._bind()
        await self._start_store()
        await self.model.start()
        self._closing.push_async_callback(self.model.stop)
        await self._start_sign_in()
        await self._start_functions(None, serving=True)
        await self._serve(listener)
        self._write_running()

    async def start_store(self) -> None:
        """Start the store alone, with the tables of the template."""
        self._open_data()
        await self._start_store()
        self._write_running()

    async def start_functions(self) -> None:
        """Start the functions for one invocation, on the instance that runs on the data, else on a store of its own."""
        running = read_running(self.settings.data)
        if running is None:
            self._open_data("invoke.log")
            await self._start_store()
            endpoints = None
        else:
            self.settings = replace(self.settings, access_key=running["access_key"], region=running["region"])
            self._open_log("invoke.log")
            endpoints = Endpoints(running["store_url"], running["aws_url"], running["model_url"])
        await self._start_functions(endpoints, serving=False)

    async def stop(self) -> None:
        """Stop everything, the store last; its data is saved."""
        await self._closing.aclose()

    async def _start_sign_in(self) -> None:
        """Where signing in is asked for and no issuer was named, start one here."""
        if not self.settings.auth or self.settings.issuer_variables:
            return
        self.oidc = await start_oidc(self.settings.data, self.settings.token_seconds)
        self._closing.push_async_callback(self.oidc.stop)
        self.settings = replace(self.settings, issuer_variables=self.oidc.variables)

    async def _start_store(self) -> None:
        settings = self.settings
        logs = settings.data / "logs"
        self.store = await start_store(
            settings.data / "store", settings.access_key, settings.region, logs / "store.log"
        )
        self._closing.push_async_callback(self.store.stop)
        await self.store.create_tables(self.application.tables, settings.region)

    def _open_data(self, log: str = "functions.log") -> None:
        data = self.settings.data
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        (data / "logs").mkdir(exist_ok=True, mode=0o700)
        file: IO[str] = (data / "lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            message = f"another instance is running on the data in {data}; stop it, or use other data (--data FOLDER)"
            raise StartError(message) from error
        self._closing.callback(file.close)
        self._open_log(log)

    def _open_log(self, name: str) -> None:
        self.log = FunctionLog(self.settings.data / "logs" / name, self.say)
        self._closing.push_async_callback(self.log.close)

    async def _start_functions(self, endpoints: Endpoints | None, serving: bool) -> None:
        """Start the functions, on our own endpoints unless others are given."""
        server = await wire.serve(self._handle_aws)
        self._closing.callback(server.close)
        self.aws_url = f"http://127.0.0.1:{wire.port_of(server)}"
        store = self.store.endpoint if self.store else ""
        self._endpoints = endpoints or Endpoints(store, self.aws_url, self.model.base_url)
        failures = self.settings.data / "failed-events.jsonl"
        retries = Retries(self.settings.retry_delays)
        self.functions = LambdaService(self.application.functions, self._pool, failures, retries)
        self._aws = AwsApi(self.functions, self.connections, self.settings.access_key)
        self._closing.push_async_callback(self.functions.close)
        self.functions.start(serving, cold=frozenset() if self.settings.auth else self.application.authorizers)

    async def _handle_aws(self, request: wire.Request) -> wire.Answer:
        return await self._aws.handle(request)

    def _pool(self, function: Function) -> Pool:
        settings = self.settings
        environment = variables(function, settings, self._endpoints, self.stage)
        if function.logical_id in self.application.authorizers:
            environment |= settings.issuer_variables
        path = function.path
        if settings.artifacts and settings.runtime == "awslambdaric":
            path = (*path, stock_client(settings.data / "runtime"))
        program = Program(function.handler, path, environment, isolated=settings.artifacts)
        limits = Limits(settings.environments, settings.spares)
        return Pool(
            function.name, lambda: LAUNCHERS[settings.runtime](program), Sources(function.watched), self.log, limits
        )

    def _bind(self) -> socket.socket:
        """Take the public port before anything is started, so that a taken port costs nothing."""
        family = socket.AF_INET6 if ":" in self.settings.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self.settings.host, self.settings.port))
            listener.listen(1024)
        except OSError as error:
            listener.close()
            port = self.settings.port
            raise StartError(
                f"port {port} is taken ({error.strerror}); choose another: PORT={port + 1} make run"
            ) from error
        self.port = listener.getsockname()[1]
        self._closing.callback(listener.close)
        return listener

    async def _serve(self, listener: socket.socket) -> None:
        settings = self.settings
        guard = Guard(settings.host, self.port, settings.allowed_origins, settings.token)
        admission: Admission = Authorizers(self.functions) if settings.auth else Everybody(IDENTITY)
        config = settings.console_config
        origins = await asyncio.to_thread(sign_in_origins, config["issuer"]) if config else []
        static = StaticFiles(settings.static, config, origins)
        http = HttpGateway(self.functions, self.application.routes, admission, guard, static)
        websockets = [
            WebSocketGateway(self.functions, api, self.connections, admission) for api in self.application.websockets
        ]

        async def handle(request: web.Request) -> web.StreamResponse:
            answer = guard.refusal(request) or guard.exchange(request)
            if answer is not None:
                return answer
            gateway = next((item for item in websockets if item.takes(request)), None)
            return await (gateway or http).handle(request)

        server = Server(handle, max_body=MAX_BODY)
        runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=0.5)
        await runner.setup()
        self._closing.push_async_callback(runner.cleanup)
        for gateway in websockets:
            self._closing.push_async_callback(gateway.drain, _DRAIN_SECONDS)
        self._closing.callback(self.connections.close_all)
        site = web.SockSite(runner, listener)
        await site.start()
        self._closing.push_async_callback(site.stop)

    def _write_running(self) -> None:
        """Tell other processes of this user where the parts listen; removed when the runtime stops."""
        assert self.store is not None
        known = {
            "pid": os.getpid(),
            "url": self.base_url,
            "aws_url": self.aws_url,
            "store_url": self.store.endpoint,
            "access_key": self.settings.access_key,
            "token": self.settings.token,
            "region": self.settings.region,
            "stage": self.stage,
            "model_url": self.model.base_url,
            "issuer": self.oidc.issuer if self.oidc else "",
            "tables": [table.name for table in self.application.tables],
        }
        path = self.settings.data / RUNNING
        draft = path.with_suffix(".tmp")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(known, file)
        draft.replace(path)
        self._closing.callback(path.unlink, missing_ok=True)


def read_running(data: Path) -> dict[str, Any] | None:
    """Return what the instance on a data folder wrote about itself; None when none is running."""
    try:
        with (data / "lock").open("a+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return None
    except FileNotFoundError:
        return None
    except OSError:
        pass
    try:
        known: dict[str, Any] = json.loads((data / RUNNING).read_text())
    except (FileNotFoundError, ValueError):
        return None
    return known
