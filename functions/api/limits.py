"""Counts requests, and the routes of the limits."""

from __future__ import annotations

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from agent_builder.bootstrap import api_services
from agent_builder.models.identity import Identity
from agent_builder.services.limits import too_many
from functions.api.access_schemas import LimitsOut, LimitsPatch
from functions.api.paging import reply
from functions.api.schemas import BODY, COMMON, answers

router = APIGatewayHttpRouter()
LIMITS = "/api/v1/limits"


def count(identity: Identity, headers: dict[str, str]) -> None:
    """Count a request, and tell in `headers` how the caller stands (the IETF's RateLimit fields).

    Raises:
        TooManyRequests: It is one too many.
    """
    standing = api_services().limits.request(identity)
    policy = "tenant" if standing.of_tenant else "minute"
    headers["RateLimit-Policy"] = f'"minute";q={standing.limit};w=60, "tenant";q={standing.tenant_limit};w=60'
    headers["RateLimit"] = f'"{policy}";r={standing.remaining};t={standing.reset}'
    if standing.refused:
        raise too_many(standing)
    if identity.key_id and standing.first:
        api_services().api_keys.used(identity)


@router.get(LIMITS, summary="Read the limits", tags=["Access"], responses=answers(200, LimitsOut, COMMON))
def get_limits() -> Response[Any]:
    """The limits in force for the tenant."""
    identity: Identity = router.context["identity"]
    return reply(200, api_services().limits.of(identity.tenant).as_dict())


@router.patch(LIMITS, summary="Change the limits", tags=["Access"], responses=answers(200, LimitsOut, BODY))
def patch_limits(body: Annotated[LimitsPatch, Body()]) -> Response[Any]:
    """Apply a merge patch; in force everywhere within ten seconds."""
    identity: Identity = router.context["identity"]
    changed = api_services().limits.change(identity.tenant, body.model_dump(exclude_unset=True))
    return reply(200, changed.as_dict())
