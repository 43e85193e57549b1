"""Composition root: builds each function's services from settings, once, with only what that function needs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from agent_builder import aws
from agent_builder.bootstrap_models import accounts, models_for, registry_for
from agent_builder.bootstrap_tools import (
    api_tools,
    authorization,
    envelopes,
    metrics,
    outbound,
    platform_keys,
    runner_tools,
    toolbox,
    trace_export,
)
from agent_builder.config import AuthorizerSettings, Settings
from agent_builder.realtime.connections import Connections
from agent_builder.realtime.doorbell import Doorbell
from agent_builder.repositories import table
from agent_builder.repositories.agents import AgentRepository
from agent_builder.repositories.approvals import ApprovalRepository
from agent_builder.repositories.audit import AuditRepository
from agent_builder.repositories.conversations import ConversationRepository
from agent_builder.repositories.intake import IntakeRepository
from agent_builder.repositories.limits import LimitRepository
from agent_builder.repositories.platform import PlatformRepository
from agent_builder.repositories.purges import PurgeRepository
from agent_builder.repositories.runs import RunRepository
from agent_builder.services.approvals import ApprovalService
from agent_builder.services.audit import AuditService
from agent_builder.services.greeting import Greeter
from agent_builder.services.intake import Intake
from agent_builder.services.limits import LimitService

if TYPE_CHECKING:
    import asyncio

    from agent_builder.errors import Fault
    from agent_builder.messages import Json
    from agent_builder.services.agents import AgentService
    from agent_builder.services.authentication import Authentication
    from agent_builder.services.conversations import ConversationService
    from agent_builder.services.ledger import Ledger

_THREADS = 16


@dataclass(frozen=True, slots=True)
class PlaygroundServices:
    """What the playground function uses."""

    intake: Intake
    conversations: ConversationRepository
    connections: Connections
    greeter: Greeter
    limits: LimitService
    approvals: ApprovalService
    runs: RunRepository
    audit: AuditService


@cache
def playground_services() -> PlaygroundServices:
    """Build the playground's services."""
    settings = _settings()
    doorbell = Doorbell(settings.runner_function)
    intake = Intake(IntakeRepository(), AgentRepository(), doorbell, metrics=metrics())
    connections = Connections(metrics())
    return PlaygroundServices(
        intake=intake,
        conversations=ConversationRepository(),
        connections=connections,
        greeter=Greeter(intake, connections),
        limits=LimitService(LimitRepository()),
        approvals=_approvals(doorbell),
        runs=RunRepository(),
        audit=AuditService(AuditRepository()),
    )


def _approvals(doorbell: Doorbell) -> ApprovalService:
    return ApprovalService(ApprovalRepository(), IntakeRepository(), AgentRepository(), doorbell, _faults_of_input)


def _faults_of_input(tenant: str, agent_id: str, version: int, tool_name: str, arguments: Json) -> tuple[Fault, ...]:
    """Imports what knows schemas when a person first gives arguments: the playground seldom needs it."""
    from agent_builder.repositories.parts import PartRepository
    from agent_builder.services.edited_input import EditedInputs

    return EditedInputs(AgentRepository(), PartRepository()).faults(tenant, agent_id, version, tool_name, arguments)


@dataclass(frozen=True, slots=True)
class AuthorizerServices:
    """What the authorizer function uses."""

    authentication: Authentication
    allowed_origins: frozenset[str]


@cache
def authorizer_services() -> AuthorizerServices:
    """Build the authorizer's services. The issuer's keys are fetched when the first token comes."""
    from agent_builder.repositories.principals import PrincipalRepository
    from agent_builder.services.authentication import Authentication
    from agent_builder.tokens import TokenVerifier

    settings = AuthorizerSettings.from_environment()
    table.bind(settings.table_name)
    verifier = TokenVerifier(settings.issuer, settings.audience)
    authentication = Authentication(
        PrincipalRepository(), verifier.verify, tenant_claim=settings.tenant_claim, role_claim=settings.role_claim
    )
    return AuthorizerServices(authentication, settings.allowed_origins)


