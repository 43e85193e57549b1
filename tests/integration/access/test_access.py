"""Keys, tickets, members, audit trail and limits, as callers meet them."""

from __future__ import annotations

import hashlib
import re
import time
from typing import Any
from urllib.parse import quote

import pytest

from agent_builder.models.principals import api_key_tenant, fingerprint, ticket_tenant
from agent_builder.realtime.connections import Connections
from agent_builder.repositories.entries import EntryRepository
from agent_builder.repositories.invitations import InvitationRepository
from agent_builder.repositories.limits import LimitRepository
from agent_builder.repositories.principals import PrincipalRepository
from agent_builder.services.disconnecting import Disconnector
from agent_builder.services.limits import LimitService
from tests.integration.access.world import PRINCIPALS, Caller, Calls, Rest, Socket, World, moved, personal
from tests.integration.store.product import everything


def disconnect(ring: dict[str, Any]) -> int:
    """Carry a ring out, without the pauses."""
    ring = {name: value for name, value in ring.items() if name != "kind"}
    limits = LimitService(LimitRepository())
    disconnector = Disconnector(EntryRepository(), Connections(), limits, sleep=lambda _: None)
    return disconnector.disconnect(ring["tenant_id"], ring["subject"], keep=ring.get("keep", ()))


def test_a_key_is_shown_once_and_stored_as_its_hash(rest: Rest, world: World) -> None:
    body = {"name": "Robot", "scopes": ["read", "run"], "expires_in_days": 30}
    answer = rest(world.owner, "POST", "/api-keys", body)
    assert answer.status == 201
    assert answer.headers["Cache-Control"] == "no-store"
    made = answer.json
    key = made.pop("key")
    assert re.fullmatch(r"aab_[A-Za-z0-9_-]+_[A-Za-z0-9_-]{43}", key)
    assert api_key_tenant(key) == world.tenant
    assert key[-43:].startswith(made["prefix"])
    assert len(made["prefix"]) == 12
    assert (made["scopes"], made["created_by"], made["last_used_at"]) == (["read", "run"], "sub|owner", None)
    assert rest(world.owner, "GET", "/api-keys").json["items"][:1] == [made]
    stored = PRINCIPALS.api_key(world.tenant, hashlib.sha256(key.encode()).hexdigest())
    assert stored is not None
    assert (stored.id, stored.subject, stored.scopes) == (made["id"], made["id"], frozenset({"read", "run"}))
    assert stored.expires_at is not None
    assert abs(stored.expires_at - time.time() - 30 * 86400) < 60
    assert everything(key) == []


def test_nobody_makes_a_key_that_may_do_more_than_they_may(rest: Rest, world: World) -> None:
    key = Caller(world.tenant, "admin", "key_1")
    assert rest(key, "POST", "/api-keys", {"name": "More", "scopes": ["admin", "edit"]}).code == "forbidden"
    assert rest(key, "POST", "/members", {"email": "a@b", "role": "owner"}).code == "forbidden"
    assert rest(world.owner, "POST", "/api-keys", {"name": "None", "scopes": []}).code == "validation_failed"
    assert rest(world.owner, "POST", "/api-keys", {"name": "x", "scopes": ["root"]}).code == "validation_failed"


def test_a_revoked_key_is_gone_and_its_connections_with_it(rest: Rest, world: World, calls: Calls) -> None:
    key = Caller(world.tenant, "run", world.key_id)
    ticket = rest(key, "POST", "/playground/tickets", {"agent_id": world.agent_id}).json["ticket"]
    mine, others = Socket(calls, key, world.agent_id), Socket(calls, world.owner, world.agent_id)
    assert (mine.connect(), others.connect()) == (200, 200)
    assert rest(world.owner, "DELETE", f"/api-keys/{world.key_id}").status == 204
    assert PRINCIPALS.api_key(world.tenant, fingerprint(world.key)) is None
    assert rest(world.owner, "DELETE", f"/api-keys/{world.key_id}").status == 404
    assert disconnect(calls.rung[-1]) == 1
    assert mine.id in calls.closed
    assert others.id not in calls.closed
    assert PRINCIPALS.consume_ticket(world.tenant, fingerprint(ticket)) is None


def test_when_a_key_was_last_used(rest: Rest, world: World) -> None:
    key = Caller(world.tenant, "read", world.key_id)
    assert rest(key, "GET", "/agents").status == 200
    (shown,) = [one for one in rest(world.owner, "GET", "/api-keys").json["items"] if one["id"] == world.key_id]
    assert shown["last_used_at"] is not None


