"""Answers to creations that came with an `Idempotency-Key`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from agent_builder.repositories import keys
from agent_builder.repositories.table import Item, PackedJSON, Transaction, get_item


class IdempotencyItem(Item, discriminator="idempotency"):
    """The answer that was given under a key, and the digest of the request it belongs to."""

    fingerprint = UnicodeAttribute()
    answer = PackedJSON()


@dataclass(frozen=True, slots=True)
class Remembered:
    """What an `Idempotency-Key` stands for. `now` and `expires_at` are in seconds."""

    pk: str
    fingerprint: str
    now: int
    expires_at: int


def put_answer(write: Transaction, remember: Remembered | None, answer: Any, *, parent: str | None = None) -> None:
    """Have an answer remembered by the transaction that creates what it shows; `idempotency` fails for a used key.

    Args:
        parent: Index partition by which the answer is found when what it shows is deleted.
    """
    if remember is None:
        return
    item = IdempotencyItem(
        pk=remember.pk,
        sk=keys.HEAD,
        fingerprint=remember.fingerprint,
        answer=answer,
        expires_at=remember.expires_at,
        parent_pk=parent,
        parent_sk=keys.HEAD if parent else None,
    )
    write.put("idempotency", item, IdempotencyItem.pk.does_not_exist() | (IdempotencyItem.expires_at < remember.now))


def forget_answer(write: Transaction, pk: str | None) -> None:
    """Have an answer forgotten by the transaction that deletes what it shows."""
    if pk is not None:
        write.delete("answer", IdempotencyItem(pk=pk, sk=keys.HEAD))


def remembered(pk: str, *, now: int = 0) -> tuple[str, Any] | None:
    """Fingerprint and answer under a key, unless it was forgotten by `now`, in seconds."""
    item = get_item(IdempotencyItem, pk, keys.HEAD)
    return (item.fingerprint, item.answer) if item and (item.expires_at or 0) >= now else None
