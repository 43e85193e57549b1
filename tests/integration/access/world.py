"""The real handlers in this process, callers of every kind, and a tenant with one of everything."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote

from agent_builder import bootstrap
from agent_builder.messages import Cost, Usage
from agent_builder.models.identity import PERMISSIONS, ROLES, Identity
from agent_builder.models.openapi_imports import ImportCreate
from agent_builder.models.principals import Member
from agent_builder.repositories.agents import AgentRepository
from agent_builder.repositories.credentials import CredentialRepository
from agent_builder.repositories.grants import GrantRepository
from agent_builder.repositories.members import MemberRepository
from agent_builder.repositories.openapi_imports import OpenApiImportRepository
from agent_builder.repositories.parts import PartRepository
from agent_builder.repositories.principals import PrincipalRepository
from agent_builder.services.authorization import Authorization
from agent_builder.services.importing import Importing
from functions.api.app import lambda_handler as api
from functions.playground.app import lambda_handler as playground
from tests.integration.store.product import Product, park

# What the runner says of a test of a tool.
MCP_OFFER = {
    "remote_name": "note",
    "title": "",
    "description": "Takes a note.",
    "input_schema": {"type": "object", "properties": {}},
    "effect": "write",
    "fingerprint": "0" * 64,
    "notes": [],
}
MCP_CHOICE = {"tools": [{"remote_name": "note", "fingerprint": "0" * 64}]}
TESTED = {
    "tool_id": "tol_1",
    "tool_name": "weather",
    "request": None,
    "response": None,
    "result": {"warm": True},
    "error": None,
    "attempts": 1,
    "cached": False,
    "usage": Usage().model_dump(),
    "cost": Cost().model_dump(),
    "duration_ms": 1,
}


class Calls(ThreadingHTTPServer):
    """Connections and the runner, as AWS shows them: takes everything."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.frames: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.closed: list[str] = []
        self.rung: list[dict[str, Any]] = []
        self.deaf = False
        self.answers: dict[str, Any] = {"tool_test": {"test": TESTED}, "mcp_list": {"tools": [MCP_OFFER]}}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Taking(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Calls

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "/@connections/" in self.path or "%40connections" in self.path:
            self.server.frames[unquote(self.path).rpartition("/")[2]].append(body)
            self._answer(200)
        elif self.server.deaf:
            self._answer(400)
        else:
            self.server.rung.append(body)
            asked = self.headers["X-Amz-Invocation-Type"] == "RequestResponse"
            self._answer(200 if asked else 202, json.dumps(self.server.answers.get(body["kind"], {})) if asked else "")

    def do_DELETE(self) -> None:
        self.server.closed.append(unquote(self.path).rpartition("/")[2])
        self._answer(204)

    def _answer(self, status: int, text: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *arguments: Any) -> None:
        """Says nothing."""


class Context:
    """What Lambda passes to a handler."""

    aws_request_id = "test"
    function_name = memory_limit_in_mb = invoked_function_arn = "test"

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


@dataclass(frozen=True)
class Caller:
    """An authorizer's context. `kind` is a role, or a scope of a key."""

    tenant: str
    kind: str
    subject: str = "sub|caller"
    expires_at: int = 0

    @property
    def permissions(self) -> frozenset[str]:
        return ROLES[self.kind] if self.kind in ROLES else frozenset({self.kind})  # type: ignore[index]

    @property
    def is_key(self) -> bool:
        return self.kind in PERMISSIONS

    @property
    def context(self) -> dict[str, str]:
        """All of its values are text, as API Gateway passes them on."""
        held = {"scopes": self.kind, "key_id": self.subject} if self.is_key else {"roles": self.kind}
        ends = {"expires_at": str(self.expires_at)} if self.expires_at else {}
        return {"tenant_id": self.tenant, "subject": self.subject, **held, **ends}


KINDS = (*ROLES, *PERMISSIONS)
PRINCIPALS = PrincipalRepository()


def personal() -> Caller:
    """Somebody whose tokens name no tenant, in the tenant of their own."""
    return Caller(f"u-{uuid.uuid4().hex}", "owner", f"sub|{uuid.uuid4().hex[:8]}")


def moved(caller: Caller) -> Caller:
    """The same person as sign-in sees them now."""
    home = PRINCIPALS.home(caller.tenant)
    return Caller(home.tenant, home.role, caller.subject) if home else caller


OAUTH_CREDENTIAL = {
    "name": "Ours",
    "kind": "oauth2",
    "settings": {
        "grant": "authorization_code",
        "token_url": "https://id.example.com/token",
        "authorization_url": "https://id.example.com/authorize",
        "client_id": "client",
    },
    "secret": {"client_secret": "s3cret"},
}
LANGFUSE_KEYS = {"name": "Langfuse", "kind": "basic", "secret": {"username": "pk-lf-1", "password": "sk-lf-1"}}
INTEGRATION = {"kind": "mcp", "name": "Ours", "base_url": "https://api.example.com"}
HTTP_TOOL = {
    "kind": "http",
    "name": "ours",
    "base_url": "https://api.example.com",
    "method": "GET",
    "effect": "read",
    "input_schema": {"type": "object", "properties": {}},
}


DESCRIPTION = {
    "openapi": "3.1.0",
    "info": {"title": "Ours", "version": "1"},
    "servers": [{"url": "https://api.example.com"}],
    "paths": {"/things": {"get": {"operationId": "ours"}}},
}


def ready_import(tenant: str, agent_id: str) -> str:
    """An import that the runner is done with; its id."""
    wanted = ImportCreate(agent_id=agent_id, document=DESCRIPTION)
    began = bootstrap.api_services().openapi_imports.create(Identity(tenant, "s"), wanted, idempotency_key=None)
    nobody = Authorization(CredentialRepository(), GrantRepository(), None, None)  # type: ignore[arg-type]
    importing = Importing(OpenApiImportRepository(), AgentRepository(), PartRepository(), nobody)
    assert asyncio.run(importing.carry_out(tenant, began["id"])) == "ready"
    return str(began["id"])


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["code"]) if self.status >= 400 else ""


