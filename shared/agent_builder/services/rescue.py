"""The one-minute rescue: looks at what became due and rings for it again."""

from __future__ import annotations

from dataclasses import dataclass, field

from agent_builder.clock import Clock, now_ms
from agent_builder.ids import is_id
from agent_builder.metrics import RESCUES, Metrics
from agent_builder.realtime.doorbell import Doorbell
from agent_builder.repositories import keys
from agent_builder.repositories.runs import RunRepository

_IDS = {
    "run": ("conversation_id",),
    "openapi_import": ("import_id",),
    "purge": ("target_id",),
    "usage": (),
    "trace_export": (),
}


@dataclass(frozen=True, slots=True)
class Rescue:
    """Finds due work by the sparse index; it reads ids only."""

    runs: RunRepository
    doorbell: Doorbell
    clock: Clock = now_ms
    metrics: Metrics = field(default_factory=Metrics)

    def sweep(self) -> int:
        """Ring for everything that is due; answers how often."""
        now = self.clock()
        rings = {self._ring_for(pk, sk) for shard in range(keys.DUE_SHARDS) for pk, sk in self.runs.due(shard, now=now)}
        for kind, tenant, *ids in sorted(rings):
            if kind == "run":  # a purge takes its second look by this way and needs no rescue
                self.metrics.add(RESCUES)
            self.doorbell.ring(kind, tenant_id=tenant, **dict(zip(_IDS[kind], ids, strict=True)))
        return len(rings)

    def _ring_for(self, pk: str, sk: str) -> tuple[str, ...]:
        tenant = keys.tenant_of(pk)
        if sk == keys.LEASE:
            return "run", tenant, keys.id_of(pk)
        if is_id("imp", keys.id_of(pk)):
            return "openapi_import", tenant, keys.id_of(pk)
        if pk == keys.usage_notes(tenant):  # one ring for all of a tenant's
            return "usage", tenant
        if pk == keys.trace_marks(tenant):
            return "trace_export", tenant
        return "purge", tenant, sk
