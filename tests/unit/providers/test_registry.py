from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from agent_builder.errors import ProviderError
from agent_builder.providers.registry import NAMES, ProviderRegistry

KEYS = {"anthropic": "a-key", "openai": "o-key", "google": "g-key"}
SHARED = Path(__file__).parents[3] / "shared"


def registry(keys: dict[str, str] | None = None, **settings: Any) -> ProviderRegistry:
    return ProviderRegistry(lambda: KEYS if keys is None else keys, **settings)


def test_every_name_has_a_provider() -> None:
    whole = registry(local_model_base_url="http://127.0.0.1:1/v1", base_urls={"openai_compatible": "http://x/v1"})
    assert [whole.get(name).name for name in NAMES] == list(NAMES)


@pytest.mark.parametrize(
    ("name", "variable"),
    [("anthropic", "ANTHROPIC_API_KEY"), ("openai", "OPENAI_API_KEY"), ("google", "GEMINI_API_KEY")],
)
def test_a_missing_key_says_what_to_do(name: str, variable: str) -> None:
    with pytest.raises(ProviderError, match=f"{variable}.*`local`") as raised:
        registry({name: " "}).get(name)
    assert raised.value.kind == "auth"
    assert not raised.value.retryable


def test_keys_are_asked_for_each_time() -> None:
    keys: dict[str, str] = {}
    asked = registry(keys)
    with pytest.raises(ProviderError):
        asked.get("openai")
    keys["openai"] = "new"
    assert asked.get("openai").name == "openai"
    assert asked.configured() == {
        "anthropic": False, "openai": True, "google": False, "openai_compatible": True, "local": False,
        "scripted": True,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["anthropic", "openai", "google"])
def test_the_platforms_key_never_goes_to_an_agents_address(name: str) -> None:
    with pytest.raises(ProviderError, match="openai_compatible"):
        registry().get(name, "https://elsewhere.example/v1")


@pytest.mark.parametrize("name", ["anthropic", "openai", "google"])
def test_a_tenant_s_own_key_comes_before_the_platform_s(name: str) -> None:
    for platform in (KEYS, {}):
        assert "their-key" in vars(registry(platform).get(name, own_key=" their-key ")).values()
    assert KEYS[name] in vars(registry().get(name, own_key="")).values()
    with pytest.raises(ProviderError, match="characters"):
        registry().get(name, own_key="two words")
    with pytest.raises(ProviderError, match="openai_compatible"):
        registry().get(name, "https://elsewhere.example/v1", own_key="their-key")


def test_nor_does_the_compatible_servers_key() -> None:
    asked = registry({"openai_compatible": "secret"}, base_urls={"openai_compatible": "https://ours.example/v1"})
    ours = asked.get("openai_compatible")
    theirs = asked.get("openai_compatible", "https://theirs.example/v1", guarded=httpx2.AsyncClient)
    assert "secret" in vars(ours).values()
    assert "secret" not in vars(theirs).values()


@pytest.mark.parametrize("base_url", ["", "ftp://x/v1", "x", "https://", "https://a:b@host.example/", "http://[::1"])
def test_addresses_that_are_none(base_url: str) -> None:
    with pytest.raises(ProviderError) as raised:
        registry().get("openai_compatible", base_url)
    assert raised.value.kind == "invalid_request"


def test_unknown_names_and_no_local_model() -> None:
    with pytest.raises(ProviderError, match="one of anthropic"):
        registry().get("nobody")
    with pytest.raises(ProviderError, match="No embedded model") as raised:
        registry().get("local")
    assert not raised.value.retryable


def test_no_sdk_is_imported_until_it_is_used() -> None:
    script = """
import sys
from agent_builder.providers.registry import ProviderRegistry
import agent_builder.providers.catalogue, agent_builder.providers.pricing, agent_builder.providers.retry
registry = ProviderRegistry(lambda: dict.fromkeys(("anthropic", "openai", "google"), "key"))
for name in ("anthropic", "openai", "google", "scripted"):
    registry.get(name)
found = {"anthropic", "openai", "google.genai", "genai_prices"} & sys.modules.keys()
assert not found, found
"""
    subprocess.run([sys.executable, "-c", script], check=True, env={"PYTHONPATH": str(SHARED)})


def test_preload_imports_the_sdks_and_opens_nothing() -> None:
    script = """
import sys, socket
socket.socket.connect = lambda *_: sys.exit("opened a connection")
from agent_builder.providers.registry import preload
preload(["anthropic", "openai", "openai_compatible", "google", "local", "scripted"])
assert {"anthropic", "openai", "google.genai"} <= sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", script], check=True, env={"PYTHONPATH": str(SHARED)})
