"""The signing keys that an OIDC issuer publishes: fetched from its own discovery document, cached, asked for rarely.

Only the configured issuer is ever asked. Nothing in a token can name an address.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from agent_builder.errors import AgentBuilderError, ConfigurationError, IssuerUnavailable
from agent_builder.jsontext import decode_object

DISCOVERY = "/.well-known/openid-configuration"
FRESH_SECONDS = 600.0
STALE_SECONDS = 3600.0
MISS_SECONDS = 60.0
RETRY_SECONDS = 10.0
FETCH_SECONDS = 3.0
MAX_BYTES = 256 * 1024
MAX_KEYS = 100
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

logger = logging.getLogger(__name__)


Keys = Mapping[str, dict[str, Any]]
Fetch = Callable[[str], Keys]


class IssuerKeys:
    """The issuer's keys by `kid` (an issuer with a single key may leave it out: "").

    Kept for ten minutes; for an hour where the issuer does not answer. A `kid` that is not among them has the keys
    fetched again at most once a minute, so a flood of made-up ones costs nothing.
    """

    def __init__(self, issuer: str, *, clock: Callable[[], float] = time.monotonic, fetch: Fetch | None = None) -> None:
        self._issuer = issuer
        self._clock = clock
        self._fetch = fetch or published_keys
        self._keys: Keys = {}
        self._fetched_at = float("-inf")
        self._next_at = float("-inf")

    def find(self, kid: str) -> dict[str, Any] | None:
        """The published key (a JWK) of that name, None where there is none or the issuer cannot be asked."""
        age = self._clock() - self._fetched_at
        if (age > FRESH_SECONDS or kid not in self._keys) and self._clock() >= self._next_at:
            self._refresh()
        if self._clock() - self._fetched_at > STALE_SECONDS:
            return None
        return self._keys.get(kid)

    def _refresh(self) -> None:
        try:
            self._keys = self._fetch(self._issuer)
        except IssuerUnavailable as error:
            logger.warning("the issuer's keys could not be fetched: %s", error.detail)
            self._next_at = self._clock() + RETRY_SECONDS
        else:
            self._fetched_at = self._clock()
            self._next_at = self._fetched_at + MISS_SECONDS


def published_keys(issuer: str, *, seconds: float = FETCH_SECONDS) -> Keys:
    """Fetch an issuer's discovery document and the keys it points to, each within so many seconds.

    Raises:
        IssuerUnavailable: They cannot be had, or are not what they should be.
    """
    document = _get(issuer.rstrip("/") + DISCOVERY, issuer, seconds)
    if document.get("issuer") != issuer:
        raise IssuerUnavailable("the discovery document belongs to another issuer")
    keys = _get(document.get("jwks_uri"), issuer, seconds).get("keys")
    if not isinstance(keys, list) or not 0 < len(keys) <= MAX_KEYS:
        raise IssuerUnavailable("the document of keys holds none, or too many")
    found = {key["kid"]: key for key in keys if isinstance(key, dict) and isinstance(key.get("kid"), str)}
    if len(keys) == 1 and isinstance(keys[0], dict):
        found[""] = keys[0]
    return found


def checked_issuer(issuer: str) -> str:
    """Return the issuer if it may be one.

    Raises:
        ConfigurationError: It is no https address (http is accepted on loopback, for the laptop).
    """
    if _address(issuer, issuer) is None:
        raise ConfigurationError("OIDC_ISSUER must be an https address without query or fragment.")
    return issuer


def _address(url: object, issuer: str) -> SplitResult | None:
    """The parts of an address that may be fetched: https, or http on loopback for an issuer that is there itself."""
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
        _ = parts.port if parts else None
        local = urlsplit(issuer).hostname in _LOOPBACK
    except ValueError:
        return None
    if parts is None or not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        return None
    plain = parts.scheme == "http" and local and parts.hostname in _LOOPBACK
    return parts if parts.scheme == "https" or plain else None


def _get(url: object, issuer: str, seconds: float) -> dict[str, Any]:
    """Fetch one JSON object: no redirects, within `seconds` as a whole, at most `MAX_BYTES`."""
    parts = _address(url, issuer)
    if parts is None:
        raise IssuerUnavailable("an address is not https")
    exchange = _Exchange(parts)
    thread = threading.Thread(target=exchange.run, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        exchange.cut()
        raise IssuerUnavailable("too slow")
    try:
        return decode_object(exchange.body, limit=MAX_BYTES)
    except AgentBuilderError as error:
        raise IssuerUnavailable("not the JSON it should be") from error


class _Exchange:
    """One GET in a thread of its own: a socket's timeout ends no name look-up, and no answer that drips steadily."""

    def __init__(self, parts: SplitResult) -> None:
        self.body = b""
        self._parts = parts
        self._socket: socket.socket | None = None

    def run(self) -> None:
        """Fetch into `body`, which stays empty, and so no JSON, when anything goes wrong."""
        connection = _connection(self._parts)
        try:
            connection.connect()
            self._socket = connection.sock
            connection.request("GET", self._parts.path or "/", headers={"Accept": "application/json"})
            response = connection.getresponse()
            if response.status == http.client.OK:
                self.body = response.read(MAX_BYTES + 1)
        except (OSError, http.client.HTTPException, ValueError) as error:
            logger.info("the issuer did not answer", extra={"error": type(error).__name__})
        finally:
            connection.close()

    def cut(self) -> None:
        """End it early."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


def _connection(parts: SplitResult) -> http.client.HTTPConnection:
    assert parts.hostname
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=FETCH_SECONDS, context=context)
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=FETCH_SECONDS)
