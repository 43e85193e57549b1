"""What REST takes and gives where it is about credentials. The secrets that come in are described by the models."""

from __future__ import annotations

from typing import Literal

from agent_builder.messages import Json
from agent_builder.models.credentials import CredentialKind, Status
from functions.api.schemas import Out, Timestamp, page_of


class LastConsentOut(Out):
    """How it ended when a person last came back from the authorization server; without `failure`, tokens came of it."""

    at: Timestamp
    failure: str | None


class CredentialOut(Out):
    """A credential, without its secret. `failure` says why it must be connected again."""

    id: str
    name: str
    kind: CredentialKind
    settings: Json
    allowed_hosts: list[str]
    status: Status
    failure: str | None
    token_expires_at: Timestamp | None
    last_consent: LastConsentOut | None
    uses: int
    created_at: Timestamp
    created_by: str
    updated_at: Timestamp


class CredentialUseOut(Out):
    """Something that uses a credential."""

    kind: Literal["tool", "integration", "agent", "tracing"]
    id: str
    name: str
    agent_id: str | None


class CredentialDetailOut(CredentialOut):
    """A credential, without its secret, and the first hundred of what uses it."""

    used_by: list[CredentialUseOut]


class ClientOut(Out):
    """What this platform is to authorization servers. `redirect_uri` is to be registered with them."""

    redirect_uri: str


class ConsentOut(Out):
    """Where a person gives consent. `redirect_uri` is what must be registered with the authorization server."""

    authorization_url: str
    redirect_uri: str
    expires_at: Timestamp


CredentialPage = page_of(CredentialOut)
