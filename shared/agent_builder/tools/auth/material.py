"""A credential as a call carries it: headers, parameters of the query, cookies. Nothing is stored or sent here."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, unquote_plus

import httpx2

from agent_builder.errors import OutboundRefused
from agent_builder.tools.auth.masking import MASK
from agent_builder.tools.egress_policy import among, host_of, read_url
from agent_builder.tools.written_names import same_place

Pairs = tuple[tuple[str, str], ...]
_SIGN_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Material:
    """What is added to a call.

    Attributes:
        secrets: Every secret in it, for masking.
        allowed_hosts: The only hosts it may be sent to; empty for any.
        version: Which secret it is; another one after a change or a renewal.
        expired_statuses: By which an API says that it is over.
        expired_texts: Texts by which an API says so; `*` stands for anything between.
    """

    headers: Pairs = field(default=(), repr=False)
    query: Pairs = field(default=(), repr=False)
    cookies: Pairs = field(default=(), repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    allowed_hosts: tuple[str, ...] = ()
    version: tuple[int, int] = (0, 0)
    expired_statuses: frozenset[int] = frozenset({401})
    expired_texts: tuple[str, ...] = ()

    def applied(self, url: str, headers: Pairs) -> tuple[str, Pairs]:
        """The call with the credential. What the call itself says under the same name, or one like it, is left out.

        Raises:
            OutboundRefused: The credential may not be sent to that host.
        """
        target = read_url(url)
        if self.allowed_hosts and not among(host_of(target), self.allowed_hosts):
            raise OutboundRefused("not_allowed", "The credential may not be sent to this host.")
        taken = {name.lower() for name, _ in self.headers}
        kept = [(name, value) for name, value in headers if name.lower() not in taken]
        if self.cookies:
            kept = _with_cookies(kept, self.cookies)
        for name, value in self.query:
            target = _with_parameter(target, name, value)
        return str(target), (*kept, *self.headers)

    def masked(self) -> Material:
        """The same with its secrets blotted out, for showing what would be sent."""
        return replace(
            self,
            headers=tuple((name, MASK) for name, _ in self.headers),
            query=tuple((name, MASK) for name, _ in self.query),
            cookies=tuple((name, MASK) for name, _ in self.cookies),
            secrets=(),
        )

    def is_over(self, status: int, body: bytes) -> bool:
        """Whether an answer says that the secret is no longer good."""
        if status in self.expired_statuses:
            return True
        text = body[:_SIGN_BYTES].decode("utf-8", "replace").lower() if self.expired_texts else ""
        return any(_matches(pattern.lower(), text) for pattern in self.expired_texts)


def material_of(
    kind: str, settings: Mapping[str, Any], secret: Mapping[str, Any], *, access_token: str = ""
) -> Material:
    """What a credential adds to a call.

    Args:
        kind: Of `models.credentials`, but not `provider_key`, which goes to the provider's adapter.
        settings: Its settings.
        secret: Its secret in clear.
        access_token: For `oauth2`, which is nothing without one.
    """
    if kind == "api_key":
        return _api_key(settings, secret["value"])
    if kind == "bearer":
        return _in_header("Authorization", f"Bearer {secret['value']}", secret["value"])
    if kind == "basic":
        return _basic(secret["username"], secret["password"])
    if kind == "custom_headers":
        values = tuple(secret["headers"].items())
        return Material(headers=values, secrets=tuple(secret["headers"].values()))
    if kind == "oauth2":
        value = f"{settings['token_prefix']} {access_token}".strip()
        return replace(
            _in_header(settings["token_header"], value, access_token),
            expired_statuses=frozenset(settings["expired_statuses"]),
            expired_texts=tuple(settings["expired_texts"]),
        )
    raise ValueError(f"a credential of the kind {kind} is not for calls")


def _api_key(settings: Mapping[str, Any], value: str) -> Material:
    pair = ((settings["name"], f"{settings['prefix']}{value}"),)
    place = settings["in"]
    if place == "header":
        return Material(headers=pair, secrets=(value,))
    if place == "query":
        return Material(query=pair, secrets=(value,))
    return Material(cookies=pair, secrets=tuple({value: 1, _in_cookie(value): 1}))


def _basic(username: str, password: str) -> Material:
    joined = base64.b64encode(f"{username}:{password}".encode()).decode()
    secrets = tuple(one for one in (username, password, joined) if one)
    return Material(headers=(("Authorization", f"Basic {joined}"),), secrets=secrets)


def _in_header(name: str, value: str, secret: str) -> Material:
    return Material(headers=((name, value),), secrets=(secret,))


def _with_cookies(headers: list[tuple[str, str]], cookies: Pairs) -> list[tuple[str, str]]:
    """Cookies stand in one header."""
    before = [one.strip() for name, value in headers if name.lower() == "cookie" for one in value.split(";")]
    kept = [one for one in before if one and not any(same_place(one.split("=")[0], name) for name, _ in cookies)]
    added = [f"{name}={_in_cookie(value)}" for name, value in cookies]
    rest = [(name, value) for name, value in headers if name.lower() != "cookie"]
    return [*rest, ("Cookie", "; ".join([*kept, *added]))]


def _in_cookie(value: str) -> str:
    """A value of a cookie has no spaces, commas, semicolons or quotes; servers undo this as they do for a query."""
    return quote(value, safe="!#$&()*+-./:<=>?@[]^_`{|}~")


def _with_parameter(url: httpx2.URL, name: str, value: str) -> httpx2.URL:
    """The query with this parameter, once; all else keeps its very writing."""
    pieces = [one for one in url.query.decode("ascii").split("&") if one]
    kept = [one for one in pieces if not same_place(unquote_plus(one.partition("=")[0]), name)]
    added = f"{quote(name, safe='')}={quote(value, safe='*')}"
    return url.copy_with(query="&".join([*kept, added]).encode())


def _matches(pattern: str, text: str) -> bool:
    """Whether the pieces of a pattern stand in the text, one behind the other. Takes time in proportion to both."""
    place = 0
    for piece in pattern.split("*"):
        found = text.find(piece, place)
        if found < 0:
            return False
        place = found + len(piece)
    return True
