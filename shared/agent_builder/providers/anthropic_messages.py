"""Anthropic's Messages API.

The SDK makes the request (address, authentication, API version, error classes); the events are read from the raw
stream, because the SDK's own accumulator repairs cut-off tool arguments, ends silently without `message_stop`, and
does not give blocks back verbatim.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from agent_builder.errors import ProviderError
from agent_builder.messages import (
    Charge,
    Json,
    ModelEvent,
    ModelRequest,
    StopReason,
    TextDelta,
    TextPart,
    ThinkingDelta,
    ThinkingPart,
    ToolCallPart,
    Usage,
)
from agent_builder.providers import http
from agent_builder.providers.anthropic_request import NAME, request_body
from agent_builder.providers.arguments import parse_arguments
from agent_builder.providers.characters import whole_characters
from agent_builder.providers.conversation import Said, counted, finished, is_count, spoken, together
from agent_builder.providers.failures import Answer, only_provider_errors

VENDOR = "Anthropic"
BASE_URL = "https://api.anthropic.com"
# Sampling parameters are gone from later versions of the API; this one still takes them.
SAMPLING_VERSION = "2023-06-01"
MAX_PAUSES = 8

_STOPS: dict[str, StopReason] = {
    "max_tokens": "max_tokens",
    "model_context_window_exceeded": "max_tokens",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_use",
    "refusal": "refusal",
}


def preload() -> None:
    """Import the SDK and make the TLS context; opens nothing (for SnapStart)."""
    import anthropic.resources.messages  # noqa: F401

    http.tls_context()


class AnthropicMessages:
    """`Provider` for api.anthropic.com and servers that speak its wire."""

    name = NAME

    def __init__(self, api_key: str, base_url: str | None = None, *, idle_seconds: float = http.IDLE_SECONDS) -> None:
        self._api_key = api_key
        self._base_url = base_url or BASE_URL
        self._idle_seconds = idle_seconds

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Call the model once. A turn that the vendor pauses, for its own tools, is continued here."""
        return only_provider_errors(VENDOR, whole_characters(self._stream(request)))

    async def _stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        body = request_body(request)
        patience = http.Patience(request.deadline, self._idle_seconds)
        answer = _Answer()
        for _ in range(MAX_PAUSES):
            async with aclosing(self._events(request, body, patience)) as events:
                async for event in events:
                    for delta in answer.take(event or {}):
                        yield delta
                    patience.over = answer.stopped
            if not answer.stopped:
                raise ProviderError("broken_stream", "Anthropic's answer ended before it was complete.")
            if answer.stop != "pause_turn":
                break
            body = {**body, "messages": [*body["messages"], {"role": "assistant", "content": answer.pause()}]}
            patience.over = False
        stop = _STOPS.get(answer.stop, "end_turn")
        parts = answer.parts()
        yield finished(request, parts, stop, spoken(answer.usage, parts), answer.model, answer.stop)

    def _events(self, request: ModelRequest, body: Json, patience: http.Patience) -> AsyncGenerator[Json | None, None]:
        import anthropic

        client = anthropic.AsyncAnthropic(
            api_key=self._api_key, base_url=self._base_url, http_client=http.client(), max_retries=0
        )

        # All of the body is in extra_body, which is sent as it is; the SDK's warnings about models are for programmers.
        def create(body: Json) -> http.StreamingCall:
            samples = any(name in body for name in ("temperature", "top_p", "top_k"))
            return client.messages.with_streaming_response.create(
                model="",
                max_tokens=1,
                messages=[],
                stream=True,
                extra_body=body,
                extra_headers={"anthropic-version": SAMPLING_VERSION} if samples else None,
            )

        return http.sdk_events(anthropic, VENDOR, create, body, patience, fixed=request.options)


