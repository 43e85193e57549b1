"""The one table: base item, indexes, transactions, and the translation of the store's errors."""

from __future__ import annotations

import base64
import json
import random
import time
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pynamodb.attributes import Attribute, DiscriminatorAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from agent_builder.aws import session
from agent_builder.errors import RaceLost, StoreError, StoreRefused

PARENT_INDEX = "by_parent"
DUE_INDEX = "due"
TTL_ATTRIBUTE = "expires_at"

_ATTEMPTS = 6
_PACK_FROM = 64 * 1024
_PACKED = "z:"
_RETRYABLE_REASONS = frozenset(
    {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded"}
)
_RETRYABLE_ERRORS = frozenset(
    {
        "TransactionConflictException",
        "TransactionInProgressException",
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "InternalServerError",
        "ServiceUnavailable",
    }
)


class PackedJSON(Attribute[Any]):
    """JSON as text; beyond 64 KB compressed, since an item holds 400 KB."""

    attr_type = "S"

    def serialize(self, value: Any) -> str:
        """Text, or `z:` and its compressed bytes in base64."""
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        if len(text) < _PACK_FROM:
            return text
        return _PACKED + base64.b64encode(zlib.compress(text.encode(), 6)).decode()

    def deserialize(self, value: str) -> Any:
        """The value again."""
        if value.startswith(_PACKED):
            value = zlib.decompress(base64.b64decode(value[len(_PACKED) :])).decode()
        return json.loads(value)


class ParentIndex(GlobalSecondaryIndex["Item"]):
    """Children of something, in time order: conversations and runs of an agent."""

    class Meta:
        index_name = PARENT_INDEX
        projection = AllProjection()

    parent_pk = UnicodeAttribute(hash_key=True)
    parent_sk = UnicodeAttribute(range_key=True)


class DueIndex(GlobalSecondaryIndex["Item"]):
    """Work that somebody must look at from `due_at` (milliseconds) on. Sparse; holds keys only."""

    class Meta:
        index_name = DUE_INDEX
        projection = KeysOnlyProjection()

    due_pk = UnicodeAttribute(hash_key=True)
    due_at = NumberAttribute(range_key=True)


class Item(Model):
    """What every stored item has. Kinds are told apart by `kind`."""

    class Meta:
        table_name = ""
        region = None
        host = None
        connect_timeout_seconds = 3
        read_timeout_seconds = 10
        max_retry_attempts = 3
        max_pool_connections = 20
        extra_headers = None
        aws_access_key_id = None
        aws_secret_access_key = None
        aws_session_token = None

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    kind = DiscriminatorAttribute()
    parent_pk = UnicodeAttribute(null=True)
    parent_sk = UnicodeAttribute(null=True)
    due_pk = UnicodeAttribute(null=True)
    due_at = NumberAttribute(null=True)
    expires_at = NumberAttribute(null=True)
    by_parent = ParentIndex()
    due = DueIndex()


def bind(table_name: str) -> None:
    """Say which table the items live in. One client serves every kind of item; it connects when it is first used."""
    if Item._connection is None or Item.Meta.table_name != table_name:
        Item.Meta.table_name = table_name
        Item._connection = None
        connection = Item._get_connection().connection
        connection._local.session = session()
        _ = connection.client  # made here, in the thread that has the session; all threads share it


def reset_connections() -> None:
    """Forget the client, for a process that was forked or restored from a snapshot."""
    Item._connection = None


@contextmanager
def translated() -> Iterator[None]:
    """Turn the store's errors into ours: a failed condition is `RaceLost`, all else `StoreError`."""
    try:
        yield
    except PynamoDBException as error:
        code = error.cause_response_code or ""
        if code == "ConditionalCheckFailedException":
            raise RaceLost("A condition no longer held.") from error
        kind = StoreRefused if code == "ValidationException" else StoreError
        raise kind(f"The table could not be used ({code or type(error).__name__}).") from error


def found_keys(
    partition: str, condition: Condition | None = None, *, index: str | None = None, limit: int
) -> list[tuple[str, str]]:
    """Keys of items of every kind, at most so many; strongly consistent where no index is read.

    `Item.query` tells items of the kinds only that this process has imported: to find work, or what is to be deleted,
    is no matter of imports.
    """
    found: list[tuple[str, str]] = []
    start: Any = None
    while len(found) < limit:
        with translated():
            page = Item._get_connection().query(
                partition,
                condition,
                index_name=index,
                limit=limit - len(found),
                attributes_to_get=["pk", "sk"] if index is None else None,  # indexes hold keys alone
                consistent_read=index is None,
                exclusive_start_key=start,
            )
        found += [(raw["pk"]["S"], raw["sk"]["S"]) for raw in page["Items"]]
        start = page.get("LastEvaluatedKey")
        if start is None:
            break
    return found


T = TypeVar("T")


def present(value: object) -> bool:
    """Whether an attribute that may be absent is there; its declared type does not say so."""
    return value is not None


ItemT = TypeVar("ItemT", bound=Item)


def get_item(kind: type[ItemT], pk: str, sk: str) -> ItemT | None:
    """One strongly consistent read; None where there is no such item."""
    with translated():
        try:
            return kind.get(pk, sk, consistent_read=True)
        except kind.DoesNotExist:
            return None


def retrying(call: Callable[[], T], *, sleep: Callable[[float], None] = time.sleep) -> T:
    """Carry out a call of the store, again with jitter where it was throttled or collided.

    Raises:
        RaceLost: Its condition failed.
        StoreError: It failed otherwise, or still after the last attempt.
    """
    attempt = 1
    while True:
        try:
            with translated():
                return call()
        except RaceLost:
            raise
        except StoreError as error:
            if attempt >= _ATTEMPTS or not _passes_by_itself(error.__cause__):
                raise
        sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 (jitter, not a secret)
        attempt += 1


def _passes_by_itself(error: BaseException | None) -> bool:
    if not isinstance(error, PynamoDBException):
        return False
    if isinstance(error, TransactWriteError) and error.cause_response_code == "TransactionCanceledException":
        codes = {reason.code for reason in error.cancellation_reasons if reason}
        return bool(codes) and codes <= _RETRYABLE_REASONS
    return error.cause_response_code in _RETRYABLE_ERRORS


@dataclass
class Transaction:
    """Several named writes that happen together or not at all.

    The store answers per write in its own order (checks, deletes, puts, updates); names keep the answers apart.
    """

    _checks: list[tuple[str, type[Item], str, str, Condition]] = field(default_factory=list)
    _deletes: list[tuple[str, Item, Condition | None]] = field(default_factory=list)
    _puts: list[tuple[str, Item, Condition | None]] = field(default_factory=list)
    _updates: list[tuple[str, Item, Sequence[Action], Condition | None]] = field(default_factory=list)

    def check(self, name: str, kind: type[Item], pk: str, sk: str, condition: Condition) -> None:
        """Require a condition of an item that is not written."""
        self._checks.append((name, kind, pk, sk, condition))

    def delete(self, name: str, item: Item, condition: Condition | None = None) -> None:
        """Delete an item."""
        self._deletes.append((name, item, condition))

    def put(self, name: str, item: Item, condition: Condition | None = None) -> None:
        """Write a whole item."""
        self._puts.append((name, item, condition))

    def update(self, name: str, item: Item, actions: Sequence[Action], condition: Condition | None = None) -> None:
        """Change an item."""
        self._updates.append((name, item, actions, condition))

    def commit(self, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """Carry it out; collisions and throttling are retried under the same token.

        Raises:
            RaceLost: Conditions failed; `failed` names them, with what stood there.
            StoreError: The table could not be used.
        """
        token = str(uuid.uuid4())
        try:
            retrying(lambda: self._send(token), sleep=sleep)
        except StoreError as error:
            failed = self._failed(error.__cause__)
            if failed:
                raise RaceLost("A condition no longer held.", failed=failed) from error.__cause__
            raise

    def _send(self, token: str) -> None:
        connection = Item._get_connection().connection
        with TransactWrite(connection=connection, client_request_token=token) as write:
            for _, kind, pk, sk, condition in self._checks:
                write.condition_check(kind, pk, sk, condition=condition)
            for _, item, condition_ in self._deletes:
                write.delete(item, condition=condition_)
            for _, item, condition_ in self._puts:
                write.save(item, condition=condition_, return_values="ALL_OLD")
            for _, item, actions, condition_ in self._updates:
                write.update(item, actions=list(actions), condition=condition_, return_values="ALL_OLD")

    def _failed(self, cause: BaseException | None) -> dict[str, Mapping[str, Any] | None]:
        if not isinstance(cause, TransactWriteError):
            return {}
        names = [entry[0] for group in (self._checks, self._deletes, self._puts, self._updates) for entry in group]
        return {
            name: reason.raw_item
            for name, reason in zip(names, cause.cancellation_reasons, strict=False)
            if reason is not None and reason.code == "ConditionalCheckFailed"
        }
