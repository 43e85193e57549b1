"""API keys of a tenant: made, listed, taken back."""

from __future__ import annotations

from dataclasses import dataclass

from agent_builder.clock import Clock, now_ms, rfc3339
from agent_builder.errors import AgentBuilderError, Forbidden, NotFound, RaceLost
from agent_builder.ids import new_id, require_id
from agent_builder.messages import Json
from agent_builder.models.identity import PERMISSIONS, Identity, Permission
from agent_builder.models.principals import ApiKey, new_api_key
from agent_builder.realtime.doorbell import Doorbell
from agent_builder.repositories.api_keys import ApiKeyRepository
from agent_builder.services.idempotency import earlier_answer, remembering
from agent_builder.services.limits import LimitService

_DAY_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class ApiKeyService:
    """Keys of the caller's tenant."""

    repository: ApiKeyRepository
    doorbell: Doorbell
    limits: LimitService
    clock: Clock = now_ms

    def create(
        self,
        identity: Identity,
        name: str,
        scopes: frozenset[Permission],
        *,
        expires_in_days: int | None,
        idempotency_key: str | None = None,
    ) -> Json:
        """Make a key. The answer is the only one that shows it: null where an Idempotency-Key repeats it.

        What a key makes ends no later than itself.

        Raises:
            Forbidden: A scope is wanted that the caller has not.
            Conflict: The tenant has as many keys as it may have.
            IdempotencyMismatch: The Idempotency-Key was used with another body.
        """
        for scope in sorted(scopes - identity.permissions):
            raise Forbidden(f"A key cannot have the scope `{scope}`, which you have not.")
        now, secret = self.clock(), new_api_key(identity.tenant)
        key_id = new_id("key")
        key = ApiKey(
            id=key_id,
            tenant=identity.tenant,
            subject=key_id,
            scopes=scopes,
            expires_at=_end(identity, expires_in_days, now // 1000),
            revoked_at=None,
            prefix=secret.prefix,
            name=name,
            created_at_ms=now,
            created_by=identity.subject,
        )
        view = api_key_view(key)
        body = [name, sorted(scopes), expires_in_days]
        remember = remembering(identity, "POST /api-keys", body, idempotency_key, now=now)
        try:
            self.repository.create(key, secret.hash, remember=remember, answer={**view, "key": None})
        except RaceLost as race:
            return earlier_answer(remember, race)
        try:
            self.limits.api_key(identity.tenant, key_id, key.expires_at)
        except AgentBuilderError:
            self.repository.delete(identity.tenant, key_id)  # nobody has been told its secret
            raise
        return {**view, "key": secret.text}

    def page(self, identity: Identity, *, limit: int, after: str | None) -> tuple[list[Json], str | None]:
        """The tenant's keys, newest first, without their secrets."""
        found, following = self.repository.page(identity.tenant, limit=limit, before=after)
        return [api_key_view(key) for key in found], following

    def revoke(self, identity: Identity, key_id: str) -> None:
        """Take a key back at once, and close the connections that were opened with it.

        Raises:
            NotFound: Unknown, foreign or revoked; what it may still have open is closed all the same.
            StoreError: Its connections are still open: do it again.
        """
        found = self.repository.delete(identity.tenant, require_id("key", key_id, "API key"))
        self.doorbell.insist("disconnect", tenant_id=identity.tenant, subject=key_id)
        self.limits.end_api_key(identity.tenant, key_id)
        if not found:
            raise NotFound("There is no API key with this id.")

    def used(self, identity: Identity) -> None:
        """Note that the caller's key was used."""
        self.repository.used(identity.tenant, identity.key_id, now=self.clock())


def _end(identity: Identity, days: int | None, now: int) -> int | None:
    """When a new key ends, in seconds; None if it does not."""
    wanted = None if days is None else now + days * _DAY_SECONDS
    if not (identity.key_id and identity.expires_at):
        return wanted
    return identity.expires_at if wanted is None else min(wanted, identity.expires_at)


def api_key_view(key: ApiKey) -> Json:
    """A key as people see it."""
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": [scope for scope in PERMISSIONS if scope in key.scopes],
        "created_at": rfc3339(key.created_at_ms),
        "created_by": key.created_by,
        "expires_at": None if key.expires_at is None else rfc3339(key.expires_at * 1000),
        "last_used_at": None if key.last_used_at is None else rfc3339(key.last_used_at * 1000),
    }
