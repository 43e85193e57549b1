"""What is told of members, keys and changes, and for how long a connection is told of answers."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

from agent_builder.models.principals import Member, fingerprint
from agent_builder.realtime.connections import Connections
from agent_builder.realtime.delivery import Delivery
from agent_builder.repositories.members import MemberRepository
from tests.integration.access.world import PRINCIPALS, Caller, Calls, Rest, Socket, World, moved, personal


def test_who_watches_does_so_until_the_sign_in_ends(world: World, calls: Calls) -> None:
    """By a message and by `resume`; a runner that comes later posts nothing to them and has the lease forget them."""
    ends = int(time.time()) + 60
    person, program = Caller(world.tenant, "operator", expires_at=ends), Caller(world.tenant, "run", "key_1")
    brief, lasting = Socket(calls, person, world.agent_id), Socket(calls, program, world.agent_id)
    brief.send(type="resume", conversation_id=world.conversation_id)
    lasting.send(type="user_message", conversation_id=world.conversation_id, content="More")
    silent = f"{brief.id}@{ends}"
    lease = world.product.claim(world.conversation_id)
    assert lease.subscribers == {silent, lasting.id}
    assert {request.rpartition("#")[0] for request in lease.resumed} == {silent}
    begun = brief.send(type="user_message", content="New")[0]["conversation_id"]
    assert world.product.lease(begun).subscribers == {silent}

    with ThreadPoolExecutor(1) as pool:
        delivery = Delivery(Connections(), pool, clock=lambda: ends * 1000)
        delivery.watch(lease.subscribers)
        assert delivery.gone == {silent}
    runs, now = world.product.runs, world.product.clock()
    beat = runs.heartbeat(world.tenant, world.conversation_id, fence=lease.fence, now=now, gone=delivery.gone)
    assert beat.subscribers == {lasting.id}


def test_whoever_cannot_join_is_not_advised_in_vain(rest: Rest, world: World) -> None:
    """Leaving helps those who came by invitation; where a claim names the tenant there is nothing to leave."""

    def told(caller: Caller) -> str:
        token = rest(host, "POST", "/members", {"email": "x@example.com", "role": "viewer"}).json["token"]
        answer = rest(caller, "POST", "/invitations/accept", {"token": token})
        assert answer.code == "already_member"
        return str(answer.json["detail"])

    host, guest = personal(), personal()
    claimed = Caller(world.tenant, "viewer", "sub|by claim only")
    assert "issuer" in told(claimed)
    assert "issuer" in told(Caller(world.tenant, "viewer", world.member))
    assert rest(claimed, "DELETE", "/members/me").status == 404
    token = rest(world.owner, "POST", "/members", {"email": "g@example.com", "role": "viewer"}).json["token"]
    assert rest(guest, "POST", "/invitations/accept", {"token": token}).status == 200
    assert "DELETE /members/me" in told(moved(guest))
    assert rest(moved(guest), "DELETE", "/members/me").status == 204
    assert told(host) == "You are a member of this tenant already."


def test_what_a_key_makes_ends_no_later_than_the_key(rest: Rest, world: World) -> None:
    ends = int(time.time()) + 3 * 86_400
    key = Caller(world.tenant, "admin", world.key_id, expires_at=ends)
    for days, at_most in ((None, ends), (30, ends), (1, ends - 86_400)):
        made = rest(key, "POST", "/api-keys", {"name": "Child", "scopes": ["admin"], "expires_in_days": days}).json
        stored = PRINCIPALS.api_key(world.tenant, fingerprint(made["key"]))
        assert stored is not None
        assert stored.expires_at is not None
        assert ends - 3 * 86_400 < stored.expires_at <= at_most
    for free in (Caller(world.tenant, "admin", world.key_id), Caller(world.tenant, "owner", expires_at=ends)):
        made = rest(free, "POST", "/api-keys", {"name": "Own", "scopes": ["admin"]}).json
        assert made["expires_at"] is None


def changes(rest: Rest, world: World) -> list[tuple[str, list[dict[str, Any]]]]:
    return [(one["action"], one["changes"]) for one in reversed(rest(world.owner, "GET", "/audit").json["items"])]


def test_the_audit_trail_says_what_changed_but_no_content(rest: Rest, world: World) -> None:
    me, agent, member = world.owner, f"/agents/{world.agent_id}", f"/members/{quote(world.member)}"
    already = len(changes(rest, world))
    canary = {"system_prompt": "canary", "model_config": {"temperature": 0.5, "options": {"canary": "canary"}}}
    rest(me, "PATCH", agent, {**canary, "status": "active"})
    rest(me, "POST", f"{agent}/versions/1/restore", {"canary": "canary"})
    rest(me, "PATCH", member, {"role": "operator"})
    rest(me, "PATCH", "/limits", {"runs_at_once": 7, "messages_per_minute": None})
    for nothing in ("/limits", agent):
        assert rest(me, "PATCH", nothing, {}).status == 200
    rest(me, "POST", "/api-keys", {"name": "canary", "scopes": ["read", "run"], "expires_in_days": 9})
    rest(me, "DELETE", member)
    seen = changes(rest, world)[already:]
    assert "canary" not in str(seen)
    assert [action for action, _ in seen] == [
        "PATCH /agents/{agent_id}",
        "POST /agents/{agent_id}/versions/{number}/restore",
        "PATCH /members/{subject}",
        "PATCH /limits",
        "POST /api-keys",
        "DELETE /members/{subject}",
    ]
    status = {"field": "status", "value": "active"}
    model = [{"field": "model_config.temperature"}, {"field": "model_config.options"}]
    limits = [{"field": "runs_at_once", "value": 7}, {"field": "messages_per_minute", "value": None}]
    scopes = {"field": "scopes", "value": ["read", "run"]}
    assert [entry for _, entry in seen] == [
        [{"field": "system_prompt"}, *model, status],
        [],
        [{"field": "role", "value": "operator"}],
        limits,
        [{"field": "name"}, scopes, {"field": "expires_in_days", "value": 9}],
        [],
    ]


def test_the_audit_trail_says_which_budgets_and_prices_were_set(rest: Rest, world: World) -> None:
    me, already = world.owner, len(changes(rest, world))
    price = {"provider": "openai_compatible", "model": "llama*", "input": "0.15", "cache_write": None, "output": "2"}
    for path, body in (
        ("/budgets", {"tenant_month": {"amount_nanousd": 5, "tokens": 9}, "run": None}),
        (f"/agents/{world.agent_id}/budget", {"run": {"tokens": 0}}),
        ("/budgets", {}),
        ("/prices", {"prices": [price] * 22}),
        ("/prices", {}),
    ):
        assert rest(me, "PUT", path, body).status == 200
    said = "openai_compatible llama*: input 0.15, output 2"
    assert [entry for _, entry in changes(rest, world)[already:]] == [
        [
            {"field": "tenant_month.amount_nanousd", "value": 5},
            {"field": "tenant_month.tokens", "value": 9},
            {"field": "run", "value": None},
        ],
        [{"field": "run.tokens", "value": 0}],
        [],
        [{"field": "prices", "value": [*[said] * 20, "and 2 more"]}],
        [{"field": "prices", "value": []}],
    ]


def test_who_comes_in_is_noted_once_a_tenant(rest: Rest, world: World) -> None:
    joined = ("POST /invitations/accept", [{"field": "role", "value": "viewer"}])
    rest(Caller(world.tenant, "viewer", "sub|new"), "POST", "/invitations/accept", {"token": world.invitation})
    assert changes(rest, world).count(joined) == 1
    token = rest(world.owner, "POST", "/members", {"email": "g@example.com", "role": "viewer"}).json["token"]
    guest = personal()
    rest(guest, "POST", "/invitations/accept", {"token": token})
    assert changes(rest, world).count(joined) == 2
    (left,) = rest(guest, "GET", "/audit").json["items"]
    assert (left["action"], left["target"], left["changes"]) == (joined[0], guest.subject, joined[1])


def test_members_page_by_page_whatever_they_are_called(rest: Rest, world: World) -> None:
    repository = MemberRepository()
    for subject in ("é" * 256, "\U00010000" * 256, "z" * 256):
        repository.join(world.tenant, Member(subject, "viewer", "", joined_at_ms=1), None)
    wanted = [one["subject"] for one in rest(world.owner, "GET", "/members").json["items"]]
    found: list[str] = []
    query = "limit=1"
    while len(found) < 9:
        page = rest(world.owner, "GET", "/members", query=query).json
        found += [one["subject"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        query = f"limit=1&cursor={page['next_cursor']}"
    assert found == wanted
    assert len(found) == 6
