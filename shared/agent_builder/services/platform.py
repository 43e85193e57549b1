"""The platform's provider keys: read by the runner alone; everybody else sees which providers have one."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agent_builder.clock import Clock, now_ms, rfc3339
from agent_builder.errors import ConfigurationError, StoreError
from agent_builder.messages import Json
from agent_builder.realtime.doorbell import Doorbell
from agent_builder.repositories.platform import PlatformRepository

logger = logging.getLogger(__name__)

KEY_CACHE_SECONDS = 60.0
STATUS_FRESH_MS = 60_000


class SecretKeys:
    """Provider keys from one Secrets Manager secret: a JSON object of provider name to key.

    Args:
        fetch: Answers the secret's text.
    """

    def __init__(self, fetch: Callable[[], str]) -> None:
        self._fetch = fetch
        self._keys: Mapping[str, str] = {}
        self._read_at = float("-inf")

    def __call__(self) -> Mapping[str, str]:
        """The keys, read again after a minute.

        Raises:
            ConfigurationError: The secret is not a JSON object of strings.
        """
        if time.monotonic() - self._read_at > KEY_CACHE_SECONDS:
            self._keys = _parsed(self._fetch())
            self._read_at = time.monotonic()
        return self._keys


def _parsed(text: str) -> Mapping[str, str]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value.values()):
        raise ConfigurationError('The provider keys secret must be JSON like {"anthropic": "sk-…"}.')
    return {name: key for name, key in value.items() if key}


@dataclass(frozen=True, slots=True)
class ProviderStatus:
    """Runner's side: sees the keys, stores the names."""

    repository: PlatformRepository
    configured: Callable[[], Mapping[str, bool]]
    clock: Clock = now_ms

    def check(self) -> list[str]:
        """Look which providers can be used, and store that."""
        names = sorted(name for name, usable in self.configured().items() if usable)
        self.repository.save_provider_status(names, now=self.clock())
        return names


@dataclass(frozen=True, slots=True)
class ModelListing:
    """REST's side: the catalogue, and which providers are configured as the runner last saw it.

    Attributes:
        catalogue: The known models; it informs and never forbids.
    """

    repository: PlatformRepository
    doorbell: Doorbell
    catalogue: Callable[[], list[Any]]
    clock: Clock = now_ms

    def models(self) -> Json:
        """`{providers: [{id, configured, models}], checked_at}`; `configured` is null where nobody could look."""
        configured, checked_at = self._status()
        providers: dict[str, list[Json]] = {}
        for entry in self.catalogue():
            view = entry.model_dump(mode="json")
            providers.setdefault(view.pop("provider"), []).append(view)
        providers.setdefault("openai_compatible", [])
        return {
            "providers": [
                {"id": name, "configured": None if configured is None else name in configured, "models": models}
                for name, models in providers.items()
            ],
            "checked_at": rfc3339(checked_at) if checked_at else None,
        }

    def _status(self) -> tuple[list[str] | None, int | None]:
        stored = self.repository.provider_status()
        if stored is None:
            try:
                return list(self.doorbell.ask("provider_status")["configured"]), self.clock()
            except (StoreError, KeyError):
                logger.warning("the runner could not say which providers are configured")
                return None, None
        if self.clock() - stored[1] > STATUS_FRESH_MS:
            self.doorbell.ring("provider_status")
        return stored
