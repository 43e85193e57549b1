"""The process of the local OIDC server: oidc-provider-mock on loopback. It signs in anybody, as whoever they say.

Runs with nothing but the standard library and the server's packages; see `oidc.py`, which starts it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import sys
from datetime import timedelta
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from local.lifeline import die_with_parent


def main() -> None:
    """Read the configuration from standard input, print where it listens, serve until killed."""
    config = json.loads(sys.stdin.readline())
    die_with_parent(config["parent"])
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # plain http: this never leaves loopback
    sys.path.insert(0, config["packages"])
    import oidc_provider_mock  # type: ignore[import-not-found]
    import uvicorn

    listener = _listener(config["port"])
    _serve_public_clients(config["token_seconds"])
    app = oidc_provider_mock.app(access_token_max_age=timedelta(seconds=config["token_seconds"]))
    app.debug = False
    app.after_request(_allow_this_machine)
    server = uvicorn.Server(uvicorn.Config(app, interface="wsgi", log_level="warning"))
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    server.run(sockets=[listener])


def _serve_public_clients(seconds: int) -> None:
    """Serve clients without a secret, which the console is.

    Their codes are held to their proof (PKCE, RFC 7636). Their refresh tokens bring a new ID token beside the access
    token, with what is said of the person by then, and stay good themselves: so does Cognito, by default.
    """
    mock = import_module("oidc_provider_mock._app")
    errors = import_module("authlib.oauth2.rfc6749.errors")
    challenges: dict[str, str] = {}

    class Proven(mock.AuthorizationCodeGrant):  # type: ignore[name-defined, misc]
        TOKEN_ENDPOINT_AUTH_METHODS = ("none", "client_secret_basic", "client_secret_post")

        def save_authorization_code(self, code: str, request: Any) -> None:
            super().save_authorization_code(code, request)
            challenges[code] = request.payload.data.get("code_challenge", "")

        def validate_token_request(self) -> None:
            super().validate_token_request()
            form = self.request.form
            challenge = challenges.pop(form.get("code", ""), "")
            if challenge and _s256(form.get("code_verifier", "")) != challenge:
                raise errors.InvalidGrantError("the code_verifier does not fit")

    class Renewing(mock.RefreshTokenGrant):  # type: ignore[name-defined, misc]
        TOKEN_ENDPOINT_AUTH_METHODS = ("none", "client_secret_basic", "client_secret_post")

        def generate_token(self, **given: Any) -> Any:
            return super().generate_token(expires_in=seconds, **given)

        def create_token_response(self) -> Any:
            answer = super().create_token_response()
            mock.OpenIDCode(require_nonce=False, token_max_age=timedelta(seconds=seconds)).process_token(self, answer)
            return answer

    for name, grant in (("AuthorizationCodeGrant", Proven), ("RefreshTokenGrant", Renewing)):
        setattr(mock, name, grant)


def _s256(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _allow_this_machine(response: Any) -> Any:
    """Let pages of this machine, such as the console, exchange their codes (CORS)."""
    import flask

    origin = flask.request.headers.get("Origin", "")
    if urlsplit(origin).hostname in ("127.0.0.1", "localhost", "::1"):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Vary"] = "Origin"
    return response


def _listener(port: int) -> socket.socket:
    """Take the port of the last start, which is part of the issuer's name, or another where it is taken."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    return listener
