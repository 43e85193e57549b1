"""`Idempotency-Key`: a creation that is asked for twice happens once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from agent_builder.errors import CallerError, IdempotencyMismatch, RaceLost, StoreError
from agent_builder.jsontext import encode
from agent_builder.messages import Json
from agent_builder.models.identity import Identity
from agent_builder.repositories import keys
from agent_builder.repositories.idempotency import Remembered, remembered

IDEMPOTENCY_SECONDS = 24 * 3600


def remembering(identity: Identity, route: str, body: Any, key: str | None, *, now: int) -> Remembered | None:
    """What to remember of a creation; None without a key. `now` is in milliseconds."""
    if key is None:
        return None
    return Remembered(
        pk=keys.idempotency(identity.tenant, identity.subject, route, key),
        fingerprint=hashlib.sha256(encode(body).encode()).hexdigest(),
        now=now // 1000,
        expires_at=now // 1000 + IDEMPOTENCY_SECONDS,
    )


def once(remember: Remembered | None, act: Callable[[], Json]) -> Json:
    """The answer that was given under the key; else `act`, which has its answer remembered as it stores something.

    For creations that the first one would stand in the way of, as where names are unique: who comes again must not be
    told so.

    Raises:
        IdempotencyMismatch: The key was used with another body.
        StoreError: Another request with the key came to nothing at this moment.
    """
    earlier = earlier_result(remember)
    if earlier is not None:
        return earlier
    try:
        return act()
    except RaceLost as race:
        return earlier_answer(remember, race)
    except CallerError:
        earlier = earlier_result(remember)
        if earlier is None:
            raise
        return earlier


def earlier_result(remember: Remembered | None) -> Json | None:
    """The answer that was given under the key before; None where it is new.

    Raises:
        IdempotencyMismatch: The key was used with another body.
    """
    found = remembered(remember.pk, now=remember.now) if remember else None
    return _same(remember, found) if remember and found else None


def earlier_answer(remember: Remembered | None, race: RaceLost) -> Json:
    """The answer that was given under the key, where that is why a creation failed.

    Raises:
        IdempotencyMismatch: The key was used with another body.
        StoreError: It failed otherwise.
    """
    found = remembered(remember.pk) if remember and "idempotency" in race.failed else None
    if remember is None or found is None:
        raise StoreError("This could not be stored; try again.") from race
    return _same(remember, found)


def _same(remember: Remembered, found: tuple[str, Any]) -> Json:
    if found[0] != remember.fingerprint:
        raise IdempotencyMismatch("This Idempotency-Key was used with another body; use a new key.") from None
    return dict(found[1])
