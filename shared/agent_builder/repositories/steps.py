"""The steps of a run as they are stored: whole, whatever their size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from agent_builder.messages import Cost, Usage
from agent_builder.models.conversations import Step, StepStatus
from agent_builder.repositories import keys
from agent_builder.repositories.conversations import PieceItem
from agent_builder.repositories.intake import RunItem
from agent_builder.repositories.table import Item, PackedJSON, get_item, translated

ITEM_BYTES = 300_000
_BATCH_ITEMS = 80
_BATCH_BYTES = 3_000_000


class StepItem(Item, discriminator="step"):
    """One model or tool call of a run. An item holds 400 KB: beyond, `detail` stands in `pieces` items behind it."""

    step_kind = UnicodeAttribute()
    number = NumberAttribute()
    started_at = NumberAttribute()
    duration_ms = NumberAttribute()
    status = UnicodeAttribute(default="succeeded")
    detail = PackedJSON()
    pieces = NumberAttribute(null=True)
    usage = JSONAttribute(null=True)
    cost = JSONAttribute(null=True)
    error = UnicodeAttribute(null=True)
    parent = NumberAttribute(null=True)


def step_items(tenant: str, run_id: str, steps: Iterable[Step]) -> Iterator[Item]:
    """What is stored of steps; the pieces of one stand before it, so that it is never there without them."""
    for step in steps:
        item = _step_item(tenant, run_id, step)
        texts = split(item.detail)
        if texts:
            item.detail, item.pieces = {}, len(texts)
        for number, text in enumerate(texts):
            yield PieceItem(pk=item.pk, sk=keys.step_piece(step.number, number), text=text)
        yield item


def stored_steps(tenant: str, run_id: str) -> list[Step]:
    """All steps of a run, in order; strongly consistent."""
    with translated():
        found = list(Item.query(keys.run(tenant, run_id), Item.sk.startswith("S#"), consistent_read=True))
    pieces = {item.sk: item.text for item in found if isinstance(item, PieceItem)}
    return [_step(item, pieces) for item in found if isinstance(item, StepItem)]


class StepRepository:
    """One step at a time."""

    def conversation_of(self, tenant: str, run_id: str) -> str | None:
        """The conversation of a run; None for a run that is unknown."""
        item = get_item(RunItem, keys.run(tenant, run_id), keys.HEAD)
        return item.conversation_id if item else None

    def get(self, tenant: str, run_id: str, number: int) -> Step | None:
        """A step with all its pieces; strongly consistent."""
        with translated():
            condition = Item.sk.startswith(keys.step(number))
            found = list(Item.query(keys.run(tenant, run_id), condition, consistent_read=True))
        pieces = {item.sk: item.text for item in found if isinstance(item, PieceItem)}
        return next((_step(item, pieces) for item in found if isinstance(item, StepItem)), None)


def split(value: Any) -> list[str]:
    """The texts of the pieces that hold a packed value; none where one item does."""
    packed = PackedJSON().serialize(value)
    if len(packed.encode()) <= ITEM_BYTES:
        return []
    return [packed[start : start + ITEM_BYTES] for start in range(0, len(packed), ITEM_BYTES)]


def joined(texts: Iterable[str]) -> Any:
    """The value of which these are the pieces."""
    return PackedJSON().deserialize("".join(texts))


def batches(items: Iterable[Item]) -> list[list[Item]]:
    """Items in groups that one transaction holds, in their order; the last group is empty or small enough to join."""
    groups: list[list[Item]] = [[]]
    size = 0
    for item in items:
        weight = _weight(item)
        if groups[-1] and (len(groups[-1]) >= _BATCH_ITEMS or size + weight > _BATCH_BYTES):
            groups.append([])
            size = 0
        groups[-1].append(item)
        size += weight
    return groups


def _weight(item: Item) -> int:
    """Bytes, about: what is in pieces is text without accents, a step is at most as large as a piece."""
    if isinstance(item, PieceItem):
        return len(item.text)
    return len(PackedJSON().serialize(item.detail).encode()) if isinstance(item, StepItem) else 0


def _step_item(tenant: str, run_id: str, step: Step) -> StepItem:
    return StepItem(
        pk=keys.run(tenant, run_id),
        sk=keys.step(step.number),
        step_kind=step.kind,
        number=step.number,
        started_at=step.started_at,
        duration_ms=step.duration_ms,
        status=step.status,
        detail=step.detail,
        usage=step.usage.model_dump() if step.usage else None,
        cost=step.cost.model_dump() if step.cost else None,
        error=step.error,
        parent=step.parent,
    )


def _step(item: StepItem, pieces: dict[str, str]) -> Step:
    number = int(item.number)
    detail = item.detail
    if item.pieces:
        detail = joined(pieces[keys.step_piece(number, piece)] for piece in range(int(item.pieces)))
    return Step(
        number=number,
        kind="tool" if item.step_kind == "tool" else "model",
        started_at=int(item.started_at),
        duration_ms=int(item.duration_ms),
        status=cast(StepStatus, item.status),
        detail=detail,
        usage=Usage.model_validate(item.usage) if item.usage else None,
        cost=Cost.model_validate(item.cost) if item.cost else None,
        error=item.error,
        parent=int(item.parent) if item.parent else None,
    )
