"""What names a credential: one item for each agent whose tools or integrations do, and a count at the credential."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from agent_builder.errors import RaceLost
from agent_builder.models.credentials import CredentialUse
from agent_builder.repositories import keys
from agent_builder.repositories.credentials import CredentialItem
from agent_builder.repositories.table import Item, PackedJSON, Transaction, get_item, translated

_PAGE = 100
_TRACING = "TRACING"  # in the place of an agent's id


class CredentialUseItem(Item, discriminator="credential_use"):
    """The tools and integrations of one agent that name a credential: `[kind, id, name]` each."""

    parts = PackedJSON()


class UseRepository:
    """Access patterns: what names a credential; what an agent names."""

    def of(self, tenant: str, credential_id: str, *, limit: int = 100) -> list[CredentialUse]:
        """The first of what names a credential."""
        found: list[CredentialUse] = []
        with translated():
            pk = keys.credential_uses(tenant, credential_id)
            for item in CredentialUseItem.query(pk, consistent_read=True, limit=limit):
                found += _uses(item)
        return found[:limit]

    def note(
        self,
        write: Transaction,
        tenant: str,
        agent_id: str,
        credential_id: str,
        uses: Sequence[CredentialUse],
        more: int,
    ) -> None:
        """In somebody else's transaction: say all of an agent that names a credential. Two writes, one without `more`.

        It fails, as `credential:<id>`, where there is no such credential.

        Args:
            uses: Empty where nothing of the agent names it any more.
            more: How many more that are than before, or less, below 0.
        """
        if more:
            head = CredentialItem(pk=keys.credentials(tenant), sk=credential_id)
            write.update(
                f"credential:{credential_id}", head, [CredentialItem.uses.add(more)], CredentialItem.pk.exists()
            )
        item = _item(tenant, agent_id, credential_id)
        if uses:
            item.parts = [[use.kind, use.id, use.name] for use in uses]
            write.put(f"use:{credential_id}", item)
        else:
            write.delete(f"use:{credential_id}", item)

    def note_tracing(self, write: Transaction, tenant: str, credential_id: str, *, used: bool) -> None:
        """In somebody else's transaction: the tenant's traces are sent with a credential, or no more.

        It fails, as `credential:<id>`, where there is no such credential, or it is of another kind than `basic`.
        """
        head = CredentialItem(pk=keys.credentials(tenant), sk=credential_id)
        condition = CredentialItem.type == "basic"
        write.update(f"credential:{credential_id}", head, [CredentialItem.uses.add(1 if used else -1)], condition)
        item = CredentialUseItem(pk=keys.credential_uses(tenant, credential_id), sk=_TRACING)
        if used:
            item.parts = [["tracing", "tracing", "Langfuse"]]
            write.put(f"use:{credential_id}", item)
        else:
            write.delete(f"use:{credential_id}", item)

    def release(self, tenant: str, agent_id: str) -> int:
        """Forget what a deleted agent named; answers how many credentials the index still showed. Repeatable."""
        with translated():
            found = [item.parent_sk for item in Item.by_parent.query(keys.agent_uses(tenant, agent_id), limit=_PAGE)]
        for credential_id in found:
            self._release(tenant, agent_id, credential_id)
        return len(found)

    def _release(self, tenant: str, agent_id: str, credential_id: str) -> None:
        """The index may be behind; the item itself says how much there is to give back."""
        item = get_item(CredentialUseItem, keys.credential_uses(tenant, credential_id), agent_id)
        if item is None:
            return
        write = Transaction()
        write.delete("use", item, CredentialUseItem.pk.exists())
        head = CredentialItem(pk=keys.credentials(tenant), sk=credential_id)
        write.update("head", head, [CredentialItem.uses.add(-len(item.parts))], CredentialItem.pk.exists())
        try:
            write.commit()
        except RaceLost as race:
            if "use" not in race.failed:
                raise


def _item(tenant: str, agent_id: str, credential_id: str) -> CredentialUseItem:
    return CredentialUseItem(
        pk=keys.credential_uses(tenant, credential_id),
        sk=agent_id,
        parent_pk=keys.agent_uses(tenant, agent_id),
        parent_sk=credential_id,
    )


def _uses(item: CredentialUseItem) -> list[CredentialUse]:
    agent_id = "" if item.sk == _TRACING else item.sk
    return [CredentialUse(cast(Any, kind), part_id, name, agent_id) for kind, part_id, name in item.parts]
