"""A tenant's own Langfuse: set by REST, reached by the guarded way out, told why it gets nothing."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from local.testing import Instance, running_stack
from tests.integration.chat import chatting
from tests.integration.rest import Rest, check_problem
from tests.integration.runner.workers import kill_workers
from tests.integration.tracing.outbox import make_due, marks, rescue, scripted, until
from tests.integration.tracing.receiver import Receiver, receiving

TRACING = "/api/v1/tracing"
KEYS = {"name": "Langfuse", "kind": "basic", "secret": {"username": "pk-lf-2", "password": "sk-lf-2"}}


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


@pytest.fixture(scope="module")
def stack() -> Iterator[Instance]:
    with running_stack(env={"LOOPBACK_TOOLS": "1"}, arguments=["--retry-delays", "60,60"]) as running:
        yield running


@pytest.fixture(scope="module")
def rest(stack: Instance) -> Rest:
    return Rest(stack.url)


@pytest.fixture
def tracing(rest: Rest, receiver: Receiver) -> dict[str, Any]:
    receiver.status = 200
    receiver.hangs.clear()
    keys = rest("POST", "/api/v1/credentials", KEYS).json["id"]
    return {"base_url": receiver.url, "credential_id": keys}


def talk(stack: Instance, agent: str, text: str = "canary-question") -> str:
    with chatting(stack, agent) as chat:
        end = chat.ask(text)
    assert end["type"] == "message_complete", end
    return str(end["run_id"])


def switch_on(stack: Instance, rest: Rest, tracing: dict[str, Any]) -> None:
    """Set it; runners know settings for a minute, so those that run begin anew."""
    answer = rest("PUT", TRACING, tracing)
    assert answer.status == 200, answer.body
    kill_workers(stack)


def test_what_is_set_is_shown_and_checked(stack: Instance, rest: Rest, tracing: dict[str, Any]) -> None:
    bearer = {"name": "Other", "kind": "bearer", "secret": {"value": "s3cret"}}
    other = rest("POST", "/api/v1/credentials", bearer).json["id"]
    for wrong in ("crd_none", other):
        problem = check_problem(rest("PUT", TRACING, {**tracing, "credential_id": wrong}), 422)
        assert problem["errors"][0]["pointer"] == "/credential_id"
    for field, value in (("base_url", "ftp://x"), ("base_url", "https://x/?a=1"), ("sample_rate", 1.1)):
        problem = check_problem(rest("PUT", TRACING, {**tracing, field: value}), 422)
        assert problem["errors"][0]["pointer"] == f"/{field}"
    check_problem(rest("GET", TRACING), 404)
    assert rest("PUT", TRACING, tracing).status == 200
    shown = rest("GET", TRACING).json
    assert shown.pop("updated_at")
    assert shown == {**tracing, "sample_rate": 1.0, "content": False, "last_failure": None}
    key = f"/api/v1/credentials/{tracing['credential_id']}"
    assert rest("GET", key).json["used_by"] == [
        {"kind": "tracing", "id": "tracing", "name": "Langfuse", "agent_id": None}
    ]
    check_problem(rest("DELETE", key), 409)
    assert rest("DELETE", TRACING).status == 204
    check_problem(rest("DELETE", TRACING), 404)
    assert rest("DELETE", key).status == 204


def test_content_is_sent_only_where_it_was_switched_on(
    stack: Instance, rest: Rest, receiver: Receiver, tracing: dict[str, Any]
) -> None:
    call = {"tool": "calculator", "input": {"expression": "40 + 2"}, "id": "t1"}
    agent = rest.create(model_config=scripted({"text": "canary-a "}, call, {"text": "canary-b"}))["id"]
    switch_on(stack, rest, {**tracing, "content": False})
    masked = receiver.of_run(talk(stack, agent))
    assert b"canary" not in masked.raw
    assert b"40 + 2" not in masked.raw
    assert masked.headers["authorization"] == "Basic " + base64.b64encode(b"pk-lf-2:sk-lf-2").decode()
    assert b"sk-lf-2" not in masked.raw

    switch_on(stack, rest, {**tracing, "content": True})
    told = receiver.of_run(talk(stack, agent))
    root = told.root.attributes
    assert root["langfuse.observation.input"] == "canary-question"
    assert root["langfuse.observation.output"] == "canary-a canary-b"
    assert root["user.id"] == "local-user"
    (tool,) = told.of("tool")
    assert tool.json("input") == {"expression": "40 + 2"}
    assert "42" in tool.attributes["langfuse.observation.output"]
    until(lambda: not marks(stack))
    rest("DELETE", TRACING)


def test_what_a_runner_sends_of_what_it_knows_is_what_is_stored(
    stack: Instance, rest: Rest, receiver: Receiver, tracing: dict[str, Any]
) -> None:
    """The first attempt reads nothing; the rescue's reads the run. With content, tools and a question."""
    call = {"tool": "calculator", "input": {"expression": "6 * 7"}, "id": "t1"}
    odd = {"text": "é\U0001f600 \u2028"}
    agent = rest.create(model_config=scripted({"thinking": "Hm."}, odd, call, {"text": "Done."}))["id"]
    switch_on(stack, rest, {**tracing, "content": True})
    receiver.status = 503
    run_id = talk(stack, agent, "What is it? \U0001f914")
    first = receiver.of_run(run_id)
    until(lambda: marks(stack))
    receiver.status = 200
    make_due(stack, run_id)
    count = len(receiver.requests)
    rescue(stack)
    receiver.wait(lambda requests: len(requests) > count)
    assert receiver.requests[-1].spans == first.spans
    until(lambda: not marks(stack))
    rest("DELETE", TRACING)


