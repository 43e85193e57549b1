"""Members of a tenant, and how they come and go. A count of owners moves with them, so that the last one stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynamodb.attributes import NumberAttribute

from agent_builder.models.identity import Role
from agent_builder.models.principals import Invitation, Member
from agent_builder.repositories import keys
from agent_builder.repositories.invitations import use_up
from agent_builder.repositories.principals import HomeItem, MemberItem, member_of
from agent_builder.repositories.table import Item, Transaction, get_item, translated


class OwnersItem(Item, discriminator="owners"):
    """How many owners there are."""

    number = NumberAttribute()


class MemberRepository:
    """Access patterns: one by subject; all of a tenant by subject."""

    def get(self, tenant: str, subject: str) -> Member | None:
        """One person in a tenant, removed ones too."""
        item = get_item(MemberItem, keys.members(tenant), subject)
        return member_of(item) if item else None

    def page(self, tenant: str, *, limit: int, after: str | None) -> tuple[list[Member], str | None]:
        """In the order of their subjects; removed ones are left out."""
        condition = MemberItem.sk > after if after else None
        with translated():
            results = MemberItem.query(
                keys.members(tenant),
                condition,
                filter_condition=MemberItem.status == "active",
                consistent_read=True,
                limit=limit + 1,
            )
            page = [member_of(item) for item in results]
        return page[:limit], page[limit - 1].subject if len(page) > limit else None

    def join(self, tenant: str, member: Member, invitation: Invitation | None) -> None:
        """Make somebody a member; with an invitation, use it up and make the tenant their home.

        Raises:
            RaceLost: `failed` has `invitation` (used), `member` (is one already) or `home` (works elsewhere).
        """
        write = Transaction()
        if invitation is not None:
            use_up(write, invitation)
            if member.own_tenant:
                write.put("home", _home(tenant, member), HomeItem.pk.does_not_exist())
        absent = MemberItem.pk.does_not_exist() | (MemberItem.status != "active")
        write.put("member", _item(tenant, member), absent)
        self._count(write, tenant, "viewer", member.role)
        write.commit()

    def change(self, tenant: str, member: Member, role: Role) -> None:
        """Give a member another role.

        Raises:
            RaceLost: `failed` has `member` (gone or changed meanwhile) or `owners` (nobody would be left).
        """
        write = Transaction()
        item = MemberItem(pk=keys.members(tenant), sk=member.subject)
        write.update("member", item, [MemberItem.role.set(role)], _unchanged(member))
        if member.own_tenant:
            home = HomeItem(pk=keys.home(member.own_tenant), sk=keys.HEAD)
            write.update("home", home, [HomeItem.role.set(role)], HomeItem.tenant == tenant)
        self._count(write, tenant, member.role, role)
        write.commit()

    def remove(self, tenant: str, member: Member) -> None:
        """Take a member out; who came by invitation works in their own tenant again.

        Raises:
            RaceLost: `failed` has `member` (gone or changed meanwhile) or `owners` (nobody would be left).
        """
        write = Transaction()
        item = MemberItem(pk=keys.members(tenant), sk=member.subject)
        if member.own_tenant:
            write.delete("member", item, _unchanged(member))
            home = HomeItem(pk=keys.home(member.own_tenant), sk=keys.HEAD)
            write.delete("home", home, HomeItem.tenant == tenant)
        else:  # their tokens still name this tenant, so the item stays and keeps them out
            out: Sequence[Any] = [MemberItem.status.set("removed"), MemberItem.email.set("")]
            write.update("member", item, out, _unchanged(member))
        self._count(write, tenant, member.role, "viewer")
        write.commit()

    def _count(self, write: Transaction, tenant: str, before: Role, after: Role) -> None:
        owners = OwnersItem(pk=keys.owners(tenant), sk=keys.HEAD)
        if before == "owner" != after:
            write.update("owners", owners, [OwnersItem.number.add(-1)], OwnersItem.number > 1)
        elif after == "owner" != before:
            write.update("owners", owners, [OwnersItem.number.add(1)])


def _unchanged(member: Member) -> Any:
    return (MemberItem.role == member.role) & (MemberItem.status == "active")


def _item(tenant: str, member: Member) -> MemberItem:
    return MemberItem(
        pk=keys.members(tenant),
        sk=member.subject,
        role=member.role,
        email=member.email,
        status=member.status,
        own_tenant=member.own_tenant,
        joined_at=member.joined_at_ms,
    )


def _home(tenant: str, member: Member) -> HomeItem:
    return HomeItem(pk=keys.home(member.own_tenant), sk=keys.HEAD, tenant=tenant, role=member.role)
