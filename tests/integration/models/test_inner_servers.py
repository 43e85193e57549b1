"""Model servers of agents on this very machine, on the running stack: with signing in, and without."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from local.testing import Instance, running_stack
from tests.integration.chat import Chat, chatting
from tests.integration.rest import AGENTS, Rest

ANSWER = b'data: {"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'


class Model(BaseHTTPRequestHandler):
    """Answers anything with `Hi`, as a model server streams it."""

    asked: list[str]

    def do_POST(self) -> None:
        self.asked.append(self.path)
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def base_url(asked: list[str]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Asked", (Model,), {"asked": asked}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def using(base_url: str) -> dict[str, Any]:
    model = {"provider": "openai_compatible", "model": "m", "base_url": base_url}
    return {"name": "Home", "status": "active", "model_config": model}


@pytest.mark.parametrize("denied", [False, True])
def test_one_person_s_own_machine(base_url: str, asked: list[str], *, denied: bool) -> None:
    with running_stack() as stack:
        rest = Rest(stack.url)
        lists = {"allow": [], "deny": ["127.0.0.0/8"] if denied else [], "ports": [443]}
        assert rest("PUT", "/api/v1/egress", lists).status == 200
        with chatting(stack, rest.create(**using(base_url))["id"]) as chat:
            end = chat.ask("Hello")
        refusals = rest("GET", "/api/v1/egress/refusals").json["items"]
    if not denied:
        assert (end["type"], end["content"], len(asked), refusals) == ("message_complete", "Hi", 1, [])
        return
    assert (end["type"], end["code"], asked) == ("error", "provider_invalid_request", [])
    assert [(one["reason"], one["purpose"]) for one in refusals] == [("denied", "model")]


@pytest.mark.parametrize("loopback", [False, True])
def test_where_people_sign_in(base_url: str, asked: list[str], *, loopback: bool) -> None:
    with running_stack(auth=True, env={"LOOPBACK_TOOLS": "1"} if loopback else None) as stack:
        header = {"Authorization": f"Bearer {stack.token('ada', tenant='acme', role='owner')}"}
        rest = Rest(stack.url)
        made = rest("POST", AGENTS, using(base_url), headers=header)
        end = ask(stack, rest, made.json["id"], header)
        refusals = rest("GET", "/api/v1/egress/refusals", headers=header).json["items"]
    if loopback:
        assert (end["type"], end["content"], len(asked), refusals) == ("message_complete", "Hi", 1, [])
        return
    assert (end["type"], end["code"], asked) == ("error", "provider_invalid_request", [])
    assert [one["purpose"] for one in refusals] == ["model"]


def ask(stack: Instance, rest: Rest, agent: str, header: dict[str, str]) -> dict[str, Any]:
    """Ask an agent with a ticket; how it ended."""
    ticket = rest("POST", "/api/v1/playground/tickets", {"agent_id": agent}, headers=header).json["ticket"]
    offered = [Subprotocol("aab.v1"), Subprotocol(f"ticket.{ticket}")]
    with connect(stack.ws_url(agent), subprotocols=offered) as socket:
        return Chat(socket).ask("Hello")
