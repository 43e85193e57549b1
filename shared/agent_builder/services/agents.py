"""Agents: create, read, change, delete; each change of what an agent does is a new version."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from agent_builder.clock import Clock, now_ms
from agent_builder.errors import (
    Conflict,
    Fault,
    NotFound,
    PreconditionFailed,
    RaceLost,
    StoreError,
    Unprocessable,
)
from agent_builder.ids import new_id, require_id
from agent_builder.jsontext import encode
from agent_builder.messages import Json
from agent_builder.models.agents import Agent, AgentCreate, AgentVersion, merge_patch
from agent_builder.models.faults import faults_of
from agent_builder.models.identity import Identity
from agent_builder.models.views import agent_view
from agent_builder.realtime.doorbell import Doorbell
from agent_builder.repositories.agents import AgentRepository
from agent_builder.services.idempotency import earlier_answer, remembering
from agent_builder.services.part_changes import Also, PartChanges

PURGE_DUE_AFTER_MS = 60_000
_ATTEMPTS = 12


@dataclass(frozen=True, slots=True)
class AgentService:
    """Agents of the caller's tenant."""

    repository: AgentRepository
    doorbell: Doorbell
    clock: Clock = now_ms
    parts: PartChanges = field(default_factory=PartChanges)

    def create(self, identity: Identity, new: AgentCreate, *, idempotency_key: str | None) -> Json:
        """Create an agent; under a key that was used before, answer as then.

        Raises:
            IdempotencyMismatch: The key was used with another body.
        """
        now = self.clock()
        agent = Agent.model_validate(
            {
                **new.model_dump(),
                "id": new_id("agt"),
                "version": 1,
                "revision": 1,
                "created_at": now,
                "updated_at": now,
            }
        )
        answer = agent_view(agent)
        body = new.model_dump(mode="json")
        remember = remembering(identity, "POST /agents", body, idempotency_key, now=now)
        try:
            self.repository.create(identity.tenant, agent, by=identity.subject, remember=remember, answer=answer)
        except RaceLost as race:
            return earlier_answer(remember, race)
        return answer

    def get(self, identity: Identity, agent_id: str) -> Agent:
        """One agent.

        Raises:
            NotFound: Unknown, foreign or deleted.
        """
        agent = self.repository.get(identity.tenant, require_id("agt", agent_id, "agent"))
        if agent is None:
            raise NotFound("There is no agent with this id.")
        return agent

    def page(
        self, identity: Identity, *, limit: int, after: str | None, status: str | None
    ) -> tuple[list[Agent], str | None]:
        """Newest first."""
        return self.repository.page(identity.tenant, limit=limit, before=after, status=status)

    def patch(self, identity: Identity, agent_id: str, patch: Json, *, expected_revision: int | None) -> Agent:
        """Apply an RFC 7396 merge patch. A patch that changes nothing makes neither version nor revision.

        Raises:
            NotFound, PreconditionFailed, Unprocessable: The patched agent would not be valid.
        """
        for _ in range(_ATTEMPTS):
            current = self.get(identity, agent_id)
            _check_revision(current, expected_revision)
            wanted = _validated({**current.definition(), "status": current.status}, patch)
            try:
                return self._store(identity, current, wanted)
            except RaceLost:
                pause()  # somebody was quicker: the patch applies to what stands there now
        raise Conflict("The agent is changed by many at this moment; try again.")

    def delete(self, identity: Identity, agent_id: str, *, expected_revision: int | None) -> None:
        """Delete an agent; it is gone for every reader at once, what belonged to it is purged by a job.

        Raises:
            NotFound, PreconditionFailed
        """
        require_id("agt", agent_id, "agent")
        now = self.clock()
        try:
            self.repository.delete(
                identity.tenant,
                agent_id,
                expected_revision=expected_revision,
                now=now,
                due_at=now + PURGE_DUE_AFTER_MS,
            )
        except RaceLost as race:
            _check_revision(self.get(identity, agent_id), expected_revision)
            raise StoreError("The agent could not be deleted; try again.") from race
        self.doorbell.ring("purge", tenant_id=identity.tenant, target_id=agent_id)

    def versions(
        self, identity: Identity, agent_id: str, *, limit: int, after: str | None
    ) -> tuple[list[AgentVersion], str | None]:
        """Versions of an agent, newest first."""
        self.get(identity, agent_id)
        return self.repository.versions(identity.tenant, agent_id, limit=limit, before=after)

    def version(self, identity: Identity, agent_id: str, number: int) -> AgentVersion:
        """One version."""
        self.get(identity, agent_id)
        found = self.repository.version(identity.tenant, agent_id, number)
        if found is None:
            raise NotFound(f"This agent has no version {number}.")
        return found

    def restore(self, identity: Identity, agent_id: str, number: int, *, expected_revision: int | None) -> Agent:
        """Make an old version the newest; its content is a new version of its own.

        Its tools and integrations come back at their old revisions. What they name may be gone, as a credential: then
        they say so when they are called.

        Raises:
            NotFound, PreconditionFailed
            Unprocessable: `agent_cycle`: its tools call an agent that calls this one by now.
        """
        for _ in range(_ATTEMPTS):
            current = self.get(identity, agent_id)
            _check_revision(current, expected_revision)
            old = self.version(identity, agent_id, number)
            definition = old.model_dump(include=set(AgentCreate.model_fields) - {"status"})
            wanted = AgentCreate.model_validate({**definition, "status": current.status}, strict=False)
            also = self._restoring(identity, current, old)
            try:
                return self._store(identity, current, wanted, restored=old, also=also)
            except RaceLost:
                pause()
        raise Conflict("The agent is changed by many at this moment; try again.")

    def _restoring(self, identity: Identity, current: Agent, old: AgentVersion) -> list[Also]:
        """What must happen with the return of an old version's tools and integrations."""
        if (current.tools, current.integrations) == (old.tools, old.integrations):
            return []
        before = self.parts.of(identity.tenant, current.id, current)
        after = self.parts.of(identity.tenant, current.id, old)
        required = self.parts.reaching(identity.tenant, current.id, after.definitions, (), lambda part_id: "")
        return required + self.parts.noted(identity.tenant, current.id, before, after)

    def _store(
        self,
        identity: Identity,
        current: Agent,
        wanted: AgentCreate,
        *,
        restored: AgentVersion | None = None,
        also: Iterable[Also] = (),
    ) -> Agent:
        parts = {"tools": restored.tools, "integrations": restored.integrations} if restored else {}
        changed = Agent.model_validate({**current.model_dump(), **wanted.model_dump(), **parts})
        new_version = encode(changed.content()) != encode(current.content())  # as JSON: true is not 1
        if not new_version and changed.status == current.status:
            return current
        stored = changed.model_copy(
            update={
                "version": current.version + new_version,
                "revision": current.revision + 1,
                "updated_at": self.clock(),
            }
        )
        if new_version:
            self.repository.replace(
                identity.tenant,
                stored,
                expected_revision=current.revision,
                by=identity.subject,
                restored_from=restored.version if restored else None,
                also=also,
            )
        else:
            self.repository.set_status(identity.tenant, stored, expected_revision=current.revision)
        return stored


def pause() -> None:
    """Let whoever was quicker get away before the next attempt."""
    time.sleep(random.uniform(0, 0.05))  # noqa: S311 (jitter, not a secret)


def _check_revision(current: Agent, expected: int | None) -> None:
    if expected is not None and current.revision != expected:
        raise PreconditionFailed(
            "The agent was changed meanwhile. Get it again, apply your change to that, and send its new ETag."
        )


def _validated(current: dict[str, Any], patch: Json) -> AgentCreate:
    unknown = sorted(set(patch) - set(current))
    if unknown:
        faults = tuple(Fault(f"/{name}", "This field does not exist or cannot be changed.") for name in unknown)
        raise Unprocessable("The patch names fields that cannot be changed.", faults=faults)
    try:
        return AgentCreate.model_validate(merge_patch(current, patch))
    except ValidationError as error:
        raise Unprocessable("The patched agent would not be valid.", faults=faults_of(error.errors())) from None
