"""Limits: gates of a tenant, each one item that is passed by one conditional update, so that a count is exact.

A gate holds counters of one minute, those of single callers beside those of the tenant, and slots that are taken and
given back. A slot has an end, so that one whose holder was killed frees itself. Each tenant has gates of its own:
nobody waits for another's.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
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
LASTING_SECONDS = 20 * 365 * 24 * 3600
_AT_ONCE = 50  # slots in one update: an expression may have 4 KB
_OF = "."


class GateItem(Item, discriminator="gate"):
    """`minute` counts from the epoch; `slots` maps a name to its end in milliseconds, `held` an owner to a number."""

    minute = NumberAttribute(default=0)
    counts: MapAttribute[str, Any] = MapAttribute(default=dict)
    slots: MapAttribute[str, Any] = MapAttribute(default=dict)
    held: MapAttribute[str, Any] = MapAttribute(default=dict)


class LimitsItem(Item, discriminator="limits"):
    """What a tenant has set."""

    overrides = JSONAttribute()


@dataclass(frozen=True, slots=True)
class Slot:
    """A place among at most `limit`, held until it is given back or `until` (milliseconds).

    With an `owner` (a counter's name, see `owned`) it is one among at most `owner_limit` of theirs as well.
    """

    name: str
    until: int
    limit: int
    owner_limit: int = 0

    @property
    def owner(self) -> str:
        """Who holds it; empty if nobody in particular."""
        return _owner(self.name)


def owned(owner: str, name: str) -> str:
    """Name of a slot that somebody holds."""
    return f"{owner}{_OF}{name}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A wish to pass a gate: one more of each counter (name to limit), and a slot."""

    pk: str
    sk: str
    now: int
    counters: Mapping[str, int] = field(default_factory=dict)
    slot: Slot | None = None
    minute: int = 0
    lasting: bool = False

    @property
    def gate(self) -> str:
        """The gate's name."""
        return f"{self.pk}/{self.sk}"

    @property
    def expires_at(self) -> int:
        """A gate that nobody passed for a day holds nothing, unless its slots last."""
        return self.now // 1000 + (LASTING_SECONDS if self.lasting else 24 * 3600)


@dataclass(frozen=True, slots=True)
class Passed:
    """What became of it: the counters now, or the name of what is full: a counter, `slots`, or `held` (the owner's)."""

    counts: Mapping[str, int]
    full: str | None = None


class LimitRepository:
    """Access patterns: a gate by its key; a tenant's own limits."""

    def __init__(self) -> None:
        self._minutes: OrderedDict[str, int] = OrderedDict()
        self._shut: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()

    def enter(self, entry: Entry) -> Passed:
        """Pass a gate, or learn what is full. One call; a few more where this repository has not seen it for a while.

        None where it is known to be full for the rest of the minute.

        Raises:
            StoreError: The gate could not be reached, or is under too much contention.
        """
        gate = entry.gate
        entry = replace(entry, minute=max(entry.now // 60_000, self._minutes.get(gate, 0)))
        full = self._known_full(entry)
        if full is not None:
            return Passed({}, full)
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
                settled = self._settled(found, entry)
                if settled is not None:
                    return settled
            else:
                self._remember(gate, entry.minute)
                return Passed(_numbers(item.counts))
        raise StoreError("Too many requests at once; try again.")

    def leave(self, pk: str, sk: str, names: Iterable[str]) -> None:
        """Give slots back; those that are not held are no error."""
        names = sorted(set(names))
        for start in range(0, len(names), _AT_ONCE):
            some = names[start : start + _AT_ONCE]
            if not self._give_back(pk, sk, some) and len(some) > 1 and any(map(_owner, some)):
                for name in some:
                    self._give_back(pk, sk, [name])

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
        slot = entry.slot
        if slot is not None:
            condition &= size(Path("slots")) < slot.limit
            actions.append(Path(["slots", slot.name]).set(slot.until))
        if slot is not None and slot.owner:
            held = Path(["held", slot.owner])
            # an update whose answer was lost is sent again: the slot may not count twice
            condition &= Path(["slots", slot.name]).does_not_exist()
            condition &= held.does_not_exist() | (held < slot.owner_limit)
            actions.append(held.set((held | 0) + 1))
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
            held={} if slot is None or not slot.owner else {slot.owner: 1},
            expires_at=entry.expires_at,
        )
        try:
            retrying(lambda: item.save(GateItem.pk.does_not_exist()))
        except RaceLost:
            return False
        return True

    def _known_full(self, entry: Entry) -> str | None:
        """What needs no look into the store: a limit of nothing, and a counter that was full in this minute."""
        for name, limit in entry.counters.items():
            minute, seen = self._shut.get((entry.gate, name), (-1, 0))
            if limit < 1 or (minute == entry.minute and limit <= seen):
                return name
        return "slots" if entry.slot is not None and entry.slot.limit < 1 else None

    def _settled(self, item: GateItem, entry: Entry) -> Passed | None:
        """What is full, or that the slot is taken already; frees slots whose end has come."""
        counts, slots, slot = _numbers(item.counts), _numbers(item.slots), entry.slot
        if slot is not None and slot.owner and slot.name in slots:
            return Passed(counts)  # the answer to the update that took it was lost
        for name, limit in entry.counters.items() if int(item.minute) >= entry.minute else ():
            if counts.get(name, 0) >= limit:
                self._note_full(entry, name, limit)
                return Passed({}, name)
        full = _full(slot, slots, _numbers(item.held))
        ended = {name: until for name, until in slots.items() if until < entry.now}
        if full is None or not ended:
            return Passed({}, full) if full else None
        self._give_back(entry.pk, entry.sk, sorted(ended)[:_AT_ONCE], ended)
        return None

    def _note_full(self, entry: Entry, name: str, limit: int) -> None:
        self._shut[entry.gate, name] = (entry.minute, limit)
        self._shut.move_to_end((entry.gate, name))
        if len(self._shut) > _KEPT:
            self._shut.popitem(last=False)

    def _give_back(self, pk: str, sk: str, names: Sequence[str], ends: Mapping[str, int] | None = None) -> bool:
        """Remove slots: those with an owner all or none; with `ends` only if they are the ones that were seen."""
        condition = GateItem.pk.exists()
        actions: list[Any] = []
        for name in names:
            slot = Path(["slots", name])
            actions.append(slot.remove())
            if ends is not None:
                condition &= slot == ends[name]
            elif _owner(name):
                condition &= slot.exists()
        owners = Counter(owner for owner in map(_owner, names) if owner)
        for owner, number in owners.items():
            held = Path(["held", owner])
            actions.append(held.set(held - number))
        item = GateItem(pk=pk, sk=sk)
        try:
            retrying(lambda: item.update(actions, condition))
        except RaceLost:
            return False  # somebody else freed some of them
        for owner in owners:
            if not _numbers(item.held).get(owner, 0):
                self._forget_owner(pk, sk, owner)
        return True

    def _forget_owner(self, pk: str, sk: str, owner: str) -> None:
        """Keep no trace of who holds nothing any more."""
        held = Path(["held", owner])
        try:
            retrying(lambda: GateItem(pk=pk, sk=sk).update([held.remove()], held == 0))
        except RaceLost:
            return

    def _remember(self, gate: str, minute: int) -> None:
        self._minutes[gate] = minute
        self._minutes.move_to_end(gate)
        if len(self._minutes) > _KEPT:
            self._minutes.popitem(last=False)


def _full(slot: Slot | None, slots: Mapping[str, int], held: Mapping[str, int]) -> str | None:
    if slot is None:
        return None
    if len(slots) >= slot.limit:
        return "slots"
    return "held" if slot.owner and held.get(slot.owner, 0) >= slot.owner_limit else None


def _owner(slot: str) -> str:
    return slot.partition(_OF)[0] if _OF in slot else ""


def _numbers(values: Any) -> dict[str, int]:
    return {name: int(value) for name, value in (values.as_dict() if values is not None else {}).items()}
