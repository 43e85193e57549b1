"""Routes of where traces of runs are sent."""

from __future__ import annotations

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from agent_builder.bootstrap import api_services
from agent_builder.models.identity import Identity
from agent_builder.models.tracing import TracingSettings
from functions.api.paging import reply
from functions.api.schemas import BODY, COMMON, Out, Timestamp, answers

router = APIGatewayHttpRouter()
TRACING = "/api/v1/tracing"


class TracingFailureOut(Out):
    """Why the newest attempt to send a trace failed, and when. It is made again for a day."""

    code: str
    at: Timestamp


class TracingOut(TracingSettings):
    """Where traces go, and whether they arrive."""

    updated_at: Timestamp
    last_failure: TracingFailureOut | None


def _caller() -> Identity:
    identity: Identity = router.context["identity"]
    return identity


@router.get(TRACING, summary="Read where traces go", tags=["Usage"], responses=answers(200, TracingOut, (*COMMON, 404)))
def get_tracing() -> Response[Any]:
    """The Langfuse server that gets a trace of each run, and why it does not, if it does not."""
    return reply(200, api_services().tracing.get(_caller()))


@router.put(TRACING, summary="Set where traces go", tags=["Usage"], responses=answers(200, TracingOut, BODY))
def put_tracing(body: Annotated[TracingSettings, Body()]) -> Response[Any]:
    """Send a trace of each run that ends from now on, within a minute, to a Langfuse server."""
    return reply(200, api_services().tracing.replace(_caller(), body))


@router.delete(TRACING, summary="Send no more traces", tags=["Usage"], responses=answers(204, None, (*COMMON, 404)))
def delete_tracing() -> Response[Any]:
    """Stop it; what was still to be sent is forgotten."""
    api_services().tracing.delete(_caller())
    return reply(204)
