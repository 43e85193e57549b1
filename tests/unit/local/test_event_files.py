"""`events/` holds what the gateway's own event builders make, so that a hand-edited shape cannot creep in.

After a change of the builders: UPDATE_EVENTS=1 python -m pytest tests/unit/local/test_event_files.py
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.events import Handshake, HttpCall, connect_event, disconnect_event, http_event, message_event
from local.routing import Routes
from local.settings import IDENTITY
from local.template import load

PROJECT = Path(__file__).parents[3]
FOLDER = PROJECT / "events"
AT = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
AGENT = "agt_01K8ZZZZZZZZZZZZZZZZZZZZZZ"
CONVERSATION = "cnv_01K8ZZZZZZZZZZZZZZZZZZZZZZ"
INTEGRATION = "int_01K8ZZZZZZZZZZZZZZZZZZZZZZ"
IMPORT = "imp_01K8ZZZZZZZZZZZZZZZZZZZZZZ"
RUN = "run_01K8ZZZZZZZZZZZZZZZZZZZZZZ"
HOST = [("Host", "127.0.0.1:8787"), ("User-Agent", "example/1.0")]
NEW_AGENT = {
    "name": "Concierge",
    "system_prompt": "You help guests of a small hotel.",
    "model_config": {"provider": "local", "model": "smollm2-135m-instruct"},
}


NEW_CREDENTIAL = {
    "name": "Weather",
    "kind": "api_key",
    "settings": {"in": "header", "name": "X-Api-Key"},
    "secret": {"value": "not a real one"},
    "allowed_hosts": ["api.example.com"],
}
NEW_INTEGRATION = {"name": "Weather", "base_url": "https://api.example.com/v1"}
NEW_TOOL = {
    "kind": "http",
    "name": "forecast",
    "description": "The weather of the next days in a city.",
    "base_url": "https://api.example.com/v1",
    "method": "GET",
    "path": "/cities/{city}",
    "parameters": [{"name": "city", "location": "path", "argument": "city"}],
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "effect": "read",
}
TOOL = "tol_01K8ZZZZZZZZZZZZZZZZZZZZZZ"
NEW_IMPORT = {"agent_id": AGENT, "url": "https://api.example.com/openapi.json"}
STATE_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
CAME_BACK = "state=cst_bG9jYWw_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&code=not-a-real-one"


def http(method, path, body=None, query="", headers=(), identity=IDENTITY):
    """Return the event of one request, routed by the project's template."""
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    kind = [("Content-Type", "application/json")] if raw and not dict(headers).get("Content-Type") else []
    forwarded = [("x-forwarded-for", "127.0.0.1"), ("x-forwarded-port", "8787"), ("x-forwarded-proto", "http")]
    call = HttpCall(method, path, query, [*HOST, *kind, *headers, *forwarded], raw, "127.0.0.1", AT)
    match = Routes(load(PROJECT / "template.yaml", "us-east-1").routes).find(method, path)
    return http_event(call, match.key, match.parameters, identity)


