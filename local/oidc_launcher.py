"""The process of the local OIDC server: oidc-provider-mock on loopback. It signs in anybody, as whoever they say.

Runs with nothing but the standard library and the server's packages; see `oidc.py`, which starts it.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from local.lifeline import die_with_parent

# It renews no ID tokens, so one lasts a day's work; the authorizer takes none of more than a day.
LIFETIME = timedelta(hours=12)


def main() -> None:
    """Read the configuration from standard input, print where it listens, serve until killed."""
    config = json.loads(sys.stdin.readline())
    die_with_parent(config["parent"])
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # plain http: this never leaves loopback
    sys.path.insert(0, config["packages"])
    import oidc_provider_mock  # type: ignore[import-not-found]
    import uvicorn

    listener = _listener(config["port"])
    app = oidc_provider_mock.app(access_token_max_age=LIFETIME)
    app.debug = False
    app.after_request(_allow_this_machine)
    server = uvicorn.Server(uvicorn.Config(app, interface="wsgi", log_level="warning"))
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    server.run(sockets=[listener])


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
