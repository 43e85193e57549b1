"""Who may come in: API keys, members, invitations, tickets. Times are seconds since the epoch unless named `_ms`."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass

from agent_builder.models.identity import Permission, Role

API_KEY_PREFIX = "aab_"
INVITATION_PREFIX = "inv_"
CONSENT_PREFIX = "cst_"
OWN_TENANT_PREFIX = "u-"
_SECRET_BYTES = 32
_SECRET_LENGTH = 43
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A tenant's key for programs, without its secret.

    Attributes:
        subject: What the key is known as inside its tenant: its id.
        prefix: The first characters of its secret part, so that people recognise it.
        last_used_at: To the minute; None if it never was.
    """

    id: str
    tenant: str
    subject: str
    scopes: frozenset[Permission]
    expires_at: int | None
    revoked_at: int | None
    prefix: str
    name: str
    last_used_at: int | None = None
    created_at_ms: int = 0
    created_by: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a tenant. `own_tenant` is where the person stands alone; empty where a claim names the tenant."""

    subject: str
    role: Role
    email: str
    status: str = "active"
    own_tenant: str = ""
    joined_at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Home:
    """The tenant in which an invited person works now."""

    tenant: str
    role: Role


@dataclass(frozen=True, slots=True)
class Invitation:
    """A way into a tenant, for whoever holds its token. `answer_pk` is where the answer that made it is remembered."""

    id: str
    tenant: str
    hash: str
    email: str
    role: Role
    invited_by: str
    expires_at: int
    created_at_ms: int = 0
    answer_pk: str | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A way to open one WebSocket. `identity_expires_at` is when its holder's own sign-in ends; 0 if it does not."""

    tenant: str
    subject: str
    permissions: frozenset[Permission]
    key_id: str
    agent_id: str
    expires_at: int
    identity_expires_at: int


@dataclass(frozen=True, slots=True)
class Secret:
    """A new secret: shown once, kept as its hash."""

    text: str
    hash: str
    prefix: str

    def __repr__(self) -> str:
        return f"Secret(prefix={self.prefix!r})"


def new_api_key(tenant: str) -> Secret:
    """`aab_<tenant>_<43 random characters>`."""
    return _secret(f"{API_KEY_PREFIX}{_encoded(tenant)}_")


def new_invitation(tenant: str) -> Secret:
    """`inv_<tenant>_<43 random characters>`."""
    return _secret(f"{INVITATION_PREFIX}{_encoded(tenant)}_")


def new_ticket(tenant: str) -> Secret:
    """`<tenant>.<43 random characters>`."""
    return _secret(f"{_encoded(tenant)}.")


def new_consent(tenant: str) -> Secret:
    """`cst_<tenant>_<43 random characters>`: the `state` somebody takes along to an authorization server."""
    return _secret(f"{CONSENT_PREFIX}{_encoded(tenant)}_")


def api_key_tenant(text: str) -> str | None:
    """The tenant whose key this says it is; None if it has not the form of one."""
    return _tenant_in(text, API_KEY_PREFIX, "_")


def invitation_tenant(text: str) -> str | None:
    """The tenant whose invitation this says it is."""
    return _tenant_in(text, INVITATION_PREFIX, "_")


def consent_tenant(text: str) -> str | None:
    """The tenant somebody left from, as this `state` says."""
    return _tenant_in(text, CONSENT_PREFIX, "_")


def ticket_tenant(text: str) -> str | None:
    """The tenant whose ticket this says it is."""
    return _tenant_in(text, "", ".")


def fingerprint(text: str) -> str:
    """How a secret is stored: its SHA-256. It is random, so nothing slower is needed."""
    return hashlib.sha256(text.encode()).hexdigest()


def _secret(head: str) -> Secret:
    tail = secrets.token_urlsafe(_SECRET_BYTES)
    return Secret(head + tail, fingerprint(head + tail), tail[:_SHOWN])


def _encoded(tenant: str) -> str:
    return base64.urlsafe_b64encode(tenant.encode()).decode().rstrip("=")


def _tenant_in(text: str, prefix: str, joint: str) -> str | None:
    head, tail = text[: -_SECRET_LENGTH - 1], text[-_SECRET_LENGTH:]
    if not (text.isascii() and text.startswith(prefix) and text[-_SECRET_LENGTH - 1 : -_SECRET_LENGTH] == joint):
        return None
    encoded = head.removeprefix(prefix)
    try:
        tenant = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    return tenant if len(tail) == _SECRET_LENGTH and tenant and _encoded(tenant) == encoded else None
