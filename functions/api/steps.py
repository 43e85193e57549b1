"""Steps of runs, whole."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import BeforeValidator

from agent_builder.bootstrap import api_services
from agent_builder.messages import CallOutcome, Cost, Json, Usage
from agent_builder.models.identity import Identity
from agent_builder.models.message_out import PartOut
from agent_builder.models.views import step_view
from functions.api.paging import reply
from functions.api.schemas import READ, Out, Timestamp, answers

router = APIGatewayHttpRouter()


def _digits(text: object) -> object:
    if not re.fullmatch("[0-9]{1,6}", str(text)):
        raise ValueError("A step is a number of 1 to 6 digits.")
    return text


RunId = Annotated[str, Path(description="Id of a run, run_…")]
StepNumber = Annotated[int, BeforeValidator(_digits), Path(ge=1, le=999_999, description="Number of a step")]


class StepOut(Out):
    """A step. What a model said is in `parts`; `tool_name` and what follows are a tool call's.

    `parent` is the number of the tool call inside which it was made. `purpose` says which part it is of a call with a
    model's help; of its `call`, `input` is what the tool was called with. `agent_id` and `agent_version` are those of
    an agent that was asked inside a call.

    `whole` is the answer of an API where the model was given less: up to 4 MB of it.
    """

    id: str
    run_id: str
    number: int
    kind: Literal["model", "tool"]
    parent: int | None
    purpose: Literal["before", "call", "after"] | None
    status: str
    started_at: Timestamp
    duration_ms: int
    error_code: str | None
    usage: Usage | None
    cost: Cost | None
    provider: str | None = None
    model: str | None = None
    answered_by: str | None = None
    stop_reason: str | None = None
    agent_id: str | None = None
    agent_version: int | None = None
    parts: list[PartOut] | None = None
    tool_name: str | None = None
    tool_use_id: str | None = None
    effect: str | None = None
    input: Json | None = None
    result: Json | None = None
    error: str | None = None
    outcome: CallOutcome | None = None
    request: Json | None = None
    response: Json | None = None
    attempts: int | None = None
    cached: bool | None = None
    whole: Any = None


@router.get(
    "/api/v1/runs/<run_id>/steps/<number>",
    summary="Get a step of a run",
    tags=["Runs"],
    responses=answers(200, StepOut, READ),
)
def get_step(run_id: RunId, number: StepNumber) -> Response[Any]:
    """One model call or one tool call, whole."""
    identity: Identity = router.context["identity"]
    step = api_services().steps.get(identity, run_id, number)
    return reply(200, step_view(run_id, step))
