"""Routes of what tools may call."""

from __future__ import annotations

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from agent_builder.bootstrap import api_services
from agent_builder.errors import RefusalReason
from agent_builder.ids import is_id
from agent_builder.models.egress import EgressSettings
from agent_builder.models.identity import Identity
from functions.api.agents import Cursor, Limit
from functions.api.paging import page, read_cursor, reply
from functions.api.schemas import BODY, COMMON, Out, Timestamp, answers, page_of

router = APIGatewayHttpRouter()
EGRESS = "/api/v1/egress"


class RefusalOut(Out):
    """A call that was not made: when, why, what for, where to."""

    id: str
    at: Timestamp
    reason: RefusalReason
    purpose: str
    host: str | None
    port: int | None


RefusalPage = page_of(RefusalOut)


def _caller() -> Identity:
    identity: Identity = router.context["identity"]
    return identity


@router.get(EGRESS, summary="Read what tools may call", tags=["Tools"], responses=answers(200, EgressSettings, COMMON))
def get_egress() -> Response[Any]:
    """The tenant's lists. Addresses that are not public are refused whatever they say."""
    return reply(200, api_services().egress.settings(_caller()).model_dump())


@router.put(EGRESS, summary="Set what tools may call", tags=["Tools"], responses=answers(200, EgressSettings, BODY))
def put_egress(body: Annotated[EgressSettings, Body()]) -> Response[Any]:
    """Put other lists in force, everywhere within ten seconds."""
    return reply(200, api_services().egress.replace(_caller(), body).model_dump())


@router.get(
    f"{EGRESS}/refusals",
    summary="List refused calls",
    tags=["Tools"],
    responses=answers(200, RefusalPage, (*COMMON, 422)),
)
def list_refusals(limit: Limit = 20, cursor: Cursor = None) -> Response[Any]:
    """Calls that were refused, newest first, for thirty days."""
    after = read_cursor(cursor, lambda key: is_id("ref", key))
    return page(*api_services().egress.refusals(_caller(), limit=limit, after=after))
