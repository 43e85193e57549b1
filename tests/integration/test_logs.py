"""What the running stack writes into its log: whose, what was counted, and nothing of what was said."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agent_builder.metrics import NAMESPACE
from local.testing import Instance, running_stack
from tests.counting import BY_NAME, values
from tests.integration.canary.needles import needle, occurrences
from tests.integration.chat import chatting
from tests.integration.rest import Rest
from tests.integration.tools.api import Api, Asked, Says, serving

NEEDLES = {
    name: needle(name)
    for name in (
        *("name", "prompt", "message", "thought", "argument", "result", "refused", "error", "answer", "title"),
        *("frame", "client", "nowhere", "body", "query", "header", "patch", "edited"),
    )
}
SCHEMA = {"type": "object", "properties": {"body": {"type": "object"}}, "required": ["body"]}
TOOL = {"kind": "http", "method": "POST", "effect": "write", "input_schema": SCHEMA}
SECONDS = 20.0

Line = dict[str, Any]


def play(asked: Asked) -> Says:
    if asked.path == "/kept":
        return Says({"said": NEEDLES["result"]})
    return Says({"why": NEEDLES["error"]}, 500)


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with serving(play) as server:
        yield server


@pytest.fixture(scope="module")
def stack() -> Iterator[Instance]:
    with running_stack(env={"LOOPBACK_TOOLS": "1", "POWERTOOLS_LOG_LEVEL": "DEBUG"}) as running:
        yield running


def lines(stack: Instance) -> list[Line]:
    """The structured lines of the log; the runtime puts the process before each."""
    found = []
    for line in stack.function_log().splitlines():
        _, brace, rest = line.partition("{")
        if brace:
            found.append(json.loads(brace + rest))
    return found


def eventually(stack: Instance, wanted: Callable[[list[Line]], bool]) -> list[Line]:
    """The lines once they are as wanted: a function writes its metrics when it has answered."""
    deadline = time.monotonic() + SECONDS
    while not wanted(found := lines(stack)):
        assert time.monotonic() < deadline, found[-10:]
        time.sleep(0.05)
    return found


def counted(found: list[Line]) -> dict[tuple[str, ...], list[float]]:
    """Function, metric and values of its dimensions to all values."""
    services = {line["service"] for line in found if "_aws" in line}
    told = {service: values([line for line in found if line.get("service") == service]) for service in services}
    return defaultdict(
        list, {(service, *key): all_of for service, some in told.items() for key, all_of in some.items()}
    )


def ended(found: list[Line], run_id: str) -> bool:
    return any(line.get("run_id") == run_id and "Runs" in line for line in found)


@pytest.fixture(scope="module")
def talked(stack: Instance, api: Api) -> tuple[str, str, str]:
    """Much is said, done and refused; agent, conversation and a run of it."""
    rest = Rest(stack.url)
    agent_id = rest.create(name=NEEDLES["name"], system_prompt=NEEDLES["prompt"])["id"]
    for name in ("keep", "lose"):
        body = {"kind": "json", "content_type": "application/json"}
        path = {"keep": "/kept", "lose": "/lost"}[name]
        made = rest(
            "POST",
            f"/api/v1/agents/{agent_id}/tools",
            {**TOOL, "name": name, "base_url": api.url, "path": path, "body": body},
        )
        assert made.status == 201, made.body
    with chatting(stack, agent_id) as chat:
        script = [
            f"/think {NEEDLES['thought']}",
            "/tool keep " + json.dumps({"body": {"text": NEEDLES["argument"]}}),
            "/tool lose " + json.dumps({"body": {"text": NEEDLES["argument"]}}),
            "/tool keep " + json.dumps({"body": NEEDLES["refused"]}),
            f"/say {NEEDLES['answer']}",
        ]
        end = chat.ask("\n".join([NEEDLES["message"], *script]), client_message_id=NEEDLES["client"])
        assert end["type"] == "message_complete"
        shown = {NEEDLES[name] for name in ("answer", "result", "error")}
        assert set(occurrences(json.dumps(chat.frames), shown)) == shown
        chat.ask("/error overloaded 9", conversation_id=end["conversation_id"])
        chat.say("/wait 20000", conversation_id=end["conversation_id"])
        accepted = chat.until("message_accepted")
        chat.send(type="cancel", conversation_id=accepted["conversation_id"])
        assert chat.end()["type"] == "run_cancelled"
        chat.socket.send(f'{{"type": "{NEEDLES["frame"]}"')
        assert chat.next()["type"] == "error"
        for frame in ({"type": NEEDLES["frame"]}, {"type": "resume", "conversation_id": NEEDLES["nowhere"]}):
            chat.send(**frame)
            assert chat.next()["type"] == "error"
    rest("POST", f"/api/v1/agents?q={NEEDLES['query']}", {"name": 1, NEEDLES["body"]: NEEDLES["body"]})
    rest(
        "POST", "/api/v1/agents", raw=b'{"name": "' + NEEDLES["body"].encode(), headers={"X-Canary": NEEDLES["header"]}
    )
    rest("PATCH", f"/api/v1/conversations/{end['conversation_id']}", {"title": NEEDLES["title"]})
    rest("PATCH", f"/api/v1/agents/{agent_id}", {"description": NEEDLES["patch"], "system_prompt": NEEDLES["edited"]})
    eventually(stack, lambda found: ended(found, accepted["run_id"]))
    return agent_id, end["conversation_id"], end["run_id"]


def test_nothing_that_was_said_is_in_the_log(stack: Instance, talked: tuple[str, str, str]) -> None:
    log = stack.function_log()
    assert '"level":"DEBUG"' in log or '"level":"INFO"' in log
    assert occurrences(log + stack.output(), NEEDLES.values()) == []


def test_an_id_leads_from_the_connection_to_the_run(stack: Instance, talked: tuple[str, str, str]) -> None:
    agent_id, conversation_id, run_id = talked
    found = [line for line in lines(stack) if line.get("run_id") == run_id]
    by_message = {line["message"]: line for line in found if "message" in line}
    accepted, over = by_message["a message was accepted"], by_message["a run ended"]
    assert (accepted["service"], over["service"]) == ("playground", "runner")
    for line in (accepted, over):
        assert (line["tenant_id"], line["conversation_id"]) == ("local", conversation_id)
        assert line["agent_id"] == agent_id
        assert line["correlation_id"]
    assert accepted["connection_id"]
    assert (over["status"], over["attempts"]) == ("completed", 1)
    assert {line["service"] for line in found if "_aws" in line} == {"playground", "runner"}


def test_a_request_is_found_by_the_id_that_its_caller_has(stack: Instance) -> None:
    answer = Rest(stack.url)("GET", "/api/v1/agents/agt_01HZZZZZZZZZZZZZZZZZZZZZZZ")
    request_id = answer.headers["x-request-id"]
    assert answer.status == 404

    def told(found: list[Line]) -> bool:
        return any(line.get("request_id") == request_id for line in found)

    [line] = [line for line in eventually(stack, told) if line.get("request_id") == request_id]
    assert (line["service"], line["route"], line["status"]) == ("api", "GET /agents/{agent_id}", 404)
    assert (line["tenant_id"], line["agent_id"]) == ("local", "agt_01HZZZZZZZZZZZZZZZZZZZZZZZ")


def test_lines_of_metrics_are_what_the_catalogue_says(stack: Instance, talked: tuple[str, str, str]) -> None:
    embedded = [line for line in lines(stack) if "_aws" in line]
    assert embedded
    for line in embedded:
        [directive] = line["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"].startswith(f"{NAMESPACE}/")
        [dimensions] = directive["Dimensions"]
        for one in directive["Metrics"]:
            metric = BY_NAME[one["Name"]]
            assert one == {"Name": metric.name, "Unit": metric.unit}
            assert set(dimensions) == {"service", *metric.dimensions}
        assert all(isinstance(line[name], str) and line[name] for name in dimensions)


def test_what_happened_was_counted(stack: Instance, talked: tuple[str, str, str]) -> None:
    told = counted(lines(stack))
    assert sum(told["playground", "MessagesAccepted"]) == 3
    runs = {key[2]: sum(found) for key, found in told.items() if key[1] == "Runs"}
    assert runs == {"completed": 1, "failed": 1, "cancelled": 1}
    assert len(told["runner", "RunDuration"]) == 3
    assert len(told["runner", "FirstTokenLatency"]) == 1  # the others never said anything
    assert sum(told["runner", "RunErrors", "provider_overloaded"]) == 1
    assert sum(told["runner", "ModelErrors", "scripted", "overloaded"]) == 1
    calls = {key[2]: sum(found) for key, found in told.items() if key[1] == "ToolCalls"}
    assert calls == {"succeeded": 1, "unknown": 1, "failed": 1}
    assert sum(told["runner", "InputTokens", "scripted"]) > 0
    assert sum(sum(found) for key, found in told.items() if key[1] == "UnpricedCalls") == 1  # what was cancelled
    assert sum(told["runner", "Posts", "sent"]) > 5
    assert sum(told["playground", "Posts", "sent"]) > 5


def test_a_message_by_rest_leads_from_its_request_to_its_run_and_is_counted(stack: Instance) -> None:
    rest = Rest(stack.url)
    answer = rest("POST", f"/api/v1/agents/{rest.create()['id']}/messages", {"content": needle("message by REST")})
    assert answer.status == 202, answer.body
    found = eventually(stack, lambda found: ended(found, answer.json["run_id"]))
    mine = [line for line in found if line.get("request_id") == answer.headers["x-request-id"]]
    by_message = {line["message"]: line for line in mine if "message" in line}
    for line in (by_message["a message was accepted"], by_message["a request was answered"]):
        assert (line["service"], line["run_id"]) == ("api", answer.json["run_id"])
        assert line["conversation_id"] == answer.json["conversation_id"]
    [line] = [line for line in mine if "MessagesAccepted" in line]
    assert (line["service"], line["MessagesAccepted"], line["run_id"]) == ("api", [1.0], answer.json["run_id"])
    assert occurrences(stack.function_log(), [needle("message by REST")]) == []


def test_a_deletion_is_counted(stack: Instance) -> None:
    rest = Rest(stack.url)
    agent_id = rest.create()["id"]
    with chatting(stack, agent_id) as chat:
        conversation_id = chat.ask("hello")["conversation_id"]
    assert rest("DELETE", f"/api/v1/conversations/{conversation_id}").status == 204
    found = eventually(stack, lambda found: ("runner", "Purges", "conversation") in counted(found))
    assert sum(counted(found)["runner", "Purges", "conversation"]) == 1


def test_who_comes_in_is_in_the_authorizer_s_lines() -> None:
    with running_stack(auth=True) as stack:
        token = stack.token("ada", tenant="acme", role="owner")
        answer = Rest(stack.url)("GET", "/api/v1/agents", headers={"Authorization": f"Bearer {token}"})
        assert answer.status == 200
        Rest(stack.url)("GET", "/api/v1/agents", headers={"Authorization": f"Bearer {needle('token')}"})
        found = eventually(stack, lambda found: any(line.get("message") == "refused" for line in found))
        refused = next(line for line in found if line.get("message") == "refused")
        assert (refused["service"], bool(refused["request_id"])) == ("authorizer", True)
        told = next(line for line in found if line.get("route") == "GET /agents")
        assert told["tenant_id"]
        assert token not in stack.function_log()
        assert occurrences(stack.function_log(), [needle("token")]) == []
