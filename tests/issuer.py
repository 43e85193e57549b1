"""An OIDC issuer for tests: a real server of its two documents, its keys, and tokens signed with them."""

from __future__ import annotations

import base64
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

AUDIENCE = "console"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SMALL_RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
ATTACKER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwk(public: Any, **more: str) -> dict[str, Any]:
    algorithms: dict[type, Any] = {
        rsa.RSAPublicKey: RSAAlgorithm,
        ec.EllipticCurvePublicKey: ECAlgorithm,
        ed25519.Ed25519PublicKey: OKPAlgorithm,
    }
    convert = next(value for kind, value in algorithms.items() if isinstance(public, kind))
    return {**convert.to_jwk(public, as_dict=True), **more}


PUBLISHED = [
    jwk(RSA_KEY.public_key(), kid="rsa", use="sig", alg="RS256"),
    jwk(EC_KEY.public_key(), kid="ec"),
    jwk(ED_KEY.public_key(), kid="ed"),
    jwk(SMALL_RSA_KEY.public_key(), kid="small"),
    jwk(ATTACKER_KEY.public_key(), kid="encryption", use="enc"),
    {"kty": "oct", "kid": "oct", "k": base64.urlsafe_b64encode(b"s" * 32).decode().rstrip("=")},
    {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"},
]


class Issuer(ThreadingHTTPServer):
    """An OIDC issuer's two documents, and what was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Documents)
        self.asked: list[str] = []
        self.answers: dict[str, tuple[int, bytes, dict[str, str]]] = {}
        self.drip = False
        self.publish(PUBLISHED)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def publish(self, keys: list[dict[str, Any]], **discovery: str) -> None:
        document = {"issuer": self.url, "jwks_uri": f"{self.url}/keys", **discovery}
        self.answers["/.well-known/openid-configuration"] = (200, json.dumps(document).encode(), {})
        self.answers["/keys"] = (200, json.dumps({"keys": keys}).encode(), {})


class _Documents(BaseHTTPRequestHandler):
    server: Issuer

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        status, body, headers = self.server.answers.get(self.path, (404, b"", {}))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if not self.server.drip:
            self.wfile.write(body)
            return
        try:
            while True:
                self.wfile.write(b" ")
                time.sleep(0.05)
        except OSError:
            return

    def log_message(self, *arguments: Any) -> None:
        """Says nothing."""


def claims(issuer: Issuer, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    values = {"iss": issuer.url, "aud": AUDIENCE, "sub": "ada", "iat": now, "exp": now + 600, **changes}
    return {name: value for name, value in values.items() if value is not None}


def signed(
    issuer: Issuer, key: Any = RSA_KEY, alg: str = "RS256", header: dict[str, Any] | None = None, **changes: Any
) -> str:
    return jwt.encode(claims(issuer, **changes), key, alg, headers={"kid": "rsa", **(header or {})})
