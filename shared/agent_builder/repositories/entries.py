"""Ways in that a subject has open now: connections, and tickets that were not used yet."""

from __future__ import annotations

from agent_builder.repositories import keys
from agent_builder.repositories.intake import ConnectionItem
from agent_builder.repositories.principals import TicketItem
from agent_builder.repositories.table import Item, retrying, translated


class EntryRepository:
    """Access pattern: all of a subject, by the index. It is read a moment late: look twice."""

    def take_back(self, tenant: str, subject: str, *, keep: frozenset[str]) -> list[str]:
        """Delete the subject's tickets and connections, but for those with the very permissions in `keep`.

        Returns:
            Ids of the connections, which the caller closes.
        """
        closed = []
        for item in self._of(tenant, subject):
            if isinstance(item, ConnectionItem | TicketItem) and frozenset(item.permissions or ()) != keep:
                retrying(item.delete)
                if isinstance(item, ConnectionItem):
                    closed.append(keys.id_of(item.pk))
        return closed

    def _of(self, tenant: str, subject: str) -> list[Item]:
        with translated():
            return list(Item.by_parent.query(keys.subject_entries(tenant, subject)))
