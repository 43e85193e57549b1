"""What calls of DynamoDB are charged for: request units, worked out from the items that they read and write.

A hook on the client sees each call and its answer; items are looked at before and after each write by a client of its
own. Rules: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html. A read unit is
4 KB, half as much where the read is eventually consistent; a write unit is 1 KB of the larger of what was there and
what is; in a transaction each counts twice. A change of an index is another write. What AWS does not say of
transactions is assumed to be the dearer: that they double the writes of indexes too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.calls import HEARTBEAT, is_heartbeat

Item = Mapping[str, Mapping[str, Any]]
Units = tuple[float, float]  # read, write


@dataclass(frozen=True)
class Index:
    """A secondary index: its key attributes, and whether all others stand in it too."""

    keys: tuple[str, ...]
    whole: bool

    def entry(self, item: Item | None) -> Item | None:
        """What stands in it of an item."""
        if item is None or not all(name in item for name in self.keys):
            return None
        names = item.keys() if self.whole else {"pk", "sk", *self.keys}
        return {name: item[name] for name in names}

    def units(self, before: Item | None, after: Item | None) -> int:
        """Of the writes that a change of an item makes in it."""
        old, new = self.entry(before), self.entry(after)
        if old == new:
            return 0
        if old and new and all(old[name] == new[name] for name in self.keys):
            return max(write_units(old), write_units(new))
        return sum(write_units(entry) for entry in (old, new) if entry is not None)


def size(item: Item) -> int:
    """Bytes of an item as DynamoDB counts them."""
    return sum(len(name.encode()) + _value(value) for name, value in item.items())


def _value(value: Mapping[str, Any]) -> int:
    ((kind, held),) = value.items()
    if kind in ("S", "SS", "NS", "N"):
        texts = [held] if isinstance(held, str) else held
        return sum(len(text.encode()) if kind in ("S", "SS") else _number(text) for text in texts)
    if kind in ("B", "BS"):
        return sum(map(len, [held] if isinstance(held, bytes) else held))
    if kind == "L":
        return 3 + sum(1 + _value(one) for one in held)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + _value(one) for name, one in held.items())
    return 1  # a truth value, or null


def _number(text: str) -> int:
    digits = text.lstrip("-").replace(".", "").strip("0")
    return 1 + math.ceil(len(digits) / 2) + text.startswith("-")


def write_units(item: Item | None) -> int:
    """Of writing an item once."""
    return max(1, math.ceil(size(item or {}) / 1024))


def read_units(items: Iterable[Item], *, consistent: bool) -> float:
    """Of reading items that lie together."""
    return max(1, math.ceil(sum(map(size, items)) / 4096)) * (1 if consistent else 0.5)


@dataclass
class Meter:
    """Adds up the units of the calls of one client.

    Attributes:
        look: Reads an item by its key, without being counted.
        calls: Operations with their units, in order.
    """

    look: Callable[[Mapping[str, Any]], Item | None]
    indexes: tuple[Index, ...]
    calls: list[tuple[str, Units]] = field(default_factory=list)

    def watch(self, events: Any) -> None:
        """See all calls of a client, by its hooks."""
        events.register("before-parameter-build.dynamodb", self._before)
        events.register("after-call.dynamodb", self._after)

    def units(self, *, heartbeats: bool) -> Units:
        """All so far, of heartbeats or of everything else."""
        chosen = [units for name, units in self.calls if (name == HEARTBEAT) == heartbeats]
        return sum(read for read, _ in chosen), sum(write for _, write in chosen)

    def _before(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["asked"] = params
        context["found"] = [self.look(key) for _, key in _written(params)]

    def _after(self, parsed: dict[str, Any], context: dict[str, Any], model: Any, **_: Any) -> None:
        asked = context["asked"]
        read = self._read(model.name, asked, parsed)
        name = HEARTBEAT if is_heartbeat(f"dynamodb.{model.name}", asked) else model.name
        self.calls.append((name, (read, self._write(model.name, asked, context["found"]))))

    def _read(self, operation: str, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
        consistent = bool(asked.get("ConsistentRead"))
        if operation == "GetItem":
            return read_units([answer.get("Item", {})], consistent=consistent)
        if operation == "Query":
            if "ProjectionExpression" in asked or answer["ScannedCount"] != answer["Count"]:
                raise NotImplementedError("What a query leaves out is paid as well, and cannot be seen here.")
            return read_units(answer["Items"], consistent=consistent)
        if operation == "BatchGetItem":
            ((table, request),) = asked["RequestItems"].items()
            found = answer["Responses"][table]
            missing: list[Item] = [{}] * (len(request["Keys"]) - len(found))
            strong = bool(request.get("ConsistentRead"))
            return sum(read_units([item], consistent=strong) for item in [*found, *missing])
        return 0

    def _write(self, operation: str, asked: Mapping[str, Any], found: list[Item | None]) -> float:
        times = 2 if operation.startswith("Transact") else 1
        units = 0
        for (verb, key), before in zip(_written(asked), found, strict=True):
            after = before if verb == "ConditionCheck" else self.look(key)
            units += max(write_units(before), write_units(after))
            units += sum(index.units(before, after) for index in self.indexes)
        return units * times


def _written(asked: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """What a call writes or checks: how, and the key."""
    if "TransactItems" in asked:
        entries = [pair for entry in asked["TransactItems"] for pair in entry.items()]
        return [(verb, _key(action)) for verb, action in entries]
    if "UpdateExpression" in asked or "Item" in asked or "ReturnValues" in asked:
        return [("Write", _key(asked))]
    return []


def _key(action: Mapping[str, Any]) -> Mapping[str, Any]:
    named: Mapping[str, Any] = action.get("Key") or action["Item"]
    return {"pk": named["pk"], "sk": named["sk"]}
