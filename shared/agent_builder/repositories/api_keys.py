"""API keys as their owners see them; what sign-in reads lies beside, under the hash of the key."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UnicodeSetAttribute

from agent_builder.errors import RaceLost
from agent_builder.models.identity import Permission
from agent_builder.models.principals import ApiKey
from agent_builder.repositories import keys
from agent_builder.repositories.idempotency import Remembered, forget_answer, put_answer
from agent_builder.repositories.principals import ApiKeyItem
from agent_builder.repositories.table import Item, Transaction, get_item, present, retrying, translated

_KEPT_SECONDS = 90 * 24 * 3600


class ApiKeyRecordItem(Item, discriminator="api_key_record"):
    """What people see of a key. Times in milliseconds; `ends_at` in seconds."""

    hash = UnicodeAttribute()
    name = UnicodeAttribute()
    prefix = UnicodeAttribute()
    scopes: UnicodeSetAttribute = UnicodeSetAttribute()
    created_at = NumberAttribute()
    created_by = UnicodeAttribute()
    ends_at = NumberAttribute(null=True)
    last_used_at = NumberAttribute(null=True)
    answer_pk = UnicodeAttribute(null=True)


class ApiKeyRepository:
    """Access patterns: a tenant's keys newest first; one by id."""

    def create(self, key: ApiKey, key_hash: str, *, remember: Remembered | None, answer: Any) -> None:
        """Store a key: from now on it is let in.

        Raises:
            RaceLost: `failed` has `idempotency`: the Idempotency-Key was used before.
        """
        write = Transaction()
        access = ApiKeyItem(
            pk=keys.api_keys(key.tenant),
            sk=key_hash,
            key_id=key.id,
            name=key.name,
            prefix=key.prefix,
            scopes=set(key.scopes),
            ends_at=key.expires_at,
            expires_at=key.expires_at,
        )
        record = ApiKeyRecordItem(
            pk=keys.api_key_records(key.tenant),
            sk=key.id,
            hash=key_hash,
            name=key.name,
            prefix=key.prefix,
            scopes=set(key.scopes),
            created_at=key.created_at_ms,
            created_by=key.created_by,
            answer_pk=remember.pk if remember else None,
            ends_at=key.expires_at,
            expires_at=None if key.expires_at is None else key.expires_at + _KEPT_SECONDS,
        )
        write.put("access", access, ApiKeyItem.pk.does_not_exist())
        write.put("record", record, ApiKeyRecordItem.pk.does_not_exist())
        put_answer(write, remember, answer)
        write.commit()

    def page(self, tenant: str, *, limit: int, before: str | None) -> tuple[list[ApiKey], str | None]:
        """Newest first; `before` and the returned cursor are ids."""
        condition = ApiKeyRecordItem.sk < before if before else None
        with translated():
            results = ApiKeyRecordItem.query(
                keys.api_key_records(tenant),
                condition,
                scan_index_forward=False,
                consistent_read=True,
                limit=limit + 1,
            )
            page = [_key(tenant, item) for item in results]
        return page[:limit], page[limit - 1].id if len(page) > limit else None

    def delete(self, tenant: str, key_id: str) -> bool:
        """Take a key back: from now on it is unknown. False if it is already."""
        record = get_item(ApiKeyRecordItem, keys.api_key_records(tenant), key_id)
        if record is None:
            return False
        write = Transaction()
        write.delete("access", ApiKeyItem(pk=keys.api_keys(tenant), sk=record.hash))
        write.delete("record", record, ApiKeyRecordItem.pk.exists())
        forget_answer(write, record.answer_pk)
        try:
            write.commit()
        except RaceLost:
            return False
        return True

    def used(self, tenant: str, key_id: str, *, now: int) -> None:
        """Note when a key was last used; nothing where it is gone."""
        item = ApiKeyRecordItem(pk=keys.api_key_records(tenant), sk=key_id)
        try:
            retrying(lambda: item.update([ApiKeyRecordItem.last_used_at.set(now)], ApiKeyRecordItem.pk.exists()))
        except RaceLost:
            return


def _key(tenant: str, item: ApiKeyRecordItem) -> ApiKey:
    scopes: frozenset[Permission] = frozenset(item.scopes)  # type: ignore[arg-type]
    return ApiKey(
        id=item.sk,
        tenant=tenant,
        subject=item.sk,
        scopes=scopes,
        expires_at=int(item.ends_at) if present(item.ends_at) else None,
        revoked_at=None,
        prefix=item.prefix,
        name=item.name,
        last_used_at=int(item.last_used_at) // 1000 if present(item.last_used_at) else None,
        created_at_ms=int(item.created_at),
        created_by=item.created_by,
    )
