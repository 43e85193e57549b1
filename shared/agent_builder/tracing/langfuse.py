"""Runs as Langfuse takes them: OpenTelemetry spans with its attributes, and those of the GenAI conventions beside.

The SDK's own exporter is not used: its threads would be frozen with the environment, and what they hold be lost.
Ids are made of the run's, and times are those that were stored: sent twice, a trace is the same trace.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from agent_builder.jsontext import encode
from agent_builder.messages import Cost, Json, Usage
from agent_builder.models.conversations import Step
from agent_builder.models.tracing import RunTrace, span_id, trace_id

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

PATH = "/api/public/otel/v1/traces"
SCOPE = "dr-melton-agent-builder"
MOST_CONTENT = 100_000  # bytes of each text; Langfuse takes a few megabytes at once
_TOOL = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_PROVIDERS = {"google": "gcp.gemini"}
_LEVELS = {"failed": "ERROR", "unknown": "WARNING", "cancelled": "WARNING"}
Attributes = dict[str, Any]


@cache
def _version() -> str:
    from importlib.metadata import version

    return version("langfuse")


def preload() -> None:
    """Import what makes spans; starts nothing."""
    from langfuse._client import attributes
    from opentelemetry.exporter.otlp.proto.common import trace_encoder

    _ = attributes, trace_encoder


def headers() -> tuple[tuple[str, str], ...]:
    """What a body is sent with, besides the keys."""
    return (
        ("Content-Type", "application/x-protobuf"),
        ("Content-Encoding", "gzip"),
        ("x-langfuse-sdk-name", "python"),
        ("x-langfuse-sdk-version", _version()),
        ("x-langfuse-ingestion-version", "4"),
    )


def authorization(public_key: str, secret_key: str) -> tuple[str, str]:
    """The header with a pair of keys."""
    pair = base64.b64encode(f"{public_key}:{secret_key}".encode()).decode()
    return "Authorization", f"Basic {pair}"


def body(trace: RunTrace, *, content: bool) -> bytes:
    """A run with all its steps, as a compressed OTLP request.

    Args:
        content: Whether what was said is in it; without it: names, times, usage, cost, ids and codes.
    """
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    spans = list(_Telling(trace, content=content).spans())
    return gzip.compress(encode_spans(spans).SerializeToString(), 6)


def usage_details(usage: Usage) -> dict[str, int]:
    """Tokens by kind, each in one kind only, since Langfuse adds all up; none is negative, whatever is stored."""
    parts = {
        "input": usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "output": usage.output_tokens - usage.reasoning_tokens,
        "output_reasoning_tokens": usage.reasoning_tokens,
    }
    told = {name: max(0, count) for name, count in parts.items() if count > 0 or name in ("input", "output")}
    return {**told, "total": usage.input_tokens + usage.output_tokens}


def cost_details(cost: Cost | None) -> dict[str, float] | None:
    """US dollars; None where there is no price, which is not the same as no cost."""
    if cost is None or cost.amount_nanousd is None:
        return None
    return {"total": float(Decimal(cost.amount_nanousd).scaleb(-9))}


@dataclass(frozen=True, slots=True)
class _Telling:
    trace: RunTrace
    content: bool

    def spans(self) -> Iterator[ReadableSpan]:
        head, steps = self.trace.head, self.trace.steps
        begun = min([head.created_at, *(step.started_at for step in steps)])
        ended = max([head.finished_at or begun, *(_end(step) for step in steps)])
        yield self._span(0, None, self.trace.agent, (begun, ended), self._run(), head.error_code)
        inputs = _inputs(self.trace)
        numbers = {step.number for step in steps}
        for step in steps:
            parent = step.parent if step.parent in numbers else 0
            name = self._model_of(step).get("model") or "model" if step.kind == "model" else self._tool(step)
            told = self._model(step) if step.kind == "model" else self._tool_call(step, inputs.get(step.number))
            error = (step.error or step.status) if step.status in _LEVELS else None
            yield self._span(step.number, parent, str(name), (step.started_at, _end(step)), told, error)

    def _span(
        self, number: int, parent: int | None, name: str, times: tuple[int, int], told: Attributes, error: str | None
    ) -> ReadableSpan:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope
        from opentelemetry.trace import SpanContext, SpanKind
        from opentelemetry.trace.status import Status, StatusCode

        def context(step: int) -> SpanContext:
            run_id = self.trace.head.id
            return SpanContext(trace_id(run_id), span_id(run_id, step), is_remote=False)

        failed = error is not None
        return ReadableSpan(
            name=name,
            context=context(number),
            parent=None if parent is None else context(parent),
            resource=Resource({"service.name": SCOPE}),  # not `create`, which looks at the machine
            attributes={**self._common(), **told, **({"error.type": error} if failed else {})},
            kind=SpanKind.CLIENT if told.get("gen_ai.operation.name") == "chat" else SpanKind.INTERNAL,
            instrumentation_scope=InstrumentationScope(SCOPE),
            status=Status(StatusCode.ERROR, error) if failed else Status(StatusCode.UNSET),
            start_time=times[0] * 1_000_000,
            end_time=times[1] * 1_000_000,
        )

    def _common(self) -> Attributes:
        """Of the trace, said with every span: Langfuse filters spans by them."""
        from langfuse import LangfuseOtelSpanAttributes as Names

        head = self.trace.head
        return {
            Names.TRACE_NAME: self.trace.agent,
            Names.TRACE_SESSION_ID: head.conversation_id,
            Names.TRACE_USER_ID: head.created_by if self.content else _pseudonym(self.trace.tenant, head.created_by),
            Names.TRACE_TAGS: (head.agent_id, head.status),
            Names.VERSION: str(head.version),
            f"{Names.TRACE_METADATA}.run_id": encode(head.id),
            f"{Names.TRACE_METADATA}.tenant_id": encode(self.trace.tenant),
            "gen_ai.conversation.id": head.conversation_id,
            "gen_ai.agent.id": head.agent_id,
            "gen_ai.agent.name": self.trace.agent,
            "gen_ai.agent.version": str(head.version),
        }

    def _run(self) -> Attributes:
        from langfuse import LangfuseOtelSpanAttributes as Names
        from langfuse._client.attributes import create_span_attributes

        head = self.trace.head
        texts = (_said(step) for step in self.trace.steps if step.kind == "model" and step.parent is None)
        unpriced = head.cost.unpriced_steps if head.cost else 0
        told = create_span_attributes(
            observation_type="agent",
            input=_cut(self.trace.question) if self.content else None,
            output=_cut("".join(texts)) if self.content else None,
            metadata={
                "stop_reason": head.stop_reason,
                "unpriced_steps": unpriced,
                "duration_ms": head.timing.duration_ms,
            },
            level=_LEVELS.get(head.status, "DEFAULT"),  # type: ignore[arg-type]
            status_message=(head.error if self.content else None) or head.error_code,
            version=str(head.version),
        )
        config = self.trace.config
        asked = _present(
            {"gen_ai.provider.name": _provider(config.provider), "gen_ai.request.model": config.model} if config else {}
        )
        return {**told, **asked, Names.IS_APP_ROOT: True, "gen_ai.operation.name": "invoke_agent"}

    def _model(self, step: Step) -> Attributes:
        from langfuse._client.attributes import create_generation_attributes

        detail, model = step.detail, self._model_of(step)
        first = detail.get("first_token_ms")
        moment = None if first is None else datetime.fromtimestamp((step.started_at + int(first)) / 1000, UTC)
        said = self.content and detail.get("parts")
        told: Attributes = create_generation_attributes(
            model=model.get("model"),
            completion_start_time=moment,
            usage_details=usage_details(step.usage) if step.usage else None,
            cost_details=cost_details(step.cost),
            output=_cut(encode(detail["parts"])) if said else None,
            metadata=self._metadata(step),
            level=_LEVELS.get(step.status, "DEFAULT"),  # type: ignore[arg-type]
            status_message=step.error,
        )
        provider = model.get("provider")
        return {**told, **_present(_gen_ai_model(step, str(model.get("model") or ""), provider))}

    def _tool_call(self, step: Step, called: Any) -> Attributes:
        from langfuse._client.attributes import create_span_attributes

        detail = step.detail
        result: Json = detail.get("result") or {}
        given = (detail.get("approval") or {}).get("input") or detail.get("input", called)
        come = result.get("error") or result.get("result")
        told: Attributes = create_span_attributes(
            observation_type="tool",
            input=_cut(encode(given)) if self.content and given is not None else None,
            output=_cut(encode(come)) if self.content and come is not None else None,
            metadata=self._metadata(step),
            level=_LEVELS.get(step.status, "DEFAULT"),  # type: ignore[arg-type]
            status_message=step.error,
        )
        named = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": self._tool(step)}
        called = {"gen_ai.tool.type": "function", "gen_ai.tool.call.id": str(detail.get("tool_use_id", ""))[:200]}
        return {**told, **named, **called}

    def _metadata(self, step: Step) -> Json:
        detail, price = step.detail, step.cost.price if step.cost else None
        told = {name: detail.get(name) for name in ("purpose", "effect", "stop_reason", "agent_id", "agent_version")}
        retries = detail.get("retries") or max(0, int((detail.get("call") or {}).get("attempts", 1)) - 1)
        unpriced = bool(step.cost and step.cost.unpriced_steps)
        numbers = {"retries": retries or None, "unpriced": unpriced or None, "price": price}
        return {"step": step.number, "status": step.status, **told, **numbers}

    def _model_of(self, step: Step) -> Mapping[str, Any]:
        """What a step says of its model; of the run's own it is known where a step broke off before it could say."""
        config = self.trace.config
        if step.detail.get("model") or step.parent is not None or config is None:
            return step.detail
        return {"model": config.model, "provider": config.provider}

    def _tool(self, step: Step) -> str:
        """A model may make names up, and say anything in them."""
        name = str(step.detail.get("tool", ""))
        return name if _TOOL.fullmatch(name) else "(other)"


