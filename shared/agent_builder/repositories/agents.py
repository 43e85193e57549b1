"""Agents and their versions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from agent_builder.models.agents import Agent, AgentHead, AgentVersion
from agent_builder.repositories import keys
from agent_builder.repositories.idempotency import Remembered, put_answer
from agent_builder.repositories.table import Item, PackedJSON, Transaction, get_item, present, retrying, translated


class AgentItem(Item, discriminator="agent"):
    """An agent as it stands."""

    status = UnicodeAttribute()
    version = NumberAttribute()
    revision = NumberAttribute()
    created_at = NumberAttribute()
    updated_at = NumberAttribute()
    definition = PackedJSON()


class VersionItem(Item, discriminator="version"):
    """A version, never changed once written."""

    agent_id = UnicodeAttribute()
    version = NumberAttribute()
    created_at = NumberAttribute()
    created_by = UnicodeAttribute()
    restored_from = NumberAttribute(null=True)
    definition = PackedJSON()


class PurgeItem(Item, discriminator="purge"):
    """A deletion to be carried out: `target` is `agent` or `conversation`, the sort key its id."""

    target = UnicodeAttribute()
    created_at = NumberAttribute()
    passes = NumberAttribute(default=0)


class AgentRepository:
    """Access patterns: one item by id; a tenant's agents newest first; an agent's versions newest first."""

    def get(self, tenant: str, agent_id: str) -> Agent | None:
        """One strongly consistent read."""
        item = get_item(AgentItem, keys.agents(tenant), agent_id)
        return _agent(item) if item else None

    def head(self, tenant: str, agent_id: str) -> AgentHead | None:
        """One strongly consistent read, without the agent's definition being checked again."""
        item = get_item(AgentItem, keys.agents(tenant), agent_id)
        return AgentHead(item.sk, item.status, int(item.version)) if item else None

    def page(
        self, tenant: str, *, limit: int, before: str | None, status: str | None
    ) -> tuple[list[Agent], str | None]:
        """Newest first; returns the page and the id to go on after, if there is more."""
        condition = AgentItem.sk < before if before else None
        with translated():
            results = AgentItem.query(
                keys.agents(tenant),
                condition,
                filter_condition=AgentItem.status == status if status else None,
                scan_index_forward=False,
                consistent_read=True,
                limit=limit + 1,
            )
            page = [_agent(item) for item in results]
        return page[:limit], page[limit - 1].id if len(page) > limit else None

    def create(self, tenant: str, agent: Agent, *, by: str, remember: Remembered | None, answer: Any) -> None:
        """Write an agent and its first version, and the answer under its key.

        Raises:
            RaceLost: `failed` has `idempotency`: the key was used before.
        """
        write = Transaction()
        write.put("agent", _agent_item(tenant, agent), AgentItem.pk.does_not_exist())
        write.put("version", _version_item(tenant, agent, by, None), VersionItem.pk.does_not_exist())
        put_answer(write, remember, answer, parent=keys.agent_answers(tenant, agent.id))
        write.commit()

    def replace(
        self,
        tenant: str,
        agent: Agent,
        *,
        expected_revision: int,
        by: str,
        restored_from: int | None = None,
        also: Iterable[Callable[[Transaction], None]] = (),
    ) -> None:
        """Write the next state of an agent, with a version of its own.

        Args:
            also: Each adds to the transaction what must happen with it.

        Raises:
            RaceLost: The agent is gone, or at another revision, or a condition of `also` did not hold.
        """
        write = Transaction()
        write.put("agent", _agent_item(tenant, agent), AgentItem.revision == expected_revision)
        item = _version_item(tenant, agent, by, restored_from)
        write.put("version", item, VersionItem.pk.does_not_exist())
        for add in also:
            add(write)
        write.commit()

    def require(self, write: Transaction, tenant: str, agent: Agent) -> None:
        """In somebody else's transaction: have it fail, as `other_agent`, where this agent has changed."""
        write.check("other_agent", AgentItem, keys.agents(tenant), agent.id, AgentItem.version == agent.version)

    def set_status(self, tenant: str, agent: Agent, *, expected_revision: int) -> None:
        """Write an agent whose version stays."""
        item = _agent_item(tenant, agent)
        retrying(lambda: item.save(condition=AgentItem.revision == expected_revision))

    def delete(self, tenant: str, agent_id: str, *, expected_revision: int | None, now: int, due_at: int) -> None:
        """Remove the agent for every reader at once and leave a note of what is to be purged.

        Raises:
            RaceLost: `failed["agent"]` is what stands there instead, or None if it is gone.
        """
        exists = AgentItem.pk.exists()
        condition = exists if expected_revision is None else AgentItem.revision == expected_revision
        write = Transaction()
        write.delete("agent", AgentItem(pk=keys.agents(tenant), sk=agent_id), condition)
        write.put("purge", purge_item(tenant, "agent", agent_id, now=now, due_at=due_at))
        write.commit()

    def version(self, tenant: str, agent_id: str, number: int) -> AgentVersion | None:
        """One version."""
        item = get_item(VersionItem, keys.agent(tenant, agent_id), keys.version(number))
        return _version(item) if item else None

    def versions(
        self, tenant: str, agent_id: str, *, limit: int, before: str | None
    ) -> tuple[list[AgentVersion], str | None]:
        """Newest first; `before` and the returned cursor are sort keys."""
        condition = VersionItem.sk < before if before else VersionItem.sk.startswith("V#")
        with translated():
            results = VersionItem.query(
                keys.agent(tenant, agent_id), condition, scan_index_forward=False, consistent_read=True, limit=limit + 1
            )
            page = [_version(item) for item in results]
        return page[:limit], keys.version(page[limit - 1].version) if len(page) > limit else None


def purge_item(tenant: str, target: str, target_id: str, *, now: int, due_at: int) -> PurgeItem:
    """A note of what is to be purged; it becomes due when the ring that follows it got lost."""
    pk = keys.purges(tenant)
    return PurgeItem(pk=pk, sk=target_id, target=target, created_at=now, due_pk=keys.due(pk + target_id), due_at=due_at)


def _agent_item(tenant: str, agent: Agent) -> AgentItem:
    return AgentItem(
        pk=keys.agents(tenant),
        sk=agent.id,
        status=agent.status,
        version=agent.version,
        revision=agent.revision,
        created_at=agent.created_at,
        updated_at=agent.updated_at,
        definition=agent.content(),
    )


def _version_item(tenant: str, agent: Agent, by: str, restored_from: int | None) -> VersionItem:
    return VersionItem(
        pk=keys.agent(tenant, agent.id),
        sk=keys.version(agent.version),
        agent_id=agent.id,
        version=agent.version,
        created_at=agent.updated_at,
        created_by=by,
        restored_from=restored_from,
        definition=agent.content(),
    )


def _agent(item: AgentItem) -> Agent:
    definition: Mapping[str, Any] = item.definition
    return Agent.model_validate(
        {
            **definition,
            "id": item.sk,
            "status": item.status,
            "version": int(item.version),
            "revision": int(item.revision),
            "created_at": int(item.created_at),
            "updated_at": int(item.updated_at),
        }
    )


def _version(item: VersionItem) -> AgentVersion:
    return AgentVersion.model_validate(
        {
            **item.definition,
            "agent_id": item.agent_id,
            "version": int(item.version),
            "created_at": int(item.created_at),
            "created_by": item.created_by,
            "restored_from": int(item.restored_from) if present(item.restored_from) else None,
        }
    )
