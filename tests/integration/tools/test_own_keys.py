"""A tenant's own key of a model provider, where the platform has none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.testing import Instance, running_stack
from tests.integration.chat import chatting
from tests.integration.rest import Rest
from tests.integration.tools.api import Api, Asked, Says, serving

STREAM = (Path(__file__).parents[2] / "golden" / "openai" / "nothing_streamed.sse").read_bytes()
OWN = "sk-own-key-of-the-tenant"


def play(asked: Asked) -> Says:
    if asked.headers.get("authorization") != f"Bearer {OWN}":
        return Says({"error": {"message": "no such key", "code": "invalid_api_key"}}, 401)
    return Says(STREAM, headers={"Content-Type": "text/event-stream"})


@pytest.fixture(scope="module")
def vendor() -> Iterator[Api]:
    with serving(play) as server:
        yield server


@pytest.fixture(scope="module")
def stack(vendor: Api) -> Iterator[Instance]:
    with running_stack(providers={"OPENAI_BASE_URL": vendor.url}) as running:
        yield running


def test_an_agent_answers_on_the_tenants_own_key(stack: Instance, vendor: Api) -> None:
    rest = Rest(stack.url)
    agent = rest.create(model_config={"provider": "openai", "model": "gpt-5"})["id"]
    key = {"name": "Ours", "kind": "provider_key", "settings": {"provider": "openai"}, "secret": {"value": OWN}}
    assert rest("POST", "/api/v1/credentials", key).status == 201
    with chatting(stack, agent) as chat:
        end = chat.ask("Hello")
        assert end["type"] == "message_complete", end
        assert end["content"]
        assert len(vendor.asked) == 1
        assert chat.ask("Again", conversation_id=end["conversation_id"])["type"] == "message_complete"
    assert OWN not in stack.function_log() + stack.output() + str(chat.frames)
