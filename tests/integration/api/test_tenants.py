"""Two tenants: every operation and every frame is tried with the other's ids.

Operations are taken from the OpenAPI document and frames from the playground's own list, so that one which is added
later and is not covered here makes these tests fail.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from agent_builder import bootstrap
from agent_builder.messages import Cost, Message, TextPart, Usage
from agent_builder.models.conversations import Outcome
from agent_builder.models.identity import Identity
from agent_builder.models.principals import Member
from agent_builder.realtime.connections import Connections, Posted
from agent_builder.repositories import table
from agent_builder.repositories.members import MemberRepository
from agent_builder.repositories.runs import RunEnd, RunRepository
from agent_builder.repositories.steps import step_items
from agent_builder.repositories.table import Item
from agent_builder.services.greeting import Greeter
from agent_builder.services.intake import UserMessage
from functions.api.app import app, lambda_handler
from functions.playground.app import lambda_handler as playground_handler
from functions.playground.frames_in import FRAMES, read_frame
from functions.playground.replies import Replies, answer
from local.testing import Instance
from local.variables import key_file
from tests.integration.access.world import (
    DESCRIPTION,
    HTTP_TOOL,
    INTEGRATION,
    LANGFUSE_KEYS,
    MCP_CHOICE,
    OAUTH_CREDENTIAL,
    Calls,
    ready_import,
)
from tests.integration.store.product import park, step

CONTEXT = SimpleNamespace(aws_request_id="r", function_name="api", get_remaining_time_in_millis=lambda: 10_000)
BODIES: dict[tuple[str, str], Any] = {
    ("post", "/api/v1/agents"): {"name": "B", "model_config": {"provider": "scripted", "model": "m"}},
    ("patch", "/api/v1/agents/{agent_id}"): {"name": "Taken over"},
    ("post", "/api/v1/tools/{tool_id}/test"): {"arguments": {"city": "Vienna"}},
    ("patch", "/api/v1/conversations/{conversation_id}"): {"title": "Taken over"},
    ("post", "/api/v1/api-keys"): {"name": "B", "scopes": ["read"]},
    ("post", "/api/v1/playground/tickets"): {"agent_id": "{agent_id}"},
    ("post", "/api/v1/members"): {"email": "b@example.com", "role": "viewer"},
    ("patch", "/api/v1/members/{subject}"): {"role": "operator"},
    ("post", "/api/v1/invitations/accept"): {"token": "{invitation}"},
    ("post", "/api/v1/agents/{agent_id}/messages"): {"content": "Taken over"},
    ("put", "/api/v1/prices"): {"prices": []},
    ("put", "/api/v1/tracing"): {"base_url": "https://secret.example.com", "credential_id": "{keys_id}"},
    ("put", "/api/v1/budgets"): {"tenant_month": {"tokens": 1_000_000}},
    ("put", "/api/v1/agents/{agent_id}/budget"): {"run": {"tokens": 1_000}},
    ("patch", "/api/v1/limits"): {"runs_at_once": 7},
    ("post", "/api/v1/openapi-imports"): {"agent_id": "{agent_id}", "document": DESCRIPTION},
    ("post", "/api/v1/openapi-imports/{import_id}/apply"): {"operations": "all"},
    ("put", "/api/v1/egress"): {"deny": ["example.com"]},
    ("post", "/api/v1/runs/{run_id}/approvals/{tool_use_id}"): {"decision": "deny"},
    ("post", "/api/v1/credentials"): {"name": "B", "kind": "bearer", "secret": {"value": "b-12"}},
    ("put", "/api/v1/credentials/{credential_id}"): {**OAUTH_CREDENTIAL, "name": "B"},
    ("post", "/api/v1/credentials/{credential_id}/oauth/start"): {},
    ("post", "/api/v1/agents/{agent_id}/integrations"): INTEGRATION,
    ("patch", "/api/v1/integrations/{integration_id}"): {"name": "Taken over"},
    ("post", "/api/v1/integrations/{integration_id}/mcp/list"): {},
    ("post", "/api/v1/integrations/{integration_id}/mcp/choose"): MCP_CHOICE,
    ("post", "/api/v1/agents/{agent_id}/tools"): {**HTTP_TOOL, "name": "another"},
    ("patch", "/api/v1/tools/{tool_id}"): {"name": "taken_over"},
}
IMPORT = ("post", "/api/v1/openapi-imports")
INVITATION = ("post", "/api/v1/invitations/accept")
# What somebody of another tenant is told where no id is asked for, other than success.
REFUSED = {
    ("get", "/api/v1/tracing"): (404, "not_found"),
    ("delete", "/api/v1/tracing"): (404, "not_found"),
    ("put", "/api/v1/tracing"): (422, "validation_failed"),
    INVITATION: (409, "already_member"),
    ("delete", "/api/v1/members/me"): (404, "not_found"),
    IMPORT: (404, "not_found"),
}
REPEATS = {("post", "/api/v1/playground/tickets")}  # says again which agent was asked for, whether there is one or not
PUBLIC = {("get", "/api/v1/health")}
WITHOUT_TENANT = {("get", "/api/v1/models"), *PUBLIC}


def _operations() -> list[tuple[str, str, dict[str, Any]]]:
    document = json.loads(app.get_openapi_json_schema(title="t", version="1"))
    return [(method, path, op) for path, ops in document["paths"].items() for method, op in ops.items()]


OPERATIONS = _operations()
NAMES = [f"{method} {path}" for method, path, _ in OPERATIONS]


def request(method: str, path: str, tenant: str | None, body: Any = None) -> dict[str, Any]:
    """An event of the HTTP API, as API Gateway would send it for a caller of this tenant."""
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "ANY /api/v1/{proxy+}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json"} if body is not None else {},
        "requestContext": {
            "requestId": uuid.uuid4().hex,
            "stage": "$default",
            "domainName": "api.example.com",
            "http": {"method": method.upper(), "path": path, "sourceIp": "127.0.0.1"},
        },
        "isBase64Encoded": False,
    }
    if tenant is not None:
        event["requestContext"]["authorizer"] = {"lambda": {"tenant_id": tenant, "subject": "s", "roles": "owner"}}
    if body is not None:
        event["body"] = json.dumps(body)
    answered: dict[str, Any] = lambda_handler(event, CONTEXT)
    return answered


@dataclass
class Owned:
    """What the first tenant has."""

    tenant: str
    ids: dict[str, str]
    queries: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def owner(stack: Instance) -> Iterator[Owned]:
    """A tenant with an agent, a version, a conversation and an answered message, in the stack's own table."""
    with pytest.MonkeyPatch.context() as patch, Calls() as calls:
        threading.Thread(target=calls.serve_forever, daemon=True).start()
        # Nobody works on what is rung for: what is stored stays as it is.
        variables = {**stack.environment, "AWS_ENDPOINT_URL_LAMBDA": calls.url, "RUNNER_FUNCTION": "nobody:live"}
        for name, value in variables.items():
            patch.setenv(name, value)
        patch.setenv("CREDENTIALS_KEYS", str(key_file(stack.data_dir)))
        _forget_services()
        table.bind(stack.table_name)
        owned = Owned(f"a-{uuid.uuid4().hex[:8]}", {"number": "1"})
        _fill(owned)
        client = Item._get_connection().connection.client
        client.meta.events.register("before-call.dynamodb", lambda params, **_: owned.queries.append(str(params)))
        yield owned
        calls.shutdown()
    _forget_services()


