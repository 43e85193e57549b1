"""Carries deletions out: repeatable at any point, so a kill in the middle costs nothing but time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from agent_builder.clock import Clock, now_ms
from agent_builder.errors import RaceLost
from agent_builder.metrics import PURGES, Metrics
from agent_builder.repositories import keys
from agent_builder.repositories.purges import Purge, PurgeRepository
from agent_builder.repositories.uses import UseRepository

logger = logging.getLogger(__name__)

_SECOND_LOOK_MS = 60_000
_RETRY_MS = 60_000


@dataclass(frozen=True, slots=True)
class Purger:
    """Deletes what belonged to something deleted.

    An index is read a moment late, so an agent's purge is over only after a second look that found nothing more.

    Attributes:
        end_runs: Gives back the places of a tenant's runs whose answers nobody will make any more.
        settle: Adds what the runs of a tenant's conversation used that nobody will end any more.
    """

    repository: PurgeRepository
    clock: Clock = now_ms
    end_runs: Callable[[str, Sequence[str]], object] = lambda tenant, answer_ids: None
    settle: Callable[[str, str], object] = lambda tenant, conversation_id: None
    metrics: Metrics = field(default_factory=Metrics)
    uses: UseRepository = field(default_factory=UseRepository)

    def carry_out(self, tenant: str, target_id: str, *, seconds: float) -> None:
        """Purge, as far as `seconds` reach; what is left stays due."""
        purge = self.repository.get(tenant, target_id)
        if purge is None:
            return
        until = time.monotonic() + seconds
        self.repository.postpone(purge, passes=purge.passes, due_at=self.clock() + _RETRY_MS)
        complete = self._agent(purge, until) if purge.target == "agent" else self._conversation(purge, until)
        if not complete:
            self.repository.postpone(purge, passes=purge.passes, due_at=self.clock())
        elif purge.target == "agent" and purge.passes == 0:
            self.repository.postpone(purge, passes=1, due_at=self.clock() + _SECOND_LOOK_MS)
        else:
            self.repository.done(purge)
            self.metrics.add(PURGES, target=purge.target)
        logger.info("purged", extra={"target": purge.target, "complete": complete})

    def _agent(self, purge: Purge, until: float) -> bool:
        tenant, agent_id = purge.tenant, purge.target_id
        while found := self.repository.conversations(tenant, agent_id):
            for conversation_id in found:
                if not self._empty_conversation(tenant, conversation_id, until):
                    return False
        while runs := self.repository.runs(tenant, agent_id):
            for run_id in runs:
                self.repository.empty(keys.run(tenant, run_id))
            if time.monotonic() > until:
                return False
        if not self._parts(tenant, agent_id, until):
            return False
        for pk in [*self.repository.answers(tenant, agent_id), *self.repository.imports(tenant, agent_id)]:
            self.repository.empty(pk)
        self.repository.empty(keys.agent(tenant, agent_id))
        return True

    def _parts(self, tenant: str, agent_id: str, until: float) -> bool:
        """Give its credentials back, and forget whose its tools and integrations were."""
        while self.uses.release(tenant, agent_id):
            if time.monotonic() > until:
                return False
        while owners := self.repository.part_owners(tenant, agent_id):
            for pk in owners:
                self.repository.empty(pk)
                if time.monotonic() > until:
                    return False
        return True

    def _conversation(self, purge: Purge, until: float) -> bool:
        return self._empty_conversation(purge.tenant, purge.target_id, until)

    def _empty_conversation(self, tenant: str, conversation_id: str, until: float) -> bool:
        """Shut writers out, then empty it: runs, messages, and its head at the very end."""
        try:
            self.repository.retire(tenant, conversation_id, now=self.clock())
        except RaceLost:
            logger.info("a conversation had no head any more")
        self.end_runs(tenant, self.repository.waiting(tenant, conversation_id))
        self.settle(tenant, conversation_id)
        for run_ids in self.repository.conversation_runs(tenant, conversation_id):
            for run_id in run_ids:
                self.repository.empty(keys.run(tenant, run_id))
                if time.monotonic() > until:
                    return False
        pk = keys.conversation(tenant, conversation_id)
        self.repository.empty(pk, "M#")
        self.repository.empty(pk)
        return True
