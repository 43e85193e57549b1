"""Routes of integrations."""

from __future__ import annotations

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from agent_builder.bootstrap import api_services
from agent_builder.ids import is_id
from agent_builder.models.identity import Identity
from agent_builder.models.parts import part_view
from agent_builder.models.tools import IntegrationInput
from functions.api.agents import AGENTS, AgentId, Cursor, IdempotencyKey, IfMatch, Limit
from functions.api.paging import page, read_cursor, reply, revision_of
from functions.api.part_schemas import IntegrationOut, IntegrationPage, IntegrationPatch
from functions.api.schemas import READ, WRITE, answers

router = APIGatewayHttpRouter()
INTEGRATIONS = "/api/v1/integrations"
IntegrationId = Annotated[str, Path(description="Id of an integration, int_…")]


def _caller() -> Identity:
    identity: Identity = router.context["identity"]
    return identity


@router.post(
    f"{AGENTS}/<agent_id>/integrations",
    summary="Create an integration",
    tags=["Integrations"],
    responses=answers(201, IntegrationOut, (*READ, 400, 409, 413, 415), etag=True),
)
def create_integration(
    agent_id: AgentId, body: Annotated[IntegrationInput, Body()], idempotency_key: IdempotencyKey = None
) -> Response[Any]:
    """Give an agent an integration, which its tools can name. It makes a new version of the agent."""
    view = api_services().integrations.create(_caller(), agent_id, body, key=idempotency_key)
    headers = {"Location": f"{INTEGRATIONS}/{view['id']}"}
    return reply(201, view, revision=view["revision"], headers=headers)


@router.get(
    f"{AGENTS}/<agent_id>/integrations",
    summary="List an agent's integrations",
    tags=["Integrations"],
    responses=answers(200, IntegrationPage, READ),
)
def list_integrations(agent_id: AgentId, limit: Limit = 20, cursor: Cursor = None) -> Response[Any]:
    """Integrations, newest first. `next_cursor` says whether there are more."""
    after = read_cursor(cursor, lambda key: is_id("int", key))
    return page(*api_services().integrations.page(_caller(), agent_id, limit=limit, after=after))


@router.get(
    f"{INTEGRATIONS}/<integration_id>",
    summary="Get an integration",
    tags=["Integrations"],
    responses=answers(200, IntegrationOut, READ, etag=True),
)
def get_integration(integration_id: IntegrationId) -> Response[Any]:
    """One integration, as its agent has it now."""
    found = api_services().integrations.get(_caller(), integration_id)
    return reply(200, part_view(found), revision=found.revision)


@router.patch(
    f"{INTEGRATIONS}/<integration_id>",
    summary="Change an integration",
    tags=["Integrations"],
    responses=answers(200, IntegrationOut, (*WRITE, 409), etag=True),
)
def patch_integration(
    integration_id: IntegrationId, body: Annotated[IntegrationPatch, Body()], if_match: IfMatch = None
) -> Response[Any]:
    """Apply a JSON merge patch; what changes makes a new version of the agent."""
    patch = body.model_dump(exclude_unset=True)
    changed = api_services().integrations.patch(
        _caller(), integration_id, patch, expected_revision=revision_of(if_match)
    )
    return reply(200, part_view(changed), revision=changed.revision)


@router.delete(
    f"{INTEGRATIONS}/<integration_id>",
    summary="Delete an integration",
    tags=["Integrations"],
    responses=answers(204, None, (*READ, 409, 412)),
)
def delete_integration(integration_id: IntegrationId, if_match: IfMatch = None) -> Response[Any]:
    """Take an integration from its agent; refused as long as tools name it."""
    api_services().integrations.delete(_caller(), integration_id, expected_revision=revision_of(if_match))
    return reply(204)