def _provider(name: Any) -> Any:
    """As the conventions name vendors; ours where they have no name."""
    return _PROVIDERS.get(str(name), name)


def _gen_ai_model(step: Step, model: str, provider: Any) -> Attributes:
    detail, usage = step.detail, step.usage or Usage()
    stop = detail.get("stop_reason")
    told: Attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _provider(provider),
        "gen_ai.request.model": model,
        "gen_ai.response.model": detail.get("answered_by"),
        "gen_ai.response.finish_reasons": (stop,) if stop else None,
    }
    if step.usage is not None:
        told["gen_ai.usage.input_tokens"] = usage.input_tokens
        told["gen_ai.usage.output_tokens"] = usage.output_tokens
        told["gen_ai.usage.cache_read.input_tokens"] = usage.cache_read_tokens
        told["gen_ai.usage.cache_creation.input_tokens"] = usage.cache_write_tokens
        told["gen_ai.usage.reasoning.output_tokens"] = usage.reasoning_tokens
    if "first_token_ms" in detail:
        told["gen_ai.response.time_to_first_chunk"] = detail["first_token_ms"] / 1000
    return told


def _inputs(trace: RunTrace) -> dict[int, Any]:
    """What each tool was called with, by step: it stands in the model's step that asked for it."""
    asked: dict[tuple[int | None, str], Any] = {}
    found: dict[int, Any] = {}
    for step in trace.steps:
        if step.kind == "tool":
            found[step.number] = asked.get((step.parent, step.detail.get("tool_use_id", "")))
            continue
        for part in step.detail.get("parts", ()):
            if part["type"] == "tool_call":
                asked[step.parent, part["tool_use_id"]] = part["input"]
    return found


def _said(step: Step) -> str:
    return "".join(part["text"] for part in step.detail.get("parts", ()) if part["type"] == "text")


def _end(step: Step) -> int:
    return step.started_at + step.duration_ms


def _cut(text: str) -> str:
    kept = text.encode("utf-8", "replace")[:MOST_CONTENT].decode("utf-8", "ignore")
    return kept if len(kept) == len(text) else f"{kept}…"


def _present(told: Attributes) -> Attributes:
    return {name: value for name, value in told.items() if value not in (None, "")}


def _pseudonym(tenant: str, subject: str) -> str:
    return hashlib.sha256(f"{tenant}\0{subject}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
