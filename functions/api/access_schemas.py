"""What REST takes and gives where it is about access: keys, tickets, members, audit trail, limits."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from agent_builder.models.agents import Name, Strict
from agent_builder.models.identity import Permission, Role
from functions.api.schemas import Out, Timestamp, page_of

Email = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$"),
    Field(examples=["ann@example.com"]),
]


class ApiKeyCreate(Strict):
    """A key to be made. Its scopes are among the permissions of whoever makes it."""

    name: Name
    scopes: list[Permission] = Field(min_length=1, max_length=4)
    expires_in_days: int | None = Field(None, ge=1, le=3_650)


class InvitationCreate(Strict):
    """Somebody to be invited."""

    email: Email
    role: Role


class InvitationAccept(Strict):
    """An invitation's token."""

    token: Annotated[str, StringConstraints(min_length=1, max_length=400)]


class MemberPatch(Strict):
    """A merge patch of a member."""

    role: Role


class TicketCreate(Strict):
    """Which agent a connection is wanted to."""

    agent_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class LimitsPatch(Strict):
    """A merge patch of the limits; null goes back to the default.

    By default the stack lets 12,000 requests a minute through, of everybody: no tenant may have them all.
    """

    tenant_requests_per_minute: int | None = Field(None, ge=30, le=6_000)
    requests_per_minute: int | None = Field(None, ge=30, le=6_000)
    messages_per_minute: int | None = Field(None, ge=0, le=3_000)
    messages_per_minute_per_subject: int | None = Field(None, ge=0, le=3_000)
    messages_per_minute_per_agent: int | None = Field(None, ge=0, le=3_000)
    runs_at_once: int | None = Field(None, ge=0, le=1_000)
    tenant_connections_at_once: int | None = Field(None, ge=1, le=1_000)
    connections_at_once: int | None = Field(None, ge=1, le=1_000)


class ApiKeyOut(Out):
    """A key, without its secret. `last_used_at` is true to the minute."""

    id: str
    name: str
    prefix: str
    scopes: list[Permission]
    created_at: Timestamp
    created_by: str
    expires_at: Timestamp | None
    last_used_at: Timestamp | None


class NewApiKeyOut(ApiKeyOut):
    """A new key. `key` is shown in this answer only: null when an Idempotency-Key repeats it."""

    key: str | None


class MemberOut(Out):
    """A member."""

    subject: str
    email: str
    role: Role
    joined_at: Timestamp


class InvitationOut(Out):
    """An invitation that nobody has accepted yet, without its token."""

    id: str
    email: str
    role: Role
    invited_by: str
    created_at: Timestamp
    expires_at: Timestamp


class NewInvitationOut(InvitationOut):
    """A new invitation. `token` is shown in this answer only: null when an Idempotency-Key repeats it."""

    token: str | None


class JoinedOut(Out):
    """Where the caller works now, and as what."""

    tenant_id: str
    subject: str
    role: Role


class IdentityOut(Out):
    """The caller."""

    tenant_id: str
    subject: str
    permissions: list[Permission]
    key_id: str | None
    expires_at: Timestamp | None


class TicketOut(Out):
    """A ticket for one WebSocket, as subprotocol `ticket.<ticket>`."""

    ticket: str
    agent_id: str
    expires_at: Timestamp


class ChangeOut(Out):
    """A field that was given; `value` only where it is no secret and no content."""

    field: str
    value: int | str | list[str] | None = None


class AuditEntryOut(Out):
    """A change: who, when, with which key, by which route, of what."""

    id: str
    at: Timestamp
    subject: str
    key_id: str | None
    action: str
    target: str
    request_id: str
    changes: list[ChangeOut]


class LimitsOut(Out):
    """The limits in force."""

    tenant_requests_per_minute: int
    requests_per_minute: int
    messages_per_minute: int
    messages_per_minute_per_subject: int
    messages_per_minute_per_agent: int
    runs_at_once: int
    tenant_connections_at_once: int
    connections_at_once: int


ApiKeyPage = page_of(ApiKeyOut)
MemberPage = page_of(MemberOut)
InvitationPage = page_of(InvitationOut)
AuditEntryPage = page_of(AuditEntryOut)
