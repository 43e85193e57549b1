"""A stack whose tools may call this machine, a server with descriptions, and a person who imports them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from local.testing import Instance, running_stack
from tests.integration.rest import AGENTS, Answer, Rest

IMPORTS = "/api/v1/openapi-imports"
TOKEN = "t0ken-of-the-description"


class Descriptions(ThreadingHTTPServer):
    """Serves what it was given, `/private` for those with the token only; and takes calls of the API, to be seen."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Serving)
        self.pages: dict[str, bytes] = {}
        self.moved: dict[str, str] = {}
        self.asked: list[tuple[str, str, str]] = []
        self.slow = threading.Event()
        self.slow.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def put(self, path: str, document: Any) -> str:
        """Serve a description; its address."""
        self.pages[path] = document if isinstance(document, bytes) else json.dumps(document).encode()
        return self.url + path


class _Serving(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Descriptions

    def do_GET(self) -> None:
        self.server.asked.append((self.command, self.path, self.headers.get("Authorization", "")))
        if self.path.startswith("/slow"):
            self.server.slow.wait(60)
        if self.path in self.server.moved:
            return self._answer(302, b"", location=self.server.moved[self.path])
        if self.path.startswith("/private") and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._answer(401, b"{}")
        page = self.server.pages.get(self.path)
        return self._answer(404, b"{}") if page is None else self._answer(200, page)

    def _answer(self, status: int, body: bytes, location: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Says nothing."""


@dataclass(frozen=True)
class Importer:
    """Somebody who imports."""

    rest: Rest

    def begin(self, agent: str, **wanted: Any) -> str:
        """Begin an import; its id."""
        answer = self.rest("POST", IMPORTS, {"agent_id": agent, **wanted})
        assert answer.status == 202, answer.body
        assert answer.headers["location"] == f"{IMPORTS}/{answer.json['id']}"
        return str(answer.json["id"])

    def ended(self, import_id: str, seconds: float = 60) -> dict[str, Any]:
        """The import once it is no longer being worked on."""
        deadline = time.monotonic() + seconds
        while True:
            shown: dict[str, Any] = self.rest("GET", f"{IMPORTS}/{import_id}?limit=100").json
            if shown["status"] not in ("queued", "running"):
                return shown
            assert time.monotonic() < deadline, shown
            time.sleep(0.05)

    def read(self, agent: str, **wanted: Any) -> dict[str, Any]:
        """Import, and wait for the preview."""
        shown = self.ended(self.begin(agent, **wanted))
        assert shown["status"] == "ready", shown["error"]
        return shown

    def refused(self, agent: str, **wanted: Any) -> dict[str, Any]:
        """Import what cannot be; why it cannot."""
        shown = self.ended(self.begin(agent, **wanted))
        assert shown["status"] == "failed"
        error: dict[str, Any] = shown["error"]
        return error

    def operations(self, import_id: str, limit: int = 100) -> list[dict[str, Any]]:
        """All operations, page by page."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = self.rest("GET", f"{IMPORTS}/{import_id}?limit={limit}{cursor}").json
            found += page["operations"]
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    def tools(self, agent: str) -> dict[str, dict[str, Any]]:
        """The agent's tools by id."""
        return {one["id"]: one for one in self.rest.all(f"{AGENTS}/{agent}/tools")}

    def integration(self, agent: str) -> dict[str, Any]:
        """The agent's only integration."""
        (found,) = self.rest.all(f"{AGENTS}/{agent}/integrations")
        return found

    def until(self, happened: Callable[[], Any], seconds: float = 60, *, every: float = 0.05) -> Any:
        """Poll until it is true; what it gave."""
        deadline = time.monotonic() + seconds
        while not (found := happened()):
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(every)
        return found

    def apply(self, import_id: str, *, headers: dict[str, str] | None = None, **chosen: Any) -> Answer:
        """Make tools of what is chosen."""
        return self.rest("POST", f"{IMPORTS}/{import_id}/apply", chosen, headers=headers)


@pytest.fixture(scope="package")
def stack() -> Iterator[Instance]:
    """A stack of our own, whose tools may call this machine."""
    with running_stack(env={"LOOPBACK_TOOLS": "1"}, arguments=["--retry-delays", "1,1"]) as running:
        yield running


@pytest.fixture(scope="module")
def server() -> Iterator[Descriptions]:
    with Descriptions() as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.slow.set()
        running.shutdown()


@pytest.fixture
def importer(stack: Instance) -> Importer:
    return Importer(Rest(stack.url))


@pytest.fixture
def agent(importer: Importer) -> str:
    return str(importer.rest.create()["id"])
