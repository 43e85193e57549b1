"""Who a credential belongs to: a token of the issuer, an API key, or a WebSocket ticket.

On a cold cache one read decides, and for five seconds after it none is made: for that long, at most, a revoked key or a
removed member goes on. Every refusal is the same.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from agent_builder.errors import Unauthenticated
from agent_builder.models.identity import PERMISSIONS, ROLES, Identity, Permission
from agent_builder.models.principals import (
    API_KEY_PREFIX,
    OWN_TENANT_PREFIX,
    api_key_tenant,
    fingerprint,
    ticket_tenant,
)

if TYPE_CHECKING:
    from agent_builder.repositories.principals import PrincipalRepository
    from agent_builder.tokens import Claims

CACHE_SECONDS = 5.0
_CACHED = 1000
REFUSED = "This sign-in is not accepted. Sign in again."
RESERVED_TENANTS = frozenset({"platform.internal"})
_TENANT = re.compile(r"[A-Za-z0-9_.:@-]{1,128}")


class Authentication:
    """Turns credentials into identities.

    `tenant_claim` and `role_claim` are names of claims, or empty. A person without the tenant claim works in the tenant
    they were invited to, else in their own. In a claimed tenant, what its owners stored of a member counts before the
    role claim.
    """

    def __init__(
        self,
        principals: PrincipalRepository,
        verify: Callable[[str], Claims],
        *,
        tenant_claim: str = "",
        role_claim: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._principals = principals
        self._verify = verify
        self._tenant_claim = tenant_claim
        self._role_claim = role_claim
        self._clock = clock
        self._known: dict[str, tuple[float, Identity]] = {}

    def of_bearer(self, credential: str) -> Identity:
        """The identity behind an `Authorization: Bearer` value.

        Raises:
            Unauthenticated: It is not accepted.
            StoreError: The table did not answer.
        """
        now = self._clock()
        name = fingerprint(credential)
        until, identity = self._known.get(name, (0.0, None))
        if identity is not None and now < until:
            return identity
        by_key = credential.startswith(API_KEY_PREFIX)
        identity = self._of_api_key(credential, name) if by_key else self._of_token(credential)
        if len(self._known) >= _CACHED:
            self._known.clear()
        end = identity.expires_at or now + CACHE_SECONDS
        self._known[name] = (min(end, now + CACHE_SECONDS), identity)
        return identity

    def of_ticket(self, ticket: str, agent_id: str) -> Identity:
        """The identity that a ticket was given to. It is used up, whatever comes of it.

        Raises:
            Unauthenticated: It is not accepted: unknown, used, expired, or given for another agent.
        """
        tenant = _checked(ticket_tenant(ticket))
        found = self._principals.consume_ticket(tenant, fingerprint(ticket)) if tenant else None
        if found is None or found.agent_id != agent_id or found.expires_at <= self._clock():
            raise Unauthenticated(REFUSED)
        ends = found.identity_expires_at or 0
        if tenant != found.tenant or (ends and ends <= self._clock()):
            raise Unauthenticated(REFUSED)
        return _identity(tenant, found.subject, found.permissions, found.key_id or "", ends, agent_id)

    def _of_api_key(self, key: str, key_hash: str) -> Identity:
        tenant = _checked(api_key_tenant(key))
        found = self._principals.api_key(tenant, key_hash) if tenant else None
        if found is None or tenant != found.tenant or found.revoked_at is not None:
            raise Unauthenticated(REFUSED)
        if found.expires_at is not None and found.expires_at <= self._clock():
            raise Unauthenticated(REFUSED)
        return _identity(tenant, found.subject, found.scopes, found.id, found.expires_at or 0)

    def _of_token(self, token: str) -> Identity:
        claims = self._verify(token)
        tenant, role = self._place(claims)
        permissions = ROLES.get(role)  # type: ignore[call-overload]
        return _identity(tenant, claims.subject, permissions or frozenset(), "", claims.expires_at)

    def _place(self, claims: Claims) -> tuple[str, str]:
        """The tenant a person works in and their role there."""
        if self._tenant_claim and self._tenant_claim in claims.other:
            return self._claimed(claims)
        own = own_tenant(claims.issuer, claims.subject)
        home = self._principals.home(own)
        return (home.tenant, home.role) if home else (own, "owner")

    def _claimed(self, claims: Claims) -> tuple[str, str]:
        tenant = claims.text(self._tenant_claim)
        if not claimable(tenant):
            raise Unauthenticated(REFUSED)
        member = self._principals.member(tenant, claims.subject)
        if member is None:
            return tenant, claims.text(self._role_claim)
        return tenant, member.role if member.status == "active" else ""


def own_tenant(issuer: str, subject: str) -> str:
    """The tenant of a person whom no claim puts into another."""
    return OWN_TENANT_PREFIX + fingerprint(f"{issuer}\n{subject}")[:32]


def claimable(tenant: str) -> bool:
    """Whether a tenant claim may name this tenant: no person's own and none of the platform's."""
    name = tenant.lower()
    return bool(_checked(tenant)) and not name.startswith(OWN_TENANT_PREFIX) and name not in RESERVED_TENANTS


def _checked(tenant: str | None) -> str | None:
    return tenant if tenant and _TENANT.fullmatch(tenant) else None


def _identity(
    tenant: str, subject: str, permissions: frozenset[str], key_id: str, expires_at: int, agent_id: str = ""
) -> Identity:
    known: frozenset[Permission] = frozenset(name for name in PERMISSIONS if name in permissions)
    if not known:
        raise Unauthenticated(REFUSED)
    return Identity(tenant, subject, agent_id, known, key_id, int(expires_at))
