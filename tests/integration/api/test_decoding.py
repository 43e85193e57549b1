"""What is no acceptable request is answered with a problem document, whatever it is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from functions.api import access
from local.testing import Instance
from tests.integration.rest import AGENTS, JSON_TYPE, Rest, check_problem

DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi.json"
PREFIXES = {"credential": "crd", "integration": "int", "tool": "tol"}
SCHEMA = {"type": "object", "properties": {}}


@pytest.fixture(scope="module")
def rest(stack: Instance) -> Rest:
    return Rest(stack.url)


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"nothing",
        b"",
        b"[]",
        b'"text"',
        b"null",
        b"5",
        b"\xff\xfe",
        b'{"name": "\xed\xa0\x80"}',
        b'{"name": "\x00"}',
        rb'{"name": "\u0000"}',
        rb'{"name": "\ud800"}',
        b'{"name": NaN}',
        b'{"name": 1e999}',
        b'{"name": "a", "name": "b"}',
        b"[" * 100_000,
        b'{"a":' * 65 + b"1" + b"}" * 65,
        b'{"name": ' + b"9" * 5000 + b"}",
    ],
    ids=lambda raw: repr(raw[:20]),
)
def test_a_body_that_is_no_json_object_is_400(rest: Rest, raw: bytes) -> None:
    path = f"{AGENTS}/{rest.create()['id']}"
    check_problem(rest("POST", AGENTS, raw=raw, headers=JSON_TYPE), 400, "malformed_request")
    check_problem(rest("PATCH", path, raw=raw, headers=JSON_TYPE), 400, "malformed_request")


@pytest.mark.parametrize("size", [1024 * 1024 + 1, 5_000_000])
def test_a_body_over_the_limit_is_413(rest: Rest, size: int) -> None:
    raw = b'{"name": "' + b"x" * (size - 12) + b'"}'
    check_problem(rest("POST", AGENTS, raw=raw, headers=JSON_TYPE), 413, "payload_too_large")


def test_a_large_body_below_the_limit_is_looked_at(rest: Rest) -> None:
    check_problem(rest("POST", AGENTS, {"name": "x" * 1_000_000}), 422)


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "application/xml",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "json",
        "",
    ],
)
def test_another_media_type_is_415(rest: Rest, media_type: str) -> None:
    raw = json.dumps({"name": "x", "model_config": {"provider": "scripted", "model": "m"}}).encode()
    check_problem(rest("POST", AGENTS, raw=raw, headers={"Content-Type": media_type}), 415, "unsupported_media_type")


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON; charset=utf-8", "application/json;x=y"])
def test_json_by_any_spelling_is_taken(rest: Rest, media_type: str) -> None:
    raw = json.dumps({"name": "x", "model_config": {"provider": "scripted", "model": "m"}}).encode()
    assert rest("POST", AGENTS, raw=raw, headers={"Content-Type": media_type}).status == 201


@pytest.mark.parametrize(
    "path",
    ["/api/v1", "/api/v1/", "/api/v1/nothing", f"{AGENTS}/", f"{AGENTS}//", "/api/v1//agents", "/api/v2/agents",
     f"{AGENTS}/a/b/c/d", "/api/v1/health/", "/api/v1/agents%2f", "/api/v1/%00"],
)  # fmt: skip
def test_an_unknown_path_is_404(rest: Rest, path: str) -> None:
    answer = rest("GET", path)
    if path.startswith("/api/v1/") and path != "/api/v1/":  # what else there is belongs to others
        check_problem(answer, 404, "not_found")
    assert answer.status == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", AGENTS, {"GET", "HEAD", "POST"}),
        ("DELETE", AGENTS, {"GET", "HEAD", "POST"}),
        ("POST", f"{AGENTS}/agt_01M82K8EMXT7G14V9AF00XZ8T2", {"DELETE", "GET", "HEAD", "PATCH"}),
        ("PUT", f"{AGENTS}/x", {"DELETE", "GET", "HEAD", "PATCH"}),
        ("GET", f"{AGENTS}/x/versions/1/restore", {"POST"}),
        ("HEAD", f"{AGENTS}/x/versions/1/restore", {"POST"}),
        ("POST", "/api/v1/health", {"GET", "HEAD"}),
        ("DELETE", "/api/v1/models", {"GET", "HEAD"}),
        ("POST", "/api/v1/openapi.json", {"GET", "HEAD"}),
        ("POST", "/api/v1/docs", {"GET", "HEAD"}),
        ("TRACE", "/api/v1/health", {"GET", "HEAD"}),
    ],
)
def test_another_method_is_405_and_says_which_there_are(rest: Rest, method: str, path: str, allowed: set[str]) -> None:
    answer = rest(method, path)
    assert answer.status == 405
    assert set(answer.headers["allow"].split(", ")) == allowed
    if method != "HEAD":
        check_problem(answer, 405, "method_not_allowed")


def test_a_body_where_none_is_expected_does_no_harm(rest: Rest) -> None:
    path = f"{AGENTS}/{rest.create()['id']}"
    assert rest("GET", path, raw=b"{", headers=JSON_TYPE).status == 200
    assert rest("POST", f"{path}/versions/1/restore", raw=b"{}", headers=JSON_TYPE).status == 200
    assert rest("DELETE", path, raw=b"\xff", headers={"Content-Type": "text/plain"}).status == 204


@pytest.mark.parametrize("headers", [{}, JSON_TYPE, {"Content-Type": "text/plain"}], ids=str)
@pytest.mark.parametrize("name", sorted(access.MAY_BE_EMPTY))
def test_no_body_is_one_where_nothing_has_to_be_said(rest: Rest, name: str, headers: dict[str, str]) -> None:
    """It is the missing thing that is told then, as with `{}`."""
    method, path = name.split(" ")
    path = access.BASE + re.sub(r"{(\w+)_id}", lambda found: f"{PREFIXES[found[1]]}_{'0' * 26}", path)
    given = rest(method, path, {})
    answer = rest(method, path, headers=headers)
    check_problem(answer, 404, "not_found")
    assert answer.json["detail"] == given.json["detail"]


def test_a_tool_without_arguments_is_tested_without_a_body(rest: Rest) -> None:
    path = f"{AGENTS}/{rest.create()['id']}/tools"
    model = {"provider": "scripted", "model": "echo"}
    tool = {"kind": "llm", "name": "say", "model_config": model, "instructions": "Say.", "input_schema": SCHEMA}
    made = rest("POST", path, tool)
    assert made.status == 201, made.body
    answer = rest("POST", f"/api/v1/tools/{made.json['id']}/test")
    assert (answer.status, answer.json["error"]) == (200, None)


def test_which_bodies_may_be_left_out_is_what_the_document_says() -> None:
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    found = set()
    for path, methods in document["paths"].items():
        body = methods.get("post", {}).get("requestBody")
        if body is None:
            continue
        schema = body["content"]["application/json"]["schema"]
        schema = document["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
        if not schema.get("required") and not {"oneOf", "anyOf"} & schema.keys():
            found.add(f"POST {path.removeprefix(access.BASE)}")
    assert found == access.MAY_BE_EMPTY


def test_many_headers_and_a_long_query_do_no_harm(rest: Rest) -> None:
    headers = {f"X-{n}": "v" * 50 for n in range(60)}
    assert rest("GET", f"{AGENTS}?{'&' * 4000}limit=1", headers=headers).status == 200
    long = check_problem(rest("GET", f"{AGENTS}?{'x' * 2000}={'y' * 4000}", headers=headers), 422, "validation_failed")
    assert [fault["pointer"] for fault in long["errors"]] == [f"query/{'x' * 64}"]


def test_every_answer_names_its_request_and_is_not_stored(rest: Rest) -> None:
    for path, status in (("/api/v1/health", 200), (AGENTS, 200), (f"{AGENTS}/x", 404)):
        answer = rest("GET", path)
        assert answer.status == status
        assert answer.headers["x-request-id"]
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
