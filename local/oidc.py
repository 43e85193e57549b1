"""Signing in on the laptop (AUTH=required): a local OIDC server, and its tokens for people at a terminal and tests."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from local import packages

AUDIENCE = "local"
CLAIMS = {"TENANT_CLAIM": "tenant", "ROLE_CLAIM": "role"}
_BACK = "http://127.0.0.1/"
_START_SECONDS = 30.0
_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from local.oidc_launcher import main; del sys.path[0]; main()"


class OidcError(Exception):
    """The local OIDC server did not start or gave no token. For the operator."""


@dataclass
class OidcServer:
    """A running local OIDC server."""

    process: asyncio.subprocess.Process
    issuer: str

    @property
    def variables(self) -> dict[str, str]:
        """What an authorizer function is told of it."""
        return {"OIDC_ISSUER": self.issuer, "OIDC_AUDIENCE": AUDIENCE, **CLAIMS}

    async def stop(self) -> None:
        """Stop it; it keeps nothing."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


async def start_oidc(data: Path, token_seconds: int) -> OidcServer:
    """Start it on the port it had before, so that people find their own tenants again. Raises OidcError.

    Its tokens last for `token_seconds`; then the console renews them.
    """
    target = await asyncio.to_thread(packages.OIDC.install)
    remembered = data / "oidc-port"
    port = int(remembered.read_text()) if remembered.exists() else 0
    config = {"packages": str(target), "port": port, "parent": os.getpid(), "token_seconds": token_seconds}
    log = data / "logs" / "oidc.log"
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-S", "-c", _BOOT, str(packages.PROJECT)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    assert process.stdin and process.stdout
    process.stdin.write(json.dumps(config).encode() + b"\n")
    process.stdin.close()
    try:
        line = await asyncio.wait_for(process.stdout.readline(), _START_SECONDS)
        port = int(json.loads(line)["port"])
    except (TimeoutError, ValueError) as error:
        if process.returncode is None:
            process.kill()
        raise OidcError(f"the local OIDC server did not start; see {log}") from error
    remembered.write_text(str(port))
    return OidcServer(process, f"http://127.0.0.1:{port}")


def sign_in_origins(issuer: str) -> list[str]:
    """Return the origins that the console speaks to when people sign in; some issuers give tokens elsewhere."""
    urls = [issuer]
    try:
        with urllib.request.urlopen(f"{issuer.rstrip('/')}/.well-known/openid-configuration", timeout=5) as answer:  # noqa: S310 - the operator's own choice
            urls.append(str(json.load(answer).get("token_endpoint", issuer)))
    except (OSError, ValueError):
        pass  # The console says so itself when somebody wants to sign in.
    return sorted({f"{parts.scheme}://{parts.netloc}" for parts in map(urlsplit, urls)})


class _Stay(urllib.request.HTTPRedirectHandler):
    """Leaves a redirect to the caller."""

    def redirect_request(self, *arguments: Any) -> None:
        """Follow nothing."""


def fetch_token(issuer: str, subject: str, claims: Mapping[str, Any]) -> str:
    """Sign a subject in at the local OIDC server, as a browser would; return the ID token. Raises OidcError."""
    _send("PUT", f"{issuer}/users/{quote(subject, safe='')}", json.dumps(dict(claims)).encode(), "application/json")
    asked = {"response_type": "code", "client_id": AUDIENCE, "redirect_uri": _BACK, "scope": "openid email profile"}
    place = _send("POST", f"{issuer}/oauth2/authorize?{urlencode(asked)}", urlencode({"sub": subject}).encode())[0]
    code = parse_qs(urlsplit(place).query).get("code", [""])[0]
    grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": _BACK, "client_id": AUDIENCE}
    answer = _send("POST", f"{issuer}/oauth2/token", urlencode({**grant, "client_secret": "any"}).encode())[1]
    return str(json.loads(answer)["id_token"])


def _send(method: str, url: str, body: bytes, kind: str = "application/x-www-form-urlencoded") -> tuple[str, bytes]:
    """Send one request; return the Location and the body of its answer."""
    request = urllib.request.Request(url, body, {"Content-Type": kind}, method=method)  # noqa: S310 - loopback
    try:
        with urllib.request.build_opener(_Stay).open(request, timeout=10) as answer:
            return answer.headers.get("Location", ""), answer.read()
    except urllib.error.HTTPError as error:
        if error.code in (302, 303):
            return error.headers.get("Location", ""), b""
        raise OidcError(f"the local OIDC server answered {error.code}") from error
    except OSError as error:
        raise OidcError("the local OIDC server does not answer") from error
