"""A WebSocket API of API Gateway: a connection's life as $connect, $default and $disconnect events, with AWS's limits.

The handshake is answered after $connect has returned, so nothing can be posted to a connection earlier. Messages go to
the function as they come, side by side; they are started in the order of arrival.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from local.admission import Admission, Refused
from local.connections import Connections, OpenConnection
from local.environment import Result
from local.events import Handshake, connect_event, disconnect_event, message_event
from local.lambda_service import LambdaService
from local.problems import phrase, problem
from local.routing import pattern
from local.template import WebSocketApi
from local.websocket import Message, ServerSocket, is_handshake


@dataclass(frozen=True)
class Limits:
    """Limits of a connection, in bytes and seconds. The defaults are AWS's, and cannot be raised there.

    `close` is how long a client may take to answer a closing handshake before it is cut off.
    """

    frame: int = 32 * 1024
    message: int = 128 * 1024
    idle: float = 600.0
    lifetime: float = 7200.0
    close: float = 5.0


class WebSocketGateway:
    """Answers the WebSocket handshakes on the public path of one API."""

    def __init__(
        self,
        functions: LambdaService,
        api: WebSocketApi,
        connections: Connections,
        admission: Admission,
        limits: Limits = Limits(),
    ) -> None:
        self._functions = functions
        self._api = api
        self._connections = connections
        self._admission = admission
        self._limits = limits
        self._path = pattern(api.public_path)
        self._messages: set[asyncio.Task[None]] = set()
        self._serving: set[asyncio.Task[Any]] = set()

    def takes(self, request: web.Request) -> bool:
        """Tell whether a request is a handshake on this API's path."""
        return is_handshake(request) and self._path.fullmatch(request.path) is not None

    async def drain(self, seconds: float) -> None:
        """Wait for connections that were closed to end, `$disconnect` included."""
        if self._serving:
            await asyncio.wait(self._serving, timeout=seconds)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection from handshake to end."""
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        socket = ServerSocket(request, self._limits.frame, self._limits.message, self._limits.close)
        connection = OpenConnection(socket, request.remote or "127.0.0.1", request.headers.get("User-Agent", ""))
        handshake = self._handshake(request, connection)
        try:
            parameters = self._parameters(request)
            identity = await self._admission.connect(self._api.authorizer, connect_event(handshake), parameters)
        except Refused as refusal:
            return problem(refusal.status, message=refusal.message)
        handshake = replace(handshake, identity=identity)
        answer = await self._run("$connect", connect_event(handshake))
        status = _status(answer)
        if not 200 <= status < 300:
            return _denial(status, answer)
        try:
            await socket.accept(_subprotocol(answer))
        except web.HTTPBadRequest as error:
            return problem(400, detail=error.text or "")
        self._connections.add(connection)
        limits = asyncio.get_running_loop().create_task(self._watch(connection, socket))
        try:
            await self._receive(handshake, connection, socket)
        finally:
            limits.cancel()
            self._connections.remove(connection)
            event = disconnect_event(handshake, socket.close_code, socket.close_reason)
            await asyncio.shield(self._run("$disconnect", event))
        return socket.response

    async def _receive(self, handshake: Handshake, connection: OpenConnection, socket: ServerSocket) -> None:
        loop = asyncio.get_running_loop()
        while (message := await socket.receive()) is not None:
            connection.touch()
            task = loop.create_task(self._message(handshake, socket, message))
            self._messages.add(task)
            task.add_done_callback(self._messages.discard)

    async def _message(self, handshake: Handshake, socket: ServerSocket, message: Message) -> None:
        event = message_event(handshake, message.data, message.binary)
        result = await self._run("$default", event)
        if result is None or result.error is not None:
            text = "Endpoint request timed out" if result is None else "Internal server error"
            context = event["requestContext"]
            error = {"message": text, "connectionId": context["connectionId"], "requestId": context["requestId"]}
            socket.send(json.dumps(error).encode())

    async def _run(self, route: str, event: dict[str, Any]) -> Result | None:
        """Run a route's function; None when it took longer than the integration may."""
        name = self._api.routes.get(route)
        if name is None:
            return Result(b"{}")
        invocation = self._functions.submit(self._functions.find(name), json.dumps(event).encode())
        try:
            return await asyncio.wait_for(asyncio.shield(invocation.result), self._api.timeout)
        except TimeoutError:
            return None

    async def _watch(self, connection: OpenConnection, socket: ServerSocket) -> None:
        """Close the connection when it is idle for long, or old."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._limits.lifetime
        active = loop.time()

        def touched() -> None:
            nonlocal active
            active = loop.time()

        connection.on_activity = touched
        while True:
            left = min(end, active + self._limits.idle) - loop.time()
            if left <= 0:
                break
            await asyncio.sleep(left)
        socket.close(1001, "Going away")

    def _parameters(self, request: web.Request) -> dict[str, str]:
        found = self._path.fullmatch(request.path)
        return found.groupdict() if found else {}

    def _handshake(self, request: web.Request, connection: OpenConnection) -> Handshake:
        parameters = self._parameters(request)
        query = parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True)
        headers = [(name.decode("latin-1"), value.decode("utf-8", "replace")) for name, value in request.raw_headers]
        hidden = ("connection", "upgrade")
        return Handshake(
            connection_id=connection.id,
            stage=self._api.stage,
            headers=[(name, value) for name, value in headers if name.lower() not in hidden],
            query=[*parameters.items(), *(pair for pair in query if pair[0] not in parameters)],
            source_ip=connection.source_ip,
            identity=None,
            connected_at=connection.connected_at,
        )


def _status(result: Result | None) -> int:
    """Return the status that the $connect function's result means to the client."""
    if result is None:
        return 504
    if result.error is not None:
        return 502
    try:
        value = json.loads(result.payload)
        return int(value.get("statusCode", 200)) if isinstance(value, dict) else 502
    except (ValueError, TypeError):
        return 502


def _subprotocol(result: Result | None) -> str | None:
    value = json.loads(result.payload) if result else {}
    headers = value.get("headers") or {}
    return next((str(item) for name, item in headers.items() if name.lower() == "sec-websocket-protocol"), None)


def _denial(status: int, result: Result | None) -> web.Response:
    """What $connect refused with, in its own words where it has some, and when to try again."""
    value = json.loads(result.payload) if result and result.error is None else {}
    value = value if isinstance(value, dict) else {}
    body = value.get("body")
    if isinstance(body, str):
        response = web.Response(status=status, body=body.encode(), headers={"Content-Type": "application/json"})
    else:
        response = problem(status, message="Internal server error" if status >= 500 else phrase(status))
    for name, item in (value.get("headers") or {}).items():
        if name.lower() == "retry-after":
            response.headers["Retry-After"] = str(item)
    return response
