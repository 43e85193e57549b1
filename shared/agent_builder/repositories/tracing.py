"""Where a tenant's traces go, and which are still to be sent: an outbox, so that nobody who dies loses one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from agent_builder.errors import RaceLost
from agent_builder.models.tracing import Target, TenantTracing, TraceMark, TracingSettings
from agent_builder.repositories import keys
from agent_builder.repositories.table import Item, PackedJSON, Transaction, get_item, retrying, translated
from agent_builder.repositories.uses import UseRepository

SEND_AFTER_MS = 60_000  # by then whoever ended the run has sent its trace, or never will


class TraceMarkItem(Item, discriminator="trace_mark"):
    """An ended run whose trace has not arrived everywhere."""

    targets = PackedJSON()
    ended_at = NumberAttribute()
    attempts = NumberAttribute(default=0)


class TracingItem(Item, discriminator="tracing"):
    """Where a tenant's traces go, and why they do not arrive."""

    settings = PackedJSON()
    revision = NumberAttribute()
    updated_at = NumberAttribute()
    failure = UnicodeAttribute(default="")
    failed_at = NumberAttribute(default=0)


@dataclass(frozen=True, slots=True)
class TracingRepository:
    """Access patterns: a tenant's settings; its marks, oldest runs first; one mark."""

    uses: UseRepository = field(default_factory=UseRepository)

    def get(self, tenant: str) -> TenantTracing | None:
        """The settings; strongly consistent."""
        item = get_item(TracingItem, keys.tracing(tenant), keys.HEAD)
        if item is None:
            return None
        return TenantTracing(
            TracingSettings.model_validate(item.settings),
            int(item.revision),
            int(item.updated_at),
            item.failure or "",
            int(item.failed_at or 0),
        )

    def save(self, tenant: str, settings: TracingSettings, before: TenantTracing | None, *, now: int) -> TenantTracing:
        """Put settings in the place of those that were read, and note which credential they use.

        Raises:
            RaceLost: They changed meanwhile, or (`credential:<id>` in `failed`) there is no such credential.
        """
        revision = before.revision + 1 if before else 1
        pk, write = keys.tracing(tenant), Transaction()
        item = TracingItem(
            pk=pk,
            sk=keys.HEAD,
            settings=settings.model_dump(),
            revision=revision,
            updated_at=now,
            failure="",
            failed_at=0,
        )
        write.put("tracing", item, _unchanged(before))
        old = before.settings.credential_id if before else None
        if old != settings.credential_id:
            self.uses.note_tracing(write, tenant, settings.credential_id, used=True)
            if old is not None:
                self.uses.note_tracing(write, tenant, old, used=False)
        write.commit()
        return TenantTracing(settings, revision, now)

    def delete(self, tenant: str, before: TenantTracing) -> None:
        """Forget the settings that were read.

        Raises:
            RaceLost: They changed meanwhile.
        """
        write = Transaction()
        write.delete("tracing", TracingItem(pk=keys.tracing(tenant), sk=keys.HEAD), _unchanged(before))
        self.uses.note_tracing(write, tenant, before.settings.credential_id, used=False)
        write.commit()

    def tell(self, tenant: str, revision: int, failure: str, *, now: int) -> None:
        """Note how the newest attempt went, unless the settings changed; `failure` "" where it went well."""
        item = TracingItem(pk=keys.tracing(tenant), sk=keys.HEAD)
        actions: list[Any] = [TracingItem.failure.set(failure), TracingItem.failed_at.set(now if failure else 0)]
        try:
            retrying(lambda: item.update(actions, TracingItem.revision == revision))
        except RaceLost:
            return

    def mark(self, tenant: str, run_id: str) -> TraceMark | None:
        """One mark; strongly consistent."""
        item = get_item(TraceMarkItem, keys.trace_marks(tenant), run_id)
        return _mark(item) if item else None

    def due(self, tenant: str, *, now: int, limit: int) -> list[TraceMark]:
        """What is due; strongly consistent."""
        with translated():
            found = TraceMarkItem.query(
                keys.trace_marks(tenant),
                filter_condition=TraceMarkItem.due_at <= now,
                limit=limit,
                consistent_read=True,
            )
            return [_mark(item) for item in found]

    def take(self, tenant: str, mark: TraceMark, *, until: int) -> bool:
        """Begin an attempt: nobody else makes one before `until`. False where somebody else did, or it is sent."""
        item = TraceMarkItem(pk=keys.trace_marks(tenant), sk=mark.run_id)
        actions: list[Any] = [TraceMarkItem.attempts.add(1), TraceMarkItem.due_at.set(until)]
        try:
            retrying(lambda: item.update(actions, TraceMarkItem.due_at == mark.due_at))
        except RaceLost:
            return False
        return True

    def settle(self, tenant: str, run_id: str, left: Sequence[Target]) -> None:
        """It has arrived, or never will, but for these targets."""
        item = TraceMarkItem(pk=keys.trace_marks(tenant), sk=run_id)
        if not left:
            retrying(item.delete)
            return
        try:
            retrying(lambda: item.update([TraceMarkItem.targets.set(list(left))], TraceMarkItem.pk.exists()))
        except RaceLost:
            return


def _unchanged(before: TenantTracing | None) -> Condition:
    return TracingItem.revision == before.revision if before else TracingItem.pk.does_not_exist()


def mark_item(tenant: str, run_id: str, targets: Sequence[Target], *, now: int) -> TraceMarkItem:
    """What the write that ends a run puts beside it; due until its trace has arrived.

    It is taken already: whoever writes it makes the first attempt, and needs no further write to begin.
    """
    pk = keys.trace_marks(tenant)
    return TraceMarkItem(
        pk=pk,
        sk=run_id,
        targets=list(targets),
        ended_at=now,
        attempts=1,
        due_pk=keys.due(pk + run_id),  # as for usage: a tenant with many must not stand before all others of a shard
        due_at=now + SEND_AFTER_MS,
    )


def _mark(item: TraceMarkItem) -> TraceMark:
    targets = tuple(cast(Target, target) for target in item.targets)
    return TraceMark(item.sk, targets, int(item.ended_at), int(item.attempts or 0), int(item.due_at or 0))
