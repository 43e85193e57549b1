"""JSON Web Tokens of the one issuer that a deployment trusts.

What is refused, beyond a wrong signature: an algorithm that is not the key's own, keys or key addresses that the token
brings along, doubled claims, claims of the wrong type, a token without an end, or with one more than a day away. Every
refusal is the same `Unauthenticated`: a caller learns nothing from it.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt
from jwt.api_jws import PyJWS
from jwt.exceptions import PyJWTError

from agent_builder.errors import AgentBuilderError, Unauthenticated
from agent_builder.issuer import IssuerKeys, checked_issuer
from agent_builder.jsontext import decode_object
from agent_builder.models.identity import MAX_SUBJECT

REFUSED = "This sign-in is not accepted. Sign in again."
MAX_TOKEN = 4096
LEEWAY_SECONDS = 30
MAX_LIFETIME_SECONDS = 24 * 3600
MIN_RSA_BITS = 2048
# Access tokens (RFC 9068) and ID tokens; a logout token, of the same issuer and audience, is neither.
_TYPES = frozenset({"", "jwt", "at+jwt", "application/at+jwt"})
_FOREIGN_KEYS = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64", "enc", "zip"})
_ALGORITHMS = {("RSA", None): "RS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says. `expires_at` is in seconds since the epoch; `other` holds every claim."""

    issuer: str
    subject: str
    expires_at: int
    other: dict[str, Any]

    def text(self, name: str) -> str:
        """A claim that is a non-empty text, else ""."""
        value = self.other.get(name) if name else None
        return value if isinstance(value, str) else ""


class TokenVerifier:
    """Verifies tokens of one issuer for one audience (`aud`, or `client_id` where a token has no `aud`)."""

    def __init__(
        self, issuer: str, audience: str, *, keys: IssuerKeys | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._issuer = checked_issuer(issuer)
        self._audience = audience
        self._keys = keys or IssuerKeys(issuer)
        self._clock = clock
        self._jws = PyJWS(options={"enforce_minimum_key_length": True})
        self._parsed: dict[str, Any] = {}

    def verify(self, token: str) -> Claims:
        """Return the claims of a token.

        Raises:
            Unauthenticated: It is not accepted, for whatever reason, or the issuer cannot be asked for its keys.
        """
        try:
            return self._verify(token)
        except (PyJWTError, AgentBuilderError, ValueError, TypeError, KeyError) as error:
            raise Unauthenticated(REFUSED) from error

    def _verify(self, token: str) -> Claims:
        if len(token) > MAX_TOKEN or not token.isascii() or token.count(".") != 2:
            raise Unauthenticated(REFUSED)
        header, payload, _ = (_segment(part) for part in token.split("."))
        key, algorithm = self._key(_checked_header(decode_object(header, limit=MAX_TOKEN)))
        self._jws.decode(token, key, algorithms=[algorithm])
        return self._claims(decode_object(payload, limit=MAX_TOKEN))

    def _key(self, header: dict[str, Any]) -> tuple[Any, str]:
        kid = header.get("kid", "")
        jwk = self._keys.find(kid) if isinstance(kid, str) else None
        if jwk is None or jwk.get("use", "sig") != "sig":
            raise Unauthenticated(REFUSED)
        algorithm = _ALGORITHMS[(jwk["kty"], jwk.get("crv"))]
        if header.get("alg") != algorithm or jwk.get("alg", algorithm) != algorithm:
            raise Unauthenticated(REFUSED)
        return self._parse(jwk, algorithm), algorithm

    def _parse(self, jwk: dict[str, Any], algorithm: str) -> Any:
        """The public key of a JWK, parsed once."""
        name = hashlib.sha256(repr(sorted(jwk.items())).encode()).hexdigest()
        if name not in self._parsed:
            public: dict[str, Any] = {part: jwk[part] for part in ("kty", "crv", "n", "e", "x", "y") if part in jwk}
            key = jwt.PyJWK(public, algorithm=algorithm).key
            if algorithm == "RS256" and key.key_size < MIN_RSA_BITS:
                raise Unauthenticated(REFUSED)
            if len(self._parsed) > 100:
                self._parsed.clear()
            self._parsed[name] = key
        return self._parsed[name]

    def _claims(self, claims: dict[str, Any]) -> Claims:
        subject = claims["sub"]
        if claims["iss"] != self._issuer or not self._is_for_us(claims):
            raise Unauthenticated(REFUSED)
        if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT or not subject.isprintable():
            raise Unauthenticated(REFUSED)
        now = self._clock()
        issued, expires = _seconds(claims["iat"]), _seconds(claims["exp"])
        begins = _seconds(claims.get("nbf", issued))
        too_early = max(issued, begins) > now + LEEWAY_SECONDS
        too_long = expires - issued > MAX_LIFETIME_SECONDS or expires <= issued
        if too_early or too_long or expires <= now - LEEWAY_SECONDS:
            raise Unauthenticated(REFUSED)
        return Claims(self._issuer, subject, int(expires), claims)

    def _is_for_us(self, claims: dict[str, Any]) -> bool:
        """A token that names an audience is for that audience; Cognito's access tokens name their client alone."""
        if "aud" not in claims:
            return bool(claims["client_id"] == self._audience)
        audience = claims["aud"]
        return self._audience in (audience if isinstance(audience, list) else [audience])


def _segment(part: str) -> bytes:
    """The bytes of a part in the one way that RFC 7515 writes them: base64url, no padding, no spare bits."""
    raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if base64.urlsafe_b64encode(raw).decode().rstrip("=") != part:
        raise Unauthenticated(REFUSED)
    return raw


def _checked_header(header: dict[str, Any]) -> dict[str, Any]:
    kind = header.get("typ", "")
    if _FOREIGN_KEYS & set(header) or not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise Unauthenticated(REFUSED)
    return header


def _seconds(value: Any) -> float:
    """A time of a token; a number only, since readers of numeric texts disagree."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        raise Unauthenticated(REFUSED)
    return float(value)
