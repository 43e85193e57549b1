"""OpenAI's Responses API, stateless: nothing is stored there, reasoning travels encrypted with the conversation.

The SDK makes the request; the events are read from the raw stream: its event union alone costs 400 ms at first use,
and items must go back as they came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
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
from agent_builder.providers.arguments import compact, parse_arguments
from agent_builder.providers.characters import whole_characters
from agent_builder.providers.conversation import Said, counted, finished, spoken
from agent_builder.providers.failures import Answer, only_provider_errors
from agent_builder.providers.openai_responses_request import NAME, request_body

VENDOR = "OpenAI"
BASE_URL = "https://api.openai.com/v1"
# Larger items of the vendor's own tools (pictures) are not carried along in the conversation.
MAX_ITEM_CHARS = 64_000


def preload() -> None:
    """Import the SDK and make the TLS context; opens nothing (for SnapStart)."""
    import openai.resources.responses  # noqa: F401

    http.tls_context()


class OpenAIResponses:
    """`Provider` for api.openai.com and servers that speak its Responses wire."""

    name = NAME

    def __init__(self, api_key: str, base_url: str | None = None, *, idle_seconds: float = http.IDLE_SECONDS) -> None:
        self._api_key = api_key
        self._base_url = base_url or BASE_URL
        self._idle_seconds = idle_seconds

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Call the model once."""
        return only_provider_errors(VENDOR, whole_characters(self._stream(request)))

    async def _stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        patience = http.Patience(request.deadline, self._idle_seconds)
        answer = _Answer()
        async with aclosing(self._events(request, patience)) as events:
            async for event in events:
                for delta in answer.take(event or {}):
                    yield delta
                patience.over = patience.over or answer.response is not None
        response = answer.response
        if response is None:
            raise ProviderError("broken_stream", "OpenAI's answer ended before it was complete.")
        stop, vendor_stop = _stop(response, refused=answer.refused)
        model = str(response.get("model") or "")
        parts = answer.parts()
        yield finished(request, parts, stop, spoken(answer.usage(), parts), model, vendor_stop)

    def _events(self, request: ModelRequest, patience: http.Patience) -> AsyncGenerator[Json | None, None]:
        import openai

        client = openai.AsyncOpenAI(
            api_key=self._api_key, base_url=self._base_url, http_client=http.client(), max_retries=0
        )

        # All of the body is in extra_body, which is sent as it is.
        def create(body: Json) -> http.StreamingCall:
            return client.responses.with_streaming_response.create(stream=True, extra_body=body)

        return http.sdk_events(openai, VENDOR, create, request_body(request), patience, fixed=request.options)


