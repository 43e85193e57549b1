"""Routes of members and the audit trail."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from agent_builder.bootstrap import api_services
from agent_builder.ids import is_id
from agent_builder.models.identity import MAX_SUBJECT, Identity
from agent_builder.services.members import identity_view, member_view
from functions.api.access_schemas import (
    AuditEntryPage,
    IdentityOut,
    MemberOut,
    MemberPage,
    MemberPatch,
)
from functions.api.agents import Cursor, Limit
from functions.api.paging import page, read_cursor, reply
from functions.api.schemas import BODY, COMMON, READ, answers

router = APIGatewayHttpRouter()
MEMBERS = "/api/v1/members"
MemberCursor = Annotated[str | None, Query(max_length=1_400, description="`next_cursor` of the page before")]
# Where longer ones are refused is `access.Route.possible`: there the path is decoded.
Subject = Annotated[str, Path(description="Subject of a member", json_schema_extra={"maxLength": MAX_SUBJECT})]


def _caller() -> Identity:
    identity: Identity = router.context["identity"]
    return identity


@router.get(MEMBERS, summary="List members", tags=["Members"], responses=answers(200, MemberPage, (*COMMON, 422)))
def list_members(limit: Limit = 20, cursor: MemberCursor = None) -> Response[Any]:
    """Members of the tenant, in the order of their subjects."""
    after = read_cursor(cursor, lambda key: len(key) <= MAX_SUBJECT)
    return page(*api_services().members.page(_caller(), limit=limit, after=after))


@router.get(f"{MEMBERS}/me", summary="Who am I", tags=["Members"], responses=answers(200, IdentityOut, COMMON))
def get_me() -> Response[Any]:
    """The caller: tenant, subject, permissions."""
    return reply(200, identity_view(_caller()))


@router.delete(f"{MEMBERS}/me", summary="Leave", tags=["Members"], responses=answers(204, None, (*COMMON, 404, 409)))
def leave() -> Response[Any]:
    """Leave the tenant for one's own."""
    caller = _caller()
    api_services().members.remove(caller, caller.subject)
    return reply(204)


@router.patch(
    f"{MEMBERS}/<subject>",
    summary="Change a member's role",
    tags=["Members"],
    responses=answers(200, MemberOut, (*BODY, 404, 409)),
)
def change_member(subject: Subject, body: Annotated[MemberPatch, Body()]) -> Response[Any]:
    """In force at once; the member's open connections are closed."""
    return reply(200, member_view(api_services().members.change(_caller(), unquote(subject), body.role)))


@router.delete(
    f"{MEMBERS}/<subject>", summary="Remove a member", tags=["Members"], responses=answers(204, None, (*READ, 409))
)
def remove_member(subject: Subject) -> Response[Any]:
    """In force at once; the member's open connections are closed. The keys they made stay."""
    api_services().members.remove(_caller(), unquote(subject))
    return reply(204)


@router.get(
    "/api/v1/audit",
    summary="Read the audit trail",
    tags=["Access"],
    responses=answers(200, AuditEntryPage, (*COMMON, 422)),
)
def list_audit(limit: Limit = 20, cursor: Cursor = None) -> Response[Any]:
    """Who changed what in the tenant, newest first, for a year."""
    after = read_cursor(cursor, lambda key: is_id("aud", key))
    return page(*api_services().audit.page(_caller(), limit=limit, after=after))
