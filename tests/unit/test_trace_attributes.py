"""What a trace server gets: the names of the GenAI conventions, as their own package has them; no content unasked."""

from __future__ import annotations

import gzip
import inspect
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes

from agent_builder.messages import Cost, Json, Usage
from agent_builder.models.agents import LlmConfig
from agent_builder.models.conversations import Step
from agent_builder.models.traces import RunHead
from agent_builder.models.tracing import RunTrace
from agent_builder.models.usage import Timing
from agent_builder.tracing import langfuse

CANARY = "canary"
USAGE = Usage(input_tokens=100, cache_read_tokens=40, cache_write_tokens=10, output_tokens=30, reasoning_tokens=12)
COST = Cost(amount_nanousd=1_234_567_891)
HEAD = RunHead(
    id="run_1",
    agent_id="agt_1",
    conversation_id="cnv_1",
    version=3,
    message_id="msg_1",
    status="failed",
    created_by=f"{CANARY}@example.com",
    created_at=1_000,
    finished_at=9_000,
    stop_reason=None,
    timing=Timing(1_100, 7_900, 200),
    usage=USAGE,
    cost=COST,
    error_code="provider_auth",
    error=f"{CANARY}-error",
)


def model(number: int, provider: str, parent: int | None = None) -> Step:
    parts: list[Json] = [
        {"type": "thinking", "text": f"{CANARY}-thought"},
        {"type": "text", "text": f"{CANARY}-said"},
        {"type": "tool_call", "tool_use_id": f"t{number}", "name": f"{CANARY} made up", "input": {"a": CANARY}},
    ]
    detail = {"provider": provider, "model": "m-1", "answered_by": "m-1-0805", "first_token_ms": 150}
    told = {**detail, "stop_reason": "tool_use", "retries": 1, "parts": parts}
    return Step(number, "model", 1_100, 900, detail=told, usage=USAGE, cost=COST, parent=parent)


def tool(number: int, asked: int, parent: int | None = None) -> Step:
    result = {"result": {"b": f"{CANARY}-result"}, "error": None, "duration_ms": 5}
    detail = {"tool": f"{CANARY} made up", "tool_use_id": f"t{asked}", "effect": "write", "result": result}
    return Step(number, "tool", 2_000, 5, "unknown", detail=detail, error="tool_outcome_unknown", parent=parent)


STEPS = (
    model(1, "anthropic"),
    tool(2, 1),
    model(3, "google", 2),
    model(4, "openai", 2),
    Step(5, "model", 3_000, 10, "failed", cost=Cost(unpriced_steps=1), error="runner_lost"),
)
CONFIG = LlmConfig(provider="anthropic", model="m-1")
TRACE = RunTrace("acme", HEAD, STEPS, "Helper", CONFIG, f"{CANARY}-question")


def spans(*, content: bool = False, trace: RunTrace = TRACE) -> Iterator[tuple[Span, dict[str, Any]]]:
    raw = gzip.decompress(langfuse.body(trace, content=content))
    for resource in ExportTraceServiceRequest.FromString(raw).resource_spans:
        for span in resource.scope_spans[0].spans:
            yield span, {pair.key: _value(pair.value) for pair in span.attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    return [_value(one) for one in value.array_value.values] if kind == "array_value" else getattr(value, kind)


def of(operation: str) -> list[tuple[Span, dict[str, Any]]]:
    return [(span, told) for span, told in spans() if told["gen_ai.operation.name"] == operation]


def conventions() -> set[str]:
    """Names that are in force: the package says below each if it was replaced or removed. (All have moved house.)"""
    source = inspect.getsource(gen_ai_attributes)
    found = re.findall(r'^GEN_AI_\w+: Final = "([^"]+)"\n(?:"""(.*?)""")?', source, re.MULTILINE | re.DOTALL)
    assert len(found) > 30
    return {name for name, told in found if not re.search(r"Deprecated: (Replaced|Removed)", told)}


def test_every_name_is_one_of_the_conventions() -> None:
    known = conventions()
    assert "gen_ai.system" not in known, "the test tells what is out of force"
    told = {name for _, attributes in spans(content=True) for name in attributes if name.startswith("gen_ai.")}
    assert told <= known
    assert len(told) > 15


def test_operations_and_vendors_are_called_as_the_conventions_call_them() -> None:
    operations = {one.value for one in gen_ai_attributes.GenAiOperationNameValues}
    vendors = {one.value for one in gen_ai_attributes.GenAiProviderNameValues}
    for _, told in spans():
        assert told["gen_ai.operation.name"] in operations
        assert told["gen_ai.conversation.id"] == "cnv_1"
        assert told["gen_ai.agent.name"] == "Helper"
    for operation in ("chat", "invoke_agent"):
        assert {told["gen_ai.provider.name"] for _, told in of(operation)} <= vendors


def test_a_call_of_a_model() -> None:
    calls = of("chat")
    assert len(calls) == 4
    span, told = calls[0]
    assert span.kind == Span.SPAN_KIND_CLIENT
    assert (told["gen_ai.request.model"], told["gen_ai.response.model"]) == ("m-1", "m-1-0805")
    assert told["gen_ai.response.finish_reasons"] == ["tool_use"]
    assert told["gen_ai.response.time_to_first_chunk"] == 0.15, "in seconds"
    assert {name: count for name, count in told.items() if name.startswith("gen_ai.usage.")} == {
        "gen_ai.usage.input_tokens": 100,  # what is cached is in it
        "gen_ai.usage.cache_read.input_tokens": 40,
        "gen_ai.usage.cache_creation.input_tokens": 10,
        "gen_ai.usage.output_tokens": 30,  # what was thought is in it
        "gen_ai.usage.reasoning.output_tokens": 12,
    }
    lost, of_lost = calls[-1]
    assert (of_lost["error.type"], lost.status.code, of_lost["gen_ai.request.model"]) == ("runner_lost", 2, "m-1")
    assert not [name for name in of_lost if name.startswith("gen_ai.usage.") or "cost" in name], "nobody knows"


def test_a_call_of_a_tool_and_the_agent() -> None:
    ((span, told),) = of("execute_tool")
    assert (told["gen_ai.tool.name"], told["gen_ai.tool.type"]) == ("(other)", "function")
    assert (told["gen_ai.tool.call.id"], told["error.type"]) == ("t1", "tool_outcome_unknown")
    ((root, agent),) = of("invoke_agent")
    assert (root.parent_span_id, agent["gen_ai.agent.version"], agent["error.type"]) == (b"", "3", "provider_auth")
    assert agent["gen_ai.request.model"] == "m-1"
    inside = [one for one, _ in spans() if one.parent_span_id == span.span_id]
    assert len(inside) == 2


def test_without_a_known_version_nothing_is_made_up() -> None:
    told = [attributes for _, attributes in spans(trace=replace(TRACE, config=None))]
    assert "gen_ai.provider.name" not in told[0]
    assert "gen_ai.request.model" not in told[-1]


def test_content_is_sent_only_where_it_is_wanted() -> None:
    masked = gzip.decompress(langfuse.body(TRACE, content=False))
    assert CANARY.encode() not in masked
    whole = gzip.decompress(langfuse.body(TRACE, content=True))
    for text in ("question", "thought", "said", "result", "error", "@example.com"):
        assert CANARY.encode() + (text if text[0] == "@" else f"-{text}").encode() in whole, text


@pytest.mark.parametrize("content", [False, True])
def test_told_twice_it_is_the_same(content: bool) -> None:
    one, other = (list(spans(content=content)) for _ in range(2))
    assert one == other
    assert len({span.span_id for span, _ in one}) == len(STEPS) + 1