def test_a_ticket_is_good_once_for_what_it_was_made_for(rest: Rest, world: World) -> None:
    ends = int(time.time()) + 500
    caller = Caller(world.tenant, "operator", expires_at=ends)
    made = rest(caller, "POST", "/playground/tickets", {"agent_id": world.agent_id}).json
    assert ticket_tenant(made["ticket"]) == world.tenant
    assert PRINCIPALS.consume_ticket(f"{world.tenant}-2", fingerprint(made["ticket"])) is None
    ticket = PRINCIPALS.consume_ticket(world.tenant, fingerprint(made["ticket"]))
    assert ticket is not None
    assert (ticket.subject, ticket.agent_id, ticket.permissions) == (caller.subject, world.agent_id, caller.permissions)
    assert ticket.identity_expires_at == ends
    assert 50 < ticket.expires_at - time.time() <= 61
    assert PRINCIPALS.consume_ticket(world.tenant, fingerprint(made["ticket"])) is None
    assert everything(made["ticket"]) == []


def test_a_ticket_ends(rest: Rest, world: World) -> None:
    made = rest(world.owner, "POST", "/playground/tickets", {"agent_id": world.agent_id}).json
    late = PrincipalRepository(clock=lambda: int(time.time() + 61) * 1000)
    assert late.consume_ticket(world.tenant, fingerprint(made["ticket"])) is None


def test_an_invited_person_moves_in_and_back(rest: Rest, calls: Calls) -> None:
    host, guest = personal(), personal()
    assert [one["role"] for one in rest(host, "GET", "/members").json["items"]] == ["owner"]
    token = rest(host, "POST", "/members", {"email": "guest@example.com", "role": "viewer"}).json["token"]
    assert everything(token) == []
    joined = rest(guest, "POST", "/invitations/accept", {"token": token})
    assert joined.json == {"tenant_id": host.tenant, "subject": guest.subject, "role": "viewer"}
    assert rest(personal(), "POST", "/invitations/accept", {"token": token}).code == "invitation_not_found"
    inside = moved(guest)
    assert (inside.tenant, inside.kind) == (host.tenant, "viewer")
    assert {one["subject"] for one in rest(host, "GET", "/members").json["items"]} == {host.subject, guest.subject}

    again = rest(host, "POST", "/members", {"email": "guest@example.com", "role": "owner"}).json["token"]
    assert rest(inside, "POST", "/invitations/accept", {"token": again}).code == "already_member"
    assert rest(inside, "DELETE", "/members/me").status == 204
    assert moved(guest) == guest
    assert rest(guest, "POST", "/invitations/accept", {"token": again}).status == 200
    assert moved(guest).kind == "owner"


def test_a_changed_role_is_in_force_at_once(rest: Rest, calls: Calls) -> None:
    host, guest = personal(), personal()
    token = rest(host, "POST", "/members", {"email": "g@example.com", "role": "viewer"}).json["token"]
    rest(guest, "POST", "/invitations/accept", {"token": token})
    old = Socket(calls, moved(guest), "agt_1")
    old.connect()
    changed = rest(host, "PATCH", f"/members/{quote(guest.subject, safe='')}", {"role": "editor"})
    assert changed.json["role"] == "editor"
    assert moved(guest).kind == "editor"
    new = Socket(calls, moved(guest), "agt_1")
    new.connect()
    ring = [one for one in calls.rung if one["kind"] == "disconnect"][-1]
    assert disconnect(ring) == 1
    assert old.id in calls.closed
    assert new.id not in calls.closed
    assert rest(host, "DELETE", f"/members/{quote(guest.subject, safe='')}").status == 204
    assert moved(guest) == guest
    assert disconnect(calls.rung[-1]) == 1
    assert new.id in calls.closed


def test_an_owner_is_always_left(rest: Rest, world: World) -> None:
    me = quote(world.owner.subject, safe="")
    for method, body in (("DELETE", None), ("PATCH", {"role": "viewer"})):
        assert rest(world.owner, method, f"/members/{me}", body).code == "last_owner"
    assert rest(world.owner, "DELETE", "/members/me").code == "last_owner"
    assert rest(world.owner, "PATCH", f"/members/{quote(world.member)}", {"role": "owner"}).status == 200
    assert rest(world.owner, "DELETE", "/members/me").status == 204
    second = Caller(world.tenant, "owner", world.member)
    assert rest(second, "PATCH", f"/members/{quote(world.member)}", {"role": "editor"}).code == "last_owner"
    removed = PRINCIPALS.member(world.tenant, world.owner.subject)
    assert removed is not None
    assert removed.status == "removed"  # their tokens still name this tenant


