"""Tools and integrations of an agent: each change of them is a change of the agent, and makes a version."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from agent_builder.clock import Clock, now_ms
from agent_builder.errors import Conflict, PreconditionFailed, RaceLost
from agent_builder.models.agents import Agent, PartRef
from agent_builder.models.identity import Identity
from agent_builder.models.parts import AgentParts, Definition, StoredParts, same
from agent_builder.models.tools import Integration, IntegrationInput, StoredTool
from agent_builder.repositories import keys
from agent_builder.repositories.idempotency import Remembered, put_answer
from agent_builder.repositories.table import Transaction
from agent_builder.services.agents import AgentService, pause
from agent_builder.services.part_changes import Also, PartChanges, Pointer

_ATTEMPTS = 12
Change = Callable[[AgentParts], AgentParts]


@dataclass(frozen=True, slots=True)
class Changed:
    """An agent after a change of its parts, with all of its parts."""

    agent: Agent
    parts: StoredParts


def by_id(part_id: str) -> str:
    """Where faults of a part are told if nothing else is said: `/<id>/<field>`."""
    return f"/{part_id}"


@dataclass(frozen=True, slots=True)
class PartService:
    """Tools and integrations of the caller's tenant.

    `change` is the one way in which they change. An agent's refs are the truth: a part is there if the agent's newest
    version names it.
    """

    agents: AgentService
    changes: PartChanges = field(default_factory=PartChanges)
    clock: Clock = now_ms

    def change(
        self,
        identity: Identity,
        agent_id: str,
        change: Change,
        *,
        expected: Mapping[str, int] = MappingProxyType({}),
        pointer: Pointer = by_id,
        remember: Remembered | None = None,
        answer: Callable[[Changed], Any] = lambda changed: None,
    ) -> Changed:
        """Give an agent other tools and integrations, all at once, by one new version; by none if nothing changes.

        Args:
            change: From what the agent has to what it is to have: a pure function, since it is called again after a
                race. New parts get ids that were made before, by `new_id("tol")` and `new_id("int")`.
            expected: Revisions that parts must still have, by id.
            pointer: Where in the caller's input a part of this id stands, as a JSON Pointer; faults begin with it.
            remember: Remembers `answer`, made of what was stored, in the same transaction.

        Raises:
            NotFound: There is no such agent.
            PreconditionFailed: A part is not at its expected revision.
            Conflict: `too_many_tools`, `too_many_integrations`, `too_many_credentials`, `too_many_agents`.
            Unprocessable: What is wanted is not valid: `errors` says where; `agent_cycle` among it.
            RaceLost: `failed` has `idempotency`: the key was used before.
        """
        for _ in range(_ATTEMPTS):
            agent = self.agents.get(identity, agent_id)
            before = self.changes.of(identity.tenant, agent_id, agent)
            check_revisions(before, expected)
            wanted = change(before.definitions)
            draft = _draft(agent, before, wanted, self.clock())
            if not draft.changed and draft.agent.content() == agent.content():
                return Changed(agent, before)
            also = self.changes.checked(identity.tenant, agent_id, wanted, draft.changed, pointer)
            also += self.changes.noted(identity.tenant, agent_id, before, draft.parts, draft.changed)
            if remember is not None:
                also.append(_remembering(remember, answer(Changed(draft.agent, draft.parts)), identity, agent_id))
            try:
                return self._store(identity, draft, also)
            except RaceLost as race:
                if "idempotency" in race.failed:
                    raise
                pause()  # somebody was quicker: the change applies to what stands there now
        raise Conflict("The agent is changed by many at this moment; try again.")

    def _store(self, identity: Identity, draft: _Draft, also: Iterable[Also]) -> Changed:
        written = [part for part in draft.parts if part.id in draft.changed]
        if written:
            self.changes.parts.write(identity.tenant, written, stamp=draft.stamp, new=draft.new)
        self.changes.agents.replace(
            identity.tenant,
            draft.agent,
            expected_revision=draft.agent.revision - 1,
            by=identity.subject,
            also=also,
        )
        return Changed(draft.agent, draft.parts)


@dataclass(frozen=True, slots=True)
class _Draft:
    """An agent as it is to be. `changed` has the ids of parts that are written, `new` of those never written before."""

    agent: Agent
    parts: StoredParts
    changed: frozenset[str]
    new: frozenset[str]
    stamp: str


def _draft(agent: Agent, before: StoredParts, wanted: AgentParts, now: int) -> _Draft:
    version, stamp = agent.version + 1, secrets.token_hex(6)
    refs = {ref.id: ref for ref in (*agent.tools, *agent.integrations)}
    changed, new = set(), set()
    tools: dict[str, StoredTool] = {}
    integrations: dict[str, Integration] = {}
    for part_id, definition in sorted(wanted, key=lambda part: part[0]):
        old = before.get(part_id)
        part = _part(old, part_id, agent.id, version, definition, now)
        if part is not old:
            changed.add(part_id)
            refs[part_id] = PartRef(id=part_id, revision=version, stamp=stamp, name=definition.name)
        if old is None:
            new.add(part_id)
        if isinstance(part, StoredTool):
            tools[part_id] = part
        else:
            integrations[part_id] = part
    following = {
        "tools": tuple(refs[part_id] for part_id in tools),
        "integrations": tuple(refs[part_id] for part_id in integrations),
        "version": version,
        "revision": agent.revision + 1,
        "updated_at": now,
    }
    parts = StoredParts(tools, integrations)
    return _Draft(agent.model_copy(update=following), parts, frozenset(changed), frozenset(new), stamp)


def _part(
    old: StoredTool | Integration | None,
    part_id: str,
    agent_id: str,
    revision: int,
    definition: Definition | IntegrationInput,
    now: int,
) -> StoredTool | Integration:
    """The part as it is to be: `old` itself where nothing changes."""
    if old is not None and same(old.definition, definition):
        return old
    created_at = old.created_at if old else now
    if isinstance(definition, IntegrationInput):
        return Integration(part_id, agent_id, revision, definition, created_at, now)
    return StoredTool(part_id, agent_id, revision, definition, created_at, now)


def check_revisions(parts: StoredParts, expected: Mapping[str, int]) -> None:
    """That parts are where a caller believes them to be; one that is gone is for the change itself to say."""
    for part_id, revision in expected.items():
        part = parts.get(part_id)
        if part is not None and part.revision != revision:
            raise PreconditionFailed(
                "It was changed meanwhile. Get it again, apply your change to that, and send its new ETag."
            )


def _remembering(remember: Remembered, answer: Any, identity: Identity, agent_id: str) -> Also:
    def add(write: Transaction) -> None:
        put_answer(write, remember, answer, parent=keys.agent_answers(identity.tenant, agent_id))

    return add
