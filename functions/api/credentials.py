"""Routes of credentials. Secrets go in and never come out."""

from __future__ import annotations

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from agent_builder.bootstrap import api_services
from agent_builder.ids import is_id
from agent_builder.models.credentials import CredentialInput
from agent_builder.models.identity import Identity
from agent_builder.services.credentials import credential_view, use_view
from functions.api.agents import Cursor, IfMatch, Limit
from functions.api.credential_schemas import CredentialDetailOut, CredentialOut, CredentialPage
from functions.api.paging import page, read_cursor, reply, revision_of
from functions.api.schemas import BODY, COMMON, READ, WRITE, answers

router = APIGatewayHttpRouter()
CREDENTIALS = "/api/v1/credentials"
CredentialId = Annotated[str, Path(description="Id of a credential, crd_…")]


def _caller() -> Identity:
    identity: Identity = router.context["identity"]
    return identity


@router.post(
    CREDENTIALS,
    summary="Create a credential",
    tags=["Credentials"],
    responses=answers(201, CredentialOut, (*BODY, 409), etag=True),
)
def create_credential(body: Annotated[CredentialInput, Body()]) -> Response[Any]:
    """Store a credential. Its secret is encrypted at once and can be replaced, but never read again."""
    made = api_services().credentials.create(_caller(), body)
    headers = {"Location": f"{CREDENTIALS}/{made.id}"}
    return reply(201, credential_view(made), revision=made.revision, headers=headers)


@router.get(
    CREDENTIALS,
    summary="List credentials",
    tags=["Credentials"],
    responses=answers(200, CredentialPage, (*COMMON, 422)),
)
def list_credentials(limit: Limit = 20, cursor: Cursor = None) -> Response[Any]:
    """The tenant's credentials without their secrets, newest first."""
    after = read_cursor(cursor, lambda key: is_id("crd", key))
    found, following = api_services().credentials.page(_caller(), limit=limit, after=after)
    return page([credential_view(one) for one in found], following)


@router.get(
    f"{CREDENTIALS}/<credential_id>",
    summary="Get a credential",
    tags=["Credentials"],
    responses=answers(200, CredentialDetailOut, READ, etag=True),
)
def get_credential(credential_id: CredentialId) -> Response[Any]:
    """One credential without its secret, and what uses it."""
    service = api_services().credentials
    found = service.get(_caller(), credential_id)
    uses = [use_view(use) for use in service.used_by(_caller(), found)]
    return reply(200, {**credential_view(found), "used_by": uses}, revision=found.revision)


@router.put(
    f"{CREDENTIALS}/<credential_id>",
    summary="Replace a credential",
    tags=["Credentials"],
    responses=answers(200, CredentialOut, (*WRITE, 409), etag=True),
)
def replace_credential(
    credential_id: CredentialId, body: Annotated[CredentialInput, Body()], if_match: IfMatch = None
) -> Response[Any]:
    """Put all of it, the secret included, in the place of what was there. Connections of OAuth must be made anew."""
    changed = api_services().credentials.replace(
        _caller(), credential_id, body, expected_revision=revision_of(if_match)
    )
    return reply(200, credential_view(changed), revision=changed.revision)


@router.delete(
    f"{CREDENTIALS}/<credential_id>",
    summary="Delete a credential",
    tags=["Credentials"],
    responses=answers(204, None, (*READ, 409, 412)),
)
def delete_credential(credential_id: CredentialId, if_match: IfMatch = None) -> Response[Any]:
    """Refused as long as something uses it."""
    api_services().credentials.delete(_caller(), credential_id, expected_revision=revision_of(if_match))
    return reply(204)