def _forget_services() -> None:
    table.reset_connections()
    for build in (bootstrap.api_services, bootstrap.playground_services, bootstrap.envelopes):
        build.cache_clear()


def _fill(owned: Owned) -> None:
    body = {"name": "Secret", "model_config": {"provider": "scripted", "model": "m"}}
    created = request("post", "/api/v1/agents", owned.tenant, body)
    agent = json.loads(created["body"])["id"]
    me = Identity(owned.tenant, "s")
    accepted = bootstrap.playground_services().intake.accept(me, agent, UserMessage("Secret"))
    runs = RunRepository()
    lease = runs.claim(owned.tenant, accepted.conversation_id, now=2**42)
    assert lease is not None
    message = Message(role="assistant", parts=(TextPart(text="Secret"),))
    end = RunEnd(lease.queue[0], Outcome("completed", message, "end_turn", Usage(), Cost()), [step(3)], frozenset(), 1)
    runs.finish(owned.tenant, accepted.conversation_id, end, fence=lease.fence, wake=lease.wake)
    owned.ids |= {"agent_id": agent, "conversation_id": accepted.conversation_id}
    asking = bootstrap.playground_services().intake.accept(me, agent, UserMessage("Secret"))
    owned.ids |= {"run_id": asking.run_id, "tool_use_id": park(owned.tenant, asking.conversation_id)}
    for item in step_items(owned.tenant, asking.run_id, [step(3)]):
        item.save()
    owned.ids |= _let_in(owned.tenant)
    owned.ids["import_id"] = ready_import(owned.tenant, agent)
    made = {"integration_id": ("integrations", INTEGRATION), "tool_id": ("tools", HTTP_TOOL)}
    for name, (place, part) in made.items():
        body = {**part, "description": "Secret"}
        answered = request("post", f"/api/v1/agents/{agent}/{place}", owned.tenant, body)
        owned.ids[name] = json.loads(answered["body"])["id"]
    keys = json.loads(request("post", "/api/v1/credentials", owned.tenant, LANGFUSE_KEYS)["body"])["id"]
    tracing = {"base_url": "https://secret.example.com", "credential_id": keys}
    assert request("put", "/api/v1/tracing", owned.tenant, tracing)["statusCode"] == 200
    owned.ids["keys_id"] = keys
    owned.ids["number"] = "3"  # the version that has both, so that restoring it takes nothing away; and a step


