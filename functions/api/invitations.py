"""Routes of invitations."""

from __future__ import annotations

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from agent_builder.bootstrap import api_services
from agent_builder.ids import is_id
from agent_builder.models.identity import Identity
from functions.api.access_schemas import (
    InvitationAccept,
    InvitationCreate,
    InvitationPage,
    JoinedOut,
    NewInvitationOut,
)
from functions.api.agents import Cursor, IdempotencyKey, Limit
from functions.api.members import MEMBERS
from functions.api.paging import page, read_cursor, reply
from functions.api.schemas import BODY, COMMON, READ, answers

router = APIGatewayHttpRouter()
INVITATIONS = "/api/v1/invitations"
InvitationId = Annotated[str, Path(description="Id of an invitation, ivt_…")]


def _caller() -> Identity:
    identity: Identity = router.context["identity"]
    return identity


@router.post(MEMBERS, summary="Invite a member", tags=["Members"], responses=answers(201, NewInvitationOut, BODY))
def invite_member(body: Annotated[InvitationCreate, Body()], idempotency_key: IdempotencyKey = None) -> Response[Any]:
    """Make an invitation, good once within seven days. This answer alone shows its token: pass it on."""
    made = api_services().invitations.create(_caller(), body.email, body.role, idempotency_key=idempotency_key)
    return reply(201, made)


@router.get(
    INVITATIONS,
    summary="List open invitations",
    tags=["Members"],
    responses=answers(200, InvitationPage, (*COMMON, 422)),
)
def list_invitations(limit: Limit = 20, cursor: Cursor = None) -> Response[Any]:
    """Invitations that nobody has accepted yet, without their tokens, newest first."""
    after = read_cursor(cursor, lambda key: is_id("ivt", key))
    return page(*api_services().invitations.page(_caller(), limit=limit, after=after))


@router.delete(
    f"{INVITATIONS}/<invitation_id>",
    summary="Withdraw an invitation",
    tags=["Members"],
    responses=answers(204, None, READ),
)
def withdraw_invitation(invitation_id: InvitationId) -> Response[Any]:
    """Its token is good for nothing from now on."""
    api_services().invitations.withdraw(_caller(), invitation_id)
    return reply(204)


@router.post(
    f"{INVITATIONS}/accept",
    summary="Accept an invitation",
    tags=["Members"],
    responses=answers(200, JoinedOut, (*BODY, 404, 409)),
)
def accept_invitation(body: Annotated[InvitationAccept, Body()]) -> Response[Any]:
    """Move to the tenant that the invitation is for."""
    caller = _caller()
    tenant, member = api_services().invitations.accept(caller, body.token)
    if tenant != caller.tenant:  # else it is noted as every change is
        request_id = router.current_event.request_context.request_id
        action, role = "POST /invitations/accept", {"field": "role", "value": member.role}
        api_services().audit.record(
            caller, action, member.subject, request_id=request_id, changes=[role], tenant=tenant
        )
    return reply(200, {"tenant_id": tenant, "subject": member.subject, "role": member.role})
