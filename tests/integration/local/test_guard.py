"""Web pages of others get nothing, and the internal port answers to its key only."""

import socket
import sys
import urllib.error
import urllib.request

import httpx2
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from local.testing import running_stack
from tests.integration.local.conftest import ARGUMENTS, eventually


def test_a_foreign_host_is_refused(http):
    answer = http.get("/", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_host")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/", "/api/x"])
def test_a_foreign_origin_is_refused(http, path):
    answer = http.post(path, headers={"Origin": "http://evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")
    assert "access-control-allow-origin" not in answer.headers


def test_a_foreign_origin_opens_no_websocket(stack):
    with pytest.raises(InvalidStatus) as refused, connect(stack.ws_url("r", "/ws/"), origin="http://evil.example"):
        pass
    assert refused.value.response.status_code == 403


def test_the_own_origin_opens_one(stack):
    with connect(stack.ws_url("r", "/ws/"), origin=stack.url):
        pass


@pytest.mark.parametrize("path", ["/2015-03-31/functions/local-worker/invocations", "/live/@connections/x"])
def test_the_aws_interfaces_are_not_on_the_public_port(http, path):
    assert http.post(path, content=b"{}").status_code == 404


@pytest.mark.parametrize("headers", [{}, {"Authorization": "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/x"}])
def test_the_internal_ports_ask_for_the_key(stack, headers):
    for url in (stack.internal_url + "/2015-03-31/functions/local-worker/invocations", stack.running["store_url"]):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(url, b"{}", headers))
        assert refused.value.code in (400, 403)
        refused.value.close()


def test_even_with_the_key_a_web_page_is_refused(stack):
    headers = {"Authorization": f"Credential={stack.running['access_key']}/", "Origin": stack.url}
    answer = httpx2.post(stack.internal_url + "/live/@connections/x", headers=headers)
    assert answer.status_code == 403


@pytest.fixture(scope="module")
def open_stack():
    """A gateway that listens on all addresses."""
    with running_stack(arguments=[*ARGUMENTS, "--host", "0.0.0.0"]) as running:
        yield running


def test_beyond_loopback_a_token_is_needed(open_stack):
    address = open_stack.url
    token = open_stack.running["token"]
    eventually(lambda: f"{address}/?token={token}" in open_stack.output())
    with httpx2.Client(base_url=address) as browser:
        assert browser.get("/").status_code == 401
        assert browser.get("/api/x", headers={"Authorization": f"Bearer {token}"}).status_code == 200
        redirect = browser.get(f"/?token={token}")
        assert (redirect.status_code, redirect.headers["location"]) == (303, "/")
        assert browser.get("/").status_code == 200
    with pytest.raises(InvalidStatus):
        connect(open_stack.ws_url("r", "/ws/"), legacy=True)
    with connect(open_stack.ws_url("r", "/ws/"), additional_headers={"Authorization": f"Bearer {token}"}):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux answers on every 127.* address")
def test_the_internal_ports_stay_on_loopback(open_stack):
    """An address that is not 127.0.0.1 reaches the public port and no other."""
    socket.create_connection(("127.0.0.2", int(open_stack.url.rpartition(":")[2])), timeout=2).close()
    for url in (open_stack.internal_url, open_stack.running["store_url"]):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", int(url.rpartition(":")[2])), timeout=2)


def test_allowed_origins_may_use_it():
    arguments = [*ARGUMENTS, "--allowed-origins", "http://localhost:3000"]
    with running_stack(arguments=arguments) as running, httpx2.Client(base_url=running.url) as browser:
        origin = {"Origin": "http://localhost:3000"}
        preflight = browser.options("/api/x", headers={**origin, "Access-Control-Request-Method": "POST"})
        assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (204, origin["Origin"])
        assert browser.post("/api/x", headers=origin).headers["access-control-allow-origin"] == origin["Origin"]
        with connect(running.ws_url("r", "/ws/"), origin=origin["Origin"]):
            pass
        other = {"Origin": "http://localhost:3001", "Access-Control-Request-Method": "POST"}
        assert browser.options("/api/x", headers=other).status_code == 403
