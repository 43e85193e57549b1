"""The whole runtime with AUTH=required: the template's authorizer before both APIs, a real OIDC server behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from local.testing import Instance, running_stack
from tests.integration.rest import AGENTS, Answer, Rest

TENANT = "acme"
API = "/api/v1"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Instance]:
    with running_stack(auth=True, env={"ALLOWED_ORIGINS": ""}) as instance:
        yield instance


class Person:
    """Somebody with a credential."""

    def __init__(self, stack: Instance, credential: str) -> None:
        self._rest = Rest(stack.url)
        self._header = {"Authorization": f"Bearer {credential}"}

    def __call__(self, method: str, path: str, body: Any = None) -> Answer:
        return self._rest(method, API + path, body, headers=self._header)

    def make(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self("POST", path, body)
        assert answer.status == 201, answer.body
        made: dict[str, Any] = answer.json
        return made

    def agent(self) -> str:
        model = {"provider": "scripted", "model": "scripted"}
        return str(self.make("/agents", {"name": "Guide", "status": "active", "model_config": model})["id"])

    def ticket(self, agent_id: str) -> str:
        return str(self.make("/playground/tickets", {"agent_id": agent_id})["ticket"])


@pytest.fixture(scope="module")
def owner(guarded: Instance) -> Person:
    return Person(guarded, guarded.token("ada", tenant=TENANT, role="owner"))


def opened(stack: Instance, agent: str, ticket: str) -> ClientConnection:
    return connect(stack.ws_url(agent), subprotocols=[Subprotocol("aab.v1"), Subprotocol(f"ticket.{ticket}")])


def until(socket: ClientConnection, kind: str) -> dict[str, Any]:
    while True:
        frame: dict[str, Any] = json.loads(socket.recv(timeout=30))
        if frame["type"] == kind:
            return frame


@pytest.mark.parametrize("path", ["/health", "/openapi.json", "/docs"])
def test_open_paths_need_nobody(path: str, guarded: Instance) -> None:
    assert Rest(guarded.url)("GET", API + path).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_nothing_else_is_answered_without_a_credential(method: str, guarded: Instance) -> None:
    for path in (AGENTS, f"{AGENTS}/agt_1", f"{API}/nothing", f"{API}/health/x", f"{API}//health"):
        nobody = Rest(guarded.url)(method, path)
        refused = Rest(guarded.url)(method, path, headers={"Authorization": "Bearer no"})
        assert (nobody.status, refused.status) == (401, 403)
        assert nobody.headers["www-authenticate"] == "Bearer"
        for answer, code in ((nobody, "unauthenticated"), (refused, "forbidden")):
            assert answer.headers["content-type"] == "application/problem+json"
            assert method == "HEAD" or answer.json["code"] == code


def test_everybody_sees_their_own_tenant_alone(guarded: Instance, owner: Person) -> None:
    agent = owner.agent()
    alone = Person(guarded, guarded.token("grace"))
    other = Person(guarded, guarded.token("ada", tenant="other", role="owner"))
    colleague = Person(guarded, guarded.token("linus", tenant=TENANT, role="viewer"))
    assert colleague("GET", f"/agents/{agent}").status == 200
    for person in (alone, other):
        assert person("GET", f"/agents/{agent}").status == 404
        assert person("GET", "/agents").json["items"] == []


def test_security_headers_are_on_every_answer(owner: Person) -> None:
    for answer in (owner("GET", "/agents"), owner("GET", "/agents/agt_1"), owner("POST", "/agents", {"x": 1})):
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    page = owner("GET", "/docs").headers["content-security-policy"]
    assert "script-src" in page


def test_conversation_by_ticket(guarded: Instance, owner: Person) -> None:
    agent = owner.agent()
    ticket = owner.ticket(agent)
    with opened(guarded, agent, ticket) as socket:
        assert socket.subprotocol == "aab.v1"
        assert until(socket, "agent_loaded")["agent_id"] == agent
        socket.send(json.dumps({"type": "user_message", "content": "/say hello"}))
        assert until(socket, "message_complete")["content"] == "hello"
    with pytest.raises(InvalidStatus) as refusal:
        opened(guarded, agent, ticket)
    assert refusal.value.response.status_code == 403
    assert ticket not in guarded.function_log()


def test_ticket_opens_its_own_agent_only(guarded: Instance, owner: Person) -> None:
    agent, other = owner.agent(), owner.agent()
    for url in (guarded.ws_url(other), f"{guarded.ws_url(other)}?agent_id={agent}", guarded.ws_url("agt_none")):
        ticket = owner.ticket(agent)
        joint = "&" if "?" in url else "?"
        with pytest.raises(InvalidStatus):
            connect(f"{url}{joint}ticket={ticket}")
        with pytest.raises(InvalidStatus):
            connect(f"{guarded.ws_url(agent)}?ticket={ticket}")


def test_handshake_without_ticket_is_refused(guarded: Instance, owner: Person) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        connect(guarded.ws_url(owner.agent()))
    assert refusal.value.response.status_code == 403


def test_program_with_a_key(guarded: Instance, owner: Person) -> None:
    made = owner.make("/api-keys", {"name": "CI", "scopes": ["read"]})
    program = Person(guarded, made["key"])
    assert program("GET", "/agents").status == 200
    assert program("POST", "/agents", {}).status == 403
    assert made["key"] not in guarded.function_log()


def test_revoked_key_is_refused_within_the_short_memory(guarded: Instance, owner: Person) -> None:
    made = owner.make("/api-keys", {"name": "CI", "scopes": ["read"]})
    assert owner("DELETE", f"/api-keys/{made['id']}").status == 204
    assert Person(guarded, made["key"])("GET", "/agents").status == 403


def test_a_noisy_tenant_delays_nobody_else(guarded: Instance, owner: Person) -> None:
    """It fills its own places and is refused more; another's run begins and ends while all of them are at work."""
    noisy = Person(guarded, guarded.token("noisy", tenant="noisy", role="owner"))
    assert noisy("PATCH", "/limits", {"runs_at_once": 4}).status == 200
    loud, quiet = noisy.agent(), owner.agent()
    with opened(guarded, loud, noisy.ticket(loud)) as many, opened(guarded, quiet, owner.ticket(quiet)) as one:
        for _ in range(6):
            many.send(json.dumps({"type": "user_message", "content": "/slow 50\n/long 400"}))
        begun = [until(many, "message_accepted")["conversation_id"] for _ in range(4)]
        one.send(json.dumps({"type": "user_message", "content": "/say hello"}))
        assert until(one, "message_complete")["content"] == "hello"
        for conversation in begun:  # which is refused where nothing runs any more
            many.send(json.dumps({"type": "cancel", "conversation_id": conversation}))
        assert len({until(many, "run_cancelled")["conversation_id"] for _ in begun}) == 4


def test_tenants_are_found_again_after_a_restart() -> None:
    """The issuer's name is part of a person's own tenant, so the local one keeps its port."""
    with running_stack(auth=True) as stack:
        agent = Person(stack, stack.token("ada")).agent()
        stack.restart()
        assert Person(stack, stack.token("ada"))("GET", f"/agents/{agent}").status == 200
