"""An MCP server of our own that does what no library would: JSON-RPC by hand, as the version of 2025-06-18 has it."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
VERSION = "2025-06-18"
SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}


@dataclass
class Asked:
    """A request as it came; `message` is its JSON."""

    method: str
    path: str
    headers: dict[str, str]
    message: Json

    @property
    def rpc(self) -> str:
        return str(self.message.get("method", self.method))


class Hostile(ThreadingHTTPServer):
    """Behaves, but for what a test puts into `plays`: by JSON-RPC method, what is done in place of the usual answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[Asked] = []
        self.plays: dict[str, Callable[[_Handler, Asked], Any]] = {}
        self.tools: list[Json] = [tool("note")]
        self.session = "s-1"
        self.over = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of it."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/mcp"

    def rpcs(self) -> list[str]:
        return [one.rpc for one in self.asked]

    def reset(self) -> None:
        self.asked.clear()
        self.plays.clear()
        self.tools = [tool("note")]
        self.session = "s-1"


def tool(name: str, description: str = "Takes a note.", **more: Any) -> Json:
    return {"name": name, "description": description, "inputSchema": SCHEMA, **more}


class _Handler(BaseHTTPRequestHandler):
    server: Hostile
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self._asked(json.loads(body or b"{}"))

    def do_GET(self) -> None:
        self._asked({})

    def do_DELETE(self) -> None:
        self._asked({})

    def _asked(self, message: Json) -> None:
        asked = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, message)
        self.server.asked.append(asked)
        try:
            play = self.server.plays.get(asked.rpc)
            if play is None or play(self, asked) == "usual":
                self._usual(asked)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _usual(self, asked: Asked) -> None:
        if asked.rpc == "initialize":
            info = {"name": "hostile", "version": "1"}
            result: Json = {"protocolVersion": VERSION, "capabilities": {"tools": {}}, "serverInfo": info}
            self.result(asked, result, {"Mcp-Session-Id": self.server.session})
        elif "id" not in asked.message:
            self.send(202 if self.command == "POST" else 405)
        elif asked.headers.get("mcp-session-id") != self.server.session:
            self.send(404 if "mcp-session-id" in asked.headers else 400)
        elif asked.rpc == "tools/list":
            self.result(asked, {"tools": self.server.tools})
        elif asked.rpc == "tools/call":
            text = f"noted {asked.message['params']['arguments'].get('text')}"
            self.result(asked, {"content": [{"type": "text", "text": text}]})
        else:
            self.send(400)

    def result(self, asked: Asked, result: Any, headers: Json | None = None) -> None:
        self.json({"jsonrpc": "2.0", "id": asked.message["id"], "result": result}, headers)

    def json(self, value: Any, headers: Json | None = None, status: int = 200) -> None:
        self.send(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})

    def send(self, status: int, body: bytes = b"", headers: Json | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self) -> None:
        """Begin a stream of events that ends with the connection."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def event(self, value: Any, name: str = "") -> None:
        head = f"id: {name}\n" if name else ""
        self.wfile.write(f"{head}event: message\ndata: {json.dumps(value)}\n\n".encode())
        self.wfile.flush()

    def log_message(self, *arguments: Any) -> None:
        """Says nothing."""


Play = Callable[[_Handler, Asked], Any]


def answering(result: Any) -> Play:
    return lambda handler, asked: handler.result(asked, result)


def saying(text: str, **more: Any) -> Play:
    return answering({"content": [{"type": "text", "text": text}], **more})


def sending(status: int, body: bytes = b"", **headers: str) -> Play:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler, asked: handler.send(status, body, named)


def bomb(handler: _Handler, asked: Asked) -> None:
    """A gigabyte of answer in a megabyte."""
    packed = gzip.compress(b" " * 1024) * 1_000_000
    handler.send(200, packed[: 1024 * 1024], {"Content-Type": "application/json", "Content-Encoding": "gzip"})


def dripping(handler: _Handler, asked: Asked) -> None:
    """A stream that never ends, and says nothing."""
    handler.stream()
    while not handler.server.over.wait(0.05):
        handler.wfile.write(b": still there\n\n")
        handler.wfile.flush()


def vanishing(handler: _Handler, asked: Asked) -> None:
    """Breaks off before it answers."""
    handler.close_connection = True
    handler.connection.close()


def flooding(handler: _Handler, asked: Asked) -> None:
    """More notifications than anybody wants, then an answer."""
    handler.stream()
    notice = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x" * 1000}}
    for _ in range(6_000):
        handler.event(notice)


def demanding(handler: _Handler, asked: Asked) -> None:
    """Asks the client for things, and answers when it has heard what it thinks of that."""
    handler.stream()
    requests = ["sampling/createMessage", "elicitation/create", "roots/list"]
    for number, method in enumerate(requests):
        params: Json = {"messages": [], "maxTokens": 1, "message": "m", "requestedSchema": {"type": "object"}}
        handler.event({"jsonrpc": "2.0", "id": f"srv-{number}", "method": method, "params": params})
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        told = [one.message for one in handler.server.asked if str(one.message.get("id", "")).startswith("srv-")]
        if len(told) == len(requests):
            break
        time.sleep(0.01)
    text = json.dumps([one.get("error", {}).get("code") for one in told])
    handler.event(
        {"jsonrpc": "2.0", "id": asked.message["id"], "result": {"content": [{"type": "text", "text": text}]}}
    )


@contextmanager
def hostile() -> Iterator[Hostile]:
    with Hostile() as served:
        thread = threading.Thread(target=served.serve_forever, daemon=True)
        thread.start()
        try:
            yield served
        finally:
            served.over.set()
            served.shutdown()
            thread.join()
