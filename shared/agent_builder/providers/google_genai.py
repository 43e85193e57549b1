"""Google's Gemini API through google-genai."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any

import httpx2

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
from agent_builder.providers.characters import whole_characters
from agent_builder.providers.conversation import Said, counted, finished, together
from agent_builder.providers.failures import Answer, only_provider_errors
from agent_builder.providers.google_request import NAME, config, contents
from agent_builder.providers.partial_arguments import place

VENDOR = "Google"
API_VERSION = "v1beta"  # thinking and most tools are there first; mock servers know no other

_FILTERED = re.compile(r".*(SAFETY|RECITATION|PROHIBITED_CONTENT)|BLOCKLIST|SPII|LANGUAGE|MODEL_ARMOR|ESCALATION")
# Answers that the model spoiled: worth another try.
_SPOILED = re.compile(r"MALFORMED_.*|UNEXPECTED_TOOL_CALL|TOO_MANY_TOOL_CALLS")


def preload() -> None:
    """Import the SDK and make the TLS context; opens nothing (for SnapStart)."""
    import google.genai  # noqa: F401

    http.sync_client()


class GoogleGenAI:
    """`Provider` for the Gemini API."""

    name = NAME

    def __init__(
        self,
        api_key: str,
        base_url: str | None = None,
        *,
        api_version: str = API_VERSION,
        idle_seconds: float = http.IDLE_SECONDS,
    ) -> None:
        self._api_key = api_key
        self._base_url = base_url
        self._api_version = api_version
        self._idle_seconds = idle_seconds

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Call the model once."""
        return only_provider_errors(VENDOR, whole_characters(self._stream(request)))

    async def _stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        patience = http.Patience(request.deadline, self._idle_seconds)
        answer = _Answer(request.options)
        async with aclosing(self._chunks(request, patience)) as chunks:
            async for chunk in chunks:
                for delta in answer.take(chunk):
                    yield delta
        if not answer.finish:
            raise ProviderError("broken_stream", "Google's answer ended before it was complete.")
        yield finished(request, answer.parts(), answer.stop(), answer.usage, answer.model, answer.finish)

    async def _chunks(self, request: ModelRequest, patience: http.Patience) -> AsyncGenerator[Any, None]:
        from google.genai import Client, errors, types

        tap = _Tap()
        try:
            options = types.HttpOptions(
                base_url=self._base_url,
                api_version=self._api_version,
                httpx_client=http.sync_client(),
                httpx_async_client=tap,
                extra_body=request.options or None,
            )
            # Held until the end: the SDK closes what belongs to a client that is collected.
            client = Client(api_key=self._api_key, vertexai=False, http_options=options)
            settings = types.GenerateContentConfig(**config(request))
            said: Any = contents(request)
        except ValueError as error:
            raise ProviderError("invalid_request", "The request to Google could not be built.") from error
        try:
            answer = await client.aio.models.generate_content_stream(
                model=request.model, contents=said, config=settings
            )
            chunks = aiter(answer)
            while (chunk := await patience.wait(anext(chunks, None))) is not None:
                yield chunk
                patience.over = patience.over or _finish(chunk) != ""
        except errors.APIError as error:
            headers = getattr(error.response, "headers", None)
            raise Answer(VENDOR, error.code, error.details, headers).failure() from error
        except (httpx2.HTTPError, httpx2.StreamError, ValueError) as error:
            # ValueError: what the SDK cannot make sense of, its UnknownApiResponseError among it.
            if not patience.over:
                raise http.transport_failure(error) from error
        except ProviderError:
            if not patience.over:
                raise
        finally:
            await tap.drop()


class _Tap(httpx2.AsyncClient):
    """Hands the SDK's requests to the shared client and keeps the answers, so that they can be dropped at once.

    The SDK's own iterators are nested and would be closed some time after they are no longer referred to.
    """

    def __init__(self) -> None:
        self._shared = http.client()
        self._answers: list[httpx2.Response] = []
        super().__init__(transport=httpx2.AsyncBaseTransport(), timeout=self._shared.timeout, trust_env=False)

    async def send(self, request: httpx2.Request, **settings: Any) -> httpx2.Response:
        answer = await self._shared.send(request, **settings)
        self._answers.append(answer)
        return answer

    async def drop(self) -> None:
        for answer in self._answers:
            await answer.aclose()


def _finish(chunk: Any) -> str:
    reason = chunk.candidates[0].finish_reason if chunk.candidates else None
    return str(getattr(reason, "value", reason) or "")


