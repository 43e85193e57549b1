"""Open WebSocket connections by id, and API Gateway's @connections interface to them."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from local.wire import Answer, json_answer

MAX_MESSAGE = 128 * 1024
BUFFER_BYTES = 1024 * 1024


class Socket(Protocol):
    """The sending side of one WebSocket."""

    def send(self, data: bytes) -> None:
        """Queue one text message."""

    def buffered(self) -> int:
        """Return the bytes that the client has not taken yet."""

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake."""


@dataclass
class OpenConnection:
    """One open connection and what API Gateway knows of it."""

    socket: Socket
    source_ip: str
    user_agent: str
    id: str = field(default_factory=lambda: base64.urlsafe_b64encode(os.urandom(11)).decode())
    connected_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    last_active_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    on_activity: Callable[[], None] = lambda: None

    def touch(self) -> None:
        """Note that something was sent or received."""
        self.last_active_at = datetime.now(UTC)
        self.on_activity()


class Connections:
    """The open connections. A connection is in here from the answered handshake to the end of its socket."""

    def __init__(self, buffer_bytes: int = BUFFER_BYTES) -> None:
        self._open: dict[str, OpenConnection] = {}
        self._buffer_bytes = buffer_bytes

    def __len__(self) -> int:
        """Return how many are open."""
        return len(self._open)

    def add(self, connection: OpenConnection) -> None:
        """Make a connection reachable."""
        self._open[connection.id] = connection

    def remove(self, connection: OpenConnection) -> None:
        """Forget a connection; posts to it are answered 410 from now on."""
        self._open.pop(connection.id, None)

    def close_all(self) -> None:
        """Close every connection because the runtime stops."""
        for connection in tuple(self._open.values()):
            connection.socket.close(1001, "Going away")

    def answer(self, method: str, connection_id: str, body: bytes) -> Answer:
        """Answer POST, GET or DELETE of `/@connections/{id}` as API Gateway does."""
        connection = self._open.get(connection_id)
        if connection is None:
            return _error(410, "GoneException", None)
        if method == "GET":
            return json_answer(200, _description(connection))
        if method == "DELETE":
            self.remove(connection)
            connection.socket.close(1000, "Normal closure")
            return Answer(204)
        if method != "POST":
            return _error(403, "ForbiddenException", "Forbidden")
        return self._post(connection, body)

    def _post(self, connection: OpenConnection, body: bytes) -> Answer:
        if len(body) > MAX_MESSAGE:
            return _error(413, "PayloadTooLargeException", "Message is too long")
        if connection.socket.buffered() + len(body) > self._buffer_bytes:
            return _error(429, "LimitExceededException", "The client's buffer is full")
        connection.socket.send(body)
        connection.touch()
        return Answer(200)


def _description(connection: OpenConnection) -> dict[str, Any]:
    return {
        "connectedAt": connection.connected_at.isoformat(timespec="milliseconds"),
        "identity": {"sourceIp": connection.source_ip, "userAgent": connection.user_agent},
        "lastActiveAt": connection.last_active_at.isoformat(timespec="milliseconds"),
    }


def _error(status: int, kind: str, message: str | None) -> Answer:
    return json_answer(status, {"message": message} if message else {}, {"x-amzn-ErrorType": kind})
