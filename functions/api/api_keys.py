"""Routes of API keys, and of tickets for WebSockets."""

from __future__ import annotations

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from agent_builder.bootstrap import api_services
from agent_builder.ids import is_id
from agent_builder.models.identity import Identity
from functions.api.access_schemas import ApiKeyCreate, ApiKeyPage, NewApiKeyOut, TicketCreate, TicketOut
from functions.api.agents import Cursor, IdempotencyKey, Limit
from functions.api.paging import page, read_cursor, reply
from functions.api.schemas import BODY, COMMON, READ, answers

router = APIGatewayHttpRouter()
API_KEYS = "/api/v1/api-keys"
KeyId = Annotated[str, Path(description="Id of an API key, key_…")]


def _caller() -> Identity:
    identity: Identity = router.context["identity"]
    return identity


@router.post(API_KEYS, summary="Create an API key", tags=["Access"], responses=answers(201, NewApiKeyOut, BODY))
def create_api_key(body: Annotated[ApiKeyCreate, Body()], idempotency_key: IdempotencyKey = None) -> Response[Any]:
    """Make a key of the tenant. This answer alone shows it: keep it."""
    made = api_services().api_keys.create(
        _caller(),
        body.name,
        frozenset(body.scopes),
        expires_in_days=body.expires_in_days,
        idempotency_key=idempotency_key,
    )
    return reply(201, made)


@router.get(API_KEYS, summary="List API keys", tags=["Access"], responses=answers(200, ApiKeyPage, (*COMMON, 422)))
def list_api_keys(limit: Limit = 20, cursor: Cursor = None) -> Response[Any]:
    """The tenant's keys without their secrets, newest first."""
    after = read_cursor(cursor, lambda key: is_id("key", key))
    return page(*api_services().api_keys.page(_caller(), limit=limit, after=after))


@router.delete(f"{API_KEYS}/<key_id>", summary="Revoke an API key", tags=["Access"], responses=answers(204, None, READ))
def revoke_api_key(key_id: KeyId) -> Response[Any]:
    """Refused from now on; connections that were opened with it are closed."""
    api_services().api_keys.revoke(_caller(), key_id)
    return reply(204)


@router.post(
    "/api/v1/playground/tickets",
    summary="Create a ticket for a WebSocket",
    tags=["Access"],
    responses=answers(201, TicketOut, (*BODY, 404)),
)
def create_ticket(body: Annotated[TicketCreate, Body()]) -> Response[Any]:
    """A way into the playground of one agent: good once, for 60 seconds."""
    return reply(201, api_services().tickets.create(_caller(), body.agent_id))
