"""Tools and integrations of agents. Each change is an item of its own, written once; a version names its items.

Items are written before the transaction that names them. What was written for one that failed is named by nobody, and
goes with its agent.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from agent_builder.models.agents import Agent, AgentVersion, PartRef
from agent_builder.models.parts import StoredParts, stored_form
from agent_builder.models.tools import TOOL_DEFINITION, Integration, IntegrationInput, StoredTool
from agent_builder.repositories import keys
from agent_builder.repositories.table import Item, PackedJSON, get_item, retrying, translated

_BATCH = 100


class PartItem(Item, discriminator="part"):
    """A tool or an integration at one revision. Times in milliseconds."""

    agent_id = UnicodeAttribute()
    part_id = UnicodeAttribute()
    revision = NumberAttribute()
    created_at = NumberAttribute()
    updated_at = NumberAttribute()
    definition = PackedJSON()


class PartOwnerItem(Item, discriminator="part_owner"):
    """Which agent a tool or an integration belongs to."""

    agent_id = UnicodeAttribute()


class PartRepository:
    """Access patterns: what a version names, all at once; the agent of one id."""

    def tools(self, tenant: str, agent_id: str, refs: Iterable[PartRef]) -> list[StoredTool]:
        """The named tools, in that order; what is gone is left out. One batch read for a hundred."""
        return [_tool(item) for item in self._read(tenant, agent_id, refs)]

    def tool(self, tenant: str, agent_id: str, ref: PartRef) -> StoredTool | None:
        """One tool that a version names; None where it is gone."""
        item = get_item(PartItem, keys.agent(tenant, agent_id), keys.part(ref.id, ref.revision, ref.stamp))
        return _tool(item) if item else None

    def integrations(self, tenant: str, agent_id: str, refs: Iterable[PartRef]) -> list[Integration]:
        """The named integrations, in that order; what is gone is left out."""
        return [_integration(item) for item in self._read(tenant, agent_id, refs)]

    def of(self, tenant: str, agent_id: str, holder: Agent | AgentVersion) -> StoredParts:
        """All that an agent, or one of its versions, names."""
        return StoredParts(
            {one.id: one for one in self.tools(tenant, agent_id, holder.tools)},
            {one.id: one for one in self.integrations(tenant, agent_id, holder.integrations)},
        )

    def owner(self, tenant: str, part_id: str) -> str | None:
        """The agent that a part belongs, or once belonged, to. One strongly consistent read."""
        item = get_item(PartOwnerItem, keys.part_owner(tenant, part_id), keys.HEAD)
        return item.agent_id if item else None

    def write(self, tenant: str, parts: Iterable[StoredTool | Integration], *, stamp: str, new: Container[str]) -> None:
        """Write parts at new revisions, and whose they are where their ids are new. Nobody sees them yet.

        Args:
            stamp: Of these very items, as the refs to them will have it.
            new: Ids that are given for the first time.
        """
        items: list[Item] = []
        for part in parts:
            items.append(_part_item(tenant, part, stamp))
            if part.id in new:
                items.append(_owner_item(tenant, part))
        retrying(lambda: _put_all(items))

    def _read(self, tenant: str, agent_id: str, refs: Iterable[PartRef]) -> list[PartItem]:
        pk = keys.agent(tenant, agent_id)
        wanted = [keys.part(ref.id, ref.revision, ref.stamp) for ref in refs]
        found: dict[str, PartItem] = {}
        with translated():
            for start in range(0, len(wanted), _BATCH):
                names = [(pk, sk) for sk in wanted[start : start + _BATCH]]
                for item in PartItem.batch_get(names, consistent_read=True):
                    found[item.sk] = item
        return [found[sk] for sk in wanted if sk in found]


def _put_all(items: Sequence[Item]) -> None:
    with Item.batch_write() as batch:
        for item in items:
            batch.save(item)


def _part_item(tenant: str, part: StoredTool | Integration, stamp: str) -> PartItem:
    return PartItem(
        pk=keys.agent(tenant, part.agent_id),
        sk=keys.part(part.id, part.revision, stamp),
        agent_id=part.agent_id,
        part_id=part.id,
        revision=part.revision,
        created_at=part.created_at,
        updated_at=part.updated_at,
        definition=stored_form(part.definition),
    )


def _owner_item(tenant: str, part: StoredTool | Integration) -> PartOwnerItem:
    return PartOwnerItem(
        pk=keys.part_owner(tenant, part.id),
        sk=keys.HEAD,
        agent_id=part.agent_id,
        parent_pk=keys.agent_parts(tenant, part.agent_id),
        parent_sk=part.id,
    )


def _tool(item: PartItem) -> StoredTool:
    definition = TOOL_DEFINITION.validate_python(item.definition, strict=False)
    return StoredTool(definition=definition, **_fields(item))


def _integration(item: PartItem) -> Integration:
    return Integration(definition=IntegrationInput.model_validate(item.definition, strict=False), **_fields(item))


def _fields(item: PartItem) -> Mapping[str, Any]:
    return {
        "id": item.part_id,
        "agent_id": item.agent_id,
        "revision": int(item.revision),
        "created_at": int(item.created_at),
        "updated_at": int(item.updated_at),
    }
