"""Every route and every frame, for every role and every scope, in the own tenant and in a foreign one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from functions.api.access import OPEN, PERMISSIONS, route_names
from functions.api.app import app
from functions.playground.frames_in import FRAMES
from functions.playground.frames_in import PERMISSIONS as FRAME_PERMISSIONS
from tests.integration.access.world import (
    HTTP_TOOL,
    INTEGRATION,
    KINDS,
    MCP_CHOICE,
    OAUTH_CREDENTIAL,
    Caller,
    Calls,
    Rest,
    Socket,
    World,
)

NEW_AGENT = {"name": "New", "model_config": {"provider": "scripted", "model": "echo"}}
NEW_CREDENTIAL = {"name": "New", "kind": "bearer", "secret": {"value": "s3cret"}}

# What each route is asked, in a tenant with one of everything: body, and the answer to one who may.
BODIES: dict[str, tuple[Callable[[World], Any], int]] = {
    "POST /agents": (lambda _: NEW_AGENT, 201),
    "PATCH /agents/{agent_id}": (lambda _: {"name": "Other"}, 200),
    "PATCH /conversations/{conversation_id}": (lambda _: {"title": "Other"}, 200),
    "POST /runs/{run_id}/approvals/{tool_use_id}": (lambda _: {"decision": "deny"}, 200),
    "POST /credentials": (lambda _: NEW_CREDENTIAL, 201),
    "PUT /credentials/{credential_id}": (lambda _: OAUTH_CREDENTIAL, 200),
    "DELETE /credentials/{credential_id}": (lambda _: None, 204),
    "POST /credentials/{credential_id}/oauth/start": (lambda _: {}, 200),
    "POST /agents/{agent_id}/integrations": (lambda _: INTEGRATION, 201),
    "PATCH /integrations/{integration_id}": (lambda _: {"name": "Other"}, 200),
    "DELETE /integrations/{integration_id}": (lambda _: None, 204),
    "POST /integrations/{integration_id}/mcp/list": (lambda _: {}, 200),
    "POST /integrations/{integration_id}/mcp/choose": (lambda _: MCP_CHOICE, 200),
    "POST /agents/{agent_id}/tools": (lambda _: {**HTTP_TOOL, "name": "other"}, 201),
    "PATCH /tools/{tool_id}": (lambda _: {"name": "another"}, 200),
    "DELETE /tools/{tool_id}": (lambda _: None, 204),
    "POST /tools/{tool_id}/test": (lambda _: {"arguments": {}}, 200),
    "POST /playground/tickets": (lambda world: {"agent_id": world.agent_id}, 201),
    "POST /api-keys": (lambda _: {"name": "New", "scopes": ["admin"]}, 201),
    "POST /members": (lambda _: {"email": "ann@example.com", "role": "viewer"}, 201),
    "PATCH /members/{subject}": (lambda _: {"role": "operator"}, 200),
    "POST /invitations/accept": (lambda world: {"token": world.invitation}, 200),
    "POST /openapi-imports": (lambda world: {"agent_id": world.agent_id, "document": "{}"}, 202),
    "POST /openapi-imports/{import_id}/apply": (lambda _: {"operations": "all"}, 200),
    "PUT /egress": (lambda _: {"deny": ["example.com"]}, 200),
    "PATCH /limits": (lambda _: {"runs_at_once": 7}, 200),
    "DELETE /agents/{agent_id}": (lambda _: None, 204),
    "DELETE /conversations/{conversation_id}": (lambda _: None, 204),
    "DELETE /api-keys/{key_id}": (lambda _: None, 204),
    "DELETE /members/{subject}": (lambda _: None, 204),
    "DELETE /invitations/{invitation_id}": (lambda _: None, 204),
    "DELETE /members/me": (lambda _: None, 204),
}
# What the role alone does not decide: who asks, and what somebody in another tenant is told.
LEAVES = "DELETE /members/me"
JOINS = "POST /invitations/accept"
INVITES = "POST /members"
CHANGES_ROLE = "PATCH /members/{subject}"
FOREIGN = {LEAVES: 404, JOINS: 409, "POST /openapi-imports": 404}


def path_of(name: str, world: World) -> str:
    values = {
        "{agent_id}": world.agent_id,
        "{conversation_id}": world.conversation_id,
        "{number}": "1",
        "{run_id}": world.run_id,
        "{tool_use_id}": world.call_id,
        "{key_id}": world.key_id,
        "{invitation_id}": world.invitation_id,
        "{credential_id}": world.credential_id,
        "{import_id}": world.import_id,
        "{integration_id}": world.integration_id,
        "{tool_id}": world.tool_id,
        "{subject}": quote(world.member, safe=""),
    }
    path = name.split(" ")[1]
    for parameter, value in values.items():
        path = path.replace(parameter, value)
    assert "{" not in path
    return path


def expected(name: str, caller: Caller, tenant: str) -> int:
    """The status the caller must get."""
    if PERMISSIONS[name] not in caller.permissions or (name == JOINS and caller.is_key):
        return 403
    if name in (INVITES, CHANGES_ROLE) and "read" not in caller.permissions:
        return 403  # a key grants no role that may do more than the key
    if name == "POST /api-keys" and "admin" not in caller.permissions:
        return 403
    if caller.tenant != tenant:
        return FOREIGN.get(name, 404 if "{" in name else BODIES.get(name, (None, 200))[1])
    if name == LEAVES and caller.is_key:
        return 404  # a key is no member
    return BODIES.get(name, (None, 200))[1]


def test_every_route_has_a_permission_and_every_permission_a_route() -> None:
    assert route_names(app) == set(PERMISSIONS) | OPEN
    assert not set(PERMISSIONS) & OPEN


def test_every_frame_has_a_permission() -> None:
    assert set(FRAME_PERMISSIONS) == set(FRAMES)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", sorted(PERMISSIONS))
def test_route(name: str, kind: str, world: World, rest: Rest) -> None:
    body_of, _ = BODIES.get(name, (lambda _: None, 200))
    for tenant in (f"{world.tenant}-2", world.tenant):
        subject = "sub|leaver" if name == LEAVES and not Caller(tenant, kind).is_key else "sub|caller"
        caller = Caller(tenant, kind, subject)
        answer = rest(caller, name.split(" ")[0], path_of(name, world), body_of(world))
        assert answer.status == expected(name, caller, world.tenant), (tenant, answer.body)
        assert (answer.code == "forbidden") == (answer.status == 403)
        if tenant != world.tenant:
            told = answer.body.replace(f"{world.tenant}-2", "")
            assert not [one for one in world.ids if one in told and name != "POST /playground/tickets"]


WITH_PARAMETERS = [(name, place) for name in sorted(PERMISSIONS) for place in re.findall(r"{\w+}", name)]
# 256 characters are the most that a subject has: 1,024 bytes, which is what the store takes.
NAMES = {"short": "x", "longest": "x" * 256, "longest in bytes": "\U00010000" * 256, "NUL": "\0"}
TOO_LONG = {"long": "x" * 257, "1,100": "1" * 1_100, "long in bytes": "\U00010000" * 257, "escaped": "%41" * 400}


@pytest.mark.parametrize(("name", "place"), WITH_PARAMETERS, ids=lambda value: str(value))
def test_what_nothing_can_be_called_is_not_there(name: str, place: str, world: World, rest: Rest) -> None:
    body = BODIES.get(name, (lambda _: None, 200))[0](world)
    for values in (NAMES, TOO_LONG):
        for kind, value in values.items():
            path = path_of(name.replace(place, quote(value, safe="")), world)
            unknown = 422 if place == "{number}" and values is NAMES else 404
            assert rest(world.owner, name.split(" ")[0], path, body).status == unknown, kind


@pytest.mark.parametrize("number", ["1.0", "1e0", "+1", "01.", "1_0", "%201", "-1", "0", "9999999999", "%D9%A1", "x"])
def test_a_version_is_a_number_of_digits(number: str, world: World, rest: Rest) -> None:
    for method, path in (("GET", ""), ("POST", "/restore")):
        assert rest(world.owner, method, f"/agents/{world.agent_id}/versions/{number}{path}").status in (404, 422)


@pytest.mark.parametrize("name", sorted(PERMISSIONS))
def test_route_without_an_identity(name: str, world: World, rest: Rest) -> None:
    body = BODIES.get(name, (lambda _: None, 200))[0](world)
    assert rest(None, name.split(" ")[0], path_of(name, world), body).code == "unauthenticated"


# The framework does not close the files of its documentation page.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("name", sorted(OPEN))
def test_open_routes_ask_nobody(name: str, rest: Rest) -> None:
    assert rest(None, *name.split(" ")).status == (400 if name == "GET /oauth/callback" else 200)


def frame_of(kind: str, world: World) -> dict[str, Any]:
    more = {
        "user_message": {"content": "Hello"},
        "resume": {"conversation_id": world.conversation_id},
        "cancel": {"conversation_id": world.conversation_id},
        "approval": {"run_id": world.run_id, "tool_use_id": world.call_id, "decision": "deny"},
        "ping": {},
    }
    return {"type": kind, **more[kind]}


# The code of the `error` frame, or the type of another frame; None where nothing has to be said.
OWN = {
    "user_message": "message_accepted",
    "resume": "content_snapshot",
    "cancel": None,
    "approval": None,
    "ping": "pong",
}
OF_OTHERS = {
    "user_message": "agent_not_found",
    "resume": "conversation_not_found",
    "cancel": "conversation_not_found",
    "approval": "nothing_to_decide",
    "ping": "pong",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("frame", sorted(FRAMES))
def test_frame(frame: str, kind: str, world: World, calls: Calls) -> None:
    for tenant in (f"{world.tenant}-2", world.tenant):
        caller = Caller(tenant, kind)
        told = Socket(calls, caller, world.agent_id).send(**frame_of(frame, world))
        names = [one["code"] if one["type"] == "error" else one["type"] for one in told]
        if FRAME_PERMISSIONS[frame] not in caller.permissions:
            assert names == ["forbidden"]
            continue
        wanted = (OWN if tenant == world.tenant else OF_OTHERS)[frame]
        assert wanted in names if wanted else names == []
        if tenant != world.tenant:
            assert not [one for one in world.ids if one in str(told)]
