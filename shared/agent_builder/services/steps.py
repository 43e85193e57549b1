"""Steps of runs, one at a time and whole, as REST shows them."""

from __future__ import annotations

from dataclasses import dataclass

from agent_builder.errors import NotFound
from agent_builder.ids import require_id
from agent_builder.models.conversations import Step
from agent_builder.models.identity import Identity
from agent_builder.repositories.steps import StepRepository
from agent_builder.services.conversations import ConversationService


@dataclass(frozen=True, slots=True)
class StepService:
    """Steps of the caller's tenant."""

    repository: StepRepository
    conversations: ConversationService

    def get(self, identity: Identity, run_id: str, number: int) -> Step:
        """One step.

        Raises:
            NotFound: Run or step is unknown, foreign, or was deleted with its conversation or its agent.
        """
        conversation_id = self.repository.conversation_of(identity.tenant, require_id("run", run_id, "run"))
        if conversation_id is None:
            raise NotFound("There is no run with this id.")
        self.conversations.get(identity, conversation_id)
        step = self.repository.get(identity.tenant, run_id, number)
        if step is None:
            raise NotFound("This run has no step with this number, or did not store it yet.")
        return step
