"""What the person at the keyboard decides: options of the command line, and the environment variables behind them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local import launchers
from local.packages import PROJECT

LOOPBACK = "127.0.0.1"
PORT = 8787
_EXAMPLE = Path(__file__).with_name("example_agent.json")
# The vendors' own names, so that what a user has set already works. They go to functions that use the secret of the
# template, which stands for the same keys on AWS.
KEY_VARIABLES = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY")
BASE_URL_VARIABLES = ("ANTHROPIC_BASE_URL", "OPENAI_BASE_URL", "GOOGLE_GEMINI_BASE_URL")
TRACING_VARIABLES = (
    "LANGFUSE_PUBLIC_KEY",
    "LANGFUSE_SECRET_KEY",
    "LANGFUSE_BASE_URL",
    "LANGFUSE_SAMPLE_RATE",
    "LANGFUSE_CONTENT",
)
MODEL_VARIABLE = "LOCAL_MODEL_BASE_URL"
# How the authorizer is told whom to believe. Where the first is not set, a local OIDC server takes its place.
ISSUER_VARIABLES = ("OIDC_ISSUER", "OIDC_AUDIENCE", "TENANT_CLAIM", "ROLE_CLAIM")
# The client of that issuer that the console signs people in with; not set, the audience is one.
CLIENT_VARIABLE = "OIDC_CLIENT_ID"
# Development only: functions may call this very machine, where they otherwise call public addresses alone.
LOOPBACK_VARIABLE = "LOOPBACK_TOOLS"
# Set where nobody signs in, so that there is one person: agents may name model servers of the home network.
PRIVATE_VARIABLE = "PRIVATE_BASE_URLS"
IDENTITY = {"tenant_id": "local", "subject": "local-user", "roles": "owner"}


@dataclass(frozen=True)
class Settings:
    """All choices of one start. `function_variables` are added to the environment of every function."""

    port: int = PORT
    host: str = LOOPBACK
    data: Path = PROJECT / ".local"
    template: Path = PROJECT / "template.yaml"
    static: Path = PROJECT / "web" / "console" / "out"
    artifacts: bool = False
    model: bool = True
    example: Path | None = _EXAMPLE
    runtime: str = launchers.DEFAULT
    region: str = "us-east-1"
    spares: int = 2
    environments: int = 64
    retry_delays: tuple[float, ...] = (2.0, 16.0)
    allowed_origins: frozenset[str] = frozenset()
    provider_variables: Mapping[str, str] = field(default_factory=dict)
    function_variables: Mapping[str, str] = field(default_factory=dict)
    access_key: str = field(default_factory=lambda: f"LOCAL{secrets.token_hex(12).upper()}")
    token: str | None = None
    auth: bool = False
    issuer_variables: Mapping[str, str] = field(default_factory=dict)
    client_id: str = ""
    # A day's work of a person at a terminal; the authorizer takes no token of more than a day.
    token_seconds: int = 12 * 3_600

    @property
    def loopback_tools(self) -> bool:
        """Tell whether tools may call this machine."""
        return self.function_variables.get(LOOPBACK_VARIABLE) == "1"

    @property
    def private_base_urls(self) -> bool:
        """Tell whether agents may name model servers on this machine and on private networks."""
        return not self.auth

    @property
    def console_config(self) -> dict[str, str]:
        """Return what the console is told about signing in; nothing where nobody signs in."""
        if not self.auth:
            return {}
        audience = self.issuer_variables.get("OIDC_AUDIENCE", "")
        return {
            "issuer": self.issuer_variables["OIDC_ISSUER"],
            "client_id": self.client_id or audience,
            "audience": audience,
            "scope": "openid email profile",
        }

    @property
    def providers_with_keys(self) -> list[str]:
        """Return the names of the providers that have a key, never the keys."""
        return [name.removesuffix("_API_KEY").lower() for name in KEY_VARIABLES if self.provider_variables.get(name)]


def issuer_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of an issuer that was chosen; none where the local one is wanted."""
    if not environment.get("OIDC_ISSUER"):
        return {}
    return {name: environment[name] for name in ISSUER_VARIABLES if environment.get(name)}


def auth_required(environment: Mapping[str, str]) -> bool:
    """Tell whether AUTH asks for signing in. Raises ValueError for anything but `required` and nothing."""
    value = environment.get("AUTH", "")
    if value not in ("", "required"):
        raise ValueError(f"AUTH={value}: it is `required`, or it is not set")
    return bool(value)


def loopback_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variable that lets tools call this machine, if it is switched on. Raises ValueError."""
    value = environment.get(LOOPBACK_VARIABLE, "")
    if value not in ("", "0", "1"):
        raise ValueError(f"{LOOPBACK_VARIABLE}={value}: it is 1, or it is not set")
    return {LOOPBACK_VARIABLE: "1"} if value == "1" else {}


def provider_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the vendors' variables that are set."""
    names = (*KEY_VARIABLES, *BASE_URL_VARIABLES, *TRACING_VARIABLES)
    return {name: environment[name] for name in names if environment.get(name)}


def token_for(host: str, environment: Mapping[str, str]) -> str | None:
    """Return the token that a gateway beyond loopback asks for, None on loopback."""
    if host in (LOOPBACK, "localhost", "::1"):
        return None
    return environment.get("LOCAL_TOKEN") or secrets.token_urlsafe(24)
