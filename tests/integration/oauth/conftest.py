"""A real authorization server, the product's services over the real store, and an API that takes its tokens."""

from __future__ import annotations

import asyncio
import http.cookiejar
import json
import re
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from agent_builder.crypto import Envelopes, master_keys
from agent_builder.models.credentials import CREDENTIAL_INPUT, Credential
from agent_builder.realtime.doorbell import Doorbell
from agent_builder.repositories.credentials import CredentialRepository
from agent_builder.repositories.grants import GrantRepository
from agent_builder.services.authorization import Authorization
from agent_builder.services.consents import ConsentService
from agent_builder.services.credentials import CredentialService
from agent_builder.services.secrets import Secrets
from agent_builder.tools.egress import Answer, Egress, EgressPolicy
from local.testing import Instance
from local.variables import key_file
from tests.integration.store.product import Product

SERVER = Path(__file__).with_name("server.mjs")
BACK = "http://127.0.0.1:1/api/v1/oauth/callback"
LIFETIME = 3600


@dataclass
class AuthorizationServer:
    """node-oidc-provider, from outside."""

    url: str

    def control(self, **query: Any) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/_control?{urllib.parse.urlencode(query)}", timeout=10) as answer:
            told: dict[str, Any] = json.load(answer)
        return told

    def asked(self) -> int:
        """How often its token endpoint was asked so far."""
        return len(self.control()["asked"])

    def active(self, token: str) -> bool:
        return bool(self.control(token=token)["active"])

    def end(self, access_token: str) -> None:
        """Accept this one no longer; its refresh token stays good."""
        self.control(end=access_token)

    def revoke(self, refresh_token: str) -> None:
        """End the grant, as a person does who removes the application from their account."""
        form = {"token": refresh_token, "client_id": "public"}
        request = urllib.request.Request(f"{self.url}/token/revocation", urllib.parse.urlencode(form).encode())
        urllib.request.urlopen(request, timeout=10).read()

    def forget(self) -> None:
        """End every grant there is."""
        self.control(forget=1)

    def consent(self, address: str) -> str:
        """A person with a browser signs in and consents; the address to which they are sent back."""
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        browser = urllib.request.build_opener(jar, _Stop)
        page, url = self._open(browser, address)
        while not url.startswith(BACK.partition("/api/")[0]) and "/api/v1/oauth/callback" not in url:
            action = re.search(r'action="([^"]+)"', page)
            assert action, page[:2000]
            prompt = re.search(r'name="prompt" value="(\w+)"', page)
            assert prompt
            fields = {"prompt": prompt[1], **({"login": "ann", "password": "x"} if prompt[1] == "login" else {})}
            target = urllib.parse.urljoin(url, unescape(action[1]))
            page, url = self._open(browser, target, urllib.parse.urlencode(fields).encode())
        return url

    def _open(self, browser: Any, url: str, data: bytes | None = None) -> tuple[str, str]:
        try:
            with browser.open(url, data, timeout=10) as answer:
                return answer.read().decode(), answer.url
        except _Back as back:
            return "", back.url


class _Back(Exception):
    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url


