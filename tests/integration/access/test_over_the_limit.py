"""What callers meet beyond the limits: on REST, at the handshake, and with frames."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from agent_builder.bootstrap import playground_services
from agent_builder.repositories.limits import GateItem, LimitsItem
from agent_builder.repositories.table import Item
from agent_builder.services.limits import MAX_API_KEYS
from tests.integration.access.world import Caller, Calls, Rest, Socket, World, personal


def test_requests_beyond_the_limit(rest: Rest, world: World) -> None:
    assert rest(world.owner, "PATCH", "/limits", {"requests_per_minute": 30}).json["requests_per_minute"] == 30
    caller = Caller(world.tenant, "viewer", "sub|eager")
    answers = [rest(caller, "GET", "/members/me") for _ in range(65)]
    refused = [answer for answer in answers if answer.status == 429]
    assert len(refused) in range(5, 36)  # the minute may turn meanwhile
    assert refused[0].code == "rate_limited"
    for answer in answers:
        assert answer.headers["RateLimit-Policy"] == '"minute";q=30;w=60, "tenant";q=3000;w=60'
        assert re.fullmatch(r'"minute";r=\d+;t=\d+', answer.headers["RateLimit"])
    assert 1 <= int(refused[0].headers["Retry-After"]) <= 60
    assert rest(world.owner, "PATCH", "/limits", {"requests_per_minute": None}).json["requests_per_minute"] == 3000
    for too_much in ({"requests_per_minute": 1}, {"tenant_requests_per_minute": 6_001}, {"messages_per_minute": 3_001}):
        assert rest(world.owner, "PATCH", "/limits", too_much).code == "validation_failed"


def test_a_tenants_requests_beyond_its_limit_however_many_keys(rest: Rest, world: World) -> None:
    rest(world.owner, "PATCH", "/limits", {"tenant_requests_per_minute": 30})
    answers = [rest(Caller(world.tenant, "read", f"key_{number % 9}"), "GET", "/members/me") for number in range(75)]
    refused = [answer for answer in answers if answer.status == 429]
    assert len(refused) in range(15, 76)  # the minute may turn meanwhile
    assert all(answer.headers["RateLimit"].startswith('"tenant";r=0;t=') for answer in refused)
    assert "this tenant" in refused[0].json["detail"]
    assert rest(personal(), "GET", "/members/me").status == 200


def test_as_many_keys_as_a_tenant_may_have(rest: Rest, world: World) -> None:
    body = {"name": "One of many", "scopes": ["read"]}
    once = {"idempotency-key": "once"}
    made = [rest(world.owner, "POST", "/api-keys", body, once)]
    made += [rest(world.owner, "POST", "/api-keys", body) for _ in range(MAX_API_KEYS - 2)]  # and the world's
    assert {answer.status for answer in made} == {201}
    refused = rest(world.owner, "POST", "/api-keys", body)
    assert (refused.status, refused.code) == (409, "too_many_keys")
    assert rest(world.owner, "POST", "/api-keys", body, once).json["id"] == made[0].json["id"]
    assert rest(world.owner, "DELETE", f"/api-keys/{made[0].json['id']}").status == 204
    assert rest(world.owner, "POST", "/api-keys", body).status == 201


def test_messages_and_runs_beyond_the_limit(rest: Rest, world: World, calls: Calls) -> None:
    rest(world.owner, "PATCH", "/limits", {"runs_at_once": 1})
    socket = Socket(calls, Caller(f"{world.tenant}", "operator"), world.agent_id)
    playground_services().limits._known.clear()
    assert [one["type"] for one in socket.send(type="user_message", content="One")][-1] == "message_accepted"
    (refused,) = socket.send(type="user_message", content="Two", client_message_id="m")
    assert (refused["code"], refused["retryable"], refused["client_message_id"]) == ("rate_limited", True, "m")


def test_connections_beyond_the_limit(rest: Rest, world: World, calls: Calls) -> None:
    rest(world.owner, "PATCH", "/limits", {"connections_at_once": 1})
    playground_services().limits._known.clear()
    one, two = Socket(calls, world.owner, world.agent_id), Socket(calls, world.owner, world.agent_id)
    assert one.connect() == 200
    assert two.connect() == 429
    assert two.refusal["headers"] == {"Retry-After": "5"}
    one.disconnect()
    assert two.connect() == 200


@contextmanager
def operations() -> Iterator[list[str]]:
    """What is asked of the store, by this process."""
    seen: list[str] = []

    def note(model: Any, **_: Any) -> None:
        seen.append(model.name)

    kinds = (Item, GateItem, LimitsItem)
    clients = [
        kind._get_connection().connection.client for kind in kinds
    ]  # one, unless a kind was used before the rest
    for client in clients:
        client.meta.events.register("before-call.dynamodb", note, unique_id="limits")
    try:
        yield seen
    finally:
        for client in clients:
            client.meta.events.unregister("before-call.dynamodb", note, unique_id="limits")


FLOOD = {
    "ping": '{"type": "ping"}',
    "resume": '{"type": "resume", "conversation_id": "cnv_none"}',
    "cancel": '{"type": "cancel", "conversation_id": "cnv_none"}',
    "approval": '{"type": "approval", "run_id": "r", "tool_use_id": "t", "decision": "deny"}',
    "garbage": "{",
    "unknown": '{"type": "shout"}',
    "message that is refused": '{"type": "user_message", "content": " "}',
    "message to a conversation that is not": '{"type": "user_message", "content": "x", "conversation_id": "cnv_none"}',
}


@pytest.mark.parametrize("kind", FLOOD)
def test_a_flood_of_frames_ends_with_its_connection(
    rest: Rest, world: World, calls: Calls, kind: str, caplog: Any
) -> None:
    rest(world.owner, "PATCH", "/limits", {"requests_per_minute": 30})
    socket = Socket(calls, Caller(world.tenant, "operator", f"sub|{uuid.uuid4().hex}"), world.agent_id)
    answered = 0
    while socket.id not in calls.closed:
        answered += 1
        told = socket.text(FLOOD[kind])
        assert answered <= 90, "never closed"
    assert answered in range(31, 91)  # the minute may turn meanwhile
    assert [frame["code"] for frame in told] == ["rate_limited"]
    assert told[0]["retryable"]
    caplog.clear()
    closed, rung = len(calls.closed), len(calls.rung)
    with operations() as seen:
        assert [socket.text(FLOOD[kind]) for _ in range(1_000)] == [[]] * 1_000
    assert (seen, len(calls.closed), len(calls.rung), caplog.records) == ([], closed, rung, [])


def test_frames_of_many_connections_count_for_their_caller_and_tenant(rest: Rest, world: World, calls: Calls) -> None:
    rest(world.owner, "PATCH", "/limits", {"tenant_requests_per_minute": 30})
    sockets = [Socket(calls, Caller(world.tenant, "viewer", f"sub|{turn % 5}"), world.agent_id) for turn in range(90)]
    kinds = [socket.send(type="ping")[-1]["type"] for socket in sockets]
    assert kinds.count("pong") in range(20, 62)  # the owner's own requests; the minute may turn meanwhile
    assert {socket.id for socket, kind in zip(sockets, kinds, strict=True) if kind == "error"} <= set(calls.closed)


def test_messages_beyond_their_own_limit_count_as_frames(rest: Rest, world: World, calls: Calls) -> None:
    rest(world.owner, "PATCH", "/limits", {"requests_per_minute": 30, "messages_per_minute": 0})
    playground_services().limits._known.clear()
    socket = Socket(calls, Caller(world.tenant, "operator", "sub|keen"), world.agent_id)
    told: list[dict[str, Any]] = []
    while socket.id not in calls.closed:
        told += socket.send(type="user_message", content="Hello", client_message_id="m")
        assert len(told) <= 91, "never closed"
    assert {(one["code"], one["client_message_id"]) for one in told if one["type"] == "error"} == {
        ("rate_limited", "m")
    }
    assert "requests a minute" in told[-1]["error"]
    assert "messages a minute" in told[-2]["error"]


def test_a_frame_costs_one_update(rest: Rest, world: World, calls: Calls) -> None:
    socket = Socket(calls, Caller(world.tenant, "viewer", "sub|calm"), world.agent_id)
    socket.send(type="ping")
    with operations() as seen:
        for _ in range(3):
            assert [frame["type"] for frame in socket.send(type="ping")] == ["pong"]
    assert [one for one in seen if one != "GetItem"] == ["UpdateItem"] * 3
    assert len(seen) <= 4  # the tenant's own limits are read again after ten seconds
