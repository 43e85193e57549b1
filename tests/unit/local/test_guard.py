"""Who may pass: own hosts and origins, and beyond loopback those with the token."""

import pytest
from aiohttp.test_utils import make_mocked_request

from local.guard import COOKIE, Guard, cors_headers, origins
from tests.template import of_type, read

LOOPBACK = Guard("127.0.0.1", 8787, origins("http://localhost:3000, http://127.0.0.1:3000/"))
NETWORK = Guard("0.0.0.0", 8787, token="secret")


def answer(guard, path="/", **headers):
    """Return the status of a refusal, None when the request may pass. `_` in a name stands for `-`."""
    fields = {"Host": "127.0.0.1:8787"} | {name.replace("_", "-"): value for name, value in headers.items()}
    refused = guard.refusal(make_mocked_request("GET", path, headers=fields))
    return refused.status if refused is not None else None


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8787", "localhost:8787", "LOCALHOST:8787", "[::1]:8787", "localhost.:8787"]
)
def test_own_hosts(host):
    assert answer(LOOPBACK, Host=host) is None


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example:8787",
        "127.0.0.1",
        "127.0.0.1:8788",
        "localhost.evil.example:8787",
        "a@127.0.0.1:8787",
        "127.0.0.1:8787/x",
        "127.0.0.1:port",
        "[::1",
        "192.168.1.5:8787",
    ],
)
def test_foreign_hosts(host):
    assert answer(LOOPBACK, Host=host) == 403


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8787", "http://localhost:3000", "http://127.0.0.1:3000"])
def test_own_and_allowed_origins(origin):
    assert answer(LOOPBACK, Origin=origin) is None


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "https://127.0.0.1:8787",
        "http://127.0.0.1:8788",
        "http://localhost:8787",
        "",
        "http://localhost:3000.evil.example",
    ],
)
def test_foreign_origins(origin):
    assert answer(LOOPBACK, Origin=origin) == 403


@pytest.mark.parametrize(
    ("site", "mode", "status"),
    [
        ("cross-site", "no-cors", 403),
        ("same-site", "no-cors", 403),
        ("cross-site", "navigate", None),
        ("same-origin", "cors", None),
        ("none", "navigate", None),
    ],
)
def test_pages_may_link_to_the_gateway_and_not_embed_it(site, mode, status):
    assert answer(LOOPBACK, Sec_Fetch_Site=site, Sec_Fetch_Mode=mode) == status


def test_beyond_loopback_a_token_is_asked_for():
    host = "192.168.1.5:8787"
    assert answer(NETWORK, Host=host) == 401
    assert answer(NETWORK, Host=host, Authorization="Bearer wrong") == 401
    assert answer(NETWORK, Host=host, Authorization="Bearer secret") is None
    assert answer(NETWORK, "/?token=secret", Host=host) is None
    assert answer(NETWORK, Host=host, Cookie=f"{COOKIE}=secret") is None
    assert answer(NETWORK, Host="evil.example:8787", Cookie=f"{COOKIE}=secret") == 403


def test_the_token_of_an_address_becomes_a_cookie():
    request = make_mocked_request("GET", "/chat/?token=secret&a=1", headers={"Host": "192.168.1.5:8787"})
    redirect = NETWORK.exchange(request)
    assert redirect.status == 303
    assert redirect.headers["Location"] == "/chat/?a=1"
    cookie = redirect.cookies[COOKIE]
    assert (cookie.value, cookie["httponly"], cookie["samesite"]) == ("secret", True, "Strict")


def test_a_wrong_token_is_no_cookie():
    assert NETWORK.exchange(make_mocked_request("GET", "/?token=wrong", headers={"Host": "192.168.1.5:8787"})) is None
    assert LOOPBACK.exchange(make_mocked_request("GET", "/?token=secret", headers={"Host": "127.0.0.1:8787"})) is None


def test_what_other_origins_may_is_what_they_may_on_aws():
    """Without credentials: a page must send its own token."""
    api = next(iter(of_type(read(), "AWS::Serverless::HttpApi").values()))
    cors = api["CorsConfiguration"]["Fn::If"][1]
    sent = {name.lower(): value for name, value in cors_headers("http://localhost:3000").items()}
    lists = {"methods": cors["allowMethods"], "headers": cors["allowHeaders"]}
    wanted = {f"access-control-allow-{name}": ", ".join(values) for name, values in lists.items()}
    wanted["access-control-expose-headers"] = ", ".join(cors["exposeHeaders"])
    wanted["access-control-max-age"] = str(cors["maxAge"])
    assert sent == {**wanted, "access-control-allow-origin": "http://localhost:3000", "vary": "Origin"}
