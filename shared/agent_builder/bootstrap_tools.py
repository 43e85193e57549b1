"""Composition of what tools need: sealed secrets, credentials, guarded ways out, and a maker for each kind of tool."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from agent_builder import aws
from agent_builder.config import Settings
from agent_builder.metrics import OUTBOUND_REFUSED, RECONNECTS_NEEDED, SECRETS_UNAVAILABLE, Metrics

if TYPE_CHECKING:
    from agent_builder.crypto import Envelopes
    from agent_builder.models.agents import LlmConfig
    from agent_builder.realtime.doorbell import Doorbell
    from agent_builder.services.agents import AgentService
    from agent_builder.services.authorization import Authorization
    from agent_builder.services.budgets import BudgetBook
    from agent_builder.services.importing import Importing
    from agent_builder.services.ledger import Ledger
    from agent_builder.services.mcp_offers import McpOffers
    from agent_builder.services.models import ModelCaller, Models
    from agent_builder.services.openapi_imports import OpenApiImportService
    from agent_builder.services.outbound import Outbound
    from agent_builder.services.parts import PartService
    from agent_builder.services.toolbox import Toolbox
    from agent_builder.services.trace_export import TraceExport


@cache
def metrics() -> Metrics:
    """What this environment counts; every handler writes it out at the end of an invocation."""
    return Metrics()


@cache
def envelopes() -> Envelopes:
    """What seals and opens secrets: made when the first comes, since that takes 0.4 s without a snapshot."""
    from agent_builder.crypto import Envelopes, master_keys

    def kms() -> Any:
        return aws.client("kms", connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 3})

    keys = master_keys(Settings.from_environment().credentials_keys, kms)
    return Envelopes(keys, on_unavailable=lambda: metrics().add(SECRETS_UNAVAILABLE))


def authorization() -> Authorization:
    """What gives calls their credentials."""
    from agent_builder.repositories.credentials import CredentialRepository
    from agent_builder.repositories.grants import GrantRepository
    from agent_builder.services.authorization import Authorization
    from agent_builder.services.secrets import Secrets

    secrets = Secrets(CredentialRepository(), envelopes)
    return Authorization(
        CredentialRepository(),
        GrantRepository(),
        secrets,
        outbound().open,
        on_lost=lambda: metrics().add(RECONNECTS_NEEDED),
    )


def outbound(*, private: bool = False) -> Outbound:
    """What opens ways out; to private networks too if that is said."""
    from agent_builder.providers.http import tls_context
    from agent_builder.repositories.egress import EgressRepository
    from agent_builder.services.outbound import Outbound

    return Outbound(
        EgressRepository(),
        tls_context,
        Settings.from_environment().loopback_tools,
        private,
        on_refused=lambda reason: metrics().add(OUTBOUND_REFUSED, reason=reason),
    )


def platform_keys(settings: Settings) -> Callable[[], Mapping[str, str]]:
    """What answers the platform's own keys, of providers and for traces."""
    if not settings.provider_keys_secret:
        return lambda: {**settings.provider_keys, **settings.tracing_keys}
    from agent_builder.services.platform import SecretKeys

    def fetch() -> str:
        secrets = aws.client("secretsmanager", connect_timeout=2, read_timeout=5)
        return str(secrets.get_secret_value(SecretId=settings.provider_keys_secret)["SecretString"])

    return SecretKeys(fetch)


def trace_export(authorization: Authorization, platform_keys: Callable[[], Mapping[str, str]]) -> TraceExport:
    """What sends traces. Langfuse's modules are imported when there is something to send, and keys to send it with."""
    from agent_builder.models.tracing import PlatformTracing
    from agent_builder.services.trace_export import TraceExport
    from agent_builder.services.trace_sending import TraceSending

    sending = TraceSending(authorization)
    return TraceExport(
        platform=lambda: PlatformTracing.of(platform_keys()),
        to_platform=sending.to_platform,
        to_tenant=sending.to_tenant,
        body=sending.body,
        metrics=metrics(),
    )


def importing(authorization: Authorization) -> Importing:
    """What carries imports of descriptions out."""
    from agent_builder.repositories.agents import AgentRepository
    from agent_builder.repositories.openapi_imports import OpenApiImportRepository
    from agent_builder.repositories.parts import PartRepository
    from agent_builder.services.importing import Importing

    return Importing(OpenApiImportRepository(), AgentRepository(), PartRepository(), authorization)


