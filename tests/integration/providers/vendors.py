"""The providers under test, and where each finds a mock server's version of its wire."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from agent_builder.messages import Message, ModelEvent, ModelRequest, ToolSpec, user_message
from agent_builder.providers.anthropic_messages import AnthropicMessages
from agent_builder.providers.base import Provider
from agent_builder.providers.google_genai import GoogleGenAI
from agent_builder.providers.openai_chat import OpenAIChat
from agent_builder.providers.openai_responses import OpenAIResponses

PROVIDERS = ("anthropic", "openai", "openai_compatible", "google")
KEY = "sk-test-canary"
MODELS = {
    "anthropic": "claude-sonnet-4-5",
    "openai": "gpt-5.4",
    "openai_compatible": "some-model",
    "google": "gemini-3.8-flash",
}
TOOLS = (
    ToolSpec("get_weather", "The weather of a city.", {"type": "object", "properties": {"city": {"type": "string"}}}),
    ToolSpec("get_time", "The time of a zone.", {"type": "object", "properties": {"zone": {"type": "string"}}}),
)
# Below the server's root.
AIMOCK_PATHS = {"anthropic": "", "openai": "/v1", "openai_compatible": "/v1", "google": ""}
LLMOCK_PATHS = {"anthropic": "/anthropic", "openai": "/v1", "openai_compatible": "/v1", "google": "/gemini"}


def provider(name: str, url: str, **settings: Any) -> Provider:
    match name:
        case "anthropic":
            return AnthropicMessages(KEY, url, **settings)
        case "openai":
            return OpenAIResponses(KEY, url, **settings)
        case "google":
            return GoogleGenAI(KEY, url, **settings)
    return OpenAIChat(url, KEY, **settings)


def asking(name: str, *said: str | Message, **settings: Any) -> ModelRequest:
    messages = [user_message(one) if isinstance(one, str) else one for one in said]
    return ModelRequest(**{"model": MODELS[name], "messages": messages, "deadline": time.monotonic() + 60, **settings})


async def all_events(named: Provider, request: ModelRequest) -> list[ModelEvent]:
    return [event async for event in named.stream(request)]


async def until(event: asyncio.Event) -> None:
    async with asyncio.timeout(10):
        await event.wait()
