"""Settings: the only reader of the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from agent_builder.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Settings:
    """What a deployment sets.

    `TEMPLATE_VARIABLES` are set by `template.yaml` (a test compares them), `LAPTOP_VARIABLES` by the vendors' own
    conventions or the laptop runtime, and only where `provider_keys_secret` is empty.

    Attributes:
        table_name: The one DynamoDB table.
        runner_function: Name and alias of the runner, `name:alias`.
        provider_keys_secret: ARN of the Secrets Manager secret with the platform's provider keys, or empty.
        provider_keys: Provider name to API key, from the vendors' variables.
        provider_base_urls: Provider name to base URL, from the vendors' variables.
        local_model_base_url: OpenAI-compatible base URL of the embedded model, or empty.
        loopback_tools: Whether agents may call this very machine; on the laptop alone, and there only if it was said.
        private_base_urls: Whether agents may name model servers by http, on this machine and on private networks; on
            the laptop alone, and there only without signing in.
        tracing_keys: `langfuse_public_key` and the like, from Langfuse's own variables.
        credentials_keys: Keys of tenants' credentials, ARNs of KMS or paths of files; the first seals, all open.
    """

    table_name: str
    runner_function: str
    provider_keys_secret: str
    provider_keys: Mapping[str, str]
    provider_base_urls: Mapping[str, str]
    local_model_base_url: str
    credentials_keys: tuple[str, ...] = ()
    loopback_tools: bool = False
    tracing_keys: Mapping[str, str] = field(default_factory=dict)
    private_base_urls: bool = False

    TEMPLATE_VARIABLES: ClassVar[tuple[str, ...]] = (
        "TABLE_NAME",
        "RUNNER_FUNCTION",
        "PROVIDER_KEYS_SECRET",
        "CREDENTIALS_KEYS",
    )
    LAPTOP_VARIABLES: ClassVar[Mapping[str, tuple[str, str]]] = {
        "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
        "openai": ("OPENAI_API_KEY", "OPENAI_BASE_URL"),
        "google": ("GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL"),
    }
    TRACING_VARIABLES: ClassVar[tuple[str, ...]] = (
        "LANGFUSE_PUBLIC_KEY",
        "LANGFUSE_SECRET_KEY",
        "LANGFUSE_BASE_URL",
        "LANGFUSE_SAMPLE_RATE",
        "LANGFUSE_CONTENT",
    )

    @property
    def preloaded_providers(self) -> tuple[str, ...]:
        """Whose SDKs are imported before a snapshot: all, unless it is known which have a key."""
        vendors = tuple(self.LAPTOP_VARIABLES) if self.provider_keys_secret else tuple(self.provider_keys)
        return (*vendors, "openai_compatible")

    def __repr__(self) -> str:
        return f"Settings(table_name={self.table_name!r}, runner_function={self.runner_function!r})"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read and check the environment.

        Raises:
            ConfigurationError: A variable that the template must set is missing.
        """
        env = os.environ if environ is None else environ
        secret = env.get("PROVIDER_KEYS_SECRET", "")
        laptop = {} if secret else cls.LAPTOP_VARIABLES
        tracing = () if secret else cls.TRACING_VARIABLES
        return cls(
            table_name=_required(env, "TABLE_NAME"),
            runner_function=_required(env, "RUNNER_FUNCTION"),
            provider_keys_secret=secret,
            provider_keys={name: env[key] for name, (key, _) in laptop.items() if env.get(key)},
            provider_base_urls={name: env[url] for name, (_, url) in laptop.items() if env.get(url)},
            local_model_base_url=env.get("LOCAL_MODEL_BASE_URL", ""),
            credentials_keys=tuple(env.get("CREDENTIALS_KEYS", "").replace(",", " ").split()),
            tracing_keys={name.lower(): env[name] for name in tracing if env.get(name)},
            loopback_tools=not secret and env.get("LOOPBACK_TOOLS", "") == "1",
            private_base_urls=not secret and env.get("PRIVATE_BASE_URLS", "") == "1",
        )


@dataclass(frozen=True, slots=True)
class AuthorizerSettings:
    """What the authorizer is told by the template; a test compares the names.

    Attributes:
        table_name: The one DynamoDB table.
        issuer: The OIDC issuer whose tokens are accepted.
        audience: What they must be for: a client or an API of that issuer.
        tenant_claim: Claim that names a person's tenant, or empty.
        role_claim: Claim that names a person's role in that tenant, or empty.
        allowed_origins: Origins whose pages may open a WebSocket; empty where that is not limited.
    """

    table_name: str
    issuer: str
    audience: str
    tenant_claim: str
    role_claim: str
    allowed_origins: frozenset[str]

    TEMPLATE_VARIABLES: ClassVar[tuple[str, ...]] = (
        "TABLE_NAME",
        "OIDC_ISSUER",
        "OIDC_AUDIENCE",
        "TENANT_CLAIM",
        "ROLE_CLAIM",
        "ALLOWED_ORIGINS",
    )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> AuthorizerSettings:
        """Read and check the environment.

        Raises:
            ConfigurationError: There is no table, issuer or audience. Without an issuer nobody is let in.
        """
        env = os.environ if environ is None else environ
        origins = env.get("ALLOWED_ORIGINS", "").replace(",", " ").split()
        return cls(
            table_name=_required(env, "TABLE_NAME"),
            issuer=_required(env, "OIDC_ISSUER"),
            audience=_required(env, "OIDC_AUDIENCE"),
            tenant_claim=env.get("TENANT_CLAIM", ""),
            role_claim=env.get("ROLE_CLAIM", ""),
            allowed_origins=frozenset(origin.rstrip("/").lower() for origin in origins),
        )


def log_level(environ: Mapping[str, str] | None = None) -> str:
    """The least severe level that is logged: DEBUG, INFO, WARNING or ERROR; INFO where nothing else is said."""
    env = os.environ if environ is None else environ
    level = env.get("POWERTOOLS_LOG_LEVEL", "").upper()
    return level if level in ("DEBUG", "WARNING", "ERROR") else "INFO"


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value:
        raise ConfigurationError(f"The environment variable {name} is not set.")
    return value