class _Answer:
    """What has come of one answer; takes the SDK's chunks one by one."""

    def __init__(self, options: Json) -> None:
        self.finish = ""
        self.model = ""
        self._options = options
        self._counts: Any = None
        self._searched = False
        self._parts: list[Said] = []
        self._call: _Call | None = None

    @property
    def usage(self) -> Usage:
        """Tokens, and by which terms they are billed. Searches are free up to a number that nobody here knows."""
        usage = _usage(self._counts) if self._counts else counted()
        return Usage.billed(Charge(usage, terms=_terms(self._options, self._counts), unpriced=self._searched))

    def take(self, chunk: Any) -> Iterator[ModelEvent]:
        """Take one chunk; yield what the consumer is to see of it."""
        self.model = chunk.model_version or self.model
        if chunk.usage_metadata:
            self._counts = chunk.usage_metadata
        if not chunk.candidates:
            if chunk.prompt_feedback and chunk.prompt_feedback.block_reason:
                raise ProviderError("content_filter", "Google blocked the prompt by its content rules.")
            return
        grounding = chunk.candidates[0].grounding_metadata
        self._searched = self._searched or bool(grounding and grounding.web_search_queries)
        content = chunk.candidates[0].content
        for part in (content.parts if content else None) or ():
            yield from self._take_part(part)
        self.finish = _finish(chunk) or self.finish

    def _take_part(self, part: Any) -> Iterator[ModelEvent]:
        own: Json = {"provider": NAME}
        if part.thought_signature:
            own["signature"] = base64.b64encode(part.thought_signature).decode()
        if part.function_call is not None:
            self._take_call(part.function_call, own)
        elif part.text and part.thought:
            self._join(ThinkingPart(text=part.text, provider_details=own))
            yield ThinkingDelta(part.text)
        elif part.text or "signature" in own:
            self._join(TextPart(text=part.text or "", provider_details=own))
            if part.text:
                yield TextDelta(part.text)

    def _join(self, part: TextPart | ThinkingPart) -> None:
        """Add to the part before if it is of the same kind; the last signature is the one to send back."""
        before = self._parts[-1] if self._parts else None
        if isinstance(before, TextPart | ThinkingPart) and before.type == part.type:
            own = {**(before.provider_details or {}), **(part.provider_details or {})}
            self._parts[-1] = before.model_copy(update={"text": before.text + part.text, "provider_details": own})
        else:
            self._parts.append(part)

    def _take_call(self, call: Any, own: Json) -> None:
        if self._call is None or call.name:
            self._end_call()
            self._call = _Call(own)
        self._call.take(call)
        if not call.will_continue:
            self._end_call()

    def _end_call(self) -> None:
        if self._call is not None:
            self._parts.append(self._call.part())
            self._call = None

    def parts(self) -> list[Said]:
        """All of the answer, in order."""
        self._end_call()
        return [part for part in self._parts if not isinstance(part, TextPart) or part.text or part.provider_details]

    def stop(self) -> StopReason:
        """Why it stopped.

        Raises:
            ProviderError: the model spoiled its answer.
        """
        if _SPOILED.fullmatch(self.finish):
            raise ProviderError("broken_stream", "The model made an answer that Google could not read; try again.")
        if self.finish == "MISSING_THOUGHT_SIGNATURE":
            raise ProviderError("invalid_request", "Google misses a thought signature in the conversation.")
        if _FILTERED.fullmatch(self.finish):
            return "content_filter"
        return "max_tokens" if self.finish == "MAX_TOKENS" else "end_turn"


class _Call:
    """A function call, whole or in pieces."""

    def __init__(self, own: Json) -> None:
        self._own = own
        self._name = ""
        self._arguments: Json = {}
        self._invalid: str | None = None

    def take(self, call: Any) -> None:
        self._name = self._name or call.name or ""
        if call.id:
            self._own["id"] = call.id
        self._arguments |= call.args or {}
        for piece in call.partial_args or ():
            try:
                place(self._arguments, piece.json_path or "", _value(piece))
            except ValueError:
                self._invalid = f"{piece.json_path}: {_value(piece)!r}"

    def part(self) -> ToolCallPart:
        arguments = {} if self._invalid is not None else self._arguments
        return ToolCallPart(
            tool_use_id=self._own.get("id") or "",
            name=self._name,
            input=arguments,
            invalid=self._invalid,
            provider_details=self._own,
        )


def _value(piece: Any) -> Any:
    values = (piece.string_value, piece.number_value, piece.bool_value)
    value = next((value for value in values if value is not None), None)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _terms(options: Json, usage: Any) -> tuple[tuple[str, str], ...]:
    """The tier that a request is billed by, where that is not the standard; the SDK tells of it on some clouds only."""
    traffic = getattr(usage, "traffic_type", None)
    told = getattr(traffic, "value", traffic) or options.get("serviceTier") or options.get("service_tier") or ""
    tier = re.sub(r"^(service_tier|traffic_type|on_demand)_?", "", str(told).lower())
    return () if tier in ("", "standard", "unspecified") else (("service_tier", tier),)


def _usage(usage: Any) -> Usage:
    thoughts, said = usage.thoughts_token_count, usage.candidates_token_count
    if said is None and usage.prompt_token_count is not None:
        said = 0  # a count of nothing is left out
    return counted(
        input_tokens=together(usage.prompt_token_count, usage.tool_use_prompt_token_count),
        cache_read_tokens=usage.cached_content_token_count,
        output_tokens=together(said, thoughts),
        reasoning_tokens=thoughts,
    )
