"""Imports of descriptions: how far they are, the description that was given, and the preview in pieces."""

from __future__ import annotations

import json
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any, cast

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from agent_builder.errors import RaceLost, StoreError
from agent_builder.jsontext import encode
from agent_builder.messages import Json
from agent_builder.models.openapi_imports import ImportStatus, OpenApiImport
from agent_builder.repositories import keys
from agent_builder.repositories.idempotency import Remembered, put_answer
from agent_builder.repositories.table import Item, PackedJSON, Transaction, get_item, present, retrying

# An item holds 400 KB; operations shrink to a tenth of their text.
PIECE_BYTES = 350_000
_GROUP_TEXT = 1_000_000
AT_ONCE = 5


class OpenApiImportItem(Item, discriminator="openapi_import"):
    """An import. Times in milliseconds, but `expires_at`."""

    agent_id = UnicodeAttribute()
    status = UnicodeAttribute()
    source = PackedJSON()
    created_at = NumberAttribute()
    created_by = UnicodeAttribute()
    updated_at = NumberAttribute()
    attempts = NumberAttribute(default=0)
    lease_until = NumberAttribute(default=0)
    preview = PackedJSON(null=True)
    error = PackedJSON(null=True)
    result = PackedJSON(null=True)


class PieceItem(Item, discriminator="openapi_piece"):
    """A piece of a description or of its preview, compressed."""

    data = BinaryAttribute(legacy_encoding=False)


class OpenImportsItem(Item, discriminator="open_imports"):
    """Imports that are not over yet, each with the time from which it counts no more, so that lost ones do not."""

    revision = NumberAttribute()
    until = PackedJSON()


