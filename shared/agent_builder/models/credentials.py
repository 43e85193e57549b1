"""Credentials: what REST takes, what is stored, and what is told of them. Secrets go in and never come out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field, SecretStr, StringConstraints, TypeAdapter, model_validator

from agent_builder.messages import Json
from agent_builder.models import forms, headers
from agent_builder.models.agents import Name, Strict

CredentialKind = Literal["api_key", "bearer", "basic", "custom_headers", "oauth2", "provider_key"]
KeyProvider = Literal["anthropic", "openai", "google"]
Grant = Literal["client_credentials", "authorization_code", "refresh_token"]
ClientAuthentication = Literal["basic", "body", "none"]
Status = Literal["ready", "not_connected", "needs_reconnect"]
SHORTEST = 4  # shorter secrets are not blotted out: nothing else could be read any more

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# What the flow itself says; nobody may say otherwise.
_OF_THE_FLOW = frozenset(
    "assertion client_assertion client_assertion_type client_id client_secret code code_challenge "
    "code_challenge_method code_verifier grant_type password redirect_uri refresh_token request request_uri "
    "response_mode response_type scope state username".split()
)


def _header_name(value: str) -> str:
    if not headers.is_name(value):
        raise ValueError("must be the name of a header that a client may set")
    return value


def _line(value: SecretStr) -> SecretStr:
    if not headers.is_value(value.get_secret_value()):
        raise ValueError("must be one line of text without control characters")
    return value


def _secret(value: SecretStr) -> SecretStr:
    """What was pasted with spaces around it would fit no header, and no key begins or ends with one."""
    return _long(_line(SecretStr(value.get_secret_value().strip())))


def _long(value: SecretStr) -> SecretStr:
    if len(value) < SHORTEST:
        raise ValueError(f"must have at least {SHORTEST} characters: shorter ones cannot be blotted out of answers")
    return value


def _address(value: str) -> str:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValueError("must be an https address") from None
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ValueError("must be an https address")
    if not parts.hostname or "@" in parts.netloc or parts.fragment or re.search(r"[\x00-\x20\x7f\\]", value):
        raise ValueError("must be an address without user, password, spaces or fragment")
    return value


def _parameters(value: dict[str, str]) -> dict[str, str]:
    for name in sorted(set(value) & _OF_THE_FLOW):
        raise ValueError(f"{name} is set by the flow itself")
    return value


SecretText = Annotated[
    SecretStr,
    Field(max_length=headers.VALUE_LIMIT, json_schema_extra={"minLength": SHORTEST}),
    AfterValidator(_secret),
]
HeaderName = Annotated[
    str, StringConstraints(pattern=headers.NAME_PATTERN), AfterValidator(_header_name), Field(examples=["X-Api-Key"])
]
Prefix = Annotated[str, StringConstraints(max_length=50, pattern=r"^[\x21-\x7e][\x20-\x7e]*$|^$")]
Address = Annotated[
    str,
    StringConstraints(max_length=2_000),
    AfterValidator(_address),
    Field(examples=["https://id.example.com/token"], json_schema_extra={"pattern": "^https?://"}),
]
Parameters = Annotated[
    dict[
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,100}$")],
        Annotated[str, StringConstraints(max_length=1_000)],
    ],
    Field(max_length=20),
    AfterValidator(_parameters),
]
Scope = Annotated[str, StringConstraints(pattern=r"^[\x21\x23-\x5b\x5d-\x7e]{1,500}$")]
Host = Annotated[
    str,
    StringConstraints(max_length=253, pattern=forms.HOST),
    Field(examples=["api.example.com", "*.example.com"]),
]
Sign = Annotated[str, StringConstraints(min_length=3, max_length=200)]


class ApiKeySettings(Strict):
    """Where the key goes: a header, a parameter of the query, or a cookie of this name."""

    location: Literal["header", "query", "cookie"] = Field("header", alias="in")
    name: Annotated[str, StringConstraints(pattern=headers.NAME_PATTERN)]
    prefix: Prefix = Field("", description="Stands before the key, with the space that belongs between them.")

    @model_validator(mode="after")
    def _may_be_set(self) -> ApiKeySettings:
        if self.location == "header":
            _header_name(self.name)
        return self


class NoSettings(Strict):
    """This kind has none."""


class OAuthSettings(Strict):
    """How tokens are come by, and how they are used."""

    grant: Grant
    token_url: Address
    authorization_url: Address | None = Field(None, description="For `authorization_code`: where people consent.")
    client_id: Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[\x20-\x7e]+$")]
    client_authentication: ClientAuthentication = "basic"
    scopes: list[Scope] = Field(default_factory=list, max_length=100)
    token_parameters: Parameters = Field(default_factory=dict, description="Sent to `token_url`, such as `audience`.")
    authorization_parameters: Parameters = Field(
        default_factory=dict, description="Sent to `authorization_url`, such as `prompt`."
    )
    token_header: HeaderName = "Authorization"  # noqa: S105 (a header's name)
    token_prefix: Prefix = "Bearer"  # noqa: S105
    expired_statuses: list[Annotated[int, Field(ge=400, le=499)]] = Field(
        default_factory=lambda: [401], max_length=10, description="Answers by which an API says that a token is over."
    )
    expired_texts: list[Sign] = Field(
        default_factory=list,
        max_length=10,
        description="Texts in an answer of any status by which an API says so; `*` stands for anything between.",
    )

    @model_validator(mode="after")
    def _complete(self) -> OAuthSettings:
        if self.grant == "authorization_code" and self.authorization_url is None:
            raise ValueError("authorization_url is required for authorization_code")
        return self


class ProviderKeySettings(Strict):
    """Whose key it is."""

    provider: KeyProvider


class ValueSecret(Strict):
    """The key or token itself."""

    value: SecretText


class BasicSecret(Strict):
    """User and password, either of which may be the secret one: the user where there is no password."""

    username: Annotated[SecretStr, Field(min_length=1, max_length=headers.VALUE_LIMIT), AfterValidator(_line)]
    password: Annotated[
        SecretStr,
        Field(max_length=headers.VALUE_LIMIT),
        AfterValidator(lambda value: _long(_line(value)) if value else value),
    ] = SecretStr("")

    @model_validator(mode="after")
    def _told_apart(self) -> BasicSecret:
        if ":" in self.username.get_secret_value():
            raise ValueError("username must not contain a colon")
        if not self.password and len(self.username) < SHORTEST:
            raise ValueError(f"username must have at least {SHORTEST} characters where there is no password")
        return self


class HeadersSecret(Strict):
    """Headers, by their names."""

    headers: dict[HeaderName, SecretText] = Field(min_length=1, max_length=20)

    @model_validator(mode="after")
    def _distinct(self) -> HeadersSecret:
        if len({name.lower() for name in self.headers}) != len(self.headers):
            raise ValueError("names a header twice")
        return self


class OAuthSecret(Strict):
    """What the client proves itself with, and a refresh token that was come by elsewhere."""

    client_secret: SecretText | None = None
    refresh_token: SecretText | None = None


class _Credential(Strict):
    name: Name
    allowed_hosts: list[Host] = Field(
        default_factory=list,
        max_length=20,
        description="Hosts it may be sent to; `*.example.com` are all below. Empty, any that a tool names.",
    )


class ApiKeyCredential(_Credential):
    """A key in a header, the query or a cookie."""

    kind: Literal["api_key"]
    settings: ApiKeySettings
    secret: ValueSecret


class BearerCredential(_Credential):
    """A token in the header Authorization."""

    kind: Literal["bearer"]
    settings: NoSettings = Field(default_factory=NoSettings)
    secret: ValueSecret


class BasicCredential(_Credential):
    """HTTP Basic."""

    kind: Literal["basic"]
    settings: NoSettings = Field(default_factory=NoSettings)
    secret: BasicSecret


class CustomHeadersCredential(_Credential):
    """Several headers, each a secret."""

    kind: Literal["custom_headers"]
    settings: NoSettings = Field(default_factory=NoSettings)
    secret: HeadersSecret


class OAuthCredential(_Credential):
    """OAuth 2.0; tokens are renewed by themselves."""

    kind: Literal["oauth2"]
    settings: OAuthSettings
    secret: OAuthSecret = Field(default_factory=OAuthSecret)

    @model_validator(mode="after")
    def _fits(self) -> OAuthCredential:
        held, settings = self.secret, self.settings
        if (held.client_secret is None) != (settings.client_authentication == "none"):
            raise ValueError("client_secret is required unless client_authentication is none, and refused then")
        if settings.grant == "client_credentials" and held.client_secret is None:
            raise ValueError("client_credentials needs a client_secret")
        if (held.refresh_token is not None) != (settings.grant == "refresh_token"):
            raise ValueError("refresh_token is required for the grant refresh_token, and refused for others")
        return self


class ProviderKeyCredential(_Credential):
    """The tenant's own key of a model provider, used before the platform's."""

    kind: Literal["provider_key"]
    settings: ProviderKeySettings
    secret: ValueSecret


CredentialInput = Annotated[
    ApiKeyCredential
    | BearerCredential
    | BasicCredential
    | CustomHeadersCredential
    | OAuthCredential
    | ProviderKeyCredential,
    Field(discriminator="kind"),
]
CREDENTIAL_INPUT: TypeAdapter[CredentialInput] = TypeAdapter(CredentialInput, config=ConfigDict(defer_build=True))


def secret_values(wanted: CredentialInput) -> Json:
    """The secret fields in clear, as they are sealed: nested names to text; absent ones left out."""
    plain = {name: _plain(getattr(wanted.secret, name)) for name in type(wanted.secret).model_fields}
    return {name: value for name, value in plain.items() if value is not None}


def public_settings(wanted: CredentialInput) -> Json:
    """The settings as they are stored and shown."""
    shown = wanted.settings.model_dump(mode="json", exclude_none=True)
    if isinstance(wanted, CustomHeadersCredential):
        shown["headers"] = list(wanted.secret.headers)
    return shown


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return {name: _plain(one) for name, one in value.items()} if isinstance(value, dict) else value


@dataclass(frozen=True, slots=True)
class Tokens:
    """What an authorization server gave out, sealed. Times are milliseconds since the epoch.

    Attributes:
        version: Counts every renewal; 0 where there are none yet.
        sealed: Their envelope.
        obtained_at: When they were asked for.
        expires_at: When the access token ends; 0 where nobody said.
        lease_until: Until when somebody is renewing them.
        renewed_for_refusal_at: When an API's refusal last had them renewed; 0 for never, and where they were accepted.
    """

    version: int = 0
    sealed: bytes = field(default=b"", repr=False)
    obtained_at: int = 0
    expires_at: int = 0
    lease_until: int = 0
    renewed_for_refusal_at: int = 0

    @property
    def renew_at(self) -> int:
        """When it is time to renew them: a minute before they end, or a fifth of a shorter life; 0 for never."""
        return self.expires_at - min(60_000, (self.expires_at - self.obtained_at) // 5) if self.expires_at else 0


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential as it is stored. Times are milliseconds since the epoch.

    Attributes:
        sealed: The envelope of its secret.
        key_id: Name of the key that sealed it.
        failure: Why it needs to be connected again: a code of ours, or one of OAuth's.
        revision: Counts what people change.
        uses: How many tools, integrations and the like name it.
        consent_at: When a person last came back from giving consent, or refusing it; 0 for never.
        consent_failure: Why nothing came of that; empty where tokens did.
    """

    id: str
    kind: CredentialKind
    name: str
    settings: Mapping[str, Any]
    allowed_hosts: tuple[str, ...]
    sealed: bytes = field(repr=False)
    key_id: str
    status: Status
    revision: int
    created_at: int
    created_by: str
    updated_at: int
    failure: str = ""
    uses: int = 0
    tokens: Tokens = field(default_factory=Tokens)
    consent_at: int = 0
    consent_failure: str = ""

    @property
    def provider(self) -> str:
        """Whose key it is; empty for other kinds."""
        return str(self.settings["provider"]) if self.kind == "provider_key" else ""


@dataclass(frozen=True, slots=True)
class CredentialUse:
    """Something that names a credential. `agent_id` is empty where that is no agent's."""

    kind: Literal["tool", "integration", "agent", "tracing"]
    id: str
    name: str
    agent_id: str


def first_status(kind: CredentialKind, settings: Mapping[str, Any]) -> Status:
    """How a credential begins."""
    return "not_connected" if kind == "oauth2" and settings["grant"] == "authorization_code" else "ready"


def preload() -> None:
    """Build what checks these values before a snapshot is taken."""
    CREDENTIAL_INPUT.rebuild()
