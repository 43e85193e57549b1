"""The cost ledger: what a run used is noted in the write that ends it, then added to aggregates exactly once.

The note is the truth until it is added. Adding it and removing it is one transaction, so whoever is killed at any
point leaves either the note or its effect, never both and never neither.
"""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.operand import Path

from agent_builder.errors import RaceLost
from agent_builder.messages import Json
from agent_builder.models.conversations import QueuedRun, Step
from agent_builder.models.usage import Dimension, UsageEntry, UsageRow
from agent_builder.repositories import keys
from agent_builder.repositories.conversations import LeaseItem, lease_of
from agent_builder.repositories.intake import RunItem
from agent_builder.repositories.steps import stored_steps
from agent_builder.repositories.table import Item, PackedJSON, Transaction, get_item, retrying, translated

SHARDS = 4  # of each aggregate, so that runs that end at once do not wait for each other
KEPT_SECONDS = 400 * 24 * 3600
FOLD_AFTER_MS = 60_000
_LATER_MS = 600_000
_AT_ONCE = 90  # rows in one transaction, which holds a hundred writes


class UsageNoteItem(Item, discriminator="usage_note"):
    """What an ended run used and no aggregate has yet (`_packed`); `done` counts the rows that they have."""

    day = UnicodeAttribute()
    rows = PackedJSON()
    done = NumberAttribute(default=0)


class UsageItem(Item, discriminator="usage"):
    """Counts of one day, scope and dimension: one number attribute for each."""


@dataclass(frozen=True, slots=True)
class Note:
    """A note with how much of it was added already."""

    entry: UsageEntry
    done: int


class LedgerRepository:
    """Access patterns: notes of a tenant; aggregates of days in order, by scope and dimension."""

    def fold(self, tenant: str, entry: UsageEntry, *, done: int = 0) -> bool:
        """Add what a run used, and remove its note; False where somebody else did, or does."""
        note = UsageNoteItem(pk=keys.usage_notes(tenant), sk=entry.run_id)
        for start in range(done, len(entry.rows), _AT_ONCE):
            end = start + _AT_ONCE
            write = Transaction()
            mine = UsageNoteItem.done == start
            if end < len(entry.rows):
                write.update("note", note, [UsageNoteItem.done.set(end)], mine)
            else:
                write.delete("note", note, mine)
            for number, row in enumerate(entry.rows[start:end]):
                write.update(str(number), _row_item(tenant, entry, row), _actions(entry, row))
            try:
                write.commit()
            except RaceLost:
                return False
        return True

    def end_deleted(self, tenant: str, entry: UsageEntry, *, now: int) -> bool:
        """Note what a run used whose conversation was deleted before it ended; False where that is done already."""
        write = Transaction()
        write.put("note", note_item(tenant, entry, now=now))
        ended = [RunItem.status.set("cancelled"), RunItem.finished_at.set(now)]
        head = RunItem(pk=keys.run(tenant, entry.run_id), sk=keys.HEAD)
        write.update("run", head, ended, RunItem.status == "queued")
        try:
            write.commit()
        except RaceLost:
            return False
        return True

    def note(self, tenant: str, entry: UsageEntry, *, now: int) -> None:
        """Note what was used outside of runs."""
        write = Transaction()
        write.put("note", note_item(tenant, entry, now=now))
        write.commit()

    def waiting(self, tenant: str, conversation_id: str) -> list[QueuedRun]:
        """Runs that a conversation still owes, deleted or not."""
        item = get_item(LeaseItem, keys.conversation(tenant, conversation_id), keys.LEASE)
        return list(lease_of(item).queue) if item else []

    def steps(self, tenant: str, run_id: str) -> list[Step]:
        """What is stored of a run's steps."""
        return stored_steps(tenant, run_id)

    def notes(self, tenant: str, *, limit: int) -> list[Note]:
        """Notes that are still to be added, the oldest runs first; strongly consistent."""
        with translated():
            found = UsageNoteItem.query(keys.usage_notes(tenant), limit=limit, consistent_read=True)
            return [_note(item) for item in found]

    def postpone(self, tenant: str, run_id: str, *, now: int) -> None:
        """A note cannot be added now: others are not to wait behind it."""
        item = UsageNoteItem(pk=keys.usage_notes(tenant), sk=run_id)
        later: list[Any] = [UsageNoteItem.due_at.set(now + _LATER_MS)]
        try:
            retrying(lambda: item.update(later, UsageNoteItem.pk.exists()))
        except RaceLost:
            return

    def counts(
        self, tenant: str, scope: str, dimension: Dimension, *, since: str, until: str
    ) -> dict[tuple[str, str], Counter[str]]:
        """Counts by day and name, from the first day to the last one, both included."""
        found: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        condition = UsageItem.sk.between(since, f"{until}#~")
        start: Any = None
        while True:
            with translated():
                page = Item._get_connection().query(
                    keys.usage(tenant, scope, dimension), condition, exclusive_start_key=start
                )
            for raw in page["Items"]:
                day, _, name = raw["sk"]["S"].split("#", 2)
                found[day, name].update(_numbers(raw))
            start = page.get("LastEvaluatedKey")
            if start is None:
                return dict(found)


def note_item(tenant: str, entry: UsageEntry, *, now: int) -> UsageNoteItem:
    """What the write that ends a run puts beside it; due until it is added."""
    pk = keys.usage_notes(tenant)
    return UsageNoteItem(
        pk=pk,
        sk=entry.run_id,
        day=entry.day,
        rows=_packed(entry.rows),
        done=0,
        due_pk=keys.due(pk + entry.run_id),  # a tenant with many must not stand before all others of a shard
        due_at=now + FOLD_AFTER_MS,
    )


def _note(item: UsageNoteItem) -> Note:
    counts = item.rows["counts"]
    rows = tuple(UsageRow(scope, dimension, name, counts[place]) for scope, dimension, name, place in item.rows["rows"])
    return Note(UsageEntry(item.sk, item.day, rows), int(item.done))


def _packed(rows: Sequence[UsageRow]) -> Json:
    """Rows with each set of counts once: a tenant's are its agent's, and items are paid by their size."""
    counts: list[dict[str, int]] = []
    packed: list[list[Any]] = []
    for row in rows:
        if (found := dict(row.counts)) not in counts:
            counts.append(found)
        packed.append([row.scope, row.dimension, row.name, counts.index(found)])
    return {"counts": counts, "rows": packed}


def _row_item(tenant: str, entry: UsageEntry, row: UsageRow) -> UsageItem:
    shard = zlib.crc32(entry.run_id.encode()) % SHARDS
    pk = keys.usage(tenant, row.scope, row.dimension)
    return UsageItem(pk=pk, sk=f"{entry.day}#{shard}#{row.name}")


def _actions(entry: UsageEntry, row: UsageRow) -> list[Any]:
    ends = int(datetime.fromisoformat(entry.day).replace(tzinfo=UTC).timestamp()) + KEPT_SECONDS
    counted = [Path(name).add(count) for name, count in sorted(row.counts.items()) if count]
    return [Path("kind").set("usage"), UsageItem.expires_at.set(ends), *counted]


def _numbers(raw: Mapping[str, Any]) -> dict[str, int]:
    return {name: int(value["N"]) for name, value in raw.items() if "N" in value and name != "expires_at"}