def test_a_personal_tenant_keeps_its_person(rest: Rest, calls: Calls) -> None:
    host, guest = personal(), personal()
    token = rest(host, "POST", "/members", {"email": "g@example.com", "role": "owner"}).json["token"]
    rest(guest, "POST", "/invitations/accept", {"token": token})
    assert rest(moved(guest), "DELETE", f"/members/{quote(host.subject)}").code == "own_tenant"
    assert rest(moved(guest), "PATCH", f"/members/{quote(host.subject)}", {"role": "viewer"}).code == "own_tenant"
    assert rest(host, "DELETE", "/members/me").code == "own_tenant"


@pytest.mark.parametrize("token", ["", "x", "inv_dA_" + "x" * 43, "inv_" + "x" * 60, "inv_w6Q_" + "x" * 43, "é" * 60])
def test_strange_invitations(rest: Rest, world: World, token: str) -> None:
    assert rest(world.owner, "POST", "/invitations/accept", {"token": token}).status in (404, 422)


def test_open_invitations_are_listed_without_their_tokens_and_withdrawn(rest: Rest, world: World) -> None:
    made = rest(world.owner, "POST", "/members", {"email": "late@example.com", "role": "editor"}).json
    token = made.pop("token")
    listed = rest(world.owner, "GET", "/invitations").json["items"]
    assert listed[0] == made
    assert [one["id"] for one in listed] == [made["id"], world.invitation_id]
    assert token not in str(listed)
    assert rest(world.owner, "DELETE", f"/invitations/{made['id']}").status == 204
    assert rest(world.owner, "DELETE", f"/invitations/{made['id']}").code == "not_found"
    assert rest(personal(), "POST", "/invitations/accept", {"token": token}).code == "invitation_not_found"
    assert [one["id"] for one in rest(world.owner, "GET", "/invitations").json["items"]] == [world.invitation_id]
    rest(Caller(world.tenant, "viewer", "sub|new"), "POST", "/invitations/accept", {"token": world.invitation})
    assert rest(world.owner, "GET", "/invitations").json["items"] == []
    assert rest(world.owner, "DELETE", f"/invitations/{world.invitation_id}").code == "not_found"


def test_invitations_that_are_over_are_gone(world: World) -> None:
    repository = InvitationRepository()
    later = (int(time.time()) + 8 * 86_400) * 1000
    assert repository.page(world.tenant, limit=10, before=None, now=later) == ([], None)
    found = repository.get(world.tenant, fingerprint(world.invitation))
    assert found is not None
    assert found.expires_at < later // 1000


SECRETS = {
    "/api-keys": ({"name": "Robot", "scopes": ["read"]}, {"name": "Robot", "scopes": ["run"]}, "key"),
    "/members": ({"email": "a@b", "role": "viewer"}, {"email": "a@b", "role": "owner"}, "token"),
}


@pytest.mark.parametrize("path", SECRETS)
def test_a_secret_that_is_asked_for_twice_is_made_once_and_shown_once(path: str, rest: Rest, world: World) -> None:
    body, other, secret = SECRETS[path]
    key = {"idempotency-key": "once"}
    first, again = (rest(world.owner, "POST", path, body, key) for _ in range(2))
    assert (first.status, again.status) == (201, 201)
    assert again.json == {**first.json, secret: None}
    assert everything(first.json[secret][-43:]) == []
    assert rest(world.owner, "POST", path, other, key).code == "idempotency_mismatch"
    assert rest(Caller(world.tenant, "owner", "sub|else"), "POST", path, body, key).json["id"] != first.json["id"]
    place = "/invitations" if path == "/members" else path
    assert [one["id"] for one in rest(world.owner, "GET", place).json["items"]].count(first.json["id"]) == 1
    assert rest(world.owner, "DELETE", f"{place}/{first.json['id']}").status == 204
    anew = rest(world.owner, "POST", path, body, key).json  # what is gone is not shown again
    assert anew["id"] != first.json["id"]
    assert anew[secret]