def test_a_runner_that_dies_after_the_answer_has_its_trace_sent_by_the_rescue_once(
    stack: Instance, rest: Rest, receiver: Receiver, tracing: dict[str, Any]
) -> None:
    agent = rest.create(model_config=scripted({"text": "Said."}))["id"]
    switch_on(stack, rest, tracing)
    receiver.hangs.set()
    with chatting(stack, agent) as chat:
        end = chat.ask("Go")
        assert end["type"] == "message_complete"
        receiver.of_run(end["run_id"])
        kill_workers(stack)  # in the middle of sending
    receiver.hangs.clear()
    assert [mark["sk"] for mark in marks(stack)] == [end["run_id"]]
    rescue(stack)
    assert len(marks(stack)) == 1, "it is not due yet"
    count = len(receiver.requests)
    make_due(stack, end["run_id"])
    rescue(stack)
    rescue(stack)
    until(lambda: not marks(stack))
    assert len(receiver.requests) == count + 1
    rest("DELETE", TRACING)


@pytest.mark.parametrize(
    ("base_url", "why"),
    [
        ("https://169.254.169.254", "address"),
        ("https://[::ffff:10.0.0.1]", "address"),
        ("https://10.0.0.7:444", "port"),
    ],
)
def test_a_server_inside_is_not_called_and_the_tenant_is_told(
    stack: Instance, rest: Rest, tracing: dict[str, Any], base_url: str, why: str
) -> None:
    agent = rest.create(model_config=scripted({"text": "Said."}))["id"]
    switch_on(stack, rest, {**tracing, "base_url": base_url})
    run_id = talk(stack, agent)
    failure = until(lambda: rest("GET", TRACING).json["last_failure"])
    assert failure["code"] == why
    refused = rest("GET", "/api/v1/egress/refusals").json["items"][0]
    assert refused["purpose"] == "tracing"
    assert run_id in {mark["sk"] for mark in marks(stack)}
    rest("DELETE", TRACING)
    make_due(stack, run_id)
    kill_workers(stack)
    rescue(stack)
    until(lambda: run_id not in {mark["sk"] for mark in marks(stack)})


def test_a_run_whose_conversation_is_deleted_is_not_told_of(
    stack: Instance, rest: Rest, receiver: Receiver, tracing: dict[str, Any]
) -> None:
    agent = rest.create(model_config=scripted({"text": "Said."}))["id"]
    switch_on(stack, rest, tracing)
    receiver.status = 401
    run_id = talk(stack, agent)
    failure = until(lambda: rest("GET", TRACING).json["last_failure"])
    assert failure["code"] == "http_401"
    receiver.status = 200
    conversation = rest("GET", f"/api/v1/runs/{run_id}").json["conversation_id"]
    assert rest("DELETE", f"/api/v1/conversations/{conversation}").status == 204
    count = len(receiver.requests)
    make_due(stack, run_id)
    rescue(stack)
    until(lambda: not marks(stack))
    assert len(receiver.requests) == count
    rest("DELETE", TRACING)


def test_without_keys_nothing_of_it_is_imported_or_marked(stack: Instance, rest: Rest) -> None:
    code = """
import json, sys
import functions.runner.app
from agent_builder.bootstrap import preload_runner, runner_services
preload_runner()
services = runner_services()
assert services.loop.run(services.traces.targets("nobody", "run_1")) == ()
print(json.dumps([name for name in sys.modules if name.partition(".")[0] in ("langfuse", "opentelemetry")]))
"""
    environment = {**stack.environment, "RUNNER_FUNCTION": "nobody:live", "PYTHONPATH": "shared:."}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == []
    kill_workers(stack)
    agent = rest.create(model_config=scripted({"text": "Said."}))["id"]
    talk(stack, agent)
    assert marks(stack) == []
