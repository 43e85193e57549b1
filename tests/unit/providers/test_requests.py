"""What is sent: one conversation, told to each vendor, and the settings each takes."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from agent_builder.messages import (
    Message,
    ModelRequest,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
    ToolSpec,
    user_message,
)
from agent_builder.providers import anthropic_request, google_request, openai_chat_request, openai_responses_request

REASONING = {"id": "rs_1", "type": "reasoning"}
ADAPTIVE = {"type": "adaptive", "display": "summarized"}
TOOL = ToolSpec("look", "Looks.", {"type": "object", "properties": {}})


def asking(model: str, *messages: Message, **settings: Any) -> ModelRequest:
    return ModelRequest(model=model, messages=messages or (user_message("Hello"),), **settings)


def spoken(provider: str, **details: Any) -> tuple[Message, ...]:
    """A conversation with one tool round, as this provider made it."""
    own = {"provider": provider, **details}
    said = (
        ThinkingPart(text="hm", provider_details={**own, "item": REASONING, "signature": "c2ln"}),
        TextPart(text="Looking.", provider_details={**own, "id": "msg_1"}),
        ToolCallPart(
            tool_use_id="odd.id:1", name="look", input={"a": 1},
            provider_details={**own, "id": "fc_1", "signature": "c2ln", "arguments": '{"a": 1}'},
        ),
        ToolResultPart(tool_use_id="odd.id:1", name="look", result={"seen": "\u2028"}),
        TextPart(text="Seen."),
    )  # fmt: skip
    return user_message("Look"), Message(role="assistant", parts=said), user_message("Thanks")


def bodies(*messages: Message) -> dict[str, str]:
    """Of the same conversation, for every vendor, as JSON."""
    texts = {
        "anthropic": anthropic_request.request_body(asking("claude-sonnet-4-5", *messages)),
        "openai": openai_responses_request.request_body(asking("gpt-5.4", *messages)),
        "openai_compatible": openai_chat_request.request_body(asking("m", *messages), "openai_compatible"),
        "google": google_request.contents(asking("gemini-3.8-flash", *messages)),
    }
    return {name: json.dumps(body, default=repr) for name, body in texts.items()}


@pytest.mark.parametrize("made_by", ["anthropic", "openai", "openai_compatible", "google", "local", "scripted"])
def test_a_conversation_may_change_its_provider(made_by: str) -> None:
    for vendor, body in bodies(*spoken(made_by)).items():
        assert "odd.id:1" not in body, "ids are made acceptable"
        for word in ("Look", "Looking.", "Seen.", "Thanks", "look"):
            assert word in body, vendor
        private = ("c2ln", "rs_1", "fc_1", "msg_1")
        assert vendor == made_by or not any(word in body for word in private), "of another vendor nothing private"
        assert vendor == made_by or '"hm"' not in body, "nor its thinking"


def test_anthropic_gets_its_thinking_back() -> None:
    body = anthropic_request.request_body(asking("claude-sonnet-4-5", *spoken("anthropic")))
    said = body["messages"][1]["content"]
    assert said[0] == {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
    assert [block["type"] for block in said] == ["thinking", "text", "tool_use"]
    result, thanks = body["messages"][2]["content"], body["messages"][4]["content"]
    assert result[0]["type"] == "tool_result"
    assert result[0]["tool_use_id"] == said[2]["id"]
    assert "cache_control" in thanks[-1]
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user", "assistant", "user"]


def test_anthropic_gets_other_blocks_back_as_they_were() -> None:
    block = {"type": "redacted_thinking", "data": "eA=="}
    part = ThinkingPart(text="", provider_details={"provider": "anthropic", "block": block})
    history = (user_message("a"), Message(role="assistant", parts=(part, TextPart(text="b"))), user_message("c"))
    assert anthropic_request.messages(asking("m", *history))[1]["content"][0] == block


def test_anthropic_user_text_after_tool_results_is_one_message() -> None:
    call = ToolCallPart(tool_use_id="1", name="look", input={})
    result = ToolResultPart(tool_use_id="1", name="look", result={}, error="It broke.")
    history = (user_message("a"), Message(role="assistant", parts=(call, result)), user_message("b"))
    last = anthropic_request.messages(asking("m", *history))[-1]
    assert [block["type"] for block in last["content"]] == ["tool_result", "text"]
    assert last["content"][0]["is_error"]


def test_openai_gets_its_items_back() -> None:
    body = openai_responses_request.request_body(asking("gpt-5.4", *spoken("openai"), cache_key="k" * 80))
    kinds = [item.get("type") or item["role"] for item in body["input"]]
    assert kinds == ["user", "reasoning", "message", "function_call", "function_call_output", "message", "user"]
    assert body["input"][3]["arguments"] == '{"a": 1}', "byte for byte"
    assert body["input"][3]["call_id"] == body["input"][4]["call_id"]
    assert (body["store"], body["include"]) == (False, ["reasoning.encrypted_content"])
    assert len(body["prompt_cache_key"]) == 64


def test_openai_models_that_do_not_reason() -> None:
    settings = {"temperature": 0.5, "top_p": 0.9, "max_tokens": 5, "reasoning_effort": "high"}
    body = openai_responses_request.request_body(asking("gpt-4o", **settings))
    assert (body["temperature"], body["top_p"], body["max_output_tokens"]) == (0.5, 0.9, 16)
    assert "include" not in body
    assert "reasoning" not in body


@pytest.mark.parametrize("model", ["o1", "o3-mini", "gpt-5", "gpt-6.2-sol"])
def test_openai_models_that_reason(model: str) -> None:
    body = openai_responses_request.request_body(
        asking(model, temperature=0.5, reasoning_effort="high", system="Be kind.")
    )
    assert "temperature" not in body
    assert body["reasoning"] == {"effort": "high", "summary": "auto"}
    assert body["instructions"] == "Be kind."


def test_unknown_models_get_what_was_set() -> None:
    settings = {"temperature": 2.0, "top_p": 0.1, "reasoning_effort": "odd", "max_tokens": 100, "options": {"x": 1}}
    body = openai_responses_request.request_body(asking("brand-new", **settings))
    assert (body["temperature"], body["reasoning"]["effort"], body["x"]) == (2.0, "odd", 1)
    chat = openai_chat_request.request_body(asking("brand-new", **settings), "local")
    assert (chat["temperature"], chat["reasoning_effort"], chat["max_tokens"], chat["x"]) == (2.0, "odd", 100, 1)
    claude = anthropic_request.request_body(asking("brand-new", **settings))
    assert (claude["temperature"], claude["top_p"], claude["x"]) == (1.0, 0.1, 1)


@pytest.mark.parametrize("model", ["o1-mini", "o1-preview"])
def test_models_without_a_system_role(model: str) -> None:
    body = openai_responses_request.request_body(asking(model, system="Be kind."))
    assert "instructions" not in body
    assert body["input"][0]["content"][0]["text"] == "Be kind."
    chat = openai_chat_request.request_body(asking(model, system="Be kind.", max_tokens=9), "openai_compatible")
    assert chat["messages"] == [{"role": "user", "content": "Be kind.\n\nHello"}]
    assert chat["max_completion_tokens"] == 9


def test_chat_body() -> None:
    body = openai_chat_request.request_body(asking("m", system="Be kind.", tools=(TOOL,)), "local")
    assert body["messages"] == [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello"}]
    assert body["tools"][0]["function"]["parameters"] == TOOL.input_schema
    assert body["stream_options"] == {"include_usage": True}
    assert not {"temperature", "max_tokens", "top_p"} & body.keys()


@pytest.mark.parametrize(
    ("model", "effort", "expected"),
    [
        ("claude-sonnet-4-5", "low", {"thinking": {"type": "enabled", "budget_tokens": 4096}}),
        ("claude-sonnet-4-5", "none", {"thinking": {"type": "disabled"}}),
        ("claude-3-5-haiku-latest", "high", {}),
        ("claude-opus-5-5", "minimal", {"thinking": ADAPTIVE, "output_config": {"effort": "low"}}),
        ("claude-opus-5-5", "none", {"output_config": {"effort": "low"}}),
        ("claude-opus-4-6", "xhigh", {"thinking": ADAPTIVE, "output_config": {"effort": "high"}}),
    ],
)  # fmt: skip
def test_anthropic_thinking(model: str, effort: str, expected: dict[str, Any]) -> None:
    body = anthropic_request.request_body(asking(model, reasoning_effort=effort, temperature=0.5))
    assert {name: body[name] for name in ("thinking", "output_config") if name in body} == expected
    if expected.get("thinking", {}).get("type") in ("enabled", "adaptive"):
        assert "temperature" not in body


def test_anthropic_thinking_needs_room() -> None:
    body = anthropic_request.request_body(asking("claude-sonnet-4-5", reasoning_effort="high", max_tokens=1500))
    assert "thinking" not in body


def test_anthropic_sampling() -> None:
    both = {"temperature": 1.7, "top_p": 0.9}
    assert anthropic_request.request_body(asking("claude-3-5-haiku-latest", **both)).items() >= {
        ("temperature", 1.0),
        ("top_p", 0.9),
    }
    only_one = anthropic_request.request_body(asking("claude-opus-4-5", **both))
    assert only_one["temperature"] == 1.0
    assert "top_p" not in only_one
    assert not {"temperature", "top_p"} & anthropic_request.request_body(asking("claude-opus-5-5", **both)).keys()


def test_anthropic_limits_and_caching() -> None:
    body = anthropic_request.request_body(asking("claude-3-haiku-20240307", system="Be kind.", tools=(TOOL,)))
    assert body["max_tokens"] == 4096
    assert anthropic_request.request_body(asking("claude-opus-5-5"))["max_tokens"] == 32_000
    assert body["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert body["messages"][-1]["content"][-1]["cache_control"] == {"type": "ephemeral"}


def test_google_contents() -> None:
    contents = google_request.contents(asking("gemini-3.8-flash", *spoken("google")))
    assert [content["role"] for content in contents] == ["user", "model", "user", "model", "user"]
    call = contents[1]["parts"][1]
    assert call["thought_signature"] == base64.b64decode("c2ln")
    answer = contents[2]["parts"][0]["function_response"]
    assert answer["id"] == call["function_call"]["id"]
    assert answer["response"] == {"seen": "\u2028"}


@pytest.mark.parametrize(("model", "signed"), [("gemini-3.8-flash", True), ("gemini-2.0-flash", False)])
def test_google_calls_of_other_vendors(model: str, signed: bool) -> None:
    contents = google_request.contents(asking(model, *spoken("openai")))
    call = contents[1]["parts"][1]
    assert ("thought_signature" in call) is signed
    assert "id" not in call["function_call"]


@pytest.mark.parametrize(
    ("model", "effort", "expected"),
    [
        ("gemini-2.0-flash", "high", None),
        ("gemini-2.5-flash", "none", {"include_thoughts": False, "thinking_budget": 0}),
        ("gemini-2.5-pro", "none", {"include_thoughts": True, "thinking_budget": 512}),
        ("gemini-2.5-pro", None, {"include_thoughts": True}),
        ("gemini-3.8-flash", "max", {"include_thoughts": True, "thinking_level": "HIGH"}),
        ("unknown", "high", None),
    ],
)
def test_google_thinking(model: str, effort: str | None, expected: dict[str, Any] | None) -> None:
    assert google_request.config(asking(model, reasoning_effort=effort)).get("thinking_config") == expected


def test_nothing_empty_is_sent() -> None:
    for body in bodies(user_message("  "), Message(role="assistant", parts=()), user_message("")).values():
        assert "(no text)" in body
        assert '"text": ""' not in body
        assert '"content": ""' not in body
