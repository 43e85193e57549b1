"""Opens what tenants sealed. The runner's side; what was opened is kept for a minute."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, get_args

from agent_builder.clock import Clock, now_ms
from agent_builder.errors import RaceLost
from agent_builder.jsontext import encode
from agent_builder.messages import Json
from agent_builder.models.credentials import Credential, KeyProvider
from agent_builder.models.places import Place
from agent_builder.repositories.credentials import CredentialRepository

if TYPE_CHECKING:
    from agent_builder.crypto import Envelopes

KEPT_MS = 60_000
PROVIDERS = frozenset(get_args(KeyProvider))
_MOST = 500
_ATTEMPTS = 3


@dataclass
class Secrets:
    """Secrets and tokens of any tenant.

    Attributes:
        envelopes: Makes what seals and opens.
    """

    credentials: CredentialRepository
    envelopes: Callable[[], Envelopes]
    clock: Clock = now_ms
    _opened: dict[tuple[Place, bytes], tuple[int, Json]] = field(default_factory=dict, repr=False)
    _keys: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict, repr=False)

    async def secret(self, tenant: str, credential: Credential) -> Json:
        """What somebody entered. Raises SecretUnreadable, SecretsUnavailable."""
        return await self.opened(Place(tenant, credential.id, "secret"), credential.sealed)

    async def tokens(self, tenant: str, credential: Credential) -> Json:
        """`access_token` and `refresh_token`; nothing where there are none."""
        if not credential.tokens.sealed:
            return {}
        return await self.opened(Place(tenant, credential.id, "token"), credential.tokens.sealed)

    async def opened(self, place: Place, sealed: bytes) -> Json:
        """The plain content of an envelope. Raises SecretUnreadable, SecretsUnavailable."""
        now = self.clock()
        kept = self._opened.get((place, sealed))
        if kept is None or kept[0] < now:
            plain = await asyncio.to_thread(lambda: self.envelopes().open(sealed, place))
            kept = (now + KEPT_MS, json.loads(plain))
            self._forget(now)
            self._opened[place, sealed] = kept
        return kept[1]

    async def sealed(self, place: Place, plain: Json) -> bytes:
        """An envelope of it. Raises SecretsUnavailable."""
        return await asyncio.to_thread(lambda: self.envelopes().seal(encode(plain).encode(), place))

    async def provider_key(self, tenant: str, provider: str) -> str:
        """The tenant's own key of a model provider; empty where it has none. As it was at most a minute ago.

        Raises:
            StoreError, SecretUnreadable, SecretsUnavailable
        """
        if provider not in PROVIDERS:
            return ""
        now = self.clock()
        kept = self._keys.get((tenant, provider))
        if kept is None or kept[0] < now:
            credential = await asyncio.to_thread(self.credentials.provider_key, tenant, provider)
            key = str((await self.secret(tenant, credential))["value"]) if credential else ""
            if len(self._keys) >= _MOST:
                self._keys.clear()
            kept = self._keys[tenant, provider] = (now + KEPT_MS, key)
        return kept[1]

    def reseal(self, tenant: str) -> int:
        """Put what another key sealed under the one that seals now, for a whole tenant; how many credentials moved."""
        moved, after = 0, None
        while True:
            page, after = self.credentials.page(tenant, limit=100, before=after)
            moved += sum(self._moved(tenant, credential) for credential in page)
            if after is None:
                return moved

    def _moved(self, tenant: str, credential: Credential | None) -> bool:
        for _ in range(_ATTEMPTS):
            if credential is None or credential.key_id == self.envelopes().key_id:
                return False
            secret = self._under_the_new_key(Place(tenant, credential.id, "secret"), credential.sealed)
            tokens = self._under_the_new_key(Place(tenant, credential.id, "token"), credential.tokens.sealed)
            try:
                key_id = self.envelopes().key_id
                self.credentials.reseal(tenant, credential, sealed=secret, tokens=tokens, key_id=key_id)
            except RaceLost:
                credential = self.credentials.get(tenant, credential.id)
                continue
            return True
        return False

    def _under_the_new_key(self, place: Place, sealed: bytes) -> bytes:
        return self.envelopes().seal(self.envelopes().open(sealed, place), place) if sealed else b""

    def _forget(self, now: int) -> None:
        for key in [key for key, (until, _) in self._opened.items() if until < now]:
            del self._opened[key]
        if len(self._opened) >= _MOST:
            self._opened.clear()