class _Answer:
    """What has come of one answer; takes the wire's events one by one."""

    def __init__(self) -> None:
        self.stop = ""
        self.stopped = False
        self.model = ""
        self._counts: Json = {}
        self._charges: list[Charge] = []
        self._earlier: list[Json] = []
        self._blocks: dict[int, Json] = {}
        self._pieces: dict[int, list[str]] = {}

    @property
    def usage(self) -> Usage:
        """Of all requests that it took."""
        return Usage.billed(*self._charges)

    def take(self, event: Json) -> Iterator[ModelEvent]:
        """Take one event; yield what the consumer is to see of it."""
        match event.get("type"):
            case "message_start":
                message = event.get("message") or {}
                self.model = message.get("model") or self.model
                self._count(message.get("usage"))
            case "content_block_start":
                yield from self._start(event["index"], dict(event.get("content_block") or {}))
            case "content_block_delta":
                yield from self._delta(event["index"], event.get("delta") or {})
            case "message_delta":
                self.stop = (event.get("delta") or {}).get("stop_reason") or self.stop
                self._count(event.get("usage"))
            case "message_stop":
                self.stopped = True
                self._charges += _charges(self._counts)
            case "error":
                raise Answer(VENDOR, None, event).failure()

    def _start(self, index: int, block: Json) -> Iterator[ModelEvent]:
        self._blocks[index] = block
        # Some servers put the first piece into the block's start.
        first = {"text": "text", "thinking": "thinking"}.get(str(block.get("type")), "")
        if block.get(first):
            yield from self._delta(index, {"type": f"{first}_delta", first: block.pop(first)})

    def _delta(self, index: int, delta: Json) -> Iterator[ModelEvent]:
        match delta.get("type"):
            case "text_delta":
                if text := delta.get("text"):
                    self._piece(index, text)
                    yield TextDelta(text)
            case "thinking_delta":
                if text := delta.get("thinking"):
                    self._piece(index, text)
                    yield ThinkingDelta(text)
            case "input_json_delta":
                self._piece(index, delta.get("partial_json") or "")
            case "signature_delta":
                block = self._blocks[index]
                block["signature"] = (block.get("signature") or "") + (delta.get("signature") or "")
            case "citations_delta":
                self._blocks[index].setdefault("citations", []).append(delta.get("citation"))
            case "compaction_delta":
                self._piece(index, delta.get("content") or "")

    def _piece(self, index: int, piece: str) -> None:
        self._pieces.setdefault(index, []).append(piece)

    def _count(self, usage: Any) -> None:
        # Values of message_delta are cumulative; what it leaves out keeps its value of message_start.
        self._counts |= {name: value for name, value in (usage or {}).items() if value is not None}

    def pause(self) -> list[Json]:
        """The blocks so far, to be sent back; makes room for those that follow."""
        blocks = self._whole_blocks()
        self._earlier += blocks
        self._blocks, self._pieces, self._counts = {}, {}, {}
        self.stopped, self.stop = False, ""
        return blocks

    def _whole_blocks(self) -> list[Json]:
        return [_whole(block, "".join(self._pieces.get(index, ()))) for index, block in sorted(self._blocks.items())]

    def parts(self) -> list[Said]:
        """All of the answer, in order."""
        return [part for block in (*self._earlier, *self._whole_blocks()) if (part := _part(block)) is not None]


def _whole(block: Json, text: str) -> Json:
    match block.get("type"):
        case "text" | "thinking" as kind:
            return {**block, kind: text}
        case "compaction":
            return {**block, "content": text or block.get("content")}
        case "tool_use" if not text:
            return {**block, "raw": ""} if not block.get("input") else block
        case "tool_use":
            return {**block, "raw": text}
        case kind if text and str(kind).endswith("tool_use"):
            return {**block, "input": parse_arguments(text)[0]}
    return block


def _part(block: Json) -> Said | None:
    match block.get("type"):
        case "text":
            return TextPart(text=block["text"]) if block["text"] else None
        case "thinking":
            own = {"provider": NAME, "signature": block.get("signature") or ""}
            return ThinkingPart(text=block["thinking"], provider_details=own)
        case "tool_use":
            parsed, invalid = parse_arguments(block["raw"]) if "raw" in block else (block["input"], None)
            name, call_id = str(block.get("name") or ""), str(block.get("id") or "")
            return ToolCallPart(tool_use_id=call_id, name=name, input=parsed, invalid=invalid)
        case None:
            return None
    # Redacted thinking, the vendor's own tools and their results, compaction: wanted back as they are.
    return ThinkingPart(text="", provider_details={"provider": NAME, "block": block})


def _charges(counts: Json) -> list[Charge]:
    """What one request is billed: of the passes that it took, as far as the vendor names them, each by itself.

    Passes that shorten the conversation, or ask another model for advice, are in none of the other counts.
    """
    terms = _terms(counts)
    told = counts.get("iterations")
    passes = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    thought = _inner(counts, "output_tokens_details", "thinking_tokens")
    told = passes if len(passes) > 1 else [counts]
    longest = max(range(len(told)), key=lambda n: _count(told[n].get("output_tokens")))
    first, *others = [_charge(one, terms, thought if n == longest else None) for n, one in enumerate(told)]
    return [replace(first, web_searches=_count(_inner(counts, "server_tool_use", "web_search_requests"))), *others]


def _charge(counts: Json, terms: tuple[tuple[str, str], ...], thought: Any) -> Charge:
    usage, hour = _usage(counts, thought), _count(_inner(counts, "cache_creation", "ephemeral_1h_input_tokens"))
    return Charge(usage, str(counts.get("model") or ""), min(hour, usage.cache_write_tokens), terms=terms)


def _inner(counts: Json, group: str, name: str) -> Any:
    inner = counts.get(group)
    return inner.get(name) if isinstance(inner, dict) else None


def _terms(counts: Json) -> tuple[tuple[str, str], ...]:
    """What is billed differently: the tier, the speed, and where it was computed."""
    standard = {"service_tier": ("standard",), "speed": ("standard",), "inference_geo": ("global", "not_available")}
    told = ((name, counts.get(name)) for name in standard)
    return tuple((name, value) for name, value in told if isinstance(value, str) and value not in standard[name])


def _count(value: Any) -> int:
    return value if is_count(value) else 0


def _usage(counts: Json, thought: Any) -> Usage:
    read, written = counts.get("cache_read_input_tokens"), counts.get("cache_creation_input_tokens")
    return counted(
        input_tokens=together(counts.get("input_tokens"), read, written),
        cache_read_tokens=read,
        cache_write_tokens=written,
        output_tokens=counts.get("output_tokens"),
        reasoning_tokens=thought,
    )