class Rest:
    """Asks REST's handler as API Gateway does."""

    def __call__(
        self,
        caller: Caller | None,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        query: str = "",
    ) -> Answer:
        path, _, asked = path.partition("?")
        query = query or asked
        event = {
            "version": "2.0",
            "rawPath": f"/api/v1{path}",
            "rawQueryString": query,
            "queryStringParameters": dict(parse_qsl(query)),
            "headers": {"content-type": "application/json", **(headers or {})},
            "body": None if body is None else json.dumps(body),
            "isBase64Encoded": False,
            "requestContext": {
                "http": {"method": method, "path": f"/api/v1{path}"},
                "stage": "$default",
                "domainName": "api.example.com",
                "requestId": uuid.uuid4().hex,
                **({"authorizer": {"lambda": caller.context}} if caller else {}),
            },
        }
        answer = api(event, Context())
        return Answer(answer["statusCode"], answer["headers"], answer.get("body") or "")


@dataclass
class Socket:
    """An open connection, as the playground's handler sees it."""

    calls: Calls
    caller: Caller
    agent_id: str
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    refusal: dict[str, Any] = field(default_factory=dict)

    def send(self, **frame: Any) -> list[dict[str, Any]]:
        """Frames that came back."""
        return self.text(json.dumps(frame))

    def text(self, text: str) -> list[dict[str, Any]]:
        """The same for a frame that may not be one."""
        already = len(self.calls.frames[self.id])
        assert self._event("$default", text)["statusCode"] == 200
        return self.calls.frames[self.id][already:]

    def connect(self) -> int:
        answer = self._event("$connect")
        self.refusal = {} if answer["statusCode"] == 200 else answer
        status: int = answer["statusCode"]
        return status

    def disconnect(self) -> None:
        self._event("$disconnect")

    def _event(self, route: str, body: str | None = None) -> dict[str, Any]:
        authorizer = {**self.caller.context, "agent_id": self.agent_id}
        request = {"routeKey": route, "connectionId": self.id, "authorizer": authorizer}
        return playground({"requestContext": request, "body": body, "headers": {}}, Context())


@dataclass
class World:
    """A tenant whose tokens name it, with an agent, a conversation, a run that waits, a key, a member, a guest."""

    product: Product = field(default_factory=Product)

    def __post_init__(self) -> None:
        rest = Rest()
        self.tenant = self.product.tenant
        self.owner = Caller(self.tenant, "owner", "sub|owner")
        self.member = "auth0|member one"
        members = MemberRepository()
        for subject, role in (("sub|owner", "owner"), (self.member, "viewer"), ("sub|leaver", "viewer")):
            members.join(self.tenant, Member(subject, role, "", joined_at_ms=1), None)  # type: ignore[arg-type]
        self.agent_id = self.product.agent()
        self.conversation_id = self.product.say(self.agent_id).conversation_id
        asking = self.product.say(self.agent_id)
        self.run_id, self.call_id = asking.run_id, park(self.tenant, asking.conversation_id)
        made = rest(self.owner, "POST", "/api-keys", {"name": "Ours", "scopes": ["read"]}).json
        self.key_id, self.key = made["id"], made["key"]
        invited = rest(self.owner, "POST", "/members", {"email": "new@example.com", "role": "viewer"})
        self.invitation, self.invitation_id = invited.json["token"], invited.json["id"]
        self.credential_id = rest(self.owner, "POST", "/credentials", OAUTH_CREDENTIAL).json["id"]
        self.keys_id = rest(self.owner, "POST", "/credentials", LANGFUSE_KEYS).json["id"]
        self.tracing = {"base_url": "https://langfuse.example.com", "credential_id": self.keys_id}
        assert rest(self.owner, "PUT", "/tracing", self.tracing).status == 200
        self.import_id = ready_import(self.tenant, self.agent_id)
        agent = f"/agents/{self.agent_id}"
        self.integration_id = rest(self.owner, "POST", f"{agent}/integrations", INTEGRATION).json["id"]
        self.tool_id = rest(self.owner, "POST", f"{agent}/tools", HTTP_TOOL).json["id"]

    @property
    def ids(self) -> tuple[str, ...]:
        """What nobody of another tenant may ever see."""
        return (
            self.tenant,
            self.agent_id,
            self.conversation_id,
            self.run_id,
            self.key_id,
            self.member,
            self.invitation_id,
            self.credential_id,
            self.tracing["credential_id"],
            self.import_id,
            self.integration_id,
            self.tool_id,
            "new@example.com",
        )
