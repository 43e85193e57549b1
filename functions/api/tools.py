"""Routes of tools."""

from __future__ import annotations

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from agent_builder.bootstrap import api_services
from agent_builder.ids import is_id
from agent_builder.models.identity import Identity
from agent_builder.models.parts import part_view
from agent_builder.models.tools import ToolDefinition
from functions.api.agents import AGENTS, AgentId, Cursor, IdempotencyKey, IfMatch, Limit
from functions.api.paging import page, read_cursor, reply, revision_of
from functions.api.part_schemas import ToolOut, ToolPage, ToolPatch
from functions.api.schemas import READ, WRITE, answers

router = APIGatewayHttpRouter()
TOOLS = "/api/v1/tools"
ToolId = Annotated[str, Path(description="Id of a tool, tol_…")]


def _caller() -> Identity:
    identity: Identity = router.context["identity"]
    return identity


@router.post(
    f"{AGENTS}/<agent_id>/tools",
    summary="Create a tool",
    tags=["Tools"],
    responses=answers(201, ToolOut, (*READ, 400, 409, 413, 415), etag=True),
)
def create_tool(
    agent_id: AgentId, body: Annotated[ToolDefinition, Body()], idempotency_key: IdempotencyKey = None
) -> Response[Any]:
    """Give an agent a tool. A change of its tools makes a new version of the agent."""
    view = api_services().tools.create(_caller(), agent_id, body, key=idempotency_key)
    headers = {"Location": f"{TOOLS}/{view['id']}"}
    return reply(201, view, revision=view["revision"], headers=headers)


@router.get(
    f"{AGENTS}/<agent_id>/tools",
    summary="List an agent's tools",
    tags=["Tools"],
    responses=answers(200, ToolPage, READ),
)
def list_tools(agent_id: AgentId, limit: Limit = 20, cursor: Cursor = None) -> Response[Any]:
    """Tools, newest first. A page of large ones has fewer than `limit`; `next_cursor` says whether there are more."""
    after = read_cursor(cursor, lambda key: is_id("tol", key))
    return page(*api_services().tools.page(_caller(), agent_id, limit=limit, after=after))


@router.get(
    f"{TOOLS}/<tool_id>",
    summary="Get a tool",
    tags=["Tools"],
    responses=answers(200, ToolOut, READ, etag=True),
)
def get_tool(tool_id: ToolId) -> Response[Any]:
    """One tool, as its agent has it now."""
    found = api_services().tools.get(_caller(), tool_id)
    return reply(200, part_view(found), revision=found.revision)


@router.patch(
    f"{TOOLS}/<tool_id>",
    summary="Change a tool",
    tags=["Tools"],
    responses=answers(200, ToolOut, (*WRITE, 409), etag=True),
)
def patch_tool(tool_id: ToolId, body: Annotated[ToolPatch, Body()], if_match: IfMatch = None) -> Response[Any]:
    """Apply a JSON merge patch; what changes makes a new version of the agent."""
    patch = body.model_dump(exclude_unset=True)
    changed = api_services().tools.patch(_caller(), tool_id, patch, expected_revision=revision_of(if_match))
    return reply(200, part_view(changed), revision=changed.revision)


@router.delete(
    f"{TOOLS}/<tool_id>",
    summary="Delete a tool",
    tags=["Tools"],
    responses=answers(204, None, (*READ, 409, 412)),
)
def delete_tool(tool_id: ToolId, if_match: IfMatch = None) -> Response[Any]:
    """Take a tool from its agent. Older versions of the agent keep it, and can bring it back."""
    api_services().tools.delete(_caller(), tool_id, expected_revision=revision_of(if_match))
    return reply(204)
