"""Invitations into a tenant: made, listed, withdrawn, accepted."""

from __future__ import annotations

from dataclasses import dataclass

from agent_builder.clock import Clock, now_ms, rfc3339
from agent_builder.errors import NotFound, RaceLost
from agent_builder.ids import is_id, new_id
from agent_builder.messages import Json
from agent_builder.models.identity import Identity, Role
from agent_builder.models.principals import Invitation, Member, fingerprint, invitation_tenant, new_invitation
from agent_builder.repositories.invitations import InvitationRepository
from agent_builder.services.idempotency import earlier_answer, remembering
from agent_builder.services.members import MemberService, check_grant, no_invitation

INVITATION_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class InvitationService:
    """Invitations into the caller's tenant, and accepting those of others."""

    repository: InvitationRepository
    members: MemberService
    clock: Clock = now_ms

    def create(self, identity: Identity, email: str, role: Role, *, idempotency_key: str | None = None) -> Json:
        """Invite somebody; whoever holds the token may come in, once, within seven days. It is shown only here.

        Raises:
            Forbidden: The role may do more than the caller.
            IdempotencyMismatch: The Idempotency-Key was used with another body.
        """
        check_grant(identity, role)
        self.members.found(identity)
        now, secret = self.clock(), new_invitation(identity.tenant)
        new = Invitation(
            id=new_id("ivt"),
            tenant=identity.tenant,
            hash=secret.hash,
            email=email,
            role=role,
            invited_by=identity.subject,
            expires_at=now // 1000 + INVITATION_SECONDS,
            created_at_ms=now,
        )
        view = invitation_view(new)
        remember = remembering(identity, "POST /members", [email, role], idempotency_key, now=now)
        try:
            self.repository.create(new, remember=remember, answer={**view, "token": None})
        except RaceLost as race:
            return earlier_answer(remember, race)
        return {**view, "token": secret.text}

    def page(self, identity: Identity, *, limit: int, after: str | None) -> tuple[list[Json], str | None]:
        """Open invitations, newest first, without their tokens."""
        found, following = self.repository.page(identity.tenant, limit=limit, before=after, now=self.clock())
        return [invitation_view(invitation) for invitation in found], following

    def withdraw(self, identity: Identity, invitation_id: str) -> None:
        """Take an invitation back: its token is good for nothing any more.

        Raises:
            NotFound: Unknown, foreign, accepted or withdrawn.
        """
        if not is_id("ivt", invitation_id) or not self.repository.withdraw(identity.tenant, invitation_id):
            raise NotFound("There is no open invitation with this id.")

    def accept(self, identity: Identity, token: str) -> tuple[str, Member]:
        """Join the tenant that an invitation is for; answers it and the new member.

        Raises:
            NotFound: The invitation is unknown, used, withdrawn or over.
            Forbidden, Conflict: As `MemberService.join` says.
        """
        invitation = self._open(token)
        return invitation.tenant, self.members.join(identity, invitation)

    def _open(self, token: str) -> Invitation:
        tenant = invitation_tenant(token)
        try:
            found = self.repository.get(tenant, fingerprint(token)) if tenant else None
        except ValueError:  # no tenant is called so
            found = None
        if found is None or found.expires_at <= self.clock() // 1000:
            raise no_invitation()
        return found


def invitation_view(invitation: Invitation) -> Json:
    """An invitation as people see it."""
    return {
        "id": invitation.id,
        "email": invitation.email,
        "role": invitation.role,
        "invited_by": invitation.invited_by,
        "created_at": rfc3339(invitation.created_at_ms),
        "expires_at": rfc3339(invitation.expires_at * 1000),
    }
