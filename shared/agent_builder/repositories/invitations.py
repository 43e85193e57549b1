"""Invitations into a tenant: found by the hash of their token, listed and withdrawn by their id."""

from __future__ import annotations

from typing import Any, cast

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from agent_builder.errors import RaceLost
from agent_builder.models.identity import Role
from agent_builder.models.principals import Invitation
from agent_builder.repositories import keys
from agent_builder.repositories.idempotency import Remembered, forget_answer, put_answer
from agent_builder.repositories.table import Item, Transaction, get_item, translated


class InvitationItem(Item, discriminator="invitation"):
    """A way into the tenant, under the hash of its token."""

    invitation_id = UnicodeAttribute()
    email = UnicodeAttribute()
    role = UnicodeAttribute()
    invited_by = UnicodeAttribute()
    ends_at = NumberAttribute()
    answer_pk = UnicodeAttribute(null=True)


class InvitationRecordItem(Item, discriminator="invitation_record"):
    """The same as people see it, under its id."""

    hash = UnicodeAttribute()
    email = UnicodeAttribute()
    role = UnicodeAttribute()
    invited_by = UnicodeAttribute()
    created_at = NumberAttribute()
    ends_at = NumberAttribute()
    answer_pk = UnicodeAttribute(null=True)


class InvitationRepository:
    """Access patterns: one by the hash of its token; a tenant's open ones newest first; one by id, to withdraw it."""

    def create(self, new: Invitation, *, remember: Remembered | None, answer: Any) -> None:
        """Store an invitation.

        Raises:
            RaceLost: `failed` has `idempotency`: the Idempotency-Key was used before.
        """
        shared: dict[str, Any] = {
            "email": new.email,
            "role": new.role,
            "invited_by": new.invited_by,
            "ends_at": new.expires_at,
            "expires_at": new.expires_at,
            "answer_pk": remember.pk if remember else None,
        }
        way = InvitationItem(pk=keys.invitations(new.tenant), sk=new.hash, invitation_id=new.id, **shared)
        pk = keys.invitation_records(new.tenant)
        record = InvitationRecordItem(pk=pk, sk=new.id, hash=new.hash, created_at=new.created_at_ms, **shared)
        write = Transaction()
        write.put("invitation", way, InvitationItem.pk.does_not_exist())
        write.put("record", record, InvitationRecordItem.pk.does_not_exist())
        put_answer(write, remember, answer)
        write.commit()

    def get(self, tenant: str, token_hash: str) -> Invitation | None:
        """An invitation that nobody has accepted or withdrawn. The caller looks whether it is over."""
        item = get_item(InvitationItem, keys.invitations(tenant), token_hash)
        if item is None:
            return None
        role = cast(Role, item.role)
        return Invitation(
            id=item.invitation_id,
            tenant=tenant,
            hash=token_hash,
            email=item.email,
            role=role,
            invited_by=item.invited_by,
            expires_at=int(item.ends_at),
            answer_pk=item.answer_pk,
        )

    def page(self, tenant: str, *, limit: int, before: str | None, now: int) -> tuple[list[Invitation], str | None]:
        """Newest first; what is over is gone, even where it still lies there. `before` and the cursor are ids."""
        condition = InvitationRecordItem.sk < before if before else None
        with translated():
            results = InvitationRecordItem.query(
                keys.invitation_records(tenant),
                condition,
                filter_condition=InvitationRecordItem.ends_at > now // 1000,
                scan_index_forward=False,
                consistent_read=True,
                limit=limit + 1,
            )
            page = [_invitation(tenant, item) for item in results]
        return page[:limit], page[limit - 1].id if len(page) > limit else None

    def withdraw(self, tenant: str, invitation_id: str) -> bool:
        """Take an invitation back. False if there is none: unknown, accepted or withdrawn."""
        record = get_item(InvitationRecordItem, keys.invitation_records(tenant), invitation_id)
        if record is None:
            return False
        write = Transaction()
        used = InvitationItem(pk=keys.invitations(tenant), sk=record.hash)
        write.delete("invitation", used, InvitationItem.pk.exists())
        write.delete("record", record)
        forget_answer(write, record.answer_pk)
        try:
            write.commit()
        except RaceLost:
            return False
        return True


def use_up(write: Transaction, invitation: Invitation) -> None:
    """Have an invitation used by the transaction that makes somebody a member; `invitation` fails if it is gone."""
    way = InvitationItem(pk=keys.invitations(invitation.tenant), sk=invitation.hash)
    write.delete("invitation", way, InvitationItem.pk.exists())
    write.delete("record", InvitationRecordItem(pk=keys.invitation_records(invitation.tenant), sk=invitation.id))
    forget_answer(write, invitation.answer_pk)


def _invitation(tenant: str, item: InvitationRecordItem) -> Invitation:
    return Invitation(
        id=item.sk,
        tenant=tenant,
        hash=item.hash,
        email=item.email,
        role=cast(Role, item.role),
        invited_by=item.invited_by,
        expires_at=int(item.ends_at),
        created_at_ms=int(item.created_at),
    )
