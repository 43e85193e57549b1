"""Who may come in, as sign-in reads it: one item each, strongly consistent."""

from __future__ import annotations

from typing import Any, cast

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UnicodeSetAttribute

from agent_builder.clock import Clock, now_ms
from agent_builder.errors import RaceLost
from agent_builder.models.identity import Permission, Role
from agent_builder.models.principals import ApiKey, Home, Member, Ticket
from agent_builder.repositories import keys
from agent_builder.repositories.table import Item, get_item, present, retrying


class ApiKeyItem(Item, discriminator="api_key"):
    """What a key may do, under the hash of it. Gone when it is revoked or has ended."""

    key_id = UnicodeAttribute()
    name = UnicodeAttribute()
    prefix = UnicodeAttribute()
    scopes: UnicodeSetAttribute = UnicodeSetAttribute()
    ends_at = NumberAttribute(null=True)


class MemberItem(Item, discriminator="member"):
    """A person in a tenant."""

    role = UnicodeAttribute()
    email = UnicodeAttribute(default="")
    status = UnicodeAttribute(default="active")
    own_tenant = UnicodeAttribute(default="")
    joined_at = NumberAttribute()


class HomeItem(Item, discriminator="home"):
    """In a person's own tenant: where the person works instead, and as what."""

    tenant = UnicodeAttribute()
    role = UnicodeAttribute()


class TicketItem(Item, discriminator="ticket"):
    """A way to open one WebSocket, under its hash."""

    subject = UnicodeAttribute()
    permissions: UnicodeSetAttribute = UnicodeSetAttribute()
    key_id = UnicodeAttribute(default="")
    agent_id = UnicodeAttribute()
    ends_at = NumberAttribute()
    identity_ends_at = NumberAttribute(default=0)


class PrincipalRepository:
    """Access patterns: a key by its hash, a member by subject, a person's home, a ticket by its hash, once."""

    def __init__(self, clock: Clock = now_ms) -> None:
        self._clock = clock

    def api_key(self, tenant: str, key_hash: str) -> ApiKey | None:
        """The key with this hash; None where it is unknown or revoked. The caller looks whether it has ended."""
        item = get_item(ApiKeyItem, keys.api_keys(tenant), key_hash)
        if item is None:
            return None
        return ApiKey(
            id=item.key_id,
            tenant=tenant,
            subject=item.key_id,
            scopes=_permissions(item.scopes),
            expires_at=int(item.ends_at) if present(item.ends_at) else None,
            revoked_at=None,
            prefix=item.prefix,
            name=item.name,
        )

    def member(self, tenant: str, subject: str) -> Member | None:
        """A person in a tenant."""
        item = get_item(MemberItem, keys.members(tenant), subject)
        return member_of(item) if item else None

    def home(self, own_tenant: str) -> Home | None:
        """Where a person works instead of in the tenant of their own."""
        item = get_item(HomeItem, keys.home(own_tenant), keys.HEAD)
        return Home(item.tenant, cast(Role, item.role)) if item else None

    def save_ticket(self, ticket_hash: str, ticket: Ticket) -> None:
        """Store a ticket; it is found again by its subject, to be taken back."""
        item = TicketItem(
            pk=keys.ticket(ticket.tenant, ticket_hash),
            sk=keys.HEAD,
            subject=ticket.subject,
            permissions=set(ticket.permissions),
            key_id=ticket.key_id,
            agent_id=ticket.agent_id,
            ends_at=ticket.expires_at,
            identity_ends_at=ticket.identity_expires_at,
            parent_pk=keys.subject_entries(ticket.tenant, ticket.subject),
            parent_sk=f"TICKET#{ticket_hash}",
            expires_at=ticket.expires_at + 60,
        )
        retrying(item.save)

    def consume_ticket(self, tenant: str, ticket_hash: str) -> Ticket | None:
        """Take a ticket: it answers once, to one caller, and not after its end."""
        item = TicketItem(pk=keys.ticket(tenant, ticket_hash), sk=keys.HEAD)
        try:
            old = retrying(lambda: _deleted(item))
        except RaceLost:
            return None
        found = TicketItem.from_raw_data(old)
        if int(found.ends_at) <= self._clock() // 1000:
            return None
        return Ticket(
            tenant=tenant,
            subject=found.subject,
            permissions=_permissions(found.permissions),
            key_id=found.key_id,
            agent_id=found.agent_id,
            expires_at=int(found.ends_at),
            identity_expires_at=int(found.identity_ends_at),
        )


def member_of(item: MemberItem) -> Member:
    """A member item as a value."""
    return Member(
        subject=item.sk,
        role=cast(Role, item.role),
        email=item.email,
        status=item.status,
        own_tenant=item.own_tenant,
        joined_at_ms=int(item.joined_at),
    )


def _deleted(item: Item) -> dict[str, Any]:
    connection = Item._get_connection()
    answer = connection.delete_item(item.pk, item.sk, condition=Item.pk.exists(), return_values="ALL_OLD")
    return dict(answer["Attributes"])


def _permissions(names: Any) -> frozenset[Permission]:
    return frozenset(names or ())
