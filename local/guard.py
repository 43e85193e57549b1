"""Who may talk to the public port: any web page can reach a port of the machine it is shown on, loopback or not.

- `Host` must be a name of this gateway: else a page whose own name points at 127.0.0.1 (DNS rebinding) could read it.
- `Origin` must be this gateway's, or one of `ALLOWED_ORIGINS`: else any page could send requests or open a WebSocket.
- Beyond loopback a token is asked for: as `Authorization: Bearer`, or once as `?token=`, which becomes a cookie.
"""

from __future__ import annotations

import hmac
import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from local.problems import problem

COOKIE = "local_token"
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_SAFE_SITES = frozenset({"", "same-origin", "none"})


@dataclass(frozen=True)
class Guard:
    """The rules of one gateway. `token` is None on loopback."""

    host: str
    port: int
    allowed_origins: frozenset[str] = frozenset()
    token: str | None = None

    def refusal(self, request: web.Request) -> web.Response | None:
        """Return the answer to a request that may not pass, None for one that may."""
        if not self._host_is_ours(request.headers.get("Host", "")):
            return problem(403, detail="The Host header does not name this gateway.", code="foreign_host")
        if not self._origin_may(request):
            detail = "The Origin of this request is not allowed. Name it in ALLOWED_ORIGINS to allow it."
            return problem(403, detail=detail, code="foreign_origin")
        if self.token is not None and not self._has_token(request, self.token):
            detail = "This gateway is open to the network: use the URL with ?token= that it printed when it started."
            return problem(401, detail=detail, code="token_required")
        return None

    def allows(self, origin: str | None) -> bool:
        """Tell whether an origin is one of ALLOWED_ORIGINS."""
        return origin is not None and origin.rstrip("/") in self.allowed_origins

    def exchange(self, request: web.Request) -> web.Response | None:
        """Turn `?token=` of a page's address into a cookie and redirect to the address without it."""
        if self.token is None or request.method != "GET" or not _same(request.query.get("token", ""), self.token):
            return None
        clean = request.rel_url.without_query_params("token")
        redirect = web.Response(status=303, headers={"Location": str(clean), "Cache-Control": "no-store"})
        redirect.set_cookie(COOKIE, self.token, httponly=True, samesite="Strict", path="/")
        return redirect

    def _host_is_ours(self, header: str) -> bool:
        try:
            parts = urlsplit(f"//{header}")
            name, port = (parts.hostname or "").rstrip("."), parts.port or 80
        except ValueError:
            return False
        if port != self.port or parts.path or parts.query or "@" in header:
            return False
        if name in _LOOPBACK_NAMES or name == self.host.lower():
            return True
        return self.token is not None and (_is_address(name) or name in _machine_names())

    def _origin_may(self, request: web.Request) -> bool:
        origin = request.headers.get("Origin")
        if origin is None:
            # A page's <img>, <script> or link carries no Origin. Following a link here is fine, embedding is not.
            site, mode = request.headers.get("Sec-Fetch-Site", ""), request.headers.get("Sec-Fetch-Mode", "")
            return site in _SAFE_SITES or mode == "navigate"
        return self.allows(origin) or origin.lower() == f"http://{request.headers.get('Host', '').lower()}"

    def _has_token(self, request: web.Request, token: str) -> bool:
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _same(bearer.strip(), token):
            return True
        return _same(request.cookies.get(COOKIE, ""), token) or _same(request.query.get("token", ""), token)


def origins(text: str) -> frozenset[str]:
    """Parse ALLOWED_ORIGINS: origins separated by commas or spaces."""
    return frozenset(part.rstrip("/") for part in text.replace(",", " ").split())


def cors_headers(
    origin: str, methods: Iterable[str] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
) -> dict[str, str]:
    """Return what an allowed foreign origin may do."""
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": ", ".join(methods),
        "Access-Control-Allow-Headers": "authorization, content-type, idempotency-key, if-match, if-none-match",
        "Access-Control-Expose-Headers": "etag, location, ratelimit, ratelimit-policy, retry-after, x-request-id",
        "Access-Control-Max-Age": "600",
        "Vary": "Origin",
    }


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _machine_names() -> set[str]:
    name = socket.gethostname().lower()
    return {name, f"{name}.local", name.partition(".")[0]}
