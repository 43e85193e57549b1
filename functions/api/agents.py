"""Routes of agents and their versions."""

from __future__ import annotations

import re
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Path, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import BeforeValidator

from agent_builder.bootstrap import api_services
from agent_builder.ids import is_id
from agent_builder.models.agents import AgentCreate, AgentStatus
from agent_builder.models.identity import Identity
from agent_builder.models.views import agent_view, version_view
from functions.api.paging import ETAG_PATTERN, page, read_cursor, reply, revision_of
from functions.api.schemas import (
    COMMON,
    READ,
    WRITE,
    AgentOut,
    AgentPage,
    AgentPatch,
    AgentVersionOut,
    AgentVersionPage,
    answers,
)

router = APIGatewayHttpRouter()
AGENTS = "/api/v1/agents"


def _digits(text: object) -> object:
    """Digits alone: what else reads as a number, as 1.0 does, names no version."""
    if not re.fullmatch("[0-9]{1,9}", str(text)):
        raise ValueError("A version is a number of 1 to 9 digits.")
    return text


AgentId = Annotated[str, Path(description="Id of an agent, agt_…")]
Version = Annotated[int, BeforeValidator(_digits), Path(ge=1, le=999_999_999, description="Number of a version")]
Limit = Annotated[int, Query(ge=1, le=100, description="Most items on a page")]
Cursor = Annotated[str | None, Query(max_length=300, description="`next_cursor` of the page before")]
StatusFilter = Annotated[AgentStatus | None, Query(description="Only agents of this status")]
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=100,
        description='ETag the change is based on, like "3", or *',
        json_schema_extra={"pattern": ETAG_PATTERN},
    ),
]
IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=255, description="Same key and body, same answer"),
]


def _caller() -> Identity:
    identity: Identity = router.context["identity"]
    return identity


@router.post(AGENTS, summary="Create an agent", tags=["Agents"], responses=answers(201, AgentOut, WRITE, etag=True))
def create_agent(body: Annotated[AgentCreate, Body()], idempotency_key: IdempotencyKey = None) -> Response[Any]:
    """Create an agent. `name`, `model_config.provider` and `model_config.model` are required."""
    view = api_services().agents.create(_caller(), body, idempotency_key=idempotency_key)
    return reply(201, view, revision=1, headers={"Location": f"{AGENTS}/{view['id']}"})


@router.get(AGENTS, summary="List agents", tags=["Agents"], responses=answers(200, AgentPage, (*COMMON, 422)))
def list_agents(
    limit: Limit = 20,
    cursor: Cursor = None,
    status: Annotated[AgentStatus | None, Query(description="Only agents of this status")] = None,
) -> Response[Any]:
    """The tenant's agents, newest first."""
    after = read_cursor(cursor, lambda key: is_id("agt", key))
    agents, following = api_services().agents.page(_caller(), limit=limit, after=after, status=status)
    return page([agent_view(agent) for agent in agents], following)


@router.get(
    f"{AGENTS}/<agent_id>", summary="Get an agent", tags=["Agents"], responses=answers(200, AgentOut, READ, etag=True)
)
def get_agent(agent_id: AgentId) -> Response[Any]:
    """One agent."""
    agent = api_services().agents.get(_caller(), agent_id)
    return reply(200, agent_view(agent), revision=agent.revision)


@router.patch(
    f"{AGENTS}/<agent_id>",
    summary="Change an agent",
    tags=["Agents"],
    responses=answers(200, AgentOut, WRITE, etag=True),
)
def patch_agent(agent_id: AgentId, body: Annotated[AgentPatch, Body()], if_match: IfMatch = None) -> Response[Any]:
    """Apply a JSON merge patch; a change of what the agent does makes a new version."""
    patch = body.model_dump(exclude_unset=True)
    agent = api_services().agents.patch(_caller(), agent_id, patch, expected_revision=revision_of(if_match))
    return reply(200, agent_view(agent), revision=agent.revision)


@router.delete(
    f"{AGENTS}/<agent_id>", summary="Delete an agent", tags=["Agents"], responses=answers(204, None, (*READ, 412))
)
def delete_agent(agent_id: AgentId, if_match: IfMatch = None) -> Response[Any]:
    """Gone for every reader at once; conversations and all else that belonged to it are purged by a job."""
    api_services().agents.delete(_caller(), agent_id, expected_revision=revision_of(if_match))
    return reply(204)


@router.get(
    f"{AGENTS}/<agent_id>/versions",
    summary="List an agent's versions",
    tags=["Agents"],
    responses=answers(200, AgentVersionPage, READ),
)
def list_versions(agent_id: AgentId, limit: Limit = 20, cursor: Cursor = None) -> Response[Any]:
    """Versions, newest first."""
    after = read_cursor(cursor, lambda key: re.fullmatch("V#[0-9]{10}", key) is not None)
    versions, following = api_services().agents.versions(_caller(), agent_id, limit=limit, after=after)
    return page([version_view(version) for version in versions], following)


@router.get(
    f"{AGENTS}/<agent_id>/versions/<number>",
    summary="Get a version",
    tags=["Agents"],
    responses=answers(200, AgentVersionOut, READ),
)
def get_version(agent_id: AgentId, number: Version) -> Response[Any]:
    """One version."""
    return reply(200, version_view(api_services().agents.version(_caller(), agent_id, number)))


@router.post(
    f"{AGENTS}/<agent_id>/versions/<number>/restore",
    summary="Restore a version",
    tags=["Agents"],
    responses=answers(200, AgentOut, (*READ, 412), etag=True),
)
def restore_version(agent_id: AgentId, number: Version, if_match: IfMatch = None) -> Response[Any]:
    """Make an old version the newest, as a version of its own."""
    agent = api_services().agents.restore(_caller(), agent_id, number, expected_revision=revision_of(if_match))
    return reply(200, agent_view(agent), revision=agent.revision)