def _let_in(tenant: str) -> dict[str, str]:
    """A member, a key and an invitation of the tenant."""
    member = Member("member", "viewer", "Secret", joined_at_ms=1)
    MemberRepository().join(tenant, member, None)
    key = request("post", "/api/v1/api-keys", tenant, {"name": "Secret", "scopes": ["read"]})
    invited = request("post", "/api/v1/members", tenant, {"email": "secret@example.com", "role": "viewer"})
    invitation = json.loads(invited["body"])
    credential = {**OAUTH_CREDENTIAL, "name": "Secret"}
    stored = json.loads(request("post", "/api/v1/credentials", tenant, credential)["body"])["id"]
    return {
        "credential_id": stored,
        "subject": member.subject,
        "key_id": json.loads(key["body"])["id"],
        "invitation_id": invitation["id"],
        "invitation": invitation["token"],
    }


def _snapshot(tenant: str) -> list[str]:
    client = Item._get_connection().connection.client
    pages = client.get_paginator("scan").paginate(TableName=Item.Meta.table_name, ConsistentRead=True)
    return sorted(str(item) for page in pages for item in page["Items"] if item["pk"]["S"].startswith(f"T#{tenant}#"))


def _parameters(operation: dict[str, Any]) -> list[str]:
    return [one["name"] for one in operation.get("parameters", []) if one["in"] == "path"]


def _body(method: str, path: str, operation: dict[str, Any], ids: dict[str, str]) -> Any:
    if "requestBody" not in operation:
        return None
    assert (method, path) in BODIES, f"say in BODIES what {method} {path} is to be tried with"
    text = json.dumps(BODIES[method, path])
    for name, value in ids.items():
        text = text.replace(f"{{{name}}}", value)
    return json.loads(text)


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=NAMES)
def test_with_the_others_ids_there_is_nothing(owner: Owned, method: str, path: str, operation: dict[str, Any]) -> None:
    names = _parameters(operation)
    assert set(names) <= set(owner.ids), f"give the first tenant something with the ids {names}"
    before = _snapshot(owner.tenant)
    owner.queries.clear()
    other = f"b-{uuid.uuid4().hex[:8]}"
    answered = request(method, path.format(**owner.ids), other, _body(method, path, operation, owner.ids))
    if names:
        assert answered["statusCode"] == 404, answered
        assert json.loads(answered["body"])["code"] == "not_found"
        assert owner.queries, "it was not even looked for"
    elif (method, path) in REFUSED:
        assert (answered["statusCode"], json.loads(answered["body"])["code"]) == REFUSED[method, path]
    else:
        assert answered["statusCode"] < 300
        assert owner.ids["agent_id"] not in answered["body"] or (method, path) in REPEATS
        assert owner.queries or (method, path) in WITHOUT_TENANT
    assert "secret" not in answered["body"].lower()
    # An invitation is the one thing that leads to another tenant: whoever has it was given it.
    assert not [query for query in owner.queries if f"T#{owner.tenant}#" in query] or (method, path) == INVITATION
    assert _snapshot(owner.tenant) == before


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [one for one in OPERATIONS if one[0] != "delete"],
    ids=lambda value: str(value)[:60],
)
def test_its_owner_gets_it(owner: Owned, method: str, path: str, operation: dict[str, Any]) -> None:
    answered = request(method, path.format(**owner.ids), owner.tenant, _body(method, path, operation, owner.ids))
    assert answered["statusCode"] < 300, answered


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=NAMES)
def test_without_an_identity_there_is_nothing_at_all(
    owner: Owned, method: str, path: str, operation: dict[str, Any]
) -> None:
    owner.queries.clear()
    answered = request(method, path.format(**owner.ids), None, _body(method, path, operation, owner.ids))
    if (method, path) in PUBLIC:
        assert answered["statusCode"] == 200
        return
    assert answered["statusCode"] == 401
    assert answered["headers"]["Content-Type"] == "application/problem+json"
    assert json.loads(answered["body"])["code"] == "unauthenticated"
    assert owner.queries == []


