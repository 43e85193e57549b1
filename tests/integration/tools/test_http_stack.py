"""From the description of a tool to an agent that uses it: the running stack, its playground, and a real API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from local.testing import Instance, running_stack
from tests.integration.chat import chatting
from tests.integration.rest import Rest, check_problem
from tests.integration.tools.api import Api, Asked, Says, serving

SECRET = "s3cr3t-of-the-tenant/+="
ORDERS = {"type": "object", "properties": {"number": {"type": "string"}}, "required": ["number"]}
NEW = {"type": "object", "properties": {"body": {"type": "object"}}, "required": ["body"]}


def play(asked: Asked) -> Says:
    """Orders, and what nobody should do."""
    place = asked.path.partition("?")[0]
    if place == "/orders/7":
        lines = [{"name": f"thing {n}", "price": n} for n in range(3_000)]
        return Says({"number": "7", "status": "sent", "said": asked.headers.get("authorization"), "lines": lines})
    if place.startswith("/orders/large"):
        return Says({"quotes": '"' * (int(place.rpartition("-")[2]) // 2)})
    if place == "/orders" and asked.method == "POST":
        return Says({"made": json.loads(asked.body)}, 201)
    if place == "/lost":
        return Says({"why": "the database is away"}, 500)
    return Says({"error": "there is no such order"}, 404)


@pytest.fixture(scope="module")
def stack() -> Iterator[Instance]:
    with running_stack(env={"LOOPBACK_TOOLS": "1"}) as running:
        yield running


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with serving(play) as server:
        yield server


@dataclass
class Built:
    """An agent with tools of an API, built by REST."""

    rest: Rest
    agent_id: str
    tools: dict[str, str]
    credential_id: str


@pytest.fixture
def built(stack: Instance, api: Api) -> Built:
    api.asked.clear()
    rest = Rest(stack.url)
    credential = rest("POST", "/api/v1/credentials", {"name": "Shop", "kind": "bearer", "secret": {"value": SECRET}})
    agent_id = rest.create()["id"]
    common = {"kind": "http", "base_url": api.url, "credential_id": credential.json["id"]}
    number = {"name": "number", "location": "path", "argument": "number"}
    body = {"kind": "json", "content_type": "application/json"}
    wanted: list[dict[str, Any]] = [
        {"name": "order", "method": "GET", "path": "/orders/{number}", "parameters": [number], "effect": "read"},
        {"name": "make", "method": "POST", "path": "/orders", "body": body, "effect": "write", "input_schema": NEW},
        {"name": "lose", "method": "POST", "path": "/lost", "body": body, "effect": "write", "input_schema": NEW},
    ]
    wanted[0] |= {"input_schema": ORDERS, "response": {"max_bytes": 2_000}}
    tools = {}
    for tool in wanted:
        made = rest("POST", f"/api/v1/agents/{agent_id}/tools", {**common, **tool})
        assert made.status == 201, made.body
        tools[tool["name"]] = made.json["id"]
    return Built(rest, agent_id, tools, credential.json["id"])


def test_an_agent_calls_an_api(stack: Instance, api: Api, built: Built) -> None:
    with chatting(stack, built.agent_id) as chat:
        end = chat.ask('/tool order {"number": "7"}')
        assert end["type"] == "message_complete"
        (done,) = chat.of("tool_use_complete")
        assert done["result"]["truncated"] is True
        assert "error" not in done
        assert [one.headers["authorization"] for one in api.asked] == [f"Bearer {SECRET}"]
        step = built.rest("GET", f"/api/v1/runs/{end['run_id']}/steps/2").json
    assert (step["kind"], step["status"], step["tool_name"], step["attempts"]) == ("tool", "succeeded", "order", 1)
    assert step["whole"]["said"] == "Bearer ***"
    assert len(step["whole"]["lines"]) == 3_000
    assert step["request"]["headers"]["Authorization"] == "***"
    assert step["response"]["status"] == 200
    first = built.rest("GET", f"/api/v1/runs/{end['run_id']}/steps/1").json
    assert (first["kind"], first["parts"][0]["type"]) == ("model", "tool_call")
    check_problem(built.rest("GET", f"/api/v1/runs/{end['run_id']}/steps/99"), 404, "not_found")
    shown = json.dumps([chat.frames, step, first]) + stack.function_log() + stack.output()
    assert "s3cr3t-of" not in shown


def test_what_the_model_is_told_of_errors(stack: Instance, api: Api, built: Built) -> None:
    with chatting(stack, built.agent_id) as chat:
        chat.ask('/tool order {"number": "8"}\n/tool order {"number": 8}\n/tool order {"number": ".."}')
        told = [done["error"] for done in chat.of("tool_use_complete")]
        assert len(api.asked) == 1
    assert sorted(told) == [
        'The API answered with status 404 (Not Found): {"error":"there is no such order"}',
        'The arguments are not valid: number: 8 is not of type "string"',
        "number must not contain '.' or '..' as a step of a path.",
    ]


def test_a_call_that_may_have_acted_is_unknown(stack: Instance, api: Api, built: Built) -> None:
    with chatting(stack, built.agent_id) as chat:
        end = chat.ask('/tool lose {"body": {}}')
        (done,) = chat.of("tool_use_complete")
    assert "500 (Internal Server Error)" in done["error"]
    assert "Do not simply repeat it" in done["error"]
    step = built.rest("GET", f"/api/v1/runs/{end['run_id']}/steps/2").json
    assert (step["status"], step["error_code"]) == ("unknown", "tool_outcome_unknown")
    assert [one.headers["idempotency-key"] for one in api.asked] == [f"{end['run_id']}-2"]


def test_trying_a_tool(api: Api, built: Built) -> None:
    path = f"/api/v1/tools/{built.tools['order']}/test"
    tried = built.rest("POST", path, {"arguments": {"number": "7"}}).json
    assert tried["tool_name"] == "order"
    assert tried["request"]["url"] == f"{api.url}/orders/7"
    assert tried["request"]["headers"]["Authorization"] == "***"
    assert tried["response"]["status"] == 200
    assert tried["response"]["body"].startswith('{"number":"7"')
    assert tried["result"]["truncated"] is True
    assert tried["error"] is None
    assert "s3cr3t-of" not in json.dumps(tried)
    failed = built.rest("POST", path, {"arguments": {"number": "8"}}).json
    assert (failed["error"]["code"], failed["result"], failed["response"]["status"]) == ("api_error", None, 404)
    wrong = built.rest("POST", path, {"arguments": {}}).json
    assert "number" in wrong["error"]["detail"]
    assert (tried["attempts"], failed["attempts"], wrong["attempts"]) == (1, 1, 0)
    assert wrong["request"] is None
    lost = built.rest("POST", f"/api/v1/tools/{built.tools['lose']}/test", {"arguments": {"body": {}}}).json
    assert (lost["error"]["outcome_unknown"], lost["attempts"]) == (True, 1)
    assert len([one for one in api.asked if one.path == "/lost"]) == 1


def test_a_tool_that_asks_for_approval_is_tried_with_approval(api: Api, built: Built) -> None:
    tool = built.tools["make"]
    assert built.rest("PATCH", f"/api/v1/tools/{tool}", {"requires_approval": True}).status == 200
    path, body = f"/api/v1/tools/{tool}/test", {"arguments": {"body": {"n": 1}}}
    check_problem(built.rest("POST", path, body), 409, "approval_required")
    assert api.asked == []
    assert built.rest("POST", path, {**body, "approve": True}).json["result"] == {"made": {"n": 1}}


def test_what_cannot_be_tried(built: Built) -> None:
    path = f"/api/v1/tools/{built.tools['order']}/test"
    check_problem(built.rest("POST", path, {"arguments": []}), 422, "validation_failed")
    check_problem(built.rest("POST", path, {"argument": {}}), 422, "validation_failed")
    check_problem(built.rest("POST", path.replace("tol_", "tol_x"), {}), 404, "not_found")
    assert built.rest("DELETE", f"/api/v1/tools/{built.tools['order']}").status == 204
    check_problem(built.rest("POST", path, {}), 404, "not_found")


def test_an_answer_is_used_again_for_a_while(stack: Instance, api: Api, built: Built) -> None:
    path = f"/api/v1/tools/{built.tools['order']}"
    assert built.rest("PATCH", path, {"cache_seconds": 600, "response": {"select": "status"}}).status == 200
    tried = [built.rest("POST", f"{path}/test", {"arguments": {"number": number}}).json for number in "77878"]
    assert [one["cached"] for one in tried] == [False, True, False, True, False]
    assert tried[1]["result"] == tried[0]["result"] == {"value": "sent"}
    assert [one.path for one in api.asked] == ["/orders/7", "/orders/8", "/orders/8"]
    secret = {"name": "Shop", "kind": "bearer", "secret": {"value": "another-secret"}}
    assert built.rest("PUT", f"/api/v1/credentials/{built.credential_id}", secret).status == 200
    assert built.rest("POST", f"{path}/test", {"arguments": {"number": "7"}}).json["cached"] is False


def test_tools_of_other_kinds_are_tried_alike(api: Api, built: Built) -> None:
    rest, tools = built.rest, f"/api/v1/agents/{built.agent_id}/tools"
    script = {"provider": "scripted", "model": "script", "options": {"script": [{"text": "In short."}]}}
    short = {"kind": "llm", "name": "shorten", "model_config": script, "instructions": "Be brief."}
    made = rest("POST", tools, {**short, "input_schema": {"type": "object", "properties": {}}})
    tried = rest("POST", f"/api/v1/tools/{made.json['id']}/test", {}).json
    assert (tried["result"], tried["error"], tried["request"]) == ({"text": "In short."}, None, None)
    assert tried["attempts"] == 1
    assert tried["usage"]["output_tokens"] > 0
    order = f"/api/v1/tools/{built.tools['order']}"
    told = {"model_config": script, "after": "Make it short."}
    assert rest("PATCH", order, {"enhancement": told}).status == 200
    tried = rest("POST", f"{order}/test", {"arguments": {"number": "7"}}).json
    assert tried["error"] is None
    assert "In short." in json.dumps(tried["result"])
    assert tried["request"]["url"] == f"{api.url}/orders/7"
    assert (tried["response"]["status"], tried["attempts"]) == (200, 1)
    friend = rest.create(model_config=script)["id"]
    asked = rest("POST", tools, {"kind": "agent", "name": "friend", "target_agent_id": friend})
    assert asked.status == 201, asked.body
    tried = rest("POST", f"/api/v1/tools/{asked.json['id']}/test", {"arguments": {"message": "Hello"}}).json
    assert "In short." in json.dumps(tried["result"]), tried


def test_the_whole_of_a_large_answer_is_readable(stack: Instance, built: Built) -> None:
    """Two million quotes are four million bytes of JSON, and would be eight million in a text within JSON."""
    with chatting(stack, built.agent_id) as chat:
        end = chat.ask('/tool order {"number": "large-3990000"}\n/tool order {"number": "large-4300000"}')
        told = {one["tool_use_id"]: one for one in chat.of("tool_use_complete")}
    steps = [built.rest("GET", f"/api/v1/runs/{end['run_id']}/steps/{number}") for number in (2, 3)]
    whole, refused = [answer.json for answer in steps]
    assert steps[0].headers["content-type"] == "application/json"
    assert whole["whole"] == {"quotes": '"' * 1_995_000}
    assert told[whole["tool_use_id"]]["result"]["truncated"] is True
    assert "larger than is accepted" in refused["error"]
    assert refused["status"] == "failed"
