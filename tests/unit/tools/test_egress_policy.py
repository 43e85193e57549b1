"""What is refused before a name is looked up, and the lists of a tenant."""

from __future__ import annotations

import pytest

from agent_builder.errors import OutboundRefused
from agent_builder.models.egress import checked_rule
from agent_builder.tools.egress_addresses import parsed
from agent_builder.tools.egress_policy import EgressPolicy, read_url, same_origin

BAD_URLS = {
    "": "scheme",
    "//example.com/": "scheme",
    "example.com": "scheme",
    "/etc/passwd": "scheme",
    "file:///proc/self/environ": "scheme",
    "ftp://example.com/": "scheme",
    "gopher://127.0.0.1:25/_HELO": "scheme",
    "dict://127.0.0.1:11211/": "scheme",
    "data:text/plain,hello": "scheme",
    "javascript:alert(1)": "scheme",
    "ws://example.com/": "scheme",
    "http://": "url",
    "http:///path": "url",
    "https://user@example.com/": "url",
    "https://user:pass@example.com/": "url",
    "http://127.0.0.1:80@example.com/": "url",
    "http://127.0.0.1%2f@example.com/": "url",
    "http://127.0.0.1\\@example.com/": "url",
    "http://example.com\\@127.0.0.1/": "url",
    "http://example.com /": "url",
    "http://exa\tmple.com/": "url",
    "http://example.com/\r\nX-Injected: 1": "url",
    "http://example.com/\x00": "url",
    "http://①②⑦.⓪.⓪.①/": "url",
    "http://127.1/": "url",
    "http://0/": "url",
    "http://0x7f.0.0.1/": "url",
    "http://0x7f000001/": "url",
    "http://0X7F000001/": "url",
    "http://2130706433/": "url",
    "http://017700000001/": "url",
    "http://0177.0.0.1/": "url",
    "http://127.0.0.0x1/": "url",
    "http://[fe80::1%25eth0]/": "url",
    "http://[::1/": "url",
    "http://exa_mple..com/": "url",
    "http://-example.com/": "url",
    "http://example.com:0/": "port",
    "http://example.com:22/": "port",
    "http://example.com:8080/": "port",
    "http://example.com:65536/": "port",
    "http://localhost:8787/": "port",
    "https://example.com/" + "a" * 9000: "url",
}


def reason(url: str, policy: EgressPolicy | None = None, *, secret: bool = False) -> str:
    try:
        (policy or EgressPolicy()).check(read_url(url), secret=secret)
    except OutboundRefused as refused:
        return refused.reason
    return ""


@pytest.mark.parametrize("url", BAD_URLS, ids=lambda url: repr(url[:40]))
def test_refused_by_its_writing(url: str) -> None:
    assert reason(url) in (BAD_URLS[url], "url")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com./path?q=1#fragment",
        "HTTPS://EXAMPLE.COM:443/",
        "http://example.com:80/a%20b",
        "https://bücher.example/",
        "https://xn--bcher-kva.example/",
        "https://my_host.example.com/",
        "https://8.8.8.8/",
        "https://[2606:4700:4700::1111]/",
        "https://1.example.com/",
        "https://example.com/?next=http://127.0.0.1/",
        "https://example.com/?@127.0.0.1/",
    ],
)
def test_passes(url: str) -> None:
    assert reason(url, secret=url.lower().startswith("https")) == ""


def test_a_secret_needs_tls() -> None:
    assert reason("http://example.com/", secret=True) == "insecure"
    assert reason("http://127.0.0.1/", secret=True) == "insecure"
    local = EgressPolicy(allow_loopback=True)
    assert reason("http://example.com/", local, secret=True) == "insecure"
    assert reason("http://localhost.example.com/", local, secret=True) == "insecure"
    for url in ("http://127.0.0.1:9000/", "http://localhost:9000/", "http://[::1]:9000/", "http://a.localhost:1/"):
        assert reason(url, local, secret=True) == ""


def test_lists_of_a_tenant() -> None:
    policy = EgressPolicy(allow=("example.com", "*.example.org"), deny=("bad.example.org",))
    assert reason("https://example.com/", policy) == ""
    assert reason("https://EXAMPLE.com./", policy) == ""
    assert reason("https://a.b.example.org/", policy) == ""
    assert reason("https://bad.example.org./", policy) == "denied"
    for url in ("https://example.org/", "https://www.example.com/", "https://notexample.com/", "https://8.8.8.8/"):
        assert reason(url, policy) == "not_allowed"


def test_lists_of_networks() -> None:
    address = parsed("198.41.0.4")
    assert address is not None
    with pytest.raises(OutboundRefused) as refused:
        EgressPolicy(deny=("198.41.0.0/24",)).check_addresses("example.com", [address])
    assert refused.value.reason == "denied"
    with pytest.raises(OutboundRefused) as refused:
        EgressPolicy(allow=("8.8.8.0/24",)).check_addresses("example.com", [address])
    assert refused.value.reason == "not_allowed"
    EgressPolicy(allow=("198.41.0.0/24",)).check_addresses("example.com", [address])
    EgressPolicy(allow=("8.8.8.0/24", "example.com")).check_addresses("example.com", [address])


def test_more_ports() -> None:
    policy = EgressPolicy(ports=frozenset({443, 8443}))
    assert reason("https://example.com:8443/", policy) == ""
    assert reason("http://example.com/", policy) == "port"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Example.COM.", "example.com"),
        ("*.Example.com", "*.example.com"),
        ("10.0.0.1", "10.0.0.1/32"),
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("2001:db8::/32", "2001:db8::/32"),
    ],
)
def test_rules_have_one_writing(text: str, rule: str) -> None:
    assert checked_rule(text) == rule


@pytest.mark.parametrize(
    "text", ["", "*", "*.", "*.*.com", "a*.com", "https://a.com", "a.com/x", "a.com:80", "a b", "127.1"]
)
def test_what_is_no_rule(text: str) -> None:
    with pytest.raises(ValueError, match="must be a host"):
        checked_rule(text)


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("https://a.com/x", "https://a.com/y", True),
        ("https://a.com", "https://A.com.:443/", True),
        ("http://a.com", "https://a.com", True),
        ("https://a.com", "http://a.com", False),
        ("http://a.com:8080", "https://a.com", False),
        ("https://a.com", "https://a.com:8443", False),
        ("https://a.com", "https://b.a.com", False),
    ],
)
def test_origins(before: str, after: str, same: bool) -> None:
    assert same_origin(read_url(before), read_url(after)) is same
