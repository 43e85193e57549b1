"""The platform's own keys, on the running stack: what is sent, when, and what happens where nobody takes it."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from local.testing import Instance, running_stack
from tests.integration.chat import chatting
from tests.integration.rest import Rest
from tests.integration.runner.workers import kill_workers
from tests.integration.tracing.outbox import make_due, marks, rescue, scripted, until
from tests.integration.tracing.receiver import Receiver, Span, receiving

SECRET = "sk-lf-0123456789"
SCRIPT = [
    {"thinking": "canary-thought"},
    {"text": "canary-said "},
    {"usage": {"input_tokens": 100, "cache_read_tokens": 40, "output_tokens": 30, "reasoning_tokens": 10}},
    {"tool": "helper", "input": {"message": "canary-argument"}, "id": "t1"},
    {"text": "canary-answer"},
]
HELPER = [{"text": "canary-inside"}, {"usage": {"input_tokens": 7, "output_tokens": 3}}]


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


@pytest.fixture(scope="module")
def stack(receiver: Receiver) -> Iterator[Instance]:
    keys = {"LANGFUSE_PUBLIC_KEY": "pk-lf-1", "LANGFUSE_SECRET_KEY": SECRET, "LANGFUSE_BASE_URL": receiver.url}
    with running_stack(providers=keys) as running:
        yield running


@pytest.fixture(scope="module")
def rest(stack: Instance) -> Rest:
    rest = Rest(stack.url)
    price = {"provider": "scripted", "model": "*", "input": "3", "cached_input": "0.3", "output": "15.000001"}
    assert rest("PUT", "/api/v1/prices", {"prices": [price]}).status == 200
    return rest


@pytest.fixture(autouse=True)
def listening(stack: Instance, receiver: Receiver) -> Iterator[None]:
    yield
    receiver.status = 200
    receiver.hangs.clear()
    receiver.let_go.set()
    receiver.let_go.clear()
    kill_workers(stack)  # they let a server rest that took nothing


def by_number(spans: list[Span]) -> dict[int, Span]:
    return {json.loads(span.attributes.get("langfuse.observation.metadata.step", "0")): span for span in spans}


def test_one_trace_tells_of_a_run_with_all_that_was_done_inside(
    stack: Instance, rest: Rest, receiver: Receiver
) -> None:
    helper = rest.create(name="Helper", model_config=scripted(*HELPER))["id"]
    agent = rest.create(name="Asker", model_config=scripted(*SCRIPT))["id"]
    tool = {"kind": "agent", "name": "helper", "target_agent_id": helper}
    assert rest("POST", f"/api/v1/agents/{agent}/tools", tool).status == 201
    with chatting(stack, agent) as chat:
        end = chat.ask("canary-question")
    assert end["type"] == "message_complete", end
    request = receiver.of_run(end["run_id"])
    assert request.path == "/api/public/otel/v1/traces"
    assert request.headers["authorization"] == "Basic " + base64.b64encode(f"pk-lf-1:{SECRET}".encode()).decode()
    assert request.headers["x-langfuse-ingestion-version"] == "4"
    run = rest("GET", f"/api/v1/runs/{end['run_id']}").json

    root, spans = request.root, request.spans
    assert {span.trace_id for span in spans} == {root.trace_id}
    assert len({span.span_id for span in spans}) == len(spans)
    assert (root.name, root.kind) == ("Asker", "agent")
    for span in spans:
        assert span.attributes["session.id"] == run["conversation_id"]
        assert span.attributes["langfuse.trace.name"] == "Asker"
        assert span.attributes["langfuse.version"] == "2"
        assert span.attributes["langfuse.trace.tags"] == [agent, "completed"]
        assert root.start <= span.start <= span.end <= root.end

    numbered = by_number(spans)
    steps = {}

    def look(views: list[dict[str, Any]], parent: int) -> None:
        for view in views:
            steps[view["number"]] = view
            assert numbered[view["number"]].parent == numbered[parent].span_id
            look(view["steps"], view["number"])

    look(run["steps"], 0)
    assert set(steps) == set(numbered) - {0} == {1, 2, 3, 4}
    assert [numbered[n].kind for n in (1, 2, 3, 4)] == ["generation", "tool", "generation", "generation"]

    total, tokens, details = Decimal(0), 0, {}
    for span in request.of("generation"):
        told = span.json("usage_details")
        assert told.pop("total") == sum(told.values())
        tokens += sum(told.values())
        details[numbered_of(numbered, span)] = told
        total += Decimal(str(span.json("cost_details")["total"]))
        assert "langfuse.observation.completion_start_time" in span.attributes
    assert details[1] == {"input": 60, "cache_read_input_tokens": 40, "output": 20, "output_reasoning_tokens": 10}
    assert details[3] == {"input": 7, "output": 3}
    assert total * 10**9 == run["cost"]["amount_nanousd"] > 0
    assert tokens == run["usage"]["input_tokens"] + run["usage"]["output_tokens"]

    first = numbered[1].attributes
    assert first["gen_ai.operation.name"] == "chat"
    assert first["gen_ai.usage.input_tokens"] == 100
    assert first["gen_ai.request.model"] == first["langfuse.observation.model.name"] == "script"
    assert numbered[2].attributes["gen_ai.tool.name"] == "helper"
    assert b"canary" not in request.raw
    assert b"local-user" not in request.raw
    until(lambda: not marks(stack))


def numbered_of(numbered: dict[int, Span], span: Span) -> int:
    return next(number for number, one in numbered.items() if one is span)


def test_a_run_that_fails_says_so(stack: Instance, rest: Rest, receiver: Receiver) -> None:
    agent = rest.create(model_config=scripted({"error": "auth"}))["id"]
    with chatting(stack, agent) as chat:
        end = chat.ask("Go")
    request = receiver.of_run(end["run_id"])
    assert request.root.status == 2
    assert request.root.attributes["error.type"] == end["code"]
    assert request.root.attributes["langfuse.observation.level"] == "ERROR"
    (step,) = request.of("generation")
    assert (step.status, step.attributes["langfuse.observation.level"]) == (2, "ERROR")


@pytest.mark.parametrize("how", ["hangs", "refuses"])
def test_a_server_that_does_not_take_it_holds_nothing_up_and_gets_it_later(
    stack: Instance, rest: Rest, receiver: Receiver, how: str
) -> None:
    agent = rest.create(model_config=scripted({"text": "Said."}))["id"]
    if how == "hangs":
        receiver.hangs.set()
    else:
        receiver.status = 503
    with chatting(stack, agent) as chat:
        end = chat.ask("Go")
        told = time.monotonic()
        request = receiver.of_run(end["run_id"])
        following = chat.ask("And now?", conversation_id=end["conversation_id"])
        assert following["type"] == "message_complete"
    # The server was still silent when the next answer had come: nobody waited for it.
    assert not receiver.let_go.is_set()
    assert request.at > told - 1
    (mark,) = until(lambda: [one for one in marks(stack) if one["sk"] == end["run_id"] and one["attempts"] == 1])
    assert mark["targets"] == '["platform"]'
    receiver.status = 200
    receiver.hangs.clear()
    make_due(stack, end["run_id"])
    count = len(receiver.requests)
    rescue(stack)
    receiver.wait(lambda requests: len(requests) > count)
    until(lambda: end["run_id"] not in {one["sk"] for one in marks(stack)})
    again = receiver.requests[-1]
    assert again.spans == request.spans, "sent twice it is the same"
