"""Routes of MCP servers: what they offer, and choosing of it. The runner asks them; this function has no secrets."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from agent_builder.bootstrap import api_services
from agent_builder.messages import Effect, Json
from agent_builder.models.agents import Strict
from agent_builder.models.identity import Identity
from agent_builder.models.mcp import McpChoices
from functions.api.paging import reply
from functions.api.schemas import BODY, Out, answers

router = APIGatewayHttpRouter()
SERVER = "/api/v1/integrations/<integration_id>/mcp"
ServerId = Annotated[str, Path(description="Id of an integration of kind mcp, int_…")]


class McpListing(Strict):
    """Nothing has to be said."""


class McpNoteOut(Out):
    """Something that a person should know; `skipped`: no tool can be made."""

    level: Literal["info", "changed", "skipped"]
    code: str
    message: str


class McpBeforeOut(Out):
    """What the model is told now, of a tool that the server describes otherwise by now."""

    description: str
    input_schema: Json
    effect: Effect


class McpOfferOut(Out):
    """A tool that a server offers. `effect` is what the server says, and no more than a suggestion."""

    remote_name: str
    title: str
    description: str
    input_schema: Json | None
    effect: Effect
    fingerprint: str
    notes: list[McpNoteOut]
    chosen: str | None
    changed: bool
    before: McpBeforeOut | None


class McpGoneOut(Out):
    """A tool that was chosen, and that its server no longer offers."""

    id: str
    remote_name: str


class McpOffersOut(Out):
    """What a server offers now."""

    tools: list[McpOfferOut]
    gone: list[McpGoneOut]


class McpChosenOut(Out):
    """The tools that were made or approved anew."""

    tools: list[Json]


def _caller() -> Identity:
    identity: Identity = router.context["identity"]
    return identity


@router.post(
    f"{SERVER}/list",
    summary="List what an MCP server offers",
    tags=["MCP servers"],
    responses=answers(200, McpOffersOut, (*BODY, 404, 409, 503)),
)
def list_mcp_tools(integration_id: ServerId, body: Annotated[McpListing, Body()]) -> Response[Any]:
    """Ask the server, within 25 seconds. Nothing is stored."""
    return reply(200, api_services().mcp.offered(_caller(), integration_id))


@router.post(
    f"{SERVER}/choose",
    summary="Choose tools of an MCP server",
    tags=["MCP servers"],
    responses=answers(200, McpChosenOut, (*BODY, 404, 409, 503)),
)
def choose_mcp_tools(integration_id: ServerId, body: Annotated[McpChoices, Body()]) -> Response[Any]:
    """Make tools of what was listed, by fingerprint; approve anew what has changed since it was chosen."""
    return reply(200, api_services().mcp.choose(_caller(), integration_id, body.tools))
