from __future__ import annotations

from typing import Any

import pytest

from agent_builder.tools.openapi.security import CredentialNeed
from tests.unit.openapi.descriptions import codes, description, imported

FLOW = {"authorizationUrl": "https://a.test/auth", "tokenUrl": "https://a.test/token", "refreshUrl": "https://a.test/r"}


def preview_with(scheme: Any, *, version: str = "3.0.3", security: Any = None) -> Any:
    rest = (
        {"securityDefinitions": {"s": scheme}}
        if version == "2.0"
        else {"components": {"securitySchemes": {"s": scheme}}}
    )
    wanted = [{"s": ["read"]}] if security is None else security
    return imported(description({"/a": {"get": {}}}, version=version, security=wanted, **rest))


@pytest.mark.parametrize(
    ("scheme", "kind", "place"),
    [
        ({"type": "apiKey", "in": "header", "name": "X-Key"}, "api_key", ("header", "X-Key")),
        ({"type": "apiKey", "in": "query", "name": "key"}, "api_key", ("query", "key")),
        ({"type": "apiKey", "in": "cookie", "name": "session"}, "api_key", ("cookie", "session")),
        ({"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}, "bearer", (None, None)),
        ({"type": "http", "scheme": "Bearer"}, "bearer", (None, None)),
        ({"type": "http", "scheme": "basic"}, "basic", (None, None)),
        ({"type": "openIdConnect", "openIdConnectUrl": "https://a.test/.well-known"}, "oauth2", (None, None)),
        ({"type": "oauth2", "flows": {"authorizationCode": FLOW}}, "oauth2", (None, None)),
        ({"type": "oauth2", "flows": {"clientCredentials": FLOW}}, "oauth2", (None, None)),
        ({"type": "oauth2", "flows": {"implicit": FLOW}}, "bearer", (None, None)),
        ({"type": "oauth2", "flows": {"password": FLOW}}, "bearer", (None, None)),
        ({"type": "oauth2", "flows": {}}, "bearer", (None, None)),
        ({"type": "http", "scheme": "digest"}, None, (None, None)),
        ({"type": "mutualTLS"}, None, (None, None)),
        ({"type": "apiKey"}, None, (None, None)),
        ({"type": True}, None, (None, None)),
        ({}, None, (None, None)),
    ],
)
def test_schemes_become_kinds_of_credentials(
    scheme: Any, kind: str | None, place: tuple[str | None, str | None]
) -> None:
    preview = preview_with(scheme)
    (credential,) = preview.credentials
    assert (credential.kind, (credential.location, credential.parameter)) == (kind, place)
    operation = preview.operations[0]
    assert operation.security == ((CredentialNeed(scheme="s", scopes=("read",)),),)
    assert operation.status == ("accepted" if kind else "changed")
    assert ("unsupported_security" in codes(operation)) == (kind is None)


@pytest.mark.parametrize(
    ("scheme", "kind", "grant"),
    [
        ({"type": "basic"}, "basic", None),
        ({"type": "apiKey", "in": "header", "name": "X"}, "api_key", None),
        ({"type": "oauth2", "flow": "accessCode", **FLOW, "scopes": {"a": "b"}}, "oauth2", "authorization_code"),
        ({"type": "oauth2", "flow": "application", **FLOW}, "oauth2", "client_credentials"),
        ({"type": "oauth2", "flow": "implicit", **FLOW}, "bearer", None),
    ],
)
def test_schemes_of_swagger(scheme: Any, kind: str, grant: str | None) -> None:
    (credential,) = preview_with(scheme, version="2.0").credentials
    assert credential.kind == kind
    assert [flow.grant for flow in credential.flows] == ([grant] if grant else [])


def test_flows_keep_what_a_connection_needs() -> None:
    scopes = {"read": "Read <b>all</b>."}
    (credential,) = preview_with(
        {"type": "oauth2", "flows": {"authorizationCode": {**FLOW, "scopes": scopes}}}
    ).credentials
    (flow,) = credential.flows
    assert (flow.token_url, flow.authorization_url, flow.refresh_url) == (
        "https://a.test/token",
        "https://a.test/auth",
        "https://a.test/r",
    )
    assert flow.scopes == {"read": "Read all ."}


def test_options_and_combinations() -> None:
    schemes = {
        "a": {"type": "apiKey", "in": "header", "name": "A"},
        "b": {"type": "apiKey", "in": "header", "name": "B"},
        "tls": {"type": "mutualTLS"},
    }
    paths = {
        "/both": {"get": {"security": [{"a": [], "b": []}]}},
        "/either": {"get": {"security": [{"tls": []}, {"a": []}]}},
        "/optional": {"get": {"security": [{}, {"a": []}]}},
        "/none": {"get": {"security": []}},
        "/inherited": {"get": {}},
        "/unknown": {"get": {"security": [{"nobody": []}]}},
        "/tls": {"get": {"security": [{"tls": []}]}},
        "/broken": {"get": {"security": "a"}},
    }
    preview = imported(description(paths, security=[{"b": []}], components={"securitySchemes": schemes}))
    found = {one.path: [[need.scheme for need in option] for option in one.security] for one in preview.operations}
    assert found == {
        "/both": [["a", "b"]],
        "/either": [["tls"], ["a"]],
        "/optional": [[], ["a"]],
        "/none": [],
        "/inherited": [["b"]],
        "/unknown": [],
        "/tls": [["tls"]],
        "/broken": [],
    }
    status = {one.path: one.status for one in preview.operations}
    assert {path for path, one in status.items() if one == "changed"} == {"/unknown", "/tls"}


def test_a_broken_scheme_is_said() -> None:
    assert codes(preview_with({"$ref": "#/nowhere"})) >= {"broken_security"}
