"""OAuth 2.0 as a client: asks a token endpoint for tokens.

RFC 6749 (grants, client authentication), RFC 7636 (PKCE), and what servers do otherwise: errors inside answers of
status 200, form-encoded answers, lifetimes as text or as nonsense.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode

from agent_builder.errors import AgentBuilderError, GrantRefused, OutboundFailed, TokenEndpointFailed
from agent_builder.jsontext import decode_object
from agent_builder.tools.egress import Answer, Egress, EgressLimits

# In all, several tries included, far less than a lease lasts.
LIMITS = EgressLimits(seconds=8.0, wire_bytes=256 * 1024, body_bytes=256 * 1024)
TRIES = 2
PAUSE_SECONDS = 0.3
TOKEN_LIMIT = 32 * 1024
_YEAR_SECONDS = 366 * 24 * 3600
_LINE = re.compile(r"[\x21-\x7e]+")
# Of RFC 6749 and its kin; other words of a server are not repeated to anybody.
_KNOWN = frozenset(
    "access_denied bad_refresh_token bad_verification_code consent_required interaction_required invalid_client "
    "invalid_grant invalid_refresh_token invalid_request invalid_scope invalid_target invalid_token login_required "
    "server_error temporarily_unavailable token_expired token_revoked unauthorized_client "
    "unsupported_grant_type".split()
)
_TRANSIENT = frozenset({"server_error", "temporarily_unavailable", "slow_down"})


@dataclass(frozen=True, slots=True)
class TokenSet:
    """What a server gave out.

    Attributes:
        lifetime: Seconds that the access token lasts from the request on; 0 where the server does not say.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    lifetime: int = 0


@dataclass(frozen=True, slots=True)
class TokenClient:
    """A client of one token endpoint.

    Attributes:
        settings: Of the credential (`models.credentials.OAuthSettings`).
        secret: Its secret in clear.
        pause: Waits so many seconds between two tries.
    """

    egress: Egress
    settings: Mapping[str, Any]
    secret: Mapping[str, Any] = field(repr=False)
    pause: Any = asyncio.sleep

    async def by_credentials(self) -> TokenSet:
        """Tokens for the client itself."""
        return await self._ask({"grant_type": "client_credentials", **self._scope()}, again=True)

    async def by_code(self, code: str, *, verifier: str, redirect_uri: str) -> TokenSet:
        """Tokens for the code somebody came back with. It is asked for once: a code is good once."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        return await self._ask({**form, "code_verifier": verifier}, again=False)

    async def by_refresh_token(self, refresh_token: str) -> TokenSet:
        """New tokens for old ones; the refresh token that was sent, where no new one came.

        What a server did not answer is asked once more: if it had acted, most let the old token pass for a moment.
        """
        tokens = await self._ask({"grant_type": "refresh_token", "refresh_token": refresh_token}, again=True)
        return tokens if tokens.refresh_token else replace(tokens, refresh_token=refresh_token)

    async def _ask(self, form: Mapping[str, str], *, again: bool) -> TokenSet:
        """Make the request.

        Raises:
            GrantRefused: The server says no.
            TokenEndpointFailed: It did not answer as it should, again neither.
            OutboundRefused: Its address may not be called.
        """
        for left in range(TRIES - 1 if again else 0, -1, -1):
            try:
                return _tokens(await self._sent(form))
            except TokenEndpointFailed:
                if not left:
                    raise
            await self.pause(PAUSE_SECONDS)
        raise AssertionError("there is a last try")

    async def _sent(self, form: Mapping[str, str]) -> Answer:
        proof, extra = self._authentication()
        fields = {**self.settings["token_parameters"], **form, **extra}
        headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json"), *proof]
        try:
            return await self.egress.send(
                "POST",
                self.settings["token_url"],
                purpose="oauth",
                headers=headers,
                body=urlencode(fields).encode(),
                secret=True,
                limits=LIMITS,
                redirects=0,
            )
        except OutboundFailed as error:
            raise TokenEndpointFailed(f"The authorization server: {error.detail}", sent=error.sent) from error

    def _authentication(self) -> tuple[Sequence[tuple[str, str]], Mapping[str, str]]:
        """Headers and fields by which the client proves itself."""
        client_id, how = self.settings["client_id"], self.settings["client_authentication"]
        if how == "basic":
            # RFC 6749, 2.3.1: both are form-encoded before they are joined.
            joined = f"{quote_plus(client_id)}:{quote_plus(self.secret['client_secret'])}"
            return [("Authorization", f"Basic {base64.b64encode(joined.encode()).decode()}")], {}
        if how == "body":
            return (), {"client_id": client_id, "client_secret": self.secret["client_secret"]}
        return (), {"client_id": client_id}

    def _scope(self) -> Mapping[str, str]:
        scopes = self.settings["scopes"]
        return {"scope": " ".join(scopes)} if scopes else {}


def _tokens(answer: Answer) -> TokenSet:
    """The tokens of an answer, whatever its status.

    Raises:
        GrantRefused, TokenEndpointFailed
    """
    fields = _fields(answer)
    token, error = fields.get("access_token"), fields.get("error")
    if answer.status < 300 and isinstance(token, str) and token and not error:
        return _checked(token, fields)
    if isinstance(error, dict):  # some wrap what RFC 6749 wants flat
        error = error.get("code") or error.get("type")
    word = error if isinstance(error, str) and error in _KNOWN | _TRANSIENT else ""
    if answer.status >= 500 or answer.status in (408, 425, 429) or word in _TRANSIENT:
        raise TokenEndpointFailed(f"The authorization server answers with status {answer.status}.", sent=True)
    if word or error or answer.status in (400, 401, 403):
        raise GrantRefused(word or "refused")
    raise TokenEndpointFailed("The authorization server answers without a token.", sent=True)


def _checked(token: str, fields: Mapping[str, Any]) -> TokenSet:
    refresh = fields.get("refresh_token")
    refresh = refresh if isinstance(refresh, str) else ""
    for one in (token, refresh):
        if len(one) > TOKEN_LIMIT or (one and not _LINE.fullmatch(one)):
            raise TokenEndpointFailed("The authorization server answers with a token that cannot be sent.", sent=True)
    return TokenSet(token, refresh, _lifetime(fields.get("expires_in")))


def _lifetime(value: object) -> int:
    """Seconds; 0 for what is none, as -1 or "never"."""
    try:
        seconds = int(float(value)) if isinstance(value, int | float | str) else 0
    except (ValueError, OverflowError):
        return 0
    return seconds if 0 < seconds <= _YEAR_SECONDS else 0


def _fields(answer: Answer) -> Mapping[str, Any]:
    try:
        return decode_object(answer.body, limit=LIMITS.body_bytes)
    except AgentBuilderError:
        pass
    if "json" in answer.headers.get("content-type", ""):
        return {}
    try:
        return dict(parse_qsl(answer.body.decode("ascii"), max_num_fields=50))
    except ValueError:
        return {}
