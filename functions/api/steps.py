"""Steps of runs, whole."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import BeforeValidator

from agent_builder.bootstrap import api_services
from agent_builder.messages import Cost, Json, Usage
from agent_builder.models.identity import Identity
from agent_builder.models.views import step_view
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

    `whole` is the answer of an API where the model was given less: up to 4 MB of it.
    """

    id: str
    run_id: str
    number: int
    kind: Literal["model", "tool"]
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
    parts: list[Json] | None = None
    tool_name: str | None = None
    tool_use_id: str | None = None
    effect: str | None = None
    result: Json | None = None
    error: str | None = None
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
    # As bytes: Lambda's answers hold 6 MB, of which a text would lose a byte for each of its quotes.
    body = json.dumps(step_view(run_id, step), ensure_ascii=False).encode()
    return Response(200, content_type="application/json", body=body, headers={"Cache-Control": "no-store"})