class _Stop(urllib.request.HTTPRedirectHandler):
    """Stops at the way back: nobody listens there."""

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str) -> Any:
        if "/api/v1/oauth/callback" in newurl:
            raise _Back(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def start_server(back: str) -> tuple[subprocess.Popen[str], AuthorizationServer]:
    command = ["node", str(SERVER), back, str(LIFETIME)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip().isdigit():
            return process, AuthorizationServer(f"http://127.0.0.1:{line.strip()}")
    raise AssertionError("the authorization server did not start")


@pytest.fixture(scope="package")
def authorization_server() -> Iterator[AuthorizationServer]:
    process, server = start_server(BACK)
    with process:
        yield server
        process.kill()


class Api(ThreadingHTTPServer):
    """An API that takes the server's tokens, and says in one of three ways that one is over."""

    daemon_threads = True

    def __init__(self, server: AuthorizationServer) -> None:
        super().__init__(("127.0.0.1", 0), _Guarded)
        self.server = server
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Guarded(BaseHTTPRequestHandler):
    server: Api

    def do_GET(self) -> None:
        token = str(self.headers["Authorization"]).removeprefix("Bearer ")
        self.server.asked.append(token)
        good = self.server.server.active(token) and self.path != "/always-refuses"
        status = 200 if good or self.path == "/says-so-in-200" else 403 if self.path == "/says-403" else 401
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b'{"ok": true}' if good else b'{"error": {"code": "E-1001", "text": "session ended"}}')

    def log_message(self, *arguments: Any) -> None:
        """Says nothing."""


@pytest.fixture(scope="package")
def api(authorization_server: AuthorizationServer) -> Iterator[Api]:
    with Api(authorization_server) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield served
        served.shutdown()


class Runner(Doorbell):
    """A doorbell behind which a runner works at once."""

    def __init__(self, world: World) -> None:
        super().__init__("nobody")
        self.world = world
        self.rung: list[dict[str, Any]] = []

    def ask(self, kind: str, **ids: Any) -> dict[str, Any]:
        self.rung.append({"kind": kind, **ids})
        authorization = self.world.worker()
        return {"failure": asyncio.run(authorization.connect(ids["tenant_id"], ids["consent"]))}


@dataclass
class World:
    """One tenant, REST's services, and as many workers as a test wants."""

    server: AuthorizationServer
    keys: str
    product: Product = field(default_factory=Product)
    credentials: CredentialRepository = field(default_factory=CredentialRepository)
    grants: GrantRepository = field(default_factory=GrantRepository)

    def __post_init__(self) -> None:
        self.tenant, self.clock = self.product.tenant, self.product.clock
        self.runner = Runner(self)
        self.service = CredentialService(self.credentials, self.envelopes, self.clock)
        self.lost: list[str] = []
        self.consents = ConsentService(self.grants, self.runner, self.envelopes, self.clock)

    def envelopes(self) -> Envelopes:
        return Envelopes(master_keys([self.keys], lambda: None))

    async def egress(self, tenant: str) -> Egress:
        return Egress(EgressPolicy(allow_loopback=True))

    def worker(self) -> Authorization:
        """A worker of its own, which remembers nothing."""
        secrets = Secrets(self.credentials, self.envelopes, self.clock)
        return Authorization(
            self.credentials, self.grants, secrets, self.egress, self.clock, on_lost=lambda: self.lost.append("lost")
        )

    def create(self, client: str = "basic", grant: str = "authorization_code", **changes: Any) -> str:
        how = {"post": "body", "machine-post": "body", "public": "none"}.get(client, "basic")
        settings = {
            "grant": grant,
            "token_url": f"{self.server.url}/token",
            "client_id": client,
            "client_authentication": how,
            **changes,
        }
        if grant == "authorization_code":
            settings |= {"authorization_url": f"{self.server.url}/auth", "scopes": ["openid"]}
        secret = {} if how == "none" else {"client_secret": f"{client}-s3cret+/=%"}
        body = {"name": client, "kind": "oauth2", "settings": settings, "secret": secret}
        return self.service.create(self.product.me, CREDENTIAL_INPUT.validate_python(body)).id

    def connected(self, client: str = "basic", **changes: Any) -> str:
        """A credential to which somebody has consented."""
        credential_id = self.create(client, **changes)
        assert self.finish(self.server.consent(self.start(credential_id))) == ""
        return credential_id

    def start(self, credential_id: str) -> str:
        credential = self.service.get(self.product.me, credential_id)
        return str(self.consents.start(self.product.me, credential, redirect_uri=BACK)["authorization_url"])

    def finish(self, address: str) -> str:
        came = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))
        return self.consents.finish(came["state"], code=came.get("code", ""), error=came.get("error", ""))

    def stored(self, credential_id: str) -> Credential:
        found = self.credentials.get(self.tenant, credential_id)
        assert found is not None
        return found

    async def tokens(self, credential_id: str) -> dict[str, str]:
        return await self.worker().secrets.tokens(self.tenant, self.stored(credential_id))

    def grow_old(self) -> None:
        """Let every token there is come to its end, as far as the product knows."""
        self.clock.ahead += (LIFETIME - 30) * 1000

    async def call(self, worker: Authorization, credential_id: str, url: str) -> Answer:
        async with await self.egress(self.tenant) as egress:
            answer, _ = await worker.call(egress, self.tenant, credential_id, method="GET", url=url)
        return answer


@pytest.fixture
def world(store: Instance, authorization_server: AuthorizationServer, tmp_path: Path) -> World:
    return World(authorization_server, str(key_file(tmp_path)))
