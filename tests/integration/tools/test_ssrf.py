"""Every outbound feature, asked to call what it must not: nothing arrives, and people see what was refused."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from local.testing import Instance, running_stack
from tests.integration.rest import Rest

API = "/api/v1"
# {port} is that of a server on this machine which would count every connection.
FORMS = """
http://127.0.0.1:{port} http://localhost:{port} http://localhost.:{port} http://LOCALHOST:{port} http://0.0.0.0:{port}
http://0:{port} http://127.1:{port} http://2130706433:{port} http://0x7f000001:{port} http://0x7f.1:{port}
http://017700000001:{port} http://0177.0.0.1:{port} http://127.0.0.1.:{port} http://[::1]:{port} http://[::]:{port}
http://[::ffff:127.0.0.1]:{port} http://[::ffff:7f00:1]:{port} http://[0:0:0:0:0:ffff:127.0.0.1]:{port}
http://[64:ff9b::7f00:1]:{port} http://[2002:7f00:1::]:{port} http://①②⑦.⓪.⓪.①:{port} http://127。0。0。1:{port}
http://a.localhost:{port} http://example.com@127.0.0.1:{port} http://169.254.169.254 http://[fd00:ec2::254]
http://10.0.0.1 http://192.168.0.1 http://100.100.100.200 https://169.254.170.2 ftp://127.0.0.1:{port}
file:///etc/passwd gopher://127.0.0.1:{port} http://127.0.0.1:{port}#@example.com http://example.com:22
""".split()


@dataclass
class Inside:
    """A server on this machine that must never be reached."""

    port: int = 0
    reached: list[Any] = field(default_factory=list)

    def serve(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, address = listening.accept()
            except OSError:
                return
            self.reached.append(address)
            connection.close()


@pytest.fixture(scope="module")
def inside() -> Iterator[Inside]:
    with socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listening:
        server = Inside(listening.getsockname()[1])
        threading.Thread(target=server.serve, args=(listening,), daemon=True).start()
        yield server


@pytest.fixture(scope="module")
def stack() -> Iterator[Instance]:
    with running_stack() as running:
        yield running


@pytest.fixture(scope="module")
def rest(stack: Instance) -> Rest:
    return Rest(stack.url)


@pytest.fixture(scope="module")
def agent(rest: Rest) -> str:
    return str(rest.create()["id"])


def refused_at_once(answer: Any) -> bool:
    """Whether REST did not even take the address."""
    assert answer.status in (201, 202, 422), answer.body
    return bool(answer.status == 422)


def tool(rest: Rest, agent: str, url: str, **more: Any) -> str | None:
    """The code of a tool's answer; None where the address was not taken."""
    body = {
        "kind": "http",
        "name": f"t{time.time_ns()}",
        "method": "GET",
        "effect": "read",
        "retries": 0,
        "input_schema": {"type": "object", "properties": {}},
        "base_url": url,
        **more,
    }
    made = rest("POST", f"{API}/agents/{agent}/tools", body)
    if refused_at_once(made):
        return None
    path = f"{API}/tools/{made.json['id']}"
    told = rest("POST", f"{path}/test", {"arguments": {}}).json
    assert rest("DELETE", path).status == 204
    return str((told["error"] or {}).get("code"))


def signed_in(rest: Rest, agent: str, url: str) -> str | None:
    """A tool elsewhere, whose sign-in is at the address."""
    body = {
        "name": "Inside",
        "kind": "oauth2",
        "settings": {"grant": "client_credentials", "token_url": f"{url}/token", "client_id": "c"},
        "secret": {"client_secret": "s3cret"},
    }
    made = rest("POST", f"{API}/credentials", body)
    if refused_at_once(made):
        return None
    return tool(rest, agent, "https://example.com", credential_id=made.json["id"])


def description(rest: Rest, agent: str, url: str) -> str | None:
    made = rest("POST", f"{API}/openapi-imports", {"agent_id": agent, "url": f"{url}/openapi.json"})
    if refused_at_once(made):
        return None
    deadline = time.monotonic() + 60
    while (now := rest("GET", f"{API}/openapi-imports/{made.json['id']}").json)["status"] in ("queued", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return str((now["error"] or {}).get("code"))


def mcp_server(rest: Rest, agent: str, url: str) -> str | None:
    body = {"kind": "mcp", "name": "Inside", "base_url": f"{url}/mcp"}
    made = rest("POST", f"{API}/agents/{agent}/integrations", body)
    if refused_at_once(made):
        return None
    path = f"{API}/integrations/{made.json['id']}"
    code = rest("POST", f"{path}/mcp/list", {}).json["code"]
    assert rest("DELETE", path).status == 204
    return str(code)


FEATURES: dict[str, Callable[[Rest, str, str], str | None]] = {
    "tool": tool,
    "oauth": signed_in,
    "openapi": description,
    "mcp": mcp_server,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("feature", FEATURES)
def test_nothing_inside_is_reached(rest: Rest, agent: str, inside: Inside, feature: str, form: str) -> None:
    code = FEATURES[feature](rest, agent, form.format(port=inside.port))
    assert code in (None, "outbound_refused"), code
    assert inside.reached == []


@pytest.mark.parametrize("feature", FEATURES)
def test_what_was_refused_is_recorded(rest: Rest, agent: str, inside: Inside, feature: str) -> None:
    before = {one["id"] for one in rest.all(f"{API}/egress/refusals")}
    # OAuth takes plain http at loopback, for laptops: there it is refused when it is called.
    assert FEATURES[feature](rest, agent, f"http://127.0.0.1:{inside.port}") == "outbound_refused"
    deadline = time.monotonic() + 30
    while not (fresh := [one for one in rest.all(f"{API}/egress/refusals") if one["id"] not in before]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert {(one["host"], one["purpose"]) for one in fresh} == {("127.0.0.1", feature)}
