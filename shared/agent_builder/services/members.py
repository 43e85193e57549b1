"""Members of a tenant: joined, changed, removed. An owner is always left."""

from __future__ import annotations

from dataclasses import dataclass

from agent_builder.clock import Clock, now_ms, rfc3339
from agent_builder.errors import Conflict, Forbidden, NotFound, RaceLost, StoreError
from agent_builder.messages import Json
from agent_builder.models.identity import PERMISSIONS, ROLES, Identity, Role
from agent_builder.models.principals import OWN_TENANT_PREFIX, Invitation, Member
from agent_builder.realtime.doorbell import Doorbell
from agent_builder.repositories.members import MemberRepository

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

    def found(self, identity: Identity) -> None:
        """Store the owner of a personal tenant as its first member, before others join."""
        if not _personal(identity.tenant) or identity.key_id:
            return
        try:
            self.repository.join(identity.tenant, self._founder(identity), None)
        except RaceLost:
            return

    def join(self, identity: Identity, invitation: Invitation) -> Member:
        """Make the caller a member of the tenant that an invitation is for.

        Raises:
            Forbidden: The caller is a key.
            NotFound: The invitation was used meanwhile.
            Conflict: `already_member`: the caller is one already, works in another tenant that must be left first, or
                has tokens that name another tenant.
        """
        if identity.key_id:
            raise Forbidden("An API key cannot join a tenant; sign in yourself.")
        own = self._own_tenant(identity, invitation.tenant)
        member = Member(identity.subject, invitation.role, invitation.email, own_tenant=own, joined_at_ms=self.clock())
        try:
            self.repository.join(invitation.tenant, member, invitation)
        except RaceLost as race:
            if "invitation" in race.failed:
                raise no_invitation() from None
            raise _already_member("member" in race.failed) from None
        # What is open in the tenant of their own stays theirs: a lost ring does no harm.
        self.doorbell.ring("disconnect", tenant_id=identity.tenant, subject=identity.subject)
        return member

    def change(self, identity: Identity, subject: str, role: Role) -> Member:
        """Give a member another role, in force at once; their open connections are closed.

        Raises:
            NotFound: There is no such member.
            Forbidden: The role may do more than the caller.
            Conflict: `last_owner`, `own_tenant`.
            StoreError: Their connections are still open: do it again.
        """
        check_grant(identity, role)
        for _ in range(_ATTEMPTS):
            member = self._member(identity, subject)
            if member.role == role:
                self._close(identity.tenant, subject, keep=ROLES[role])
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
            NotFound: There is no such member; what they may still have open is closed all the same.
            Conflict: `last_owner`, `own_tenant`.
            StoreError: Their connections are still open: do it again.
        """
        for _ in range(_ATTEMPTS):
            try:
                member = self._member(identity, subject)
            except NotFound:
                self._close(identity.tenant, subject)
                raise
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

    def _own_tenant(self, identity: Identity, wanted: str) -> str:
        """The tenant the caller leaves for another; empty where their tokens name the one they are invited to."""
        if identity.tenant == wanted and not _personal(wanted):
            return ""
        if identity.tenant == wanted:
            raise _already_member(here=True)
        member = self.repository.get(identity.tenant, identity.subject)
        invited = member is not None and member.own_tenant not in ("", identity.tenant)
        if invited:
            raise _already_member(here=False)
        if not _personal(identity.tenant):
            detail = "Your sign-in names the tenant that you work in; only whoever runs its issuer can change that."
            raise Conflict(detail, code="already_member")
        return identity.tenant

    def _founder(self, identity: Identity) -> Member:
        own = identity.tenant
        return Member(identity.subject, "owner", "", own_tenant=own, joined_at_ms=self.clock())

    def _close(self, tenant: str, subject: str, keep: frozenset[str] = frozenset()) -> None:
        self.doorbell.insist("disconnect", tenant_id=tenant, subject=subject, keep=sorted(keep))


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


def check_grant(identity: Identity, role: Role) -> None:
    """Raises `Forbidden` where a role may do more than the caller."""
    if not ROLES[role] <= identity.permissions:
        raise Forbidden(f"The role `{role}` may do more than you; ask an owner of the tenant.")


def _check_founder(identity: Identity, member: Member) -> None:
    if member.own_tenant == identity.tenant:
        raise Conflict("This tenant is that person's own; they stay its owner.", code="own_tenant")


def _check_owners(race: RaceLost) -> None:
    if "owners" in race.failed:
        detail = "This is the last owner. Make another member an owner first."
        raise Conflict(detail, code="last_owner") from None


def no_invitation() -> NotFound:
    """What is answered to a token or id of no open invitation."""
    return NotFound("This invitation is unknown, used or over; ask for a new one.", code="invitation_not_found")


def _already_member(here: bool) -> Conflict:
    detail = "You are a member of another tenant already; leave it first (DELETE /members/me)."
    return Conflict("You are a member of this tenant already." if here else detail, code="already_member")
