"""Which provider answers to which name. Adapters, and with them the vendors' SDKs, are imported when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from urllib.parse import urlsplit

import httpx2

from agent_builder.errors import ProviderError
from agent_builder.providers.base import Provider

NAMES = ("anthropic", "openai", "openai_compatible", "google", "local", "scripted")
_VENDORS = {"anthropic": "Anthropic", "openai": "OpenAI", "google": "Google"}
_VARIABLES = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY", "google": "GEMINI_API_KEY"}


class ProviderRegistry:
    """Makes providers; they are cheap and live as long as one call.

    Args:
        keys: Returns the platform's keys by provider name; called anew each time, so that it may cache and rotate.
        base_urls: The operator's own addresses by provider name; a vendor's public one where there is none.
        local_model_base_url: The embedded model's, ending in `/v1`; None where there is none.
    """

    def __init__(
        self,
        keys: Callable[[], Mapping[str, str]],
        base_urls: Mapping[str, str] | None = None,
        local_model_base_url: str | None = None,
    ) -> None:
        self._keys = keys
        self._base_urls = base_urls or {}
        self._local_model_base_url = local_model_base_url
        self._scripted: Provider | None = None

    def get(
        self,
        provider: str,
        base_url: str | None = None,
        *,
        own_key: str = "",
        guarded: Callable[[], httpx2.AsyncClient] | None = None,
    ) -> Provider:
        """The provider of that name.

        Args:
            provider: One of `NAMES`.
            base_url: The agent's own address. The platform's key is never sent to one that the operator did not
                configure, so only `openai_compatible` takes it.
            own_key: The tenant's own key of that vendor, used in the place of the platform's; empty for none.
            guarded: Makes the client that reaches addresses which the operator did not configure.

        Raises:
            ProviderError: `auth` when no key is configured, `invalid_request` when the name or address cannot be used.
        """
        if provider == "scripted":
            return self._scripted_provider()
        if provider == "local":
            return self._local()
        if provider == "openai_compatible":
            return self._compatible(base_url, guarded)
        if provider not in _VENDORS:
            raise ProviderError("invalid_request", f"Unknown provider; it is one of {', '.join(NAMES)}.")
        if base_url and base_url != self._base_urls.get(provider):
            detail = f"`base_url` works with provider `openai_compatible`, not with `{provider}`."
            raise ProviderError("invalid_request", detail)
        key = _checked(provider, own_key) or self._key(provider)
        return _vendor(provider, key, self._base_urls.get(provider))

    def configured(self) -> dict[str, bool]:
        """Which providers could answer now."""
        keys = self._keys()
        usable = {name: bool(keys.get(name)) for name in _VENDORS}
        local = self._local_model_base_url is not None
        return usable | {"openai_compatible": True, "local": local, "scripted": True}

    def _key(self, provider: str) -> str:
        key = self._key_or_none(provider)
        if key is None:
            raise ProviderError(
                "auth",
                f"No API key is configured for {_VENDORS[provider]}: set {_VARIABLES[provider]} (on AWS: the provider"
                f' keys secret, as "{provider}"), or choose provider `local`, which needs none.',
            )
        return key

    def _key_or_none(self, provider: str) -> str | None:
        return _checked(provider, self._keys().get(provider) or "") or None

    def _scripted_provider(self) -> Provider:
        from agent_builder.providers.scripted import Scripted

        self._scripted = self._scripted or Scripted()
        return self._scripted

    def _local(self) -> Provider:
        if self._local_model_base_url is None:
            raise ProviderError("unavailable", "No embedded model runs here; choose another provider.", retryable=False)
        from agent_builder.providers.openai_chat import OpenAIChat

        return OpenAIChat(self._local_model_base_url, name="local")

    def _compatible(self, base_url: str | None, guarded: Callable[[], httpx2.AsyncClient] | None) -> Provider:
        from agent_builder.providers.openai_chat import OpenAIChat

        own = self._base_urls.get("openai_compatible")
        if not base_url and not own:
            raise ProviderError("invalid_request", "Provider `openai_compatible` needs a `base_url`.")
        if not base_url or base_url == own:
            return OpenAIChat(own or "", self._key_or_none("openai_compatible"))
        _check(base_url)
        if guarded is None:
            raise ProviderError("invalid_request", "Servers that the operator did not configure cannot be used here.")
        return OpenAIChat(base_url, client=guarded())


def preload(providers: Iterable[str]) -> None:
    """Import these providers' SDKs and make the TLS context; opens nothing (before a SnapStart snapshot)."""
    for provider in providers:
        if provider == "anthropic":
            from agent_builder.providers import anthropic_messages as adapter
        elif provider == "openai":
            from agent_builder.providers import openai_responses as adapter  # type: ignore[no-redef]
        elif provider in ("openai_compatible", "local"):
            from agent_builder.providers import openai_chat as adapter  # type: ignore[no-redef]
        elif provider == "google":
            from agent_builder.providers import google_genai as adapter  # type: ignore[no-redef]
        else:
            continue
        adapter.preload()


def _checked(provider: str, key: str) -> str:
    key = key.strip()
    if not all("!" <= character <= "~" for character in key):
        raise ProviderError("auth", f"The API key configured for `{provider}` holds characters that no key has.")
    return key


def _vendor(provider: str, key: str, base_url: str | None) -> Provider:
    if provider == "anthropic":
        from agent_builder.providers.anthropic_messages import AnthropicMessages

        return AnthropicMessages(key, base_url)
    if provider == "google":
        from agent_builder.providers.google_genai import GoogleGenAI

        return GoogleGenAI(key, base_url)
    from agent_builder.providers.openai_responses import OpenAIResponses

    return OpenAIResponses(key, base_url)


def _check(base_url: str) -> None:
    """Refuse what is no address. Where it leads is for the tenant's guards to check, when it is connected to."""
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        raise ProviderError("invalid_request", "`base_url` must be an http or https address such as https://host/v1.")