@dataclass(frozen=True, slots=True)
class ApiServices:
    """What the api function uses."""

    agents: Any
    conversations: Any
    models: Any
    api_keys: Any
    members: Any
    invitations: Any
    tickets: Any
    audit: Any
    limits: LimitService
    credentials: Any
    consents: Any
    egress: Any
    intake: Intake
    traces: Any
    usage: Any
    prices: Any
    tracing: Any
    budgets: Any
    mcp: Any
    approvals: ApprovalService
    tool_tests: Any
    steps: Any
    openapi_imports: Any
    tools: Any
    integrations: Any


@cache
def api_services() -> ApiServices:
    """Build REST's services."""
    from agent_builder.repositories.api_keys import ApiKeyRepository
    from agent_builder.repositories.invitations import InvitationRepository
    from agent_builder.repositories.members import MemberRepository
    from agent_builder.repositories.principals import PrincipalRepository
    from agent_builder.services.agents import AgentService
    from agent_builder.services.api_keys import ApiKeyService
    from agent_builder.services.conversations import ConversationService
    from agent_builder.services.invitations import InvitationService
    from agent_builder.services.members import MemberService
    from agent_builder.services.platform import ModelListing
    from agent_builder.services.tickets import TicketService

    settings = _settings()
    doorbell = Doorbell(settings.runner_function)
    agents = AgentService(AgentRepository(), doorbell)
    conversations = ConversationService(ConversationRepository(), agents, doorbell)
    members = MemberService(MemberRepository(), doorbell)
    limits = LimitService(LimitRepository())
    return ApiServices(
        agents=agents,
        conversations=conversations,
        models=ModelListing(PlatformRepository(), doorbell, _catalogue),
        api_keys=ApiKeyService(ApiKeyRepository(), doorbell, limits),
        members=members,
        invitations=InvitationService(InvitationRepository(), members),
        tickets=TicketService(PrincipalRepository()),
        audit=AuditService(AuditRepository()),
        limits=limits,
        **_run_services(agents, conversations, doorbell),
        **api_tools(doorbell, agents),
    )


def _run_services(agents: AgentService, conversations: ConversationService, doorbell: Doorbell) -> dict[str, Any]:
    from agent_builder.repositories.budgets import BudgetRepository
    from agent_builder.repositories.ledger import LedgerRepository
    from agent_builder.repositories.prices import PriceRepository
    from agent_builder.repositories.steps import StepRepository
    from agent_builder.repositories.traces import TraceRepository
    from agent_builder.services.budget_settings import BudgetService
    from agent_builder.services.prices import PriceService
    from agent_builder.services.steps import StepService
    from agent_builder.services.traces import TraceService
    from agent_builder.services.usage import UsageService

    intake = Intake(IntakeRepository(), AgentRepository(), doorbell, metrics=metrics())
    return {
        "intake": intake,
        "traces": TraceService(TraceRepository(), ApprovalRepository(), conversations, intake),
        "usage": UsageService(LedgerRepository()),
        "prices": PriceService(PriceRepository()),
        "budgets": BudgetService(BudgetRepository(), LedgerRepository(), agents),
        "steps": StepService(StepRepository(), conversations),
        "approvals": _approvals(doorbell),
    }


def _catalogue() -> list[Any]:
    from agent_builder.providers.catalogue import models

    return list(models())


@dataclass(frozen=True, slots=True)
class RunnerServices:
    """What the runner function uses."""

    runner: Any
    connections: Connections
    greeter: Greeter
    purger: Any
    ledger: Any
    rescue: Any
    provider_status: Any
    traces: Any
    disconnector: Any
    guarded: Any
    secrets: Any
    authorization: Any
    tool_tester: Any
    importing: Any
    mcp_offers: Any
    loop: asyncio.Runner