class _Answer:
    """What has come of one answer; takes the wire's events one by one.

    Items are told apart by `output_index`, since some servers give an item another id in each event; where that is
    missing, by id, and at last by the item that was begun last.
    """

    def __init__(self) -> None:
        self.response: Json | None = None
        self.refused = False
        self._items: dict[int, Json] = {}
        self._texts: dict[int, list[str]] = {}
        self._arguments: dict[int, list[str]] = {}
        self._thoughts: dict[int, list[str]] = {}

    def take(self, event: Json) -> Iterator[ModelEvent]:
        """Take one event; yield what the consumer is to see of it."""
        index, delta = self._index(event), event.get("delta")
        match event.get("type"):
            case "response.output_item.added":
                self._items[index] = event.get("item") or {}
            case "response.output_item.done":
                self._items[index] = event.get("item") or {}
                yield from self._missed(index)
            case "response.output_text.delta" | "response.refusal.delta" as kind if delta:
                self.refused = self.refused or "refusal" in kind
                self._texts.setdefault(index, []).append(delta)
                yield TextDelta(delta)
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" if delta:
                self._thoughts.setdefault(index, []).append(delta)
                yield ThinkingDelta(delta)
            case "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" if delta:
                self._arguments.setdefault(index, []).append(delta)
            case "response.completed" | "response.incomplete" | "response.done":
                yield from self._complete(event.get("response") or {})
            case "response.failed":
                raise Answer(VENDOR, None, (event.get("response") or {}).get("error") or event).failure()
            case "error":
                raise Answer(VENDOR, None, event).failure()

    def _index(self, event: Json) -> int:
        if isinstance(index := event.get("output_index"), int):
            return index
        newest = max(self._items, default=0)
        if event.get("type") == "response.output_item.added":
            return newest + 1 if self._items else 0
        item_id = event.get("item_id") or (event.get("item") or {}).get("id")
        named = (index for index, item in self._items.items() if item_id and item.get("id") == item_id)
        return next(named, newest)

    def _complete(self, response: Json) -> Iterator[ModelEvent]:
        if response.get("status") == "failed":
            raise Answer(VENDOR, None, response.get("error") or response).failure()
        self.response = response
        for index, item in enumerate(response.get("output") or ()):
            if index not in self._items:
                self._items[index] = item
                yield from self._missed(index)

    def _missed(self, index: int) -> Iterator[ModelEvent]:
        """Text of a whole item that was never streamed."""
        item = self._items[index]
        if item.get("type") == "message" and index not in self._texts:
            text = "".join(c.get("text") or c.get("refusal") or "" for c in item.get("content") or ())
            self.refused = self.refused or any(c.get("type") == "refusal" for c in item.get("content") or ())
            if text:
                self._texts[index] = [text]
                yield TextDelta(text)
        if item.get("type") == "reasoning" and index not in self._thoughts:
            text = "".join(c.get("text") or "" for c in (*(item.get("summary") or ()), *(item.get("content") or ())))
            if text:
                self._thoughts[index] = [text]
                yield ThinkingDelta(text)

    def usage(self) -> Usage:
        """Tokens, and what the vendor's own tools did that is paid."""
        response = self.response or {}
        tier = response.get("service_tier")
        done = Counter(str(item.get("type")) for item in self._items.values() if _is_paid(item))
        charge = Charge(
            _usage(response.get("usage") or {}),
            web_searches=done.pop("web_search_call", 0),
            file_searches=done.pop("file_search_call", 0),
            terms=() if tier in (None, "auto", "default") else (("service_tier", str(tier)),),
            unpriced=bool(done),
        )
        return Usage.billed(charge)

    def parts(self) -> list[Said]:
        """All of the answer, in order."""
        indices = sorted({*self._items, *self._texts, *self._thoughts})
        return [part for index in indices if (part := self._part(index, self._items.get(index) or {})) is not None]

    def _part(self, index: int, item: Json) -> Said | None:
        text, thought = "".join(self._texts.get(index, ())), "".join(self._thoughts.get(index, ()))
        match item.get("type"):
            case "message" | None:
                if text:
                    return TextPart(text=text, provider_details=_own(item, "id", "phase"))
                return ThinkingPart(text=thought) if thought else None
            case "reasoning":
                return ThinkingPart(text=thought, provider_details={"provider": NAME, "item": item})
            case "function_call":
                return self._call(index, item, item.get("arguments"))
            case "custom_tool_call":
                call = self._call(index, item, item.get("input"))
                # Its input is free text by nature: no tool of ours takes that.
                return call.model_copy(update={"input": {}, "invalid": call.invalid or compact(call.input)})
        whole = len(compact(item)) <= MAX_ITEM_CHARS
        return ThinkingPart(text="", provider_details={"provider": NAME, "item": item}) if whole else None

    def _call(self, index: int, item: Json, whole: Any) -> ToolCallPart:
        raw = whole or "".join(self._arguments.get(index, ()))
        parsed, invalid = parse_arguments(raw)
        own = _own(item, "id")
        if own and invalid is None and raw != compact(parsed):
            own["arguments"] = raw  # byte for byte, for the vendor's cache
        name, call_id = str(item.get("name") or ""), str(item.get("call_id") or "")
        return ToolCallPart(tool_use_id=call_id, name=name, input=parsed, invalid=invalid, provider_details=own)


def _is_paid(item: Json) -> bool:
    """Whether an item is a call of a vendor's tool that costs something besides its tokens."""
    if item.get("type") == "web_search_call":  # to open a page that it found costs nothing
        action = item.get("action")
        return not isinstance(action, dict) or action.get("type", "search") == "search"
    return item.get("type") in ("file_search_call", "code_interpreter_call", "image_generation_call", "shell_call")


def _own(item: Json, *names: str) -> Json:
    return {"provider": NAME} | {name: item[name] for name in names if item.get(name)}


def _stop(response: Json, *, refused: bool) -> tuple[StopReason, str]:
    reason = (response.get("incomplete_details") or {}).get("reason")
    vendor = str(reason or response.get("status") or "")
    if reason == "max_output_tokens" or (reason is None and vendor == "incomplete"):
        return "max_tokens", vendor
    if reason == "content_filter":
        return "content_filter", vendor
    return ("refusal" if refused else "end_turn"), vendor


def _usage(usage: Json) -> Usage:
    inputs, outputs = usage.get("input_tokens_details") or {}, usage.get("output_tokens_details") or {}
    return counted(
        input_tokens=usage.get("input_tokens"),
        cache_read_tokens=inputs.get("cached_tokens"),
        cache_write_tokens=inputs.get("cache_write_tokens"),
        output_tokens=usage.get("output_tokens"),
        reasoning_tokens=outputs.get("reasoning_tokens"),
    )
