"""A secret of its own in every secret field, then everything is used against servers that tell back all they hear.

Whatever is kept, logged, shown or sent afterwards is searched for them, in every form (`needles.py`).
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.testing import Instance, running_stack
from tests.integration.canary.needles import needle, occurrences
from tests.integration.canary.outside import Indiscreet, indiscreet
from tests.integration.chat import chatting
from tests.integration.rest import Rest

ROOT = Path(__file__).parents[3]
API = "/api/v1"
TOKENS = {"access_token": needle("access"), "refresh_token": needle("refreshed")}
OAUTH = {"grant": "client_credentials", "client_id": "client"}
FIELDS: dict[str, dict[str, Any]] = {
    "header": {"kind": "api_key", "settings": {"in": "header", "name": "X-Key"}, "secret": {"value": needle("header")}},
    "query": {"kind": "api_key", "settings": {"in": "query", "name": "key"}, "secret": {"value": needle("query")}},
    "cookie": {"kind": "api_key", "settings": {"in": "cookie", "name": "sid"}, "secret": {"value": needle("cookie")}},
    "bearer": {"kind": "bearer", "secret": {"value": needle("bearer")}},
    "basic": {"kind": "basic", "secret": {"username": needle("user"), "password": needle("password")}},
    "headers": {
        "kind": "custom_headers",
        "secret": {"headers": {"X-One": needle("first"), "X-Two": needle("second")}},
    },
    "client": {"kind": "oauth2", "settings": OAUTH, "secret": {"client_secret": needle("client")}},
    "posted": {
        "kind": "oauth2",
        "settings": {**OAUTH, "client_authentication": "body"},
        "secret": {"client_secret": needle("posted")},
    },
    "refresh": {
        "kind": "oauth2",
        "settings": {**OAUTH, "grant": "refresh_token", "client_authentication": "none"},
        "secret": {"refresh_token": needle("refresh")},
    },
    "denied": {
        "kind": "oauth2",
        "settings": {**OAUTH, "grant": "refresh_token"},
        "secret": {"client_secret": needle("denied"), "refresh_token": needle("lost")},
    },
}
PLATFORM = needle("platform")
OWN = needle("own")
SENT = [needle(name) for name in (
    "header query cookie bearer first second access client posted refresh denied lost platform own".split()
)]  # fmt: skip
NEEDLES = [*SENT, needle("user"), needle("password"), needle("refreshed")]


@dataclass
class World:
    """A stack whose only way out leads to the indiscreet server; `seen` is all that clients got to see."""

    stack: Instance
    outside: Indiscreet
    seen: list[str] = field(default_factory=list)
    pages: set[str] = field(default_factory=set)

    def ask(self, method: str, path: str, body: Any = None, *, status: int | None = None) -> Any:
        answer = Rest(self.stack.url)(method, f"{API}{path}", body)
        self.seen.append(f"{answer.headers} {answer.body.decode()}")
        assert status is None or answer.status == status, answer.body
        if answer.status == 201 and "location" in answer.headers:
            self.pages.add(answer.headers["location"].removeprefix(API))
        return answer.json if answer.body else None

    def make(self, path: str, body: Any) -> str:
        return str(self.ask("POST", path, body, status=201)["id"])

    def agent(self, **model: Any) -> str:
        return self.make("/agents", {"name": "Canary", "model_config": {"provider": "scripted", "model": "m", **model}})

    def say(self, agent_id: str, text: str) -> None:
        with chatting(self.stack, agent_id) as chat:
            end = chat.ask(text)
            self.seen.append(json.dumps(chat.frames))
        self.pages.add(f"/runs/{end['run_id']}")


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with indiscreet(TOKENS) as outside:
        vendors = {"OPENAI_API_KEY": PLATFORM, "OPENAI_BASE_URL": f"{outside.url}/v1"}
        vendors["ANTHROPIC_BASE_URL"] = outside.url
        with running_stack(env={"LOOPBACK_TOOLS": "1"}, providers=vendors) as stack:
            yield World(stack, outside)


def credentials(world: World) -> dict[str, str]:
    made = {}
    for name, body in FIELDS.items():
        if body["kind"] == "oauth2":
            place = "denied" if name == "denied" else "token"
            settings = {**body["settings"], "token_url": f"{world.outside.url}/{place}"}
            body = {**body, "settings": settings}
        made[name] = world.make("/credentials", {"name": name, **body})
    return made


def tools(world: World, agent_id: str, made: dict[str, str]) -> dict[str, str]:
    """For each credential tools that read and write, and that succeed and fail."""
    found = {}
    for name, credential_id in made.items():
        for method, status in (("GET", 200), ("POST", 200), ("GET", 401), ("POST", 422), ("GET", 500)):
            body = {
                "kind": "http",
                "name": f"{name}_{method}_{status}",
                "method": method,
                "base_url": world.outside.url,
                "path": f"/echo/{status}",
                "input_schema": {"type": "object", "properties": {}},
                "effect": "read" if method == "GET" else "write",
                "retries": 0,
                "credential_id": credential_id,
            }
            found[body["name"]] = world.make(f"/agents/{agent_id}/tools", body)
    return found


def use_everything(world: World) -> None:
    made, agent_id = credentials(world), world.agent()
    for name, tool_id in tools(world, agent_id, made).items():
        world.ask("POST", f"/tools/{tool_id}/test", {"arguments": {}}, status=200)
        world.say(agent_id, f"/tool {name} {{}}")
    for name in ("header", "query", "basic", "client", "denied"):
        read(world, agent_id, made[name])
    vendor = world.agent(provider="openai", model="gpt-5")
    world.say(vendor, "hello")
    world.make(
        "/credentials",
        {"name": "own", "kind": "provider_key", "settings": {"provider": "anthropic"}, "secret": {"value": OWN}},
    )
    world.say(world.agent(provider="anthropic", model="claude-sonnet-5"), "hello")


def read(world: World, agent_id: str, credential_id: str) -> None:
    """Import a description, and list an MCP server's tools, with a credential."""
    body = {"agent_id": agent_id, "url": f"{world.outside.url}/openapi", "credential_id": credential_id}
    job = world.ask("POST", "/openapi-imports", body, status=202)["id"]
    deadline = time.monotonic() + 30
    while world.ask("GET", f"/openapi-imports/{job}")["status"] in ("queued", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    body = {"kind": "mcp", "name": "Server", "base_url": f"{world.outside.url}/mcp", "credential_id": credential_id}
    server = world.make(f"/agents/{agent_id}/integrations", body)
    assert world.ask("POST", f"/integrations/{server}/mcp/list", {})["code"] != "malformed_request"


def kept(world: World) -> str:
    """Every item of the table, as text."""
    client = boto3.client("dynamodb", **world.stack.client_options("dynamodb"))
    pages = client.get_paginator("scan").paginate(TableName=world.stack.table_name)
    return "\n".join(repr(item) for page in pages for item in page["Items"])


def test_no_secret_shows_up_anywhere(world: World) -> None:
    use_everything(world)
    told = "\n".join(world.outside.told)
    assert set(occurrences(told, SENT)) == set(SENT), "a secret was never used, so that nothing is shown by this test"
    assert needle("user") in base64.b64decode(_basic(told)).decode()
    lists = ["/agents", "/credentials", "/audit", "/egress/refusals", "/models", "/api-keys", "/members"]
    for page in sorted({*world.pages, *lists}):
        world.ask("GET", page)
    places = {
        "answers and frames": "\n".join(world.seen),
        "the table": kept(world),
        "the functions' log": world.stack.function_log(),
        "the output": world.stack.output(),
        "events at rest": "".join(path.read_text() for path in (ROOT / "events").glob("*.json")),
    }
    assert {place: occurrences(text, NEEDLES) for place, text in places.items()} == {place: [] for place in places}
    assert len(world.seen) > 100


def _basic(told: str) -> str:
    found = re.search(r"Basic ([A-Za-z0-9+/=]{20,})", told)
    assert found
    return found[1]