@cache
def runner_services() -> RunnerServices:
    """Build the runner's services. Event loop and HTTP connections live as long as the environment."""
    import asyncio

    from agent_builder.services.guarded_models import ModelClients
    from agent_builder.services.platform import ProviderStatus
    from agent_builder.services.runner import Runner

    settings = _settings()
    keys = platform_keys(settings)
    registry, connections = registry_for(settings, keys), Connections(metrics())
    limits = LimitService(LimitRepository())
    runs, (budgets, ledger) = RunRepository(), accounts()
    doorbell = Doorbell(settings.runner_function)
    intake = Intake(IntakeRepository(), AgentRepository(), doorbell, metrics=metrics())
    credentials = authorization()
    private = settings.private_base_urls
    guarded = ModelClients(outbound(private=True).open if private else credentials.new_egress)
    tools = toolbox(credentials, models := models_for(registry, guarded))
    traces = trace_export(credentials, keys)
    runner = Runner(
        runs=runs,
        conversations=ConversationRepository(),
        agents=AgentRepository(),
        models=models,
        tools_of=tools.open,
        poster=connections,
        executor=ThreadPoolExecutor(_THREADS, thread_name_prefix="io"),
        ring=partial(_ring_run, doorbell),
        metrics=metrics(),
        own_key=credentials.secrets.provider_key,
        give_back=lambda tenant, answer_id: limits.end_runs(tenant, [answer_id]),
        settle=ledger.settle,
        traced=traces.targets,
        send_traces=traces.send,
        budgets=budgets,
    )
    return RunnerServices(
        runner=runner,
        connections=connections,
        greeter=Greeter(intake, connections),
        ledger=ledger,
        traces=traces,
        provider_status=ProviderStatus(PlatformRepository(), registry.configured),
        guarded=guarded,
        **_upkeep(runs, doorbell, limits, connections, ledger),
        **runner_tools(credentials, tools, models, budgets, ledger),
        loop=asyncio.Runner(),
    )


def _upkeep(
    runs: RunRepository, doorbell: Doorbell, limits: LimitService, connections: Connections, ledger: Ledger
) -> dict[str, Any]:
    from agent_builder.repositories.entries import EntryRepository
    from agent_builder.services.disconnecting import Disconnector
    from agent_builder.services.purging import Purger
    from agent_builder.services.rescue import Rescue

    return {
        "purger": Purger(PurgeRepository(), end_runs=limits.end_runs, settle=ledger.settle_deleted, metrics=metrics()),
        "rescue": Rescue(runs, doorbell, metrics=metrics()),
        "disconnector": Disconnector(EntryRepository(), connections, limits),
    }


def preload(*services: str) -> None:
    """Read what clients of AWS need, before a snapshot is taken; opens nothing."""
    aws.preload("dynamodb", *services)


def preload_api() -> None:
    """Build what REST checks its input with, before a snapshot is taken."""
    from agent_builder import crypto
    from agent_builder.models import agents, credentials, tools
    from agent_builder.services import agents as _agents
    from agent_builder.services import conversations, part_resources, platform

    preload("lambda", "kms")
    agents.preload()
    credentials.preload()
    tools.preload()
    _ = crypto, _agents, conversations, part_resources, platform


def preload_runner() -> None:
    """Import what a run needs, before a snapshot is taken; opens nothing."""
    from agent_builder import crypto
    from agent_builder.models import agents, tools
    from agent_builder.providers import pricing, registry
    from agent_builder.services import authorization, http_tools, models, runner, trace_sending

    agents.preload()
    tools.preload()
    preload("lambda", "apigatewaymanagementapi", "kms")
    settings = Settings.from_environment()
    registry.preload(settings.preloaded_providers)
    if settings.tracing_keys:
        trace_sending.preload()
    _ = crypto, authorization, http_tools, models, runner, pricing


def restore_playground() -> None:
    """Begin anew after a snapshot or a fork: clients, and what is built on them."""
    _forget()
    services = playground_services()
    services.connections.prepare()
    services.intake.prepare()


def restore_api() -> None:
    """Begin anew after a snapshot or a fork."""
    _forget()
    api_services()


def preload_authorizer() -> None:
    """Import what verifies a token, before a snapshot is taken; opens nothing."""
    from agent_builder import tokens

    preload()
    _ = tokens


def restore_authorizer() -> None:
    """Begin anew after a snapshot or a fork: no keys of the issuer and nobody's identity are carried over."""
    _forget()
    authorizer_services()


def restore_runner() -> None:
    """Begin anew after a snapshot or a fork."""
    _forget()
    runner_services().connections.prepare()


def _forget() -> None:
    table.reset_connections()
    for build in (playground_services, api_services, runner_services, authorizer_services, envelopes):
        build.cache_clear()


def _ring_run(doorbell: Doorbell, tenant: str, conversation_id: str) -> bool:
    return doorbell.ring("run", tenant_id=tenant, conversation_id=conversation_id)


def _settings() -> Settings:
    settings = Settings.from_environment()
    table.bind(settings.table_name)
    return settings