def test_whose_connections_could_not_be_closed_is_told_and_tried_again(rest: Rest, world: World, calls: Calls) -> None:
    """Without the ring a connection would go on with rights that were taken."""
    member = f"/members/{quote(world.member)}"
    asked: list[tuple[str, str, Any, int]] = [
        ("DELETE", f"/api-keys/{world.key_id}", None, 404),
        ("PATCH", member, {"role": "operator"}, 200),
        ("DELETE", member, None, 404),
    ]
    for method, path, body, afterwards in asked:
        calls.deaf = True
        assert rest(world.owner, method, path, body).code == "runner_unavailable"
        calls.deaf = False
        calls.rung.clear()
        assert rest(world.owner, method, path, body).status == afterwards
        assert [ring["kind"] for ring in calls.rung] == ["disconnect"]


def test_who_am_i(rest: Rest, world: World) -> None:
    assert rest(Caller(world.tenant, "operator"), "GET", "/members/me").json == {
        "tenant_id": world.tenant,
        "subject": "sub|caller",
        "permissions": ["read", "run"],
        "key_id": None,
        "expires_at": None,
    }


def test_every_change_is_in_the_audit_trail_and_nothing_else(rest: Rest, world: World) -> None:
    rest(world.owner, "PATCH", f"/agents/{world.agent_id}", {"system_prompt": "canary-prompt"})
    rest(world.owner, "PATCH", f"/agents/{world.agent_id}", {"nonsense": 1})
    rest(Caller(world.tenant, "viewer"), "DELETE", f"/agents/{world.agent_id}")
    rest(Caller(world.tenant, "edit", world.key_id), "DELETE", f"/agents/{world.agent_id}")
    rest(Caller(world.tenant, "viewer"), "POST", "/invitations/accept", {"token": world.invitation})
    entries = rest(world.owner, "GET", "/audit").json["items"]
    seen = [(one["action"], one["subject"], one["key_id"], one["target"]) for one in reversed(entries)]
    assert seen[:9] == [
        ("POST /api-keys", "sub|owner", None, world.key_id),
        ("POST /members", "sub|owner", None, world.invitation_id),
        ("POST /credentials", "sub|owner", None, world.credential_id),
        ("POST /credentials", "sub|owner", None, world.keys_id),
        ("PUT /tracing", "sub|owner", None, ""),
        ("POST /agents/{agent_id}/integrations", "sub|owner", None, world.agent_id),
        ("POST /agents/{agent_id}/tools", "sub|owner", None, world.agent_id),
        ("PATCH /agents/{agent_id}", "sub|owner", None, world.agent_id),
        ("DELETE /agents/{agent_id}", world.key_id, world.key_id, world.agent_id),
    ]
    assert {one[:2] for one in seen[9:]} == {("POST /invitations/accept", "sub|caller")}
    assert "canary" not in str(entries)
    first = rest(world.owner, "GET", "/audit").json["items"][0]
    assert first["at"].endswith("Z")


def test_a_sign_in_that_ends_ends_its_connection(world: World, calls: Calls) -> None:
    socket = Socket(calls, Caller(world.tenant, "owner", expires_at=int(time.time()) - 1), world.agent_id)
    (told,) = socket.send(type="ping")
    assert (told["type"], told["code"], told["retryable"]) == ("error", "token_expired", False)
    assert socket.id in calls.closed
    assert socket.send(type="ping") == []
    alive = Socket(calls, Caller(world.tenant, "owner", expires_at=int(time.time()) + 60), world.agent_id)
    assert [one["type"] for one in alive.send(type="ping")] == ["pong"]


def test_secrets_are_told_once_and_kept_nowhere(
    rest: Rest, world: World, calls: Calls, capfd: pytest.CaptureFixture[str]
) -> None:
    ticket = rest(world.owner, "POST", "/playground/tickets", {"agent_id": world.agent_id}).json["ticket"]
    key = rest(world.owner, "POST", "/api-keys", {"name": "Canary", "scopes": ["read"]}).json["key"]
    invitation = rest(world.owner, "POST", "/members", {"email": "c@example.com", "role": "viewer"}).json["token"]
    rest(personal(), "POST", "/invitations/accept", {"token": f"{invitation}x"})
    rest(personal(), "POST", "/invitations/accept", {"token": invitation})
    later = [rest(world.owner, "GET", path).body for path in ("/api-keys", "/members", "/audit")]
    logs = "".join(capfd.readouterr())
    for secret in (ticket, key, invitation):
        tail = secret[-43:]
        assert everything(tail) == []
        assert tail not in logs
        assert not [body for body in later if tail in body]
        assert tail not in str(calls.rung)
