"""Chat completions, for every server that speaks them: vLLM, Ollama, llama.cpp, gateways, and the embedded model.

Such servers differ. What is tolerated: usage that is missing or given with every chunk, a tool's name repeated in
each chunk, missing indices and ids, one index for several calls, no `finish_reason` before `[DONE]`, several choices
(the first counts), content as a list, thinking as `reasoning_content` or `reasoning`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any

import httpx2

from agent_builder.errors import ProviderError
from agent_builder.messages import (
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
from agent_builder.providers.conversation import Said, counted, finished, spoken, together
from agent_builder.providers.failures import Answer, only_provider_errors
from agent_builder.providers.openai_chat_request import request_body

VENDOR = "The model server"

_STOPS: dict[str, StopReason] = {
    "stop": "end_turn",
    "eos": "end_turn",
    "length": "max_tokens",
    "max_tokens": "max_tokens",
    "model_length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "content_filter",
    "refusal": "refusal",
}


def preload() -> None:
    """Import the SDK and make the TLS context; opens nothing (for SnapStart)."""
    import openai.resources.chat  # noqa: F401

    http.tls_context()


class OpenAIChat:
    """`Provider` for OpenAI-compatible servers. `name` is `openai_compatible` or `local`.

    `client` is one that guards where it connects to; without it the process's own is used.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        *,
        name: str = "openai_compatible",
        idle_seconds: float = http.IDLE_SECONDS,
        client: httpx2.AsyncClient | None = None,
    ) -> None:
        self.name = name
        self._base_url = base_url
        self._api_key = api_key or "none"  # the SDK insists on one, servers without keys ignore it
        self._idle_seconds = idle_seconds
        self._client = client

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Call the model once."""
        return only_provider_errors(VENDOR, whole_characters(self._stream(request)))

    async def _stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        patience = http.Patience(request.deadline, self._idle_seconds)
        answer = _Answer()
        try:
            async with aclosing(self._events(request, patience)) as events:
                async for event in events:
                    for delta in answer.take(event):
                        yield delta
        except ProviderError:
            if not answer.finish:
                raise  # after the finish reason only usage can be lost
        if not answer.complete:
            raise ProviderError("broken_stream", "The model server's answer ended before it was complete.")
        stop = _STOPS.get(answer.finish, "end_turn")
        if answer.refused and stop == "end_turn":
            stop = "refusal"
        parts = answer.parts(self.name)
        yield finished(request, parts, stop, spoken(answer.usage, parts), answer.model, answer.finish)

    def _events(self, request: ModelRequest, patience: http.Patience) -> AsyncGenerator[Json | None, None]:
        import openai

        client = openai.AsyncOpenAI(
            api_key=self._api_key,
            base_url=self._base_url,
            http_client=self._client or http.client(),
            max_retries=0,
        )

        # All of the body is in extra_body, which is sent as it is.
        def create(body: Json) -> http.StreamingCall:
            return client.chat.completions.with_streaming_response.create(
                model="", messages=[], stream=True, extra_body=body
            )

        body = request_body(request, self.name)
        return http.sdk_events(openai, VENDOR, create, body, patience, fixed=request.options)


class _Answer:
    """What has come of one answer; takes the wire's chunks one by one."""

    def __init__(self) -> None:
        self.finish = ""
        self.done = False
        self.refused = False
        self.model = ""
        self.usage = counted()
        self._text: list[str] = []
        self._thought: list[str] = []
        self._calls: list[_Call] = []

    @property
    def complete(self) -> bool:
        """Whether the server said that it is; `[DONE]` alone counts if it ends an answer."""
        return bool(self.finish) or (self.done and bool(self._text or self._calls))

    def take(self, event: Json | None) -> Iterator[ModelEvent]:
        """Take one chunk (None for `[DONE]`); yield what the consumer is to see of it."""
        if event is None:
            self.done = True
            return
        if event.get("error"):
            raise Answer(VENDOR, None, event).failure()
        self.model = self.model or event.get("model") or ""
        if event.get("usage"):
            self.usage = _usage(event["usage"])
        for choice in event.get("choices") or ():
            if not choice.get("index"):
                yield from self._delta(choice.get("delta") or choice.get("message") or {})
                self._finish(choice)

    def _finish(self, choice: Json) -> None:
        reason = choice.get("finish_reason")
        if reason == "error":
            raise Answer(VENDOR, None, choice.get("error") or choice).failure()
        self.finish = reason or self.finish

    def _delta(self, delta: Json) -> Iterator[ModelEvent]:
        content, thought = _texts(delta.get("content"))
        details = "".join(d.get("text") or d.get("summary") or "" for d in delta.get("reasoning_details") or ())
        thought = delta.get("reasoning_content") or delta.get("reasoning") or thought or details
        if isinstance(thought, str) and thought:
            self._thought.append(thought)
            yield ThinkingDelta(thought)
        if refusal := delta.get("refusal"):
            self.refused = True
            content += refusal
        if content:
            self._text.append(content)
            yield TextDelta(content)
        for piece in delta.get("tool_calls") or ():
            self._call(piece).take(piece)

    def _call(self, piece: Json) -> _Call:
        """The call that a piece belongs to; a new one if it belongs to none."""
        placed = piece.get("index") is not None or piece.get("id")
        for call in reversed(self._calls if placed else self._calls[-1:]):
            if call.owns(piece):
                return call
        self._calls.append(_Call(piece.get("index")))
        return self._calls[-1]

    def parts(self, provider: str) -> list[Said]:
        """All of the answer: thinking, text, calls, as this wire orders them."""
        parts: list[Said] = []
        if self._thought:
            parts.append(ThinkingPart(text="".join(self._thought), provider_details={"provider": provider}))
        if self._text:
            parts.append(TextPart(text="".join(self._text)))
        return [*parts, *(call.part(provider) for call in self._calls)]


