from __future__ import annotations

from typing import Any

import pytest

from tests.unit.openapi.descriptions import codes, description, imported

ADDRESS = "https://docs.example.test/apis/v1/openapi.json"
PATHS: dict[str, Any] = {"/a": {"get": {}}}


@pytest.mark.parametrize(
    ("servers", "base_url"),
    [
        ([{"url": "https://api.example.test/v1/"}], "https://api.example.test/v1"),
        ([{"url": "/v2"}], "https://docs.example.test/v2"),
        ([{"url": "v2"}], "https://docs.example.test/apis/v1/v2"),
        ([{"url": "../v2"}], "https://docs.example.test/apis/v2"),
        ([{"url": "/"}], "https://docs.example.test"),
        ([{"url": "//other.example.test/x"}], "https://other.example.test/x"),
        ([{"url": "http://a.test"}, {"url": "https://b.test"}], "https://b.test"),
        ([{"url": "http://a.test"}], "http://a.test"),
        ([{"url": "wss://a.test"}, {"url": "https://b.test/?x=1"}], "https://b.test"),
        (
            [
                {
                    "url": "https://{tenant}.example.test:{port}/{base}",
                    "variables": {
                        "tenant": {"default": "demo"},
                        "port": {"enum": ["443", "8443"], "default": "8443"},
                        "base": {"enum": ["v9"]},
                    },
                }
            ],
            "https://demo.example.test:8443/v9",
        ),
        ([{"url": "https://{tenant}.example.test", "variables": {"tenant": {}}}], None),
        ([{"url": "https://user:password@example.test"}], None),
        ([{"url": "javascript:alert(1)"}], None),
        ([{"url": "https://exa mple.test"}], None),
        ([{"url": "https://[broken"}], None),
        ([{}], "https://docs.example.test"),
        ([], "https://docs.example.test"),
        ("nonsense", "https://docs.example.test"),
    ],
)
def test_servers(servers: Any, base_url: str | None) -> None:
    preview = imported(description(PATHS, servers=servers), address=ADDRESS)
    assert preview.base_url == base_url
    assert ("no_server" in codes(preview)) == (base_url is None)
    assert preview.operations[0].tool
    assert preview.operations[0].tool.base_url is None


def test_variables_are_shown_so_that_one_can_choose() -> None:
    variables = {"region": {"default": "eu", "enum": ["eu", "us"], "description": "Where."}}
    servers = [{"url": "https://{region}.example.test", "variables": variables}, {"url": "https://static.example.test"}]
    first, second = imported(description(PATHS, servers=servers)).servers
    assert first.url == "https://eu.example.test"
    assert first.variables["region"].allowed == ("eu", "us")
    assert second.variables == {}


@pytest.mark.parametrize(
    ("head", "base_url"),
    [
        ({"host": "api.example.test", "basePath": "/v1/", "schemes": ["http", "https"]}, "https://api.example.test/v1"),
        ({"host": "api.example.test", "schemes": ["http"]}, "http://api.example.test"),
        ({"host": "api.example.test", "schemes": ["wss"]}, "https://api.example.test"),
        ({"host": "api.example.test:8080"}, "https://api.example.test:8080"),
        ({"basePath": "/v1"}, "https://docs.example.test/v1"),
        ({}, "https://docs.example.test"),
    ],
)
def test_servers_of_swagger(head: dict[str, Any], base_url: str) -> None:
    assert imported(description(PATHS, version="2.0", **head), address=ADDRESS).base_url == base_url


def test_without_servers_and_address_a_person_is_asked() -> None:
    for version in ("2.0", "3.0.3"):
        preview = imported(description(PATHS, version=version))
        assert preview.base_url is None
        assert codes(preview) == {"no_server"}
        assert preview.counts() == {"accepted": 1, "changed": 0, "skipped": 0}


def test_operations_and_paths_may_have_servers_of_their_own() -> None:
    own = [{"url": "https://upload.example.test"}]
    paths = {
        "/a": {"get": {"servers": own}, "post": {}},
        "/b": {"servers": own, "get": {}, "post": {"servers": [{"url": "https://api.example.test"}]}},
        "/c": {"get": {"servers": [{"url": "https://{unknown}"}]}},
    }
    preview = imported(description(paths, servers=[{"url": "https://api.example.test"}]))
    tools = {operation.key: operation.tool.base_url for operation in preview.operations if operation.tool}
    assert tools == {
        "GET /a": "https://upload.example.test",
        "POST /a": None,
        "GET /b": "https://upload.example.test",
        "POST /b": None,
        "GET /c": None,
    }
    assert codes(preview.operations[-1]) == {"own_server"}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://localhost:8080/v1", True),
        ("http://127.0.0.1", True),
        ("http://10.1.2.3/api", True),
        ("http://192.168.0.5", True),
        ("http://169.254.169.254", True),
        ("http://[::1]:9000", True),
        ("http://[::ffff:10.0.0.1]", True),
        ("http://intranet/api", True),
        ("https://api.localhost", True),
        ("https://metadata.google.internal", True),
        ("https://8.8.8.8", False),
        ("https://api.example.test", False),
    ],
)
def test_an_address_that_no_call_reaches_is_said(url: str, said: bool) -> None:
    found = imported(description(PATHS, servers=[{"url": url}]))
    (operation,) = found.operations
    assert ("inner_server" in codes(operation)) is said
    assert operation.status == "accepted"
    own: dict[str, Any] = {"/a": {"get": {"servers": [{"url": url}]}}}
    (operation,) = imported(description(own, servers=[{"url": "https://b.test"}])).operations
    assert ("inner_server" in codes(operation)) is said