class OpenApiImportRepository:
    """Access patterns: one import by id, strongly consistent; its operations from an ordinal on."""

    def get(self, tenant: str, import_id: str) -> OpenApiImport | None:
        """One strongly consistent read; None also for one that has ended, where it still lies there."""
        item = get_item(OpenApiImportItem, keys.openapi_import(tenant, import_id), keys.HEAD)
        return _import(item) if item else None

    def create(
        self,
        tenant: str,
        new: OpenApiImport,
        document: bytes,
        *,
        place_until: int,
        due_at: int,
        remember: Remembered | None,
        answer: Any,
    ) -> bool:
        """Store an import that a runner is to carry out; False where too many of the tenant are not over yet.

        Raises:
            RaceLost: `failed` has `idempotency`: the key was used before; or `open`: another one begins just now.
        """
        pk = keys.openapi_import(tenant, new.id)
        taken = get_item(OpenImportsItem, keys.open_imports(tenant), keys.HEAD)
        until = {name: end for name, end in (taken.until if taken else {}).items() if end > new.created_at}
        if len(until) >= AT_ONCE:
            return False
        self._put_pieces(pk, _document_pieces(document), new.expires_at)
        write = Transaction()
        write.put("import", _item(pk, tenant, new, due_at), OpenApiImportItem.pk.does_not_exist())
        _put_open(write, tenant, taken, {**until, new.id: place_until})
        put_answer(write, remember, answer, parent=keys.agent_answers(tenant, new.agent_id))
        write.commit()
        return True

    def claim(self, tenant: str, import_id: str, *, now: int, until: int) -> OpenApiImport | None:
        """Begin an attempt; None where somebody else is at it, or it is over."""
        item = OpenApiImportItem(pk=keys.openapi_import(tenant, import_id), sk=keys.HEAD)
        free = OpenApiImportItem.status.is_in("queued", "running") & (OpenApiImportItem.lease_until < now)
        actions: list[Action] = [
            OpenApiImportItem.status.set("running"),
            OpenApiImportItem.attempts.add(1),
            OpenApiImportItem.lease_until.set(until),
            OpenApiImportItem.updated_at.set(now),
            OpenApiImportItem.due_at.set(until),
        ]
        try:
            retrying(lambda: item.update(actions, free))
        except RaceLost:
            return None
        return _import(item)

    def renew(self, tenant: str, claimed: OpenApiImport, *, until: int) -> None:
        """Go on holding the lease of an attempt.

        Raises:
            RaceLost: Another attempt has begun.
        """
        item = OpenApiImportItem(pk=keys.openapi_import(tenant, claimed.id), sk=keys.HEAD)
        mine = (OpenApiImportItem.attempts == claimed.attempts) & (OpenApiImportItem.status == "running")
        actions: list[Action] = [OpenApiImportItem.lease_until.set(until), OpenApiImportItem.due_at.set(until)]
        retrying(lambda: item.update(actions, mine))

    def document(self, tenant: str, claimed: OpenApiImport) -> bytes:
        """The description that was given."""
        pk = keys.openapi_import(tenant, claimed.id)
        names = [keys.document_piece(number) for number in range(claimed.document_pieces)]
        return zlib.decompress(b"".join(_pieces(pk, names)))

    def store_operations(self, tenant: str, claimed: OpenApiImport, operations: Sequence[Json]) -> tuple[int, ...]:
        """Store what an attempt has read; answers the ordinals at which the pieces begin."""
        pk = keys.openapi_import(tenant, claimed.id)
        starts: list[int] = []
        first = 0
        for data, count in _grouped(operations):
            name = keys.preview_piece(claimed.attempts, len(starts))
            self._put_pieces(pk, [(name, data)], claimed.expires_at)
            starts.append(first)
            first += count
        return tuple(starts)

    def end(self, tenant: str, ended: OpenApiImport, *, now: int) -> bool:
        """Store how an attempt ended; False if another one has begun meanwhile."""
        item = OpenApiImportItem(pk=keys.openapi_import(tenant, ended.id), sk=keys.HEAD)
        mine = (OpenApiImportItem.attempts == ended.attempts) & (OpenApiImportItem.status == "running")
        preview = {"summary": ended.summary, "starts": list(ended.starts), "operations": ended.operations}
        actions: list[Action] = [
            OpenApiImportItem.status.set(ended.status),
            OpenApiImportItem.updated_at.set(now),
            OpenApiImportItem.due_pk.remove(),
            OpenApiImportItem.due_at.remove(),
            OpenApiImportItem.error.set(ended.error) if ended.error else OpenApiImportItem.preview.set(preview),
        ]
        try:
            retrying(lambda: item.update(actions, mine))
        except RaceLost:
            return False
        self._leave(tenant, ended.id)
        return True

    def operations(self, tenant: str, ready: OpenApiImport, *, first: int = 0, count: int | None = None) -> list[Json]:
        """Operations from an ordinal on, in the order of the description."""
        last = ready.operations if count is None else min(first + count, ready.operations)
        if first >= last:
            return []
        pieces = range(bisect_right(ready.starts, first) - 1, bisect_right(ready.starts, last - 1))
        pk = keys.openapi_import(tenant, ready.id)
        names = [keys.preview_piece(ready.attempts, number) for number in pieces]
        found = [one for data in _pieces(pk, names) for one in json.loads(zlib.decompress(data))]
        start = ready.starts[pieces[0]]
        return found[first - start : last - start]

    def applied(
        self, tenant: str, ready: OpenApiImport, result: Json, *, now: int, remember: Remembered | None
    ) -> None:
        """Note what was made of it, also under its key.

        Raises:
            RaceLost: `failed` has `idempotency`: the key was used before.
        """
        item = OpenApiImportItem(pk=keys.openapi_import(tenant, ready.id), sk=keys.HEAD)
        actions: list[Action] = [
            OpenApiImportItem.status.set("applied"),
            OpenApiImportItem.updated_at.set(now),
            OpenApiImportItem.result.set(result),
        ]
        write = Transaction()
        write.update("import", item, actions, OpenApiImportItem.status.is_in("ready", "applied"))
        put_answer(write, remember, result, parent=keys.agent_answers(tenant, ready.agent_id))
        write.commit()

    def _leave(self, tenant: str, import_id: str) -> None:
        """Free the place of one that is over; should that fail, it frees itself after a while."""
        for _ in range(10):
            taken = get_item(OpenImportsItem, keys.open_imports(tenant), keys.HEAD)
            if taken is None or import_id not in taken.until:
                return None
            write = Transaction()
            _put_open(write, tenant, taken, {name: end for name, end in taken.until.items() if name != import_id})
            try:
                return write.commit()
            except RaceLost:
                continue
        return None

    def _put_pieces(self, pk: str, pieces: Iterable[tuple[str, bytes]], expires_at: int) -> None:
        for name, data in pieces:
            item = PieceItem(pk=pk, sk=name, data=data, expires_at=expires_at // 1000)
            retrying(item.save)


def pieces_of_document(document: bytes) -> int:
    """How many items a description takes."""
    return len(_document_pieces(document))


def _document_pieces(document: bytes) -> list[tuple[str, bytes]]:
    packed = zlib.compress(document) if document else b""
    parts = [packed[start : start + PIECE_BYTES] for start in range(0, len(packed), PIECE_BYTES)]
    return [(keys.document_piece(number), part) for number, part in enumerate(parts)]


def _grouped(operations: Sequence[Json]) -> Iterable[tuple[bytes, int]]:
    """Operations in compressed groups, each with its count."""
    group: list[str] = []
    size = 0
    for text in map(encode, operations):
        if group and size + len(text) > _GROUP_TEXT:
            yield from _packed(group)
            group, size = [], 0
        group.append(text)
        size += len(text)
    if group:
        yield from _packed(group)


def _packed(group: list[str]) -> Iterable[tuple[bytes, int]]:
    data = zlib.compress(f"[{','.join(group)}]".encode())
    if len(data) <= PIECE_BYTES or len(group) == 1:
        yield data, len(group)
        return
    half = len(group) // 2
    yield from _packed(group[:half])
    yield from _packed(group[half:])


def _pieces(pk: str, names: Sequence[str]) -> list[bytes]:
    found: list[bytes] = []
    for name in names:
        item = get_item(PieceItem, pk, name)
        if item is None:
            raise StoreError("A part of this import is gone; import the description again.")
        found.append(bytes(item.data))
    return found


def _put_open(write: Transaction, tenant: str, taken: OpenImportsItem | None, until: Json) -> None:
    revision = int(taken.revision) if taken else 0
    item = OpenImportsItem(pk=keys.open_imports(tenant), sk=keys.HEAD, revision=revision + 1, until=until)
    unchanged = OpenImportsItem.revision == revision if taken else OpenImportsItem.pk.does_not_exist()
    write.put("open", item, unchanged)


def _item(pk: str, tenant: str, new: OpenApiImport, due_at: int) -> OpenApiImportItem:
    return OpenApiImportItem(
        pk=pk,
        sk=keys.HEAD,
        agent_id=new.agent_id,
        status=new.status,
        source={
            "url": new.url,
            "credential_id": new.credential_id,
            "integration_id": new.integration_id,
            "reimport": new.reimport,
            "document_pieces": new.document_pieces,
        },
        created_at=new.created_at,
        created_by=new.created_by,
        updated_at=new.updated_at,
        expires_at=new.expires_at // 1000,
        parent_pk=keys.agent_imports(tenant, new.agent_id),
        parent_sk=new.id,
        due_pk=keys.due(pk),
        due_at=due_at,
    )


def _import(item: OpenApiImportItem) -> OpenApiImport:
    preview: Json = item.preview if present(item.preview) else {}
    return OpenApiImport(
        id=keys.id_of(item.pk),
        agent_id=item.agent_id,
        status=cast(ImportStatus, item.status),
        **item.source,
        created_at=int(item.created_at),
        created_by=item.created_by,
        updated_at=int(item.updated_at),
        expires_at=int(cast(Any, item.expires_at)) * 1000,
        attempts=int(item.attempts or 0),
        summary=preview.get("summary"),
        starts=tuple(preview.get("starts", ())),
        operations=preview.get("operations", 0),
        error=item.error if present(item.error) else None,
        result=item.result if present(item.result) else None,
    )
