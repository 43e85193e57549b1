"""Each function does to the table what its role allows, and its role allows nothing that it never does.

The laptop runtime asks for no permission, so a missing one would show only after a deployment. Here every request to
the store passes a witness on its way, and names the function that sent it (botocore's application id). What was seen is
compared with the policies of the template after the SAM transform.
"""

from __future__ import annotations

import json
import re
import threading
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from local.testing import Instance, running_stack
from tests.template import ROOT, functions, listed, read, statements, transform

FUNCTIONS = ("ApiFunction", "PlaygroundFunction", "RunnerFunction")

# What a part of a transaction is, to IAM.
TRANSACTION_ACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}

Needs = dict[str, set[tuple[str, str]]]


def needed(operation: str, body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The permissions a request needs: action, and index or "" for the table itself."""
    if operation.startswith("Transact"):
        for part in body["TransactItems"]:
            yield from ((TRANSACTION_ACTIONS[kind], "") for kind in part)
    else:
        yield operation, body.get("IndexName", "")


class Witness(ThreadingHTTPServer):
    """Passes requests on to the store and notes who needed which permission."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.store = ""
        self.seen: Needs = defaultdict(set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Witness

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        application = re.search(r"\bapp/(\w+)", self.headers["User-Agent"])
        sender = application[1] if application else "nobody that is known"
        self.server.seen[sender].update(needed(operation, json.loads(data)))
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        request = urllib.request.Request(self.server.store, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                self._answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            self._answer(error.code, error.headers, error.read())

    def _answer(self, status: int, headers: Any, body: bytes) -> None:
        self.send_response(status)
        for name in ("Content-Type", "x-amzn-RequestId", "x-amz-crc32"):
            if name in headers:
                self.send_header(name, headers[name])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    with Witness() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def stack(witness: Witness, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """The laptop runtime on a template in which each function names itself in its requests."""
    template = read()
    for name, resource in template["Resources"].items():
        properties = resource["Properties"]
        for key in ("CodeUri", "ContentUri"):
            if key in properties:
                properties[key] = str(ROOT / properties[key])
        if name in FUNCTIONS:
            properties["Environment"]["Variables"]["AWS_SDK_UA_APP_ID"] = name
    path = tmp_path_factory.mktemp("template") / "template.yaml"
    path.write_text(json.dumps(template), "utf-8")  # JSON is YAML
    environment = {"AWS_ENDPOINT_URL_DYNAMODB": witness.url}
    with running_stack(env=environment, arguments=["--template", str(path)]) as running:
        witness.store = running.environment["AWS_ENDPOINT_URL_DYNAMODB"]
        yield running


class Client:
    """A person who uses all that there is."""

    def __init__(self, stack: Instance) -> None:
        self._stack = stack

    def rest(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["Content-Type"] = "application/merge-patch+json" if method == "PATCH" else "application/json"
        url = f"{self._stack.url}/api/v1{path}"
        request = urllib.request.Request(url, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as response:
            text = response.read()
        return json.loads(text) if text else None

    def ring(self, kind: str, **ids: str) -> Any:
        client = boto3.client("lambda", **self._stack.client_options("lambda"))
        answer = client.invoke(
            FunctionName=self._stack.environment.get("RUNNER_FUNCTION", "RunnerFunction"),
            Payload=json.dumps({"kind": kind, **ids}),
        )
        assert "FunctionError" not in answer, answer["Payload"].read()
        return json.loads(answer["Payload"].read())


def until(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """Reads frames up to one of a kind. Fails on an error frame."""
    while True:
        frame: dict[str, Any] = json.loads(socket.recv(timeout=30))
        assert frame["type"] != "error" or kind == "error", frame
        if frame["type"] == kind:
            return frame


def use_agents(client: Client) -> str:
    agent = {"name": "Guide", "status": "active", "model_config": {"provider": "scripted", "model": "scripted"}}
    created = client.rest("POST", "/agents", agent, Idempotency_Key="once")
    client.rest("POST", "/agents", agent, Idempotency_Key="once")
    path = f"/agents/{created['id']}"
    client.rest("PATCH", path, {"system_prompt": "Be kind."})
    client.rest("PATCH", path, {"status": "inactive"})
    client.rest("PATCH", path, {"status": "active"})
    client.rest("GET", "/agents?status=active")
    client.rest("GET", f"{path}/versions")
    client.rest("GET", f"{path}/versions/1")
    client.rest("POST", f"{path}/versions/1/restore")
    for place in ("/health", "/models", "/openapi.json"):
        client.rest("GET", place)
    return str(created["id"])


def use_access(client: Client, agent: str) -> None:
    key = client.rest("POST", "/api-keys", {"name": "Robot", "scopes": ["read"]})
    client.rest("POST", "/members", {"email": "ann@example.com", "role": "viewer"})
    client.rest("POST", "/playground/tickets", {"agent_id": agent})
    client.rest("PATCH", "/limits", {"runs_at_once": 50})
    for place in ("/api-keys", "/members", "/members/me", "/audit", "/limits"):
        client.rest("GET", place)
    client.rest("DELETE", f"/api-keys/{key['id']}")


def use_credentials(client: Client) -> None:
    wanted = {"name": "OpenAI", "kind": "provider_key", "settings": {"provider": "openai"}, "secret": {"value": "k-12"}}
    path = f"/credentials/{client.rest('POST', '/credentials', wanted)['id']}"
    client.rest("PUT", path, wanted)
    client.rest("GET", "/credentials")
    client.rest("GET", path)
    client.rest("DELETE", path)
    client.rest("PUT", "/egress", {"deny": ["example.com"]})
    client.rest("GET", "/egress")
    client.rest("GET", "/egress/refusals")


def use_parts(client: Client, agent: str) -> None:
    """Leaves the agent with a tool, so that a run reads it."""
    model = {"provider": "scripted", "model": "scripted"}
    other = client.rest("POST", "/agents", {"name": "Colleague", "model_config": model})["id"]
    bearer = {"name": "Theirs", "kind": "bearer", "secret": {"value": "k-12"}}
    server = {"name": "Theirs", "base_url": "https://api.example.com"}
    server["credential_id"] = client.rest("POST", "/credentials", bearer)["id"]
    integration = client.rest("POST", f"/agents/{agent}/integrations", server, Idempotency_Key="once")["id"]
    http = {"kind": "http", "name": "theirs", "method": "GET", "effect": "read", "integration_id": integration}
    http["input_schema"] = {"type": "object", "properties": {}}
    tool = client.rest("POST", f"/agents/{agent}/tools", http)["id"]
    asked = {"kind": "agent", "name": "ask", "target_agent_id": other}
    asking = client.rest("POST", f"/agents/{agent}/tools", asked)["id"]
    client.rest("PATCH", f"/tools/{tool}", {"description": "Theirs"})
    for place in (f"/agents/{agent}/tools", f"/agents/{agent}/integrations", f"/integrations/{integration}"):
        client.rest("GET", place)
    client.rest("DELETE", f"/tools/{asking}")
    client.rest("POST", f"/agents/{agent}/versions/1/restore")
    client.rest("POST", f"/agents/{agent}/tools", {**http, "base_url": "https://x.example", "integration_id": None})


def use_imports(client: Client, agent: str) -> None:
    description = {"openapi": "3.1.0", "paths": {"/things": {"get": {"operationId": "things"}}}}
    asked = {"agent_id": agent, "document": description}
    path = f"/openapi-imports/{client.rest('POST', '/openapi-imports', asked)['id']}"
    while client.rest("GET", path)["status"] in ("queued", "running"):
        client.ring("rescue")
    choice = {"operations": "all", "integration": {"base_url": "https://api.example.com"}}
    made = client.rest("POST", f"{path}/apply", choice)
    client.rest("POST", "/openapi-imports", {**asked, "integration_id": made["integration_id"]})


def converse(stack: Instance, agent: str, name: str) -> str:
    with connect(stack.ws_url(agent)) as socket:
        until(socket, "agent_loaded")
        message = {"type": "user_message", "content": "/tool calculate {}\n/say done", "client_message_id": name}
        socket.send(json.dumps(message))
        conversation = until(socket, "message_accepted")["conversation_id"]
        until(socket, "message_complete")
        socket.send(json.dumps(message))
        until(socket, "message_accepted")
        socket.send(json.dumps({"type": "user_message", "content": "/wait 20000", "conversation_id": conversation}))
        until(socket, "message_accepted")
        socket.send(json.dumps({"type": "cancel", "conversation_id": conversation}))
        until(socket, "run_cancelled")
    with connect(stack.ws_url(agent)) as socket:
        until(socket, "agent_loaded")
        socket.send(json.dumps({"type": "resume", "conversation_id": conversation}))
        until(socket, "content_snapshot")
        socket.send(json.dumps({"type": "ping"}))
        until(socket, "pong")
    return str(conversation)


def use_tracing(client: Client) -> None:
    """From here on traces are sent, to where nobody is."""
    keys = {"name": "Langfuse", "kind": "basic", "secret": {"username": "pk-lf-2", "password": "sk-lf-0123456789"}}
    tracing = {"base_url": "https://langfuse.invalid", "credential_id": client.rest("POST", "/credentials", keys)["id"]}
    client.rest("PUT", "/tracing", tracing)
    client.rest("GET", "/tracing")
    client.rest("DELETE", "/tracing")
    client.rest("PUT", "/tracing", tracing)


def use_traces(client: Client, agent: str, conversation: str) -> None:
    said = client.rest("POST", f"/agents/{agent}/messages", {"content": "/wait 20000"}, Idempotency_Key="said")
    client.rest("POST", f"/runs/{said['run_id']}/cancel")
    for place in (f"/runs/{said['run_id']}", f"/agents/{agent}/runs", f"/conversations/{conversation}/runs"):
        client.rest("GET", place)
    client.rest("PUT", "/prices", {"prices": []})
    client.rest("GET", "/prices")
    client.rest("GET", "/usage?group_by=model")
    client.ring("usage", tenant_id="local")
    client.ring("trace_export", tenant_id="local")


def use_conversations(client: Client, agent: str, conversation: str) -> None:
    client.rest("GET", f"/agents/{agent}/conversations")
    path = f"/conversations/{conversation}"
    client.rest("GET", path)
    client.rest("GET", f"{path}/messages")
    client.rest("PATCH", path, {"title": "Sums"})
    client.rest("DELETE", path)
    client.ring("purge", tenant_id="local", target_id=conversation)


@pytest.fixture(scope="module")
def seen(stack: Instance, witness: Witness) -> Needs:
    """What was needed by a run through everything that the functions do."""
    client = Client(stack)
    agent = use_agents(client)
    use_access(client, agent)
    use_credentials(client)
    use_parts(client, agent)
    use_imports(client, agent)
    use_tracing(client)
    conversation = converse(stack, agent, "first")
    use_traces(client, agent, conversation)
    use_conversations(client, agent, conversation)
    converse(stack, agent, "second")
    with connect(stack.ws_url(agent)) as socket:
        until(socket, "agent_loaded")
        assert client.ring("disconnect", tenant_id="local", subject="local-user")["closed"] >= 1
        with pytest.raises(ConnectionClosed):
            until(socket, "pong")
    client.rest("DELETE", f"/agents/{agent}")
    client.ring("purge", tenant_id="local", target_id=agent)
    client.ring("rescue")
    client.ring("provider_status")
    return witness.seen


@pytest.fixture(scope="module")
def permitted() -> Needs:
    """What the roles allow on the table and its indexes."""
    template = transform()
    found: Needs = {name: set() for name in functions(template)}
    for role, statement in statements(template):
        for action in listed(statement["Action"]):
            service, _, operation = action.partition(":")
            for resource in listed(statement["Resource"]) if service == "dynamodb" else []:
                index = resource["Fn::Sub"].rpartition("/")[2] if "Fn::Sub" in resource else ""
                found[role.removesuffix("Role")].add((operation, index))
    return found


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_may_do_what_it_does(seen: Needs, permitted: Needs, function: str) -> None:
    assert seen[function]
    assert not seen[function] - permitted[function]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_may_do_nothing_else(seen: Needs, permitted: Needs, function: str) -> None:
    assert not permitted[function] - seen[function]


def test_every_request_names_its_function(seen: Needs) -> None:
    assert set(seen) == set(FUNCTIONS)
