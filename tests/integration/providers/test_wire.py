"""What goes over the wire, and answers that the mock vendors cannot play."""

from __future__ import annotations

from typing import Any

import pytest

from agent_builder.errors import ProviderError
from agent_builder.messages import Message, ModelFinished, TextDelta, ThinkingPart, ToolCallPart, Usage, user_message
from agent_builder.providers.retry import stream_with_retries
from tests.integration.providers import cases
from tests.integration.providers.recorded import came
from tests.integration.providers.vendors import AIMOCK_PATHS, KEY, PROVIDERS, TOOLS, all_events, asking, provider
from tests.integration.providers.wire import Reply, WireServer, events

JSON = {"content-type": "application/json"}


def refusing(parameter: str) -> Reply:
    text = f"Unsupported parameter: '{parameter}' is not supported with this model."
    body = events({"error": {"message": text, "param": parameter, "code": "unsupported_parameter"}})
    return Reply([body.removeprefix(b"data: ").strip()], 400, JSON)


@pytest.mark.parametrize("vendor", PROVIDERS)
async def test_the_key_travels_in_a_header_only(vendor: str, wire: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The vendors' own variables, wherever they come from, change neither key nor address."""
    for variable in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "OPENAI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.setenv(variable, "sk-of-the-environment")
    for variable in ("ANTHROPIC_BASE_URL", "OPENAI_BASE_URL", "GOOGLE_GEMINI_BASE_URL"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    wire.reply(Reply([cases.golden(vendor)]))
    await all_events(provider(vendor, wire.url), asking(vendor, "Hello"))
    (sent,) = wire.requests
    holding = [name for name, value in sent.headers.items() if KEY in value]
    assert len(holding) == 1
    assert KEY not in sent.path
    assert KEY not in str(sent.body)
    assert "sk-of-the-environment" not in str(sent.headers)


@pytest.mark.parametrize("vendor", PROVIDERS)
async def test_options_are_merged_into_the_body(vendor: str, wire: WireServer) -> None:
    wire.reply(Reply([cases.golden(vendor)]))
    options = {"generationConfig": {"topK": 7}, "extra": {"a": [1]}}
    await all_events(provider(vendor, wire.url), asking(vendor, "Hello", options=options, max_tokens=100))
    body = wire.requests[0].body
    assert body["extra"] == {"a": [1]}
    assert body["generationConfig"]["topK"] == 7
    if vendor == "google":
        assert body["generationConfig"]["maxOutputTokens"] == 100


@pytest.mark.parametrize("vendor", PROVIDERS)
async def test_odd_text_goes_there_as_it_is(vendor: str, wire: WireServer) -> None:
    wire.reply(Reply([cases.golden(vendor)]))
    await all_events(provider(vendor, wire.url), asking(vendor, cases.ODD_TEXT, system=cases.ODD_TEXT))
    assert str(wire.requests[0].body).count(cases.ODD_TEXT.encode("unicode_escape").decode()[:20]) == 0
    assert _strings(wire.requests[0].body).count(cases.ODD_TEXT) == 2


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _strings(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _strings(inner)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("vendor", PROVIDERS)
async def test_a_whole_conversation_goes_there_and_back(vendor: str, wire: WireServer) -> None:
    """What a vendor said with all its private details is taken back by the same vendor's adapter."""
    wire.reply(Reply([cases.golden(vendor)]))
    said = (await all_events(provider(vendor, wire.url), asking(vendor, "Hello", tools=TOOLS)))[-1]
    assert isinstance(said, ModelFinished)
    stored = Message.model_validate_json(Message(role="assistant", parts=said.parts).model_dump_json())
    await all_events(provider(vendor, wire.url), asking(vendor, "Hello", stored, "And?", tools=TOOLS))
    body = wire.requests[1].body
    private = {"anthropic": "c2lnbmVk", "openai": "Z0FB", "google": "c2lnbmVk", "openai_compatible": "toolu_1"}[vendor]
    assert private in str(body)
    assert str(body).count("toolu_2") == 2, "the call and its result"
    for call in (part for part in said.parts if isinstance(part, ToolCallPart)):
        assert call.name in str(body)


@pytest.mark.parametrize(("vendor", "parameter"), [("openai", "temperature"), ("openai_compatible", "stream_options")])
async def test_a_refused_parameter_is_left_out(vendor: str, parameter: str, wire: WireServer) -> None:
    wire.reply(refusing(parameter), Reply([cases.golden(vendor)]))
    await all_events(provider(vendor, wire.url), asking(vendor, "Hello", model="brand-new", temperature=0.3))
    assert [parameter in sent.body for sent in wire.requests] == [True, False]


async def test_a_parameter_of_the_options_is_not_left_out(wire: WireServer) -> None:
    wire.reply(refusing("temperature"))
    with pytest.raises(ProviderError) as raised:
        await all_events(provider("openai", wire.url), asking("openai", "Hello", options={"temperature": 3}))
    assert raised.value.kind == "invalid_request"
    assert "`temperature`" in raised.value.detail
    assert len(wire.requests) == 1


@pytest.mark.parametrize(("temperature", "version"), [(0.5, "2023-06-01"), (None, None)])
async def test_anthropic_version(temperature: float | None, version: str | None, wire: WireServer) -> None:
    wire.reply(Reply([cases.golden("anthropic")]))
    await all_events(provider("anthropic", wire.url), asking("anthropic", "Hello", temperature=temperature))
    sent = wire.requests[0].headers["anthropic-version"]
    assert sent == version if version else sent > "2026"


async def test_anthropic_paused_turn_is_continued(wire: WireServer) -> None:
    def leg(text: str, stop: str) -> Reply:
        return Reply([
            events(
                {"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 10, "output_tokens": 1}}},
                {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": text}},
                {"type": "content_block_start", "index": 1,
                 "content_block": {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}},
                {"type": "content_block_delta", "index": 1,
                 "delta": {"type": "input_json_delta", "partial_json": '{"query": "x"}'}},
                {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 5}},
                {"type": "message_stop"},
            )
        ])  # fmt: skip

    wire.reply(leg("One. ", "pause_turn"), leg("Two.", "end_turn"))
    found = await all_events(provider("anthropic", wire.url), asking("anthropic", "Hello"))
    last = found[-1]
    assert isinstance(last, ModelFinished)
    assert came(found)["text"] == "One. Two."
    assert last.usage == Usage(input_tokens=20, output_tokens=10)
    sent_back = wire.requests[1].body["messages"][-1]
    assert sent_back["role"] == "assistant"
    assert sent_back["content"][1]["input"] == {"query": "x"}
    blocks = [part.provider_details for part in last.parts if isinstance(part, ThinkingPart)]
    assert [block and block["block"]["type"] for block in blocks] == ["server_tool_use"] * 2


async def test_cached_and_reasoning_tokens_of_a_mock_vendor(aimock: str) -> None:
    """Only this route of aimock passes the nested counts on; the other wires prove theirs by golden streams."""
    found = await all_events(
        provider("openai_compatible", f"{aimock}/api/v1"), asking("openai_compatible", "case counted")
    )
    assert found[-1].usage == Usage(  # type: ignore[union-attr]
        input_tokens=1000, cache_read_tokens=600, cache_write_tokens=300, output_tokens=50, reasoning_tokens=20
    )


@pytest.mark.parametrize("vendor", PROVIDERS)
async def test_a_conversation_of_another_vendor_goes_through(vendor: str, aimock: str, wire: WireServer) -> None:
    for other in PROVIDERS:
        wire.reply(Reply([cases.golden(other)]))
        said = (await all_events(provider(other, wire.url), asking(other, "Hello", tools=TOOLS)))[-1]
        assert isinstance(said, ModelFinished)
        stored = Message(role="assistant", parts=said.parts)
        named = provider(vendor, aimock + AIMOCK_PATHS[vendor])
        found = await all_events(named, asking(vendor, "Hello", stored, "case switching", tools=TOOLS))
        assert came(found)["text"] == "We changed models."


async def test_responses_failed(wire: WireServer) -> None:
    error = {"code": "rate_limit_exceeded", "message": "Rate limit reached"}
    wire.reply(Reply([events({"type": "response.failed", "response": {"status": "failed", "error": error}})]))
    with pytest.raises(ProviderError) as raised:
        await all_events(provider("openai", wire.url), asking("openai", "Hello"))
    assert raised.value.kind == "rate_limit"


GOOGLE_ENDS = [
    ({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}, "content_filter"),
    ({"candidates": [{"finishReason": "MALFORMED_FUNCTION_CALL"}]}, "broken_stream"),
    ({"candidates": [{"finishReason": "MISSING_THOUGHT_SIGNATURE"}]}, "invalid_request"),
    ({"usageMetadata": {"promptTokenCount": 5}}, "broken_stream"),
]


@pytest.mark.parametrize(("payload", "kind"), GOOGLE_ENDS)
async def test_google_ends(payload: dict[str, Any], kind: str, wire: WireServer) -> None:
    wire.reply(Reply([events(payload)]))
    with pytest.raises(ProviderError) as raised:
        await all_events(provider("google", wire.url), asking("google", "Hello"))
    assert raised.value.kind == kind


async def test_a_redirect_is_not_followed(wire: WireServer) -> None:
    """It would carry the key to wherever the server says."""
    for vendor in PROVIDERS:
        wire.reply(Reply([], 307, {"location": f"{wire.url}/elsewhere"}))
        with pytest.raises(ProviderError):
            await all_events(provider(vendor, wire.url), asking(vendor, "Hello"))
        assert len(wire.requests) == 1, vendor


@pytest.mark.parametrize("vendor", PROVIDERS)
async def test_retries_obey_the_vendor(vendor: str, llmock: Any) -> None:
    """Judged by the mock server: no storm of retries, no Retry-After ignored, no truncated stream accepted."""
    llmock.rate_limit(times=2, retry_after=0.1)
    named = provider(vendor, llmock.url + {"anthropic": "/anthropic", "google": "/gemini"}.get(vendor, "/v1"))
    request = asking(vendor, "Say something.")
    assert request.deadline is not None
    found = [event async for event in stream_with_retries(named, request, deadline=request.deadline)]
    assert any(isinstance(event, TextDelta) for event in found)
    assert len(llmock.requests) == 3
    llmock.assert_resilient()


@pytest.mark.parametrize("key", ["k\n", "kéy", "\ud83d", " "])
@pytest.mark.parametrize("vendor", PROVIDERS)
async def test_an_unusable_key_is_a_providers_error(vendor: str, key: str, wire: WireServer) -> None:
    wire.reply(Reply([cases.golden(vendor)]))
    from agent_builder.providers.registry import ProviderRegistry

    base_urls = dict.fromkeys(PROVIDERS, wire.url)
    registry = ProviderRegistry(lambda: dict.fromkeys(PROVIDERS, key), base_urls)
    try:
        await all_events(registry.get(vendor), asking(vendor, "Hello"))
    except ProviderError as error:
        assert error.kind in ("auth", "invalid_request")
        assert key not in error.detail or not key.strip()


@pytest.mark.parametrize("vendor", PROVIDERS)
async def test_half_characters_in_the_history_do_no_harm(vendor: str, wire: WireServer) -> None:
    wire.reply(Reply([cases.golden(vendor)]))
    try:
        await all_events(provider(vendor, wire.url), asking(vendor, user_message("half \ud83d"), system="\udc00"))
    except ProviderError as error:
        assert error.kind == "invalid_request"
