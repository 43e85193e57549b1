"""`Idempotency-Key`: a creation that is asked for twice happens once."""

from __future__ import annotations

import hashlib
from typing import Any

from agent_builder.errors import IdempotencyMismatch, RaceLost, StoreError
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


def earlier_result(remember: Remembered | None) -> Json | None:
    """The answer that was given under the key before; None where it is new.

    Raises:
        IdempotencyMismatch: The key was used with another body.
    """
    if remember is None or remembered(remember.pk) is None:
        return None
    return earlier_answer(remember, RaceLost(failed={"idempotency": None}))


def earlier_answer(remember: Remembered | None, race: RaceLost) -> Json:
    """The answer that was given under the key, where that is why a creation failed.

    Raises:
        IdempotencyMismatch: The key was used with another body.
        StoreError: It failed otherwise.
    """
    found = remembered(remember.pk) if remember and "idempotency" in race.failed else None
    if remember is None or found is None:
        raise StoreError("This could not be stored; try again.") from race
    if found[0] != remember.fingerprint:
        raise IdempotencyMismatch("This Idempotency-Key was used with another body; use a new key.") from None
    return dict(found[1])
