"""The route of calls on which people decide."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import Field

from agent_builder.bootstrap import api_services
from agent_builder.clock import now_ms
from agent_builder.models.agents import Strict
from agent_builder.models.approvals import REASON_LENGTH
from agent_builder.models.identity import Identity
from agent_builder.models.views import approval_view
from agent_builder.services.approvals import Wanted
from functions.api.paging import reply
from functions.api.schemas import WRITE, Out, Timestamp, answers

router = APIGatewayHttpRouter()
RUNS = "/api/v1/runs"
RunId = Annotated[str, Path(description="Id of a run, run_…")]
ToolUseId = Annotated[str, Path(description="Id of a tool call, as its frames and messages give it")]


class ApprovalOut(Out):
    """A call that a person must approve, and what became of it."""

    tool_use_id: str
    tool_name: str
    input: dict[str, Any]
    status: Literal["waiting", "approved", "denied", "expired", "cancelled"]
    requested_at: Timestamp
    expires_at: Timestamp
    decided_at: Timestamp | None
    decided_by: str | None
    edited_input: dict[str, Any] | None
    reason: str | None


class DecisionIn(Strict):
    """What a person decides on a call."""

    decision: Literal["approve", "deny"]
    input: dict[str, Any] | None = Field(
        default=None, description="Arguments in place of the model's; with `approve` only."
    )
    reason: str | None = Field(default=None, max_length=REASON_LENGTH, description="Told to the model on a denial.")


def _caller() -> Identity:
    identity: Identity = router.context["identity"]
    return identity


@router.post(
    f"{RUNS}/<run_id>/approvals/<tool_use_id>",
    summary="Approve or deny a tool call",
    tags=["Runs"],
    responses=answers(200, ApprovalOut, (*WRITE, 409)),
)
def decide(run_id: RunId, tool_use_id: ToolUseId, body: Annotated[DecisionIn, Body()]) -> Response[Any]:
    """Decide on a call that waits; the first decision holds. Arguments that the tool does not take decide nothing."""
    wanted = Wanted(body.decision, body.input, body.reason or "")
    decided = api_services().approvals.decide(_caller(), run_id, tool_use_id, wanted)
    return reply(200, approval_view(decided, now_ms()))
