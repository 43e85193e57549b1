"""Conversations as REST shows them."""

from __future__ import annotations

from dataclasses import dataclass

from agent_builder.clock import Clock, now_ms
from agent_builder.errors import Conflict, NotFound, PreconditionFailed, RaceLost, StoreError
from agent_builder.ids import require_id
from agent_builder.models.conversations import Conversation, StoredMessage
from agent_builder.models.identity import Identity
from agent_builder.realtime.doorbell import Doorbell
from agent_builder.repositories.conversations import ConversationRepository
from agent_builder.services.agents import PURGE_DUE_AFTER_MS, AgentService, pause

_ATTEMPTS = 12


@dataclass(frozen=True, slots=True)
class ConversationService:
    """Conversations of the caller's tenant."""

    repository: ConversationRepository
    agents: AgentService
    doorbell: Doorbell
    clock: Clock = now_ms

    def page(
        self, identity: Identity, agent_id: str, *, limit: int, after: str | None
    ) -> tuple[list[Conversation], str | None]:
        """An agent's conversations, newest first."""
        self.agents.get(identity, agent_id)
        return self.repository.page(identity.tenant, agent_id, limit=limit, before=after)

    def get(self, identity: Identity, conversation_id: str) -> Conversation:
        """One conversation.

        Raises:
            NotFound: Unknown, foreign or deleted, itself or with its agent.
        """
        found = self.repository.get(identity.tenant, require_id("cnv", conversation_id, "conversation"))
        if found is None or self.agents.repository.get(identity.tenant, found.agent_id) is None:
            raise NotFound("There is no conversation with this id.")
        return found

    def messages(
        self, identity: Identity, conversation_id: str, *, limit: int, after: str | None
    ) -> tuple[list[StoredMessage], str | None]:
        """Messages, newest first."""
        self.get(identity, conversation_id)
        return self.repository.messages(identity.tenant, conversation_id, limit=limit, before=after)

    def rename(
        self, identity: Identity, conversation_id: str, title: str, *, expected_revision: int | None
    ) -> Conversation:
        """Change the title.

        Raises:
            NotFound, PreconditionFailed
        """
        for _ in range(_ATTEMPTS):
            current = self.get(identity, conversation_id)
            _check_revision(current, expected_revision)
            if current.title == title:
                return current
            try:
                return self.repository.rename(identity.tenant, current, title, now=self.clock())
            except RaceLost:
                pause()
        raise Conflict("The conversation is changed by many at this moment; try again.")

    def delete(self, identity: Identity, conversation_id: str, *, expected_revision: int | None) -> None:
        """Delete it for every reader at once; what belonged to it is purged by a job."""
        current = self.get(identity, conversation_id)
        _check_revision(current, expected_revision)
        now = self.clock()
        try:
            self.repository.delete(
                identity.tenant,
                conversation_id,
                expected_revision=expected_revision,
                now=now,
                due_at=now + PURGE_DUE_AFTER_MS,
            )
        except RaceLost as race:
            _check_revision(self.get(identity, conversation_id), expected_revision)
            raise StoreError("The conversation could not be deleted; try again.") from race
        self.doorbell.ring("purge", tenant_id=identity.tenant, target_id=conversation_id)


def _check_revision(current: Conversation, expected: int | None) -> None:
    if expected is not None and current.revision != expected:
        raise PreconditionFailed("The conversation was changed meanwhile; get it again and send its new ETag.")