def openapi_imports(doorbell: Doorbell, parts: PartService) -> OpenApiImportService:
    """Imports as REST has them."""
    from agent_builder.repositories.agents import AgentRepository
    from agent_builder.repositories.credentials import CredentialRepository
    from agent_builder.repositories.openapi_imports import OpenApiImportRepository
    from agent_builder.services.openapi_imports import OpenApiImportService

    return OpenApiImportService(OpenApiImportRepository(), AgentRepository(), CredentialRepository(), parts, doorbell)


def mcp_offers(authorization: Authorization) -> McpOffers:
    """What asks MCP servers for their tools."""
    from agent_builder.repositories.agents import AgentRepository
    from agent_builder.repositories.parts import PartRepository
    from agent_builder.services.mcp_offers import McpOffers

    return McpOffers(AgentRepository(), PartRepository(), authorization)


def toolbox(authorization: Authorization, models: Models) -> Toolbox:
    """What makes the tools of a run."""
    from agent_builder.repositories.agents import AgentRepository
    from agent_builder.repositories.parts import PartRepository
    from agent_builder.repositories.tool_answers import ToolAnswerRepository
    from agent_builder.services.enhancing import enhanced
    from agent_builder.services.http_tools import HttpTools
    from agent_builder.services.llm_tools import llm_tools
    from agent_builder.services.mcp import McpTools
    from agent_builder.services.subagents import SubAgents
    from agent_builder.services.toolbox import Maker, Toolbox

    async def model_of(tenant: str, config: LlmConfig, system: str, name: str) -> ModelCaller:
        own_key = await authorization.secrets.provider_key(tenant, config.provider)
        return models.of(tenant, config, system, name, own_key=own_key)

    makers: dict[str, Maker] = {
        "http": enhanced(HttpTools(authorization, ToolAnswerRepository()).make, model_of),
        "mcp": enhanced(McpTools(authorization).make, model_of),
        "llm": llm_tools(model_of),
    }
    box = Toolbox(PartRepository(), authorization.new_egress, makers)
    makers["agent"] = SubAgents(AgentRepository(), box.open, model_of).make
    return box


def api_tools(doorbell: Doorbell, agents: AgentService) -> dict[str, Any]:
    """REST's services for tools and what they need, by the names that `ApiServices` gives them."""
    from agent_builder.repositories.agents import AgentRepository
    from agent_builder.repositories.credentials import CredentialRepository
    from agent_builder.repositories.egress import EgressRepository
    from agent_builder.repositories.grants import GrantRepository
    from agent_builder.repositories.parts import PartRepository
    from agent_builder.repositories.tracing import TracingRepository
    from agent_builder.services.consents import ConsentService
    from agent_builder.services.credentials import CredentialService
    from agent_builder.services.egress import EgressService
    from agent_builder.services.mcp_choice import McpChoices
    from agent_builder.services.part_resources import INTEGRATIONS, TOOLS, PartResources
    from agent_builder.services.parts import PartService
    from agent_builder.services.tool_tests import ToolTests
    from agent_builder.services.tracing import TracingService

    parts = PartService(agents)
    return {
        "credentials": CredentialService(CredentialRepository(), envelopes),
        "egress": EgressService(EgressRepository()),
        "tracing": TracingService(TracingRepository(), CredentialRepository()),
        "consents": ConsentService(GrantRepository(), doorbell, envelopes),
        "tools": PartResources(parts, TOOLS),
        "integrations": PartResources(parts, INTEGRATIONS),
        "mcp": McpChoices(agents, parts, PartRepository(), doorbell),
        "tool_tests": ToolTests(PartRepository(), AgentRepository(), doorbell),
        "openapi_imports": openapi_imports(doorbell, parts),
    }


def runner_tools(
    authorization: Authorization, tools: Toolbox, models: Models, budgets: BudgetBook, ledger: Ledger
) -> dict[str, Any]:
    """The runner's services for tools, by the names that `RunnerServices` gives them."""
    from agent_builder.repositories.agents import AgentRepository
    from agent_builder.services.tool_tests import ToolTester

    return {
        "secrets": authorization.secrets,
        "authorization": authorization,
        "tool_tester": ToolTester(
            AgentRepository(), tools.one, budgets, ledger, lambda tenant: models.rates(tenant).refresh()
        ),
        "importing": cache(partial(importing, authorization)),
        "mcp_offers": cache(partial(mcp_offers, authorization)),
    }