class _Call:
    """A tool call in the making. Its name is that of the first piece that has one."""

    def __init__(self, index: int | None) -> None:
        self.index = index
        self.id = ""
        self._name = ""
        self._arguments: list[str] = []
        self._extra: Json = {}

    def owns(self, piece: Json) -> bool:
        """Whether the piece goes on with this call: by index and id where it has them, else as long as it is open."""
        index, call_id, name = piece.get("index"), piece.get("id"), (piece.get("function") or {}).get("name")
        if call_id and self.id and call_id != self.id and name:
            return False  # another call, even where a server gives all of them one index
        if index is not None and self.index is not None:
            return bool(index == self.index)
        if call_id and self.id:
            return bool(call_id == self.id)
        return not (name and self._whole)

    @property
    def _whole(self) -> bool:
        raw = "".join(self._arguments)
        return bool(raw.strip()) and parse_arguments(raw)[1] is None

    def take(self, piece: Json) -> None:
        function = piece.get("function") or {}
        self.id = self.id or piece.get("id") or ""
        self._name = self._name or function.get("name") or ""
        arguments = function.get("arguments")
        if arguments:
            # Some servers give the object itself.
            self._arguments.append(arguments if isinstance(arguments, str) else compact(arguments))
        if piece.get("extra_content"):
            self._extra["extra_content"] = piece["extra_content"]

    def part(self, provider: str) -> ToolCallPart:
        parsed, invalid = parse_arguments("".join(self._arguments))
        own = {"provider": provider, **self._extra} if self._extra else None
        return ToolCallPart(tool_use_id=self.id, name=self._name, input=parsed, invalid=invalid, provider_details=own)


def _texts(content: Any) -> tuple[str, str]:
    """Text and thinking of a chunk's content, which some servers give as a list of typed pieces."""
    if not isinstance(content, list):
        return (content, "") if isinstance(content, str) else ("", "")
    text = thought = ""
    for piece in content:
        if piece.get("type") == "thinking":
            inner = piece.get("thinking")
            thought += inner if isinstance(inner, str) else "".join(p.get("text") or "" for p in inner or ())
        else:
            text += piece.get("text") or ""
    return text, thought


def _usage(usage: Json) -> Usage:
    inputs, outputs = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
    all_in, out, thought = usage.get("prompt_tokens"), usage.get("completion_tokens"), outputs.get("reasoning_tokens")
    # Some vendors (xAI) count reasoning beside the completion: the total gives it away.
    both = together(out, thought)
    beside = usage.get("total_tokens") is not None and usage["total_tokens"] == together(all_in, both)
    return counted(
        input_tokens=all_in,
        cache_read_tokens=inputs.get("cached_tokens") or usage.get("prompt_cache_hit_tokens"),
        cache_write_tokens=inputs.get("cache_write_tokens"),
        output_tokens=both if beside else out,
        reasoning_tokens=thought,
    )
