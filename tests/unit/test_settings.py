"""Settings, identity and the platform's keys."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent_builder.config import Settings
from agent_builder.errors import ConfigurationError, Forbidden, Unauthenticated
from agent_builder.models.identity import PERMISSIONS, ROLES, Identity, identity_of
from agent_builder.services.platform import SecretKeys

REQUIRED = {"TABLE_NAME": "table", "RUNNER_FUNCTION": "runner:live"}
VENDORS = {
    "ANTHROPIC_API_KEY": "sk-a",
    "OPENAI_API_KEY": "sk-o",
    "GEMINI_API_KEY": "sk-g",
    "OPENAI_BASE_URL": "http://mock",
}


def test_the_laptop_takes_the_vendors_own_variables() -> None:
    settings = Settings.from_environment({**REQUIRED, **VENDORS, "LOCAL_MODEL_BASE_URL": "http://model/v1"})
    assert settings.provider_keys == {"anthropic": "sk-a", "openai": "sk-o", "google": "sk-g"}
    assert settings.provider_base_urls == {"openai": "http://mock"}
    assert settings.local_model_base_url == "http://model/v1"


def test_where_there_is_a_secret_the_vendors_variables_are_not_looked_at() -> None:
    settings = Settings.from_environment({**REQUIRED, **VENDORS, "PROVIDER_KEYS_SECRET": "arn:secret"})
    assert settings.provider_keys == {}
    assert settings.provider_base_urls == {}


def test_keys_of_credentials_are_listed_in_their_order() -> None:
    assert Settings.from_environment(REQUIRED).credentials_keys == ()
    settings = Settings.from_environment({**REQUIRED, "CREDENTIALS_KEYS": "arn:new, /old/key"})
    assert settings.credentials_keys == ("arn:new", "/old/key")


def test_tools_call_this_machine_on_the_laptop_alone_and_only_if_it_was_said() -> None:
    switched_on = {**REQUIRED, "LOOPBACK_TOOLS": "1"}
    assert Settings.from_environment(switched_on).loopback_tools
    assert not Settings.from_environment(REQUIRED).loopback_tools
    assert not Settings.from_environment({**switched_on, "PROVIDER_KEYS_SECRET": "arn:secret"}).loopback_tools


def test_model_servers_of_agents_are_private_on_the_laptop_alone_and_only_if_it_was_said() -> None:
    switched_on = {**REQUIRED, "PRIVATE_BASE_URLS": "1"}
    assert Settings.from_environment(switched_on).private_base_urls
    assert not Settings.from_environment(REQUIRED).private_base_urls
    assert not Settings.from_environment({**switched_on, "PROVIDER_KEYS_SECRET": "arn:secret"}).private_base_urls


@pytest.mark.parametrize("missing", sorted(REQUIRED))
def test_what_is_missing_is_named(missing: str) -> None:
    for environ in ({k: v for k, v in REQUIRED.items() if k != missing}, {**REQUIRED, missing: ""}):
        with pytest.raises(ConfigurationError, match=missing):
            Settings.from_environment(environ)


def test_settings_never_show_a_key() -> None:
    assert "sk-" not in repr(Settings.from_environment({**REQUIRED, **VENDORS}))


def test_who_is_asking() -> None:
    context = {"tenant_id": "t", "subject": "ann", "roles": "owner", "agent_id": "agt_1"}
    assert identity_of(context) == Identity("t", "ann", "agt_1")
    assert identity_of({"tenant_id": "t", "subject": "ann", "roles": "viewer"}).agent_id == ""


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_what_it_may_do(role: str) -> None:
    identity = identity_of({"tenant_id": "t", "subject": "ann", "roles": role})
    assert identity.permissions == ROLES[role]  # type: ignore[index]
    for permission in PERMISSIONS:
        if permission in ROLES[role]:  # type: ignore[index]
            identity.require(permission)
        else:
            with pytest.raises(Forbidden):
                identity.require(permission)


def test_a_key_may_what_its_scopes_say() -> None:
    context = {"tenant_id": "t", "subject": "key_1", "scopes": "run fly", "key_id": "key_1", "expires_at": "100"}
    identity = identity_of(context)
    assert (identity.permissions, identity.key_id) == (frozenset({"run"}), "key_1")
    identity.require_unexpired(99.9)
    with pytest.raises(Unauthenticated):
        identity.require_unexpired(100)


@pytest.mark.parametrize(
    "context",
    [
        None,
        {},
        {"tenant_id": "t"},
        {"subject": "ann"},
        {"tenant_id": "", "subject": "ann"},
        {"tenant_id": "t", "subject": ""},
        {"tenant_id": 1, "subject": "ann", "roles": "owner"},
        {"tenant_id": "t", "subject": "ann"},
        {"tenant_id": "t", "subject": "ann", "roles": "king"},
        {"tenant_id": "t", "subject": "ann", "roles": ["owner"]},
        {"tenant_id": "t", "subject": "ann", "scopes": "fly"},
        {"tenant_id": ["t"], "subject": "ann"},
        {"lambda": {"tenant_id": "t", "subject": "ann"}},
    ],
)
def test_without_a_verified_context_there_is_nobody(context: dict[str, Any] | None) -> None:
    with pytest.raises(Unauthenticated):
        identity_of(context)


def test_keys_are_read_once_and_empty_ones_are_none() -> None:
    reads: list[int] = []

    def fetch() -> str:
        reads.append(1)
        return json.dumps({"anthropic": "sk", "openai": ""})

    keys = SecretKeys(fetch)
    assert keys() == keys() == {"anthropic": "sk"}
    assert len(reads) == 1


@pytest.mark.parametrize("text", ["", "sk-plain", "[]", '{"anthropic": 5}', '{"anthropic": {"key": "sk"}}'])
def test_a_secret_of_another_form_is_an_operators_fault_and_is_not_shown(text: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        SecretKeys(lambda: text)()
    assert "sk-plain" not in str(refusal.value)
    assert refusal.value.status == 500