class _Posts(Connections):
    """Keeps what would be posted."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[dict[str, Any]] = []

    def post(self, connection_id: str, data: bytes) -> Posted:
        self.frames.append(json.loads(data))
        return Posted.SENT

    def close(self, connection_id: str) -> None:
        self.frames.append({"type": "closed"})


def _frames(ids: dict[str, str]) -> dict[str, dict[str, Any]]:
    conversation, run = ids["conversation_id"], ids["run_id"]
    return {
        "user_message": {"type": "user_message", "content": "x", "conversation_id": conversation},
        "resume": {"type": "resume", "conversation_id": conversation},
        "cancel": {"type": "cancel", "conversation_id": conversation, "run_id": run},
        "approval": {"type": "approval", "run_id": run, "tool_use_id": ids["tool_use_id"], "decision": "approve"},
        "ping": {"type": "ping"},
    }


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize("own_agent", [False, True], ids=["the other's agent", "an agent of one's own"])
def test_frames_with_the_others_ids(owner: Owned, kind: str, own_agent: bool) -> None:
    frames = _frames(owner.ids)
    assert kind in frames, f"say what a {kind} frame is to be tried with"
    other = f"b-{uuid.uuid4().hex[:8]}"
    agent = owner.ids["agent_id"]
    if own_agent:
        agent = json.loads(request("post", "/api/v1/agents", other, BODIES["post", "/api/v1/agents"])["body"])["id"]
    posts = _Posts()
    services = bootstrap.playground_services()
    services = replace(services, connections=posts, greeter=Greeter(services.intake, posts))
    me, connection = Identity(other, "s", agent), uuid.uuid4().hex
    services.intake.connect(me, connection)
    before = _snapshot(owner.tenant)
    owner.queries.clear()
    refused = ""
    try:
        answer(read_frame(json.dumps(frames[kind]), binary=False), Replies(services, me, connection))
    except Exception as error:
        refused = getattr(error, "error_code", repr(error))
    if own_agent:
        assert posts.frames[0]["type"] == "agent_loaded"
    else:
        assert [frame.get("code", frame["type"]) for frame in posts.frames[:2]] == ["agent_not_found", "closed"]
    expected = {"ping": "", "approval": "nothing_to_decide"}.get(kind, "conversation_not_found")
    if kind == "user_message" and not own_agent:
        expected = "agent_not_found"
    assert refused == expected
    assert "Secret" not in str(posts.frames)
    assert not [query for query in owner.queries if f"T#{owner.tenant}#" in query]
    assert _snapshot(owner.tenant) == before


@pytest.mark.parametrize("route", ["$connect", "$disconnect", "$default"])
def test_a_websocket_without_an_identity_is_refused(owner: Owned, route: str) -> None:
    owner.queries.clear()
    event = {"requestContext": {"routeKey": route, "connectionId": "c"}, "body": '{"type": "ping"}'}
    assert playground_handler(event, CONTEXT) == {"statusCode": 401}
    assert owner.queries == []