def handshake(headers=()):
    """Return a connection to the example agent."""
    upgrade = [("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), *headers]
    identity = {**IDENTITY, "agent_id": AGENT}
    stage = load(PROJECT / "template.yaml", "us-east-1").websockets[0].stage
    return Handshake("L0SM9cOFvHcCIhw=", stage, [*HOST, *upgrade], [("agent_id", AGENT)], "127.0.0.1", identity, AT)


def frame(body, binary=False):
    """Return the event of one frame."""
    return message_event(handshake(), body if isinstance(body, bytes) else json.dumps(body).encode(), binary)


def without_identity(event):
    """Return the event as it comes where no authorizer is attached."""
    del event["requestContext"]["authorizer"]
    return event


def http_files():
    """Return the events of the REST API by file name."""
    agent = f"/api/v1/agents/{AGENT}"
    once = [("Idempotency-Key", "9f1c2d4e")]
    patch = [("Content-Type", "application/merge-patch+json"), ("If-Match", '"1"')]
    return {
        "http_health": http("GET", "/api/v1/health"),
        "http_health_head": http("HEAD", "/api/v1/health"),
        "http_models": http("GET", "/api/v1/models"),
        "http_openapi": http("GET", "/api/v1/openapi.json"),
        "http_create_agent": http("POST", "/api/v1/agents", NEW_AGENT, headers=once),
        "http_create_agent_invalid": http("POST", "/api/v1/agents", {"name": ""}, headers=once),
        "http_create_agent_not_json": http("POST", "/api/v1/agents", b'{"name": "x", "name": NaN', headers=once),
        "http_list_agents": http("GET", "/api/v1/agents", query="limit=20&status=active"),
        "http_get_agent": http("GET", agent),
        "http_patch_agent": http("PATCH", agent, {"name": "Night concierge"}, headers=patch),
        "http_delete_agent": http("DELETE", agent),
        "http_list_agent_versions": http("GET", f"{agent}/versions"),
        "http_list_conversations": http("GET", f"{agent}/conversations", query="limit=10"),
        "http_list_messages": http("GET", f"/api/v1/conversations/{CONVERSATION}/messages"),
        "http_create_integration": http("POST", f"{agent}/integrations", NEW_INTEGRATION, headers=once),
        "http_create_tool": http("POST", f"{agent}/tools", NEW_TOOL, headers=once),
        "http_patch_tool": http("PATCH", f"/api/v1/tools/{TOOL}", {"response": {"select": None}}, headers=patch),
        "http_create_credential": http("POST", "/api/v1/credentials", NEW_CREDENTIAL),
        "http_import_openapi": http("POST", "/api/v1/openapi-imports", NEW_IMPORT, headers=once),
        "http_oauth_callback": without_identity(http("GET", "/api/v1/oauth/callback", query=CAME_BACK)),
        "http_unknown_path": http("GET", "/api/v1/nothing/here"),
        "http_body_base64": http("POST", "/api/v1/agents", b"\xff\xfe", headers=once),
        "http_no_identity": without_identity(http("GET", "/api/v1/agents")),
    }


def websocket_files():
    """Return the events of the WebSocket API by file name."""
    offered = handshake([("Sec-WebSocket-Protocol", "aab.v1, ticket.4n9tZ2qk")])
    message = {"type": "user_message", "content": "What is 17 * 23?", "client_message_id": "c-1"}
    decision = {"type": "approval", "run_id": RUN, "tool_use_id": "toolu_1", "decision": "approve"}
    return {
        "ws_connect": connect_event(handshake()),
        "ws_connect_ticket": connect_event(offered),
        "ws_connect_no_identity": without_identity(connect_event(handshake())),
        "ws_default_user_message": frame(message),
        "ws_default_user_message_next": frame({**message, "conversation_id": CONVERSATION, "client_message_id": "c-2"}),
        "ws_default_resume": frame({"type": "resume", "conversation_id": CONVERSATION}),
        "ws_default_cancel": frame({"type": "cancel", "conversation_id": CONVERSATION}),
        "ws_default_approval": frame(decision),
        "ws_default_ping": frame({"type": "ping"}),
        "ws_default_not_json": frame(b"hello"),
        "ws_default_binary": frame(b"\x00\xff", binary=True),
        "ws_disconnect": disconnect_event(handshake(), 1001, "Going away"),
    }


def runner_files():
    """Return the events that ring the runner by file name; its own docstring names them."""
    tenant = {"tenant_id": IDENTITY["tenant_id"]}
    return {
        "runner_run": {"kind": "run", **tenant, "conversation_id": CONVERSATION},
        "runner_greet": {"kind": "greet", **tenant, "connection_id": "L0SM9cOFvHcCIhw=", "agent_id": AGENT},
        "runner_purge": {"kind": "purge", **tenant, "target_id": AGENT},
        "runner_disconnect": {"kind": "disconnect", **tenant, "subject": "local-user", "keep": []},
        "runner_connect": {"kind": "connect", **tenant, "consent": STATE_HASH},
        "runner_reseal": {"kind": "reseal", **tenant},
        "runner_usage": {"kind": "usage", **tenant},
        "runner_trace_export": {"kind": "trace_export", **tenant},
        "runner_openapi_import": {"kind": "openapi_import", **tenant, "import_id": IMPORT},
        "runner_mcp_list": {"kind": "mcp_list", **tenant, "agent_id": AGENT, "integration_id": INTEGRATION},
        "runner_rescue": {"kind": "rescue"},
        "runner_provider_status": {"kind": "provider_status"},
    }


def stable(event):
    """Return an event with its random ids and its times replaced, for files and comparison alike."""
    context = event.get("requestContext", {})
    fixed = {"requestId": "JKJaXmPLvHcESHA=", "extendedRequestId": "JKJaXmPLvHcESHA=", "messageId": "TVk8dexyoAMCJDQ="}
    fixed |= {"requestTime": "22/Nov/2026:12:00:00 +0000", "requestTimeEpoch": 1795348800000}
    context.update({key: value for key, value in fixed.items() if key in context})
    return event


def expected():
    """Return every event by file name."""
    return {name: stable(event) for name, event in (http_files() | websocket_files() | runner_files()).items()}


def test_the_files_are_what_the_builders_make():
    events = expected()
    if os.environ.get("UPDATE_EVENTS"):
        for name, event in events.items():
            (FOLDER / f"{name}.json").write_text(json.dumps(event, indent=2) + "\n")
    found = {path.stem: json.loads(path.read_text()) for path in FOLDER.glob("*.json")}
    assert found == events


@pytest.mark.parametrize("name", sorted(runner_files()))
def test_the_runner_knows_its_kinds(name):
    source = (PROJECT / "functions" / "runner" / "app.py").read_text()
    assert f'"{runner_files()[name]["kind"]}": _' in source


def test_the_schedule_sends_the_rescue():
    runner = load(PROJECT / "template.yaml", "us-east-1").functions["RunnerFunction"]
    assert [json.loads(schedule.input) for schedule in runner.schedules] == [runner_files()["runner_rescue"]]
