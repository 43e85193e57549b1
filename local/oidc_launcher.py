"""The process of the local OIDC server: oidc-provider-mock on loopback. It signs in anybody, as whoever they say.

Runs with nothing but the standard library and the server's packages; see `oidc.py`, which starts it.
"""

from __future__ import annotations

import json
import os
import socket
import sys

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
    app = oidc_provider_mock.app()
    app.debug = False
    server = uvicorn.Server(uvicorn.Config(app, interface="wsgi", log_level="warning"))
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    server.run(sockets=[listener])


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
