"""Who is asking, and what they may do: from the authorizer's verified context, never from a body, path or frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from agent_builder.errors import Forbidden, Unauthenticated

Role = Literal["viewer", "operator", "editor", "owner"]
Permission = Literal["read", "run", "edit", "admin"]

ROLES: Mapping[Role, frozenset[Permission]] = {
    "viewer": frozenset({"read"}),
    "operator": frozenset({"read", "run"}),
    "editor": frozenset({"read", "run", "edit"}),
    "owner": frozenset({"read", "run", "edit", "admin"}),
}
EXPIRED = "token_expired"
MAX_SUBJECT = 256  # characters
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller.

    Attributes:
        tenant: The isolation boundary.
        subject: The person or key within it.
        agent_id: The agent a WebSocket was opened for; empty elsewhere.
        permissions: What the caller may do: those of a member's role, or the scopes of an API key.
        key_id: The API key that was used, if one was.
        expires_at: When the caller's token or key ends, in seconds since the epoch; 0 if it does not.
    """

    tenant: str
    subject: str
    agent_id: str = ""
    permissions: frozenset[Permission] = ROLES["owner"]
    key_id: str = ""
    expires_at: int = 0

    def for_agent(self, agent_id: str) -> Identity:
        """The same caller on a WebSocket that was opened for an agent."""
        return replace(self, agent_id=agent_id)

    def require(self, permission: Permission) -> None:
        """Raises `Forbidden` where the caller may not."""
        if permission not in self.permissions:
            raise Forbidden(f"This needs the permission `{permission}`; ask an owner of the tenant for it.")

    def require_unexpired(self, now_seconds: float) -> None:
        """Raises `Unauthenticated` once the token or key has ended (a WebSocket outlives it)."""
        if self.expires_at and now_seconds >= self.expires_at:
            raise Unauthenticated("The sign-in has expired. Sign in again and reconnect.", code=EXPIRED)


def identity_of(context: Mapping[str, Any] | None) -> Identity:
    """Read the context that API Gateway passes on from the authorizer (all of its values are text).

    Raises:
        Unauthenticated: There is none, or it names no tenant, subject and role or scopes.
    """
    context = context or {}
    tenant, subject = context.get("tenant_id"), context.get("subject")
    permissions = _permissions(context)
    if not (isinstance(tenant, str) and tenant and isinstance(subject, str) and subject and permissions):
        raise Unauthenticated("No identity came with this request. Sign in, or send a valid key.")
    return Identity(
        tenant,
        subject,
        agent_id=str(context.get("agent_id") or ""),
        permissions=permissions,
        key_id=str(context.get("key_id") or ""),
        expires_at=int(context.get("expires_at") or 0),
    )


def _permissions(context: Mapping[str, Any]) -> frozenset[Permission]:
    scopes = str(context.get("scopes") or "").split()
    if scopes:
        return frozenset(scope for scope in PERMISSIONS if scope in scopes)
    role = context.get("roles")
    return ROLES.get(role, frozenset()) if isinstance(role, str) else frozenset()  # type: ignore[call-overload]
