"""Members of a tenant: invited, joined, changed, removed. An owner is always left."""

from __future__ import annotations

from dataclasses import dataclass

from agent_builder.clock import Clock, now_ms, rfc3339
from agent_builder.errors import Conflict, Forbidden, NotFound, RaceLost, StoreError
from agent_builder.messages import Json
from agent_builder.models.identity import PERMISSIONS, ROLES, Identity, Role
from agent_builder.models.principals import (
    OWN_TENANT_PREFIX,
    Invitation,
    Member,
    fingerprint,
    invitation_tenant,
    new_invitation,
)
from agent_builder.realtime.doorbell import Doorbell
from agent_builder.repositories.members import MemberRepository

INVITATION_SECONDS = 7 * 24 * 3600
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class MemberService:
    """Members of the caller's tenant.

    A person whose tokens name no tenant has one of their own, and owns it without being stored anywhere, until others
    are invited. By accepting an invitation such a person moves to another tenant; who leaves or is removed, moves back.
    """

    repository: MemberRepository
    doorbell: Doorbell
    clock: Clock = now_ms

    def page(self, identity: Identity, *, limit: int, after: str | None) -> tuple[list[Json], str | None]:
        """Members, in the order of their subjects."""
        found, following = self.repository.page(identity.tenant, limit=limit, after=after)
        if not found and after is None and _personal(identity.tenant) and not identity.key_id:
            found = [self._founder(identity)]
        return [member_view(member) for member in found], following

    def invite(self, identity: Identity, email: str, role: Role) -> Json:
        """Invite somebody; whoever holds the token may come in, once, within seven days. It is shown only here.

        Raises:
            Forbidden: The role may do more than the caller.
        """
        _check_grant(identity, role)
        self._found(identity)
        secret = new_invitation(identity.tenant)
        ends_at = self.clock() // 1000 + INVITATION_SECONDS
        self.repository.invite(Invitation(identity.tenant, secret.hash, email, role, identity.subject, ends_at))
        return {"email": email, "role": role, "token": secret.text, "expires_at": rfc3339(ends_at * 1000)}

    def accept(self, identity: Identity, token: str) -> tuple[str, Member]:
        """Join the tenant that an invitation is for; answers it and the new member.

        Raises:
            Forbidden: The caller is a key.
            NotFound: The invitation is unknown, used or over.
            Conflict: `already_member`: the caller is one already, or works in another tenant that must be left first.
        """
        if identity.key_id:
            raise Forbidden("An API key cannot join a tenant; sign in yourself.")
        invitation = self._invitation(token)
        own = self._own_tenant(identity, invitation.tenant)
        member = Member(identity.subject, invitation.role, invitation.email, own_tenant=own, joined_at_ms=self.clock())
        try:
            self.repository.join(invitation.tenant, member, invitation)
        except RaceLost as race:
            if "invitation" in race.failed:
                raise _no_invitation() from None
            raise _already_member() from None
        self._close(identity.tenant, identity.subject)
        return invitation.tenant, member

    def change(self, identity: Identity, subject: str, role: Role) -> Member:
        """Give a member another role, in force at once; their open connections are closed.

        Raises:
            NotFound: There is no such member.
            Forbidden: The role may do more than the caller.
            Conflict: `last_owner`, `own_tenant`.
        """
        _check_grant(identity, role)
        for _ in range(_ATTEMPTS):
            member = self._member(identity, subject)
            if member.role == role:
                return member
            _check_founder(identity, member)
            try:
                self.repository.change(identity.tenant, member, role)
            except RaceLost as race:
                _check_owners(race)
                continue
            self._close(identity.tenant, subject, keep=ROLES[role])
            return self._member(identity, subject)
        raise StoreError("The member changes too often right now; try again.")

    def remove(self, identity: Identity, subject: str) -> None:
        """Take a member out at once; their open connections are closed.

        Raises:
            NotFound: There is no such member.
            Conflict: `last_owner`, `own_tenant`.
        """
        for _ in range(_ATTEMPTS):
            member = self._member(identity, subject)
            _check_founder(identity, member)
            try:
                self.repository.remove(identity.tenant, member)
            except RaceLost as race:
                _check_owners(race)
                continue
            self._close(identity.tenant, subject)
            return
        raise StoreError("The member changes too often right now; try again.")

    def _member(self, identity: Identity, subject: str) -> Member:
        member = self.repository.get(identity.tenant, subject)
        if member is None and subject == identity.subject and _personal(identity.tenant) and not identity.key_id:
            return self._founder(identity)
        if member is None or member.status != "active":
            raise NotFound("There is no member with this subject.")
        return member

    def _invitation(self, token: str) -> Invitation:
        tenant = invitation_tenant(token)
        try:
            found = self.repository.invitation(tenant, fingerprint(token)) if tenant else None
        except ValueError:  # no tenant is called so
            found = None
        if found is None or found.expires_at <= self.clock() // 1000:
            raise _no_invitation()
        return found

    def _own_tenant(self, identity: Identity, wanted: str) -> str:
        """The tenant the caller leaves for another; empty where their tokens name the one they are invited to."""
        if identity.tenant == wanted and not _personal(wanted):
            return ""
        if not _personal(identity.tenant) or identity.tenant == wanted:
            raise _already_member()
        here = self.repository.get(identity.tenant, identity.subject)
        if here is not None and here.own_tenant != identity.tenant:
            raise _already_member()
        return identity.tenant

    def _found(self, identity: Identity) -> None:
        """Store the owner of a personal tenant as its first member."""
        if not _personal(identity.tenant) or identity.key_id:
            return
        try:
            self.repository.join(identity.tenant, self._founder(identity), None)
        except RaceLost:
            return

    def _founder(self, identity: Identity) -> Member:
        own = identity.tenant
        return Member(identity.subject, "owner", "", own_tenant=own, joined_at_ms=self.clock())

    def _close(self, tenant: str, subject: str, keep: frozenset[str] = frozenset()) -> None:
        self.doorbell.ring("disconnect", tenant_id=tenant, subject=subject, keep=sorted(keep))


def member_view(member: Member) -> Json:
    """A member as people see it."""
    return {
        "subject": member.subject,
        "email": member.email,
        "role": member.role,
        "joined_at": rfc3339(member.joined_at_ms),
    }


def identity_view(identity: Identity) -> Json:
    """The caller."""
    return {
        "tenant_id": identity.tenant,
        "subject": identity.subject,
        "permissions": [name for name in PERMISSIONS if name in identity.permissions],
        "key_id": identity.key_id or None,
        "expires_at": rfc3339(identity.expires_at * 1000) if identity.expires_at else None,
    }


def _personal(tenant: str) -> bool:
    return tenant.startswith(OWN_TENANT_PREFIX)


def _check_grant(identity: Identity, role: Role) -> None:
    if not ROLES[role] <= identity.permissions:
        raise Forbidden(f"The role `{role}` may do more than you; ask an owner of the tenant.")


def _check_founder(identity: Identity, member: Member) -> None:
    if member.own_tenant == identity.tenant:
        raise Conflict("This tenant is that person's own; they stay its owner.", code="own_tenant")


def _check_owners(race: RaceLost) -> None:
    if "owners" in race.failed:
        detail = "This is the last owner. Make another member an owner first."
        raise Conflict(detail, code="last_owner") from None


def _no_invitation() -> NotFound:
    return NotFound("This invitation is unknown, used or over; ask for a new one.", code="invitation_not_found")


def _already_member() -> Conflict:
    detail = "You are a member of a tenant already; leave it first (DELETE /members/me)."
    return Conflict(detail, code="already_member")
