"""Limits: one gate item per tenant and per caller, passed by one conditional update, so that a count is exact.

A gate holds counters of one minute and slots that are taken and given back. A slot has an end, so that one whose holder
was killed frees itself. Each tenant has gates of its own: nobody waits for another's.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pynamodb.attributes import JSONAttribute, MapAttribute, NumberAttribute
from pynamodb.expressions.condition import size
from pynamodb.expressions.operand import Path

from agent_builder.errors import RaceLost, StoreError
from agent_builder.repositories import keys
from agent_builder.repositories.table import Item, get_item, retrying

_ATTEMPTS = 12
_KEPT = 4096


class GateItem(Item, discriminator="gate"):
    """`minute` counts from the epoch; `slots` maps a name to its end in milliseconds."""

    minute = NumberAttribute(default=0)
    counts: MapAttribute[str, Any] = MapAttribute(default=dict)
    slots: MapAttribute[str, Any] = MapAttribute(default=dict)


class LimitsItem(Item, discriminator="limits"):
    """What a tenant has set."""

    overrides = JSONAttribute()


@dataclass(frozen=True, slots=True)
class Slot:
    """A place among at most `limit`, held until it is given back or `until` (milliseconds)."""

    name: str
    until: int
    limit: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A wish to pass a gate: one more of each counter (name to limit), and a slot."""

    pk: str
    sk: str
    now: int
    counters: Mapping[str, int] = field(default_factory=dict)
    slot: Slot | None = None
    minute: int = 0

    @property
    def expires_at(self) -> int:
        """A gate that nobody passed for a day holds nothing."""
        return self.now // 1000 + 24 * 3600


@dataclass(frozen=True, slots=True)
class Passed:
    """What became of it: the counters now, or the name of what is full (`slots` for the slots)."""

    counts: Mapping[str, int]
    full: str | None = None


class LimitRepository:
    """Access patterns: a gate by its key; a tenant's own limits."""

    def __init__(self) -> None:
        self._minutes: OrderedDict[str, int] = OrderedDict()

    def enter(self, entry: Entry) -> Passed:
        """Pass a gate, or learn what is full. One call; a few more where this repository has not seen it for a while.

        Raises:
            StoreError: The gate could not be reached, or is under too much contention.
        """
        shut = [name for name, limit in entry.counters.items() if limit < 1]
        shut += ["slots"] if entry.slot is not None and entry.slot.limit < 1 else []
        if shut:
            return Passed({}, shut[0])
        gate = f"{entry.pk}/{entry.sk}"
        entry = replace(entry, minute=max(entry.now // 60_000, self._minutes.get(gate, 0)))
        for _ in range(_ATTEMPTS):
            try:
                item = self._begin(entry) if self._minutes.get(gate, 0) < entry.minute else self._count(entry)
            except RaceLost:
                found = get_item(GateItem, entry.pk, entry.sk)
                if found is None and self._create(entry):
                    self._remember(gate, entry.minute)
                    return Passed(dict.fromkeys(entry.counters, 1))
                if found is None:
                    continue
                self._remember(gate, int(found.minute))
                entry = replace(entry, minute=max(entry.minute, int(found.minute)))
                full = self._full(found, entry)
                if full is not None:
                    return Passed({}, full)
            else:
                self._remember(gate, entry.minute)
                return Passed(_numbers(item.counts))
        raise StoreError("Too many requests at once; try again.")

    def leave(self, pk: str, sk: str, names: Iterable[str]) -> None:
        """Give slots back; those that are not held are no error."""
        actions: list[Any] = [Path(["slots", name]).remove() for name in names]
        if not actions:
            return
        try:
            retrying(lambda: GateItem(pk=pk, sk=sk).update(actions, GateItem.pk.exists()))
        except RaceLost:
            return

    def overrides(self, tenant: str) -> dict[str, Any]:
        """What a tenant has set."""
        item = get_item(LimitsItem, keys.limits(tenant), keys.HEAD)
        return dict(item.overrides) if item else {}

    def save_overrides(self, tenant: str, overrides: dict[str, int]) -> None:
        """Set them."""
        retrying(LimitsItem(pk=keys.limits(tenant), sk=keys.HEAD, overrides=overrides).save)

    def _count(self, entry: Entry) -> GateItem:
        """One more in this minute."""
        condition = GateItem.minute == entry.minute
        actions: list[Any] = [GateItem.expires_at.set(entry.expires_at)]
        for name, limit in entry.counters.items():
            count = Path(["counts", name])
            condition &= count.does_not_exist() | (count < limit)
            actions.append(count.set((count | 0) + 1))
        return self._update(entry, condition, actions)

    def _begin(self, entry: Entry) -> GateItem:
        """The first of a new minute."""
        actions: list[Any] = [
            GateItem.minute.set(entry.minute),
            GateItem.counts.set(dict.fromkeys(entry.counters, 1)),
            GateItem.expires_at.set(entry.expires_at),
        ]
        return self._update(entry, GateItem.minute < entry.minute, actions)

    def _update(self, entry: Entry, condition: Any, actions: list[Any]) -> GateItem:
        if entry.slot is not None:
            condition &= size(Path("slots")) < entry.slot.limit
            actions.append(Path(["slots", entry.slot.name]).set(entry.slot.until))
        item = GateItem(pk=entry.pk, sk=entry.sk)
        retrying(lambda: item.update(actions, condition))
        return item

    def _create(self, entry: Entry) -> bool:
        """The first ever; false where somebody else was."""
        slot = entry.slot
        item = GateItem(
            pk=entry.pk,
            sk=entry.sk,
            minute=entry.minute,
            counts=dict.fromkeys(entry.counters, 1),
            slots={} if slot is None else {slot.name: slot.until},
            expires_at=entry.expires_at,
        )
        try:
            retrying(lambda: item.save(GateItem.pk.does_not_exist()))
        except RaceLost:
            return False
        return True

    def _full(self, item: GateItem, entry: Entry) -> str | None:
        """What is full; frees slots whose end has come."""
        if int(item.minute) >= entry.minute:
            counts = _numbers(item.counts)
            for name, limit in entry.counters.items():
                if counts.get(name, 0) >= limit:
                    return name
        if entry.slot is None:
            return None
        slots = _numbers(item.slots)
        if len(slots) < entry.slot.limit:
            return None
        ended = {name: until for name, until in slots.items() if until < entry.now}
        if not ended:
            return "slots"
        self._free(entry, ended)
        return None

    def _free(self, entry: Entry, ended: Mapping[str, int]) -> None:
        names = sorted(ended)[:50]
        condition = GateItem.pk.exists()
        for name in names:
            condition &= Path(["slots", name]) == ended[name]
        actions: list[Any] = [Path(["slots", name]).remove() for name in names]
        try:
            retrying(lambda: GateItem(pk=entry.pk, sk=entry.sk).update(actions, condition))
        except RaceLost:
            return  # somebody else freed some of them

    def _remember(self, gate: str, minute: int) -> None:
        self._minutes[gate] = minute
        self._minutes.move_to_end(gate)
        if len(self._minutes) > _KEPT:
            self._minutes.popitem(last=False)


def _numbers(values: Any) -> dict[str, int]:
    return {name: int(value) for name, value in (values.as_dict() if values is not None else {}).items()}
