"""Security schemes as kinds of credentials that the platform keeps."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from agent_builder.messages import Json
from agent_builder.tools.openapi.keywords import clean, names
from agent_builder.tools.openapi.notes import Note, changed, info
from agent_builder.tools.openapi.references import BrokenReference, References

CredentialKind = Literal["api_key", "bearer", "basic", "oauth2"]
Grant = Literal["authorization_code", "client_credentials"]
_GRANTS: dict[str, Grant] = {
    "authorizationCode": "authorization_code",
    "accessCode": "authorization_code",
    "clientCredentials": "client_credentials",
    "application": "client_credentials",
}


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OAuthFlow(_Value):
    """One way to get a token; addresses are as the document gives them and are checked when they are called."""

    grant: Grant
    token_url: str
    authorization_url: str = ""
    refresh_url: str = ""
    scopes: dict[str, str] = {}


class CredentialScheme(_Value):
    """A credential that the API can ask for.

    `kind` None is one that the platform cannot send. `location` and `parameter` are those of an `api_key`.
    """

    name: str
    kind: CredentialKind | None
    location: Literal["header", "query", "cookie"] | None = None
    parameter: str | None = None
    flows: tuple[OAuthFlow, ...] = ()
    openid_url: str = ""
    description: str = ""


class CredentialNeed(_Value):
    """A scheme that an operation needs, and the scopes of it."""

    scheme: str
    scopes: tuple[str, ...] = ()


def schemes_of(root: Json, references: References, notes: list[Note]) -> dict[str, CredentialScheme]:
    """The credential schemes of a document by their names."""
    components = root.get("components")
    said = components.get("securitySchemes") if isinstance(components, dict) else root.get("securityDefinitions")
    found: dict[str, CredentialScheme] = {}
    for name, one in said.items() if isinstance(said, dict) else ():
        try:
            scheme = references.follow(one)
        except BrokenReference as error:
            notes.append(changed("broken_security", f"The security scheme {name!r} cannot be read: {error}."))
            continue
        if isinstance(scheme, dict):
            found[name] = _scheme(name, scheme, notes)
    return found


def options(
    said: Any, schemes: dict[str, CredentialScheme], notes: list[Note]
) -> tuple[tuple[CredentialNeed, ...], ...]:
    """What an operation asks for: any one of the options, each with all its needs; `()` among them is "nothing"."""
    found: list[tuple[CredentialNeed, ...]] = []
    for one in said if isinstance(said, list) else ():
        if not isinstance(one, dict):
            continue
        known = [name for name in one if name in schemes]
        for name in one:
            if name not in schemes:
                text = f"It asks for the security scheme {name!r}, which is not described: choose a credential by hand."
                notes.append(changed("unknown_security", text))
        if known or not one:
            needs = (CredentialNeed(scheme=name, scopes=tuple(names(one[name]))) for name in known)
            found.append(tuple(needs))
    return tuple(dict.fromkeys(found))


def check_usable(
    wanted: tuple[tuple[CredentialNeed, ...], ...], schemes: dict[str, CredentialScheme], notes: list[Note]
) -> None:
    """Note what the platform cannot send, where no other option is left."""
    usable = [option for option in wanted if all(schemes[need.scheme].kind for need in option)]
    if wanted and not usable:
        missing = sorted({n.scheme for option in wanted for n in option if schemes[n.scheme].kind is None})
        text = f"It needs {', '.join(missing)}, which no kind of credential can send; set the header by hand."
        notes.append(changed("unsupported_security", text))


def sent_by_credentials(
    wanted: tuple[tuple[CredentialNeed, ...], ...], schemes: dict[str, CredentialScheme]
) -> set[tuple[str, str]]:
    """Place and lower-case name of the parameters that a credential fills."""
    found: set[tuple[str, str]] = set()
    for option in wanted:
        for need in option:
            scheme = schemes[need.scheme]
            if scheme.location and scheme.parameter:
                found.add((scheme.location, scheme.parameter.lower()))
    return found


def _scheme(name: str, said: Json, notes: list[Note]) -> CredentialScheme:
    kind = str(said.get("type", "")).lower()
    text = clean(said.get("description"))[:1_000]
    if kind == "apikey" and said.get("in") in ("header", "query", "cookie") and isinstance(said.get("name"), str):
        return CredentialScheme(
            name=name, kind="api_key", location=said["in"], parameter=said["name"], description=text
        )
    if kind == "basic" or (kind == "http" and str(said.get("scheme", "")).lower() == "basic"):
        return CredentialScheme(name=name, kind="basic", description=text)
    if kind == "http" and str(said.get("scheme", "")).lower() == "bearer":
        return CredentialScheme(name=name, kind="bearer", description=text)
    if kind == "oauth2":
        return _oauth(name, said, text, notes)
    if kind == "openidconnect":
        url = str(said.get("openIdConnectUrl", ""))[:2_000]
        notes.append(info("openid", f"{name}: the addresses for tokens are found at {url} when it is connected."))
        return CredentialScheme(name=name, kind="oauth2", openid_url=url, description=text)
    word = str(said.get("scheme", said.get("type", "")))[:40]
    notes.append(info("unsupported_scheme", f"The security scheme {name!r} ({word}) is not one that can be kept."))
    return CredentialScheme(name=name, kind=None, description=text)


def _oauth(name: str, said: Json, text: str, notes: list[Note]) -> CredentialScheme:
    """Flows that end in a refreshable token. The others are deprecated: their token is given by hand, as a bearer."""
    described = said.get("flows")
    if not isinstance(described, dict):
        described = {str(said.get("flow", "")): said}
    flows: list[OAuthFlow] = []
    for kind, flow in described.items():
        grant = _GRANTS.get(kind)
        if isinstance(flow, dict) and grant and isinstance(flow.get("tokenUrl"), str):
            flows.append(_flow(grant, flow))
    if flows:
        return CredentialScheme(name=name, kind="oauth2", flows=tuple(flows), description=text)
    offered = ", ".join(described) or "no flow"
    notes.append(info("oauth_by_hand", f"{name} offers {offered} only: give a token by hand, as a bearer credential."))
    return CredentialScheme(name=name, kind="bearer", description=text)


def _flow(grant: Grant, said: Json) -> OAuthFlow:
    scopes = said.get("scopes")
    return OAuthFlow(
        grant=grant,
        token_url=str(said["tokenUrl"])[:2_000],
        authorization_url=str(said.get("authorizationUrl") or "")[:2_000],
        refresh_url=str(said.get("refreshUrl") or "")[:2_000],
        scopes={str(k)[:200]: clean(v)[:200] for k, v in scopes.items()} if isinstance(scopes, dict) else {},
    )
