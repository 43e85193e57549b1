"""The one-minute rescue: looks at what became due and rings for it again."""

from __future__ import annotations

from dataclasses import dataclass, field

from agent_builder.clock import Clock, now_ms
from agent_builder.ids import is_id
from agent_builder.metrics import RESCUES, Metrics
from agent_builder.realtime.doorbell import Doorbell
from agent_builder.repositories import keys
from agent_builder.repositories.runs import RunRepository


@dataclass(frozen=True, slots=True)
class Rescue:
    """Finds due work by the sparse index; it reads ids only."""

    runs: RunRepository
    doorbell: Doorbell
    clock: Clock = now_ms
    metrics: Metrics = field(default_factory=Metrics)

    def sweep(self) -> int:
        """Ring for everything that is due; answers how many."""
        now = self.clock()
        count = 0
        for shard in range(keys.DUE_SHARDS):
            for pk, sk in self.runs.due(shard, now=now):
                self._ring(pk, sk)
                count += 1
        return count

    def _ring(self, pk: str, sk: str) -> None:
        tenant = keys.tenant_of(pk)
        if sk == keys.LEASE:
            self.metrics.add(RESCUES)  # a purge takes its second look by this way and needs no rescue
            self.doorbell.ring("run", tenant_id=tenant, conversation_id=keys.id_of(pk))
        elif is_id("imp", keys.id_of(pk)):
            self.doorbell.ring("openapi_import", tenant_id=tenant, import_id=keys.id_of(pk))
        else:
            self.doorbell.ring("purge", tenant_id=tenant, target_id=sk)
