"""Trying a tool: one call, shown to the person who builds it."""

from __future__ import annotations

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import Field

from agent_builder.bootstrap import api_services
from agent_builder.messages import Cost, Json, Usage
from agent_builder.models.agents import Strict
from agent_builder.models.identity import Identity
from functions.api.paging import reply
from functions.api.schemas import BODY, Out, answers

router = APIGatewayHttpRouter()
ToolId = Annotated[str, Path(description="Id of a tool, tol_…")]


class ToolTest(Strict):
    """A call to be made. `approve` stands for the approval that some tools ask for."""

    arguments: Json = Field(default_factory=dict)
    approve: bool = False


class ToolRequestOut(Out):
    """What was sent, secrets blotted out, the body cut beyond 16 KB."""

    method: str
    url: str
    headers: dict[str, str]
    body: str | None


class ToolResponseOut(Out):
    """What came, secrets blotted out; `body` is its beginning, `bytes` its length."""

    status: int
    url: str
    headers: dict[str, str]
    bytes: int
    body: str


class ToolFailureOut(Out):
    """What a model would be told. `outcome_unknown`: it may have acted all the same."""

    code: str
    detail: str
    outcome_unknown: bool


class ToolTestOut(Out):
    """What came of it. `result` is what a model would see; either that or `error` is null.

    `usage` and `cost` are those of models that were asked inside of the call.
    """

    tool_id: str
    tool_name: str
    request: ToolRequestOut | None
    response: ToolResponseOut | None
    result: Json | None
    error: ToolFailureOut | None
    attempts: int
    cached: bool
    usage: Usage
    cost: Cost
    duration_ms: int


@router.post(
    "/api/v1/tools/<tool_id>/test",
    summary="Test a tool",
    tags=["Tools"],
    responses=answers(200, ToolTestOut, (*BODY, 404, 409)),
)
def test_tool(tool_id: ToolId, body: Annotated[ToolTest, Body()]) -> Response[Any]:
    """Make one call of the tool with its credential, within 22 seconds. It is a real call: a tool that acts, acts."""
    identity: Identity = router.context["identity"]
    shown = api_services().tool_tests.test(identity, tool_id, body.arguments, approved=body.approve)
    return reply(200, shown)
