"""Deletions of many items: notes of what is to go, and the deleting itself, page by page, repeatable at any point."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from agent_builder.repositories import keys
from agent_builder.repositories.agents import PurgeItem
from agent_builder.repositories.conversations import ConversationItem, LeaseItem, hide_actions, lease_of, retire_actions
from agent_builder.repositories.table import PARENT_INDEX, Item, Transaction, found_keys, get_item, retrying, translated

_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Purge:
    """A deletion to be carried out. `passes` counts the complete ones so far."""

    tenant: str
    target: str
    target_id: str
    passes: int


class PurgeRepository:
    """Every step may be cut off anywhere and begun again: what is found again is deleted again."""

    def get(self, tenant: str, target_id: str) -> Purge | None:
        """A purge that still has to be done."""
        item = get_item(PurgeItem, keys.purges(tenant), target_id)
        return Purge(tenant, item.target, target_id, int(item.passes)) if item else None

    def postpone(self, purge: Purge, *, passes: int, due_at: int) -> None:
        """Say when somebody must look again."""
        item = PurgeItem(pk=keys.purges(purge.tenant), sk=purge.target_id)
        actions: list[Action] = [PurgeItem.passes.set(passes), PurgeItem.due_at.set(due_at)]
        retrying(lambda: item.update(actions, PurgeItem.pk.exists()))

    def done(self, purge: Purge) -> None:
        """Nothing is left."""
        retrying(PurgeItem(pk=keys.purges(purge.tenant), sk=purge.target_id).delete)

    def conversations(self, tenant: str, agent_id: str) -> list[str]:
        """Some conversations that an agent still has; empty when none is left."""
        return [keys.id_of(pk) for pk in self._children(keys.agent_conversations(tenant, agent_id))]

    def runs(self, tenant: str, agent_id: str) -> list[str]:
        """Some runs that an agent still has."""
        return [keys.id_of(pk) for pk in self._children(keys.agent_runs(tenant, agent_id))]

    def answers(self, tenant: str, agent_id: str) -> list[str]:
        """Partitions of some answers that are remembered under an `Idempotency-Key` and show an agent."""
        return self._children(keys.agent_answers(tenant, agent_id))

    def imports(self, tenant: str, agent_id: str) -> list[str]:
        """Partitions of some imports that an agent still has."""
        return self._children(keys.agent_imports(tenant, agent_id))

    def part_owners(self, tenant: str, agent_id: str) -> list[str]:
        """Partitions that say whose the tools and integrations of an agent are, or once were."""
        return self._children(keys.agent_parts(tenant, agent_id))

    def retire(self, tenant: str, conversation_id: str, *, now: int) -> None:
        """Shut every writer out of a conversation; it stays in its agent's index until it is empty."""
        pk = keys.conversation(tenant, conversation_id)
        write = Transaction()
        write.update("lease", LeaseItem(pk=pk, sk=keys.LEASE), retire_actions(now))
        conversation = ConversationItem(pk=pk, sk=keys.HEAD)
        write.update("conversation", conversation, hide_actions(now)[:1], ConversationItem.pk.exists())
        write.commit()

    def waiting(self, tenant: str, conversation_id: str) -> list[str]:
        """Ids of the answers that a conversation still owes."""
        item = get_item(LeaseItem, keys.conversation(tenant, conversation_id), keys.LEASE)
        return [run.message_id for run in lease_of(item).queue] if item else []

    def conversation_runs(self, tenant: str, conversation_id: str) -> Iterator[list[str]]:
        """Run ids of a conversation, page by page."""
        pk = keys.conversation(tenant, conversation_id)
        last: str | None = None
        while True:
            page = self._sort_keys(pk, "M#", after=last)
            if not page:
                return
            yield sorted({sk.split("#")[1] for sk in page})
            last = page[-1]

    def empty(self, pk: str, prefix: str = "") -> int:
        """Delete all items of a partition whose sort key begins so; answers how many."""
        deleted = 0
        while True:
            page = self._sort_keys(pk, prefix)
            with translated(), Item.batch_write() as batch:
                for sk in page:
                    batch.delete(Item(pk=pk, sk=sk))
            deleted += len(page)
            if len(page) < _PAGE:
                return deleted

    def _sort_keys(self, pk: str, prefix: str, *, after: str | None = None) -> list[str]:
        condition: Condition | None = Item.sk.startswith(prefix) if prefix else None
        if after is not None:
            condition = Item.sk.between(after + "\x00", prefix + "\uffff")
        return [sk for _, sk in found_keys(pk, condition, limit=_PAGE)]

    def _children(self, parent: str) -> list[str]:
        return [pk for pk, _ in found_keys(parent, index=PARENT_INDEX, limit=_PAGE)]
