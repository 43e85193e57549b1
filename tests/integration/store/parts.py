"""Tools, integrations and credentials for tests, and what the store says of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agent_builder.ids import new_id
from agent_builder.models.credentials import Credential
from agent_builder.models.parts import AgentParts
from agent_builder.models.tools import AgentTool, HttpTool, IntegrationInput, LlmTool, McpTool
from agent_builder.repositories.credentials import CredentialRepository
from agent_builder.repositories.uses import UseRepository
from agent_builder.services.parts import Change
from tests.integration.store.product import Product

NO_ARGUMENTS: dict[str, Any] = {"type": "object", "properties": {}}


def http(name: str = "weather", **changes: Any) -> HttpTool:
    wanted = {"base_url": "https://api.example.com", **changes}
    return HttpTool.model_validate(
        {"name": name, "method": "GET", "effect": "read", "input_schema": NO_ARGUMENTS, **wanted}
    )


def llm(name: str = "summarize", **changes: Any) -> LlmTool:
    config = {"provider": "scripted", "model": "echo"}
    wanted = {"name": name, "model_config": config, "instructions": "Be brief.", "input_schema": NO_ARGUMENTS}
    return LlmTool.model_validate({**wanted, **changes})


def mcp(integration_id: str, name: str = "remote", **changes: Any) -> McpTool:
    wanted = {"name": name, "integration_id": integration_id, "remote_name": "r", "fingerprint": "0" * 64}
    return McpTool.model_validate({**wanted, "input_schema": NO_ARGUMENTS, **changes})


def calling(agent_id: str, name: str = "colleague", version: int | None = None) -> AgentTool:
    return AgentTool(name=name, target_agent_id=agent_id, version=version)


def integration(name: str = "Weather", **changes: Any) -> IntegrationInput:
    return IntegrationInput.model_validate({"name": name, "base_url": "https://api.example.com", **changes})


def tool_ids(count: int) -> list[str]:
    return [new_id("tol") for _ in range(count)]


def adding(*tools: Any, ids: list[str] | None = None) -> Change:
    """A change that adds tools."""
    made = dict(zip(ids or tool_ids(len(tools)), tools, strict=True))
    return lambda parts: replace(parts, tools={**parts.tools, **made})


def adding_integration(one: IntegrationInput, integration_id: str) -> Change:
    return lambda parts: replace(parts, integrations={**parts.integrations, integration_id: one})


def without(*part_ids: str) -> Change:
    """A change that removes parts."""

    def change(parts: AgentParts) -> AgentParts:
        return AgentParts(_less(parts.tools, part_ids), _less(parts.integrations, part_ids))

    return change


def _less(parts: Any, part_ids: tuple[str, ...]) -> dict[str, Any]:
    return {part_id: part for part_id, part in parts.items() if part_id not in part_ids}


def credential(product: Product, kind: Any = "bearer") -> str:
    """A credential whose envelope nobody will open; its id."""
    credential_id = new_id("crd")
    settings = {"provider": "anthropic"} if kind == "provider_key" else {}
    stored = Credential(
        id=credential_id,
        kind=kind,
        name="Ours",
        settings=settings,
        allowed_hosts=(),
        sealed=b"sealed",
        key_id="k",
        status="ready",
        revision=1,
        created_at=1,
        created_by="ann",
        updated_at=1,
    )
    CredentialRepository().create(product.tenant, stored)
    return credential_id


def used_by(product: Product, credential_id: str) -> set[tuple[str, str]]:
    """What names a credential, by agent and part, where the count and the list agree."""
    found = CredentialRepository().get(product.tenant, credential_id)
    uses = UseRepository().of(product.tenant, credential_id, limit=1_000)
    assert found is not None
    assert found.uses == len(uses)
    return {(use.agent_id, use.id) for use in uses}
