"""A description is fetched or given, and read by the runner; what it says is seen by REST."""

from __future__ import annotations

import json
from typing import Any

from tests.integration.openapi_imports.conftest import IMPORTS, TOKEN, Descriptions, Importer
from tests.integration.rest import check_problem
from tests.unit.openapi.descriptions import description

LIMIT = {"name": "limit", "in": "query", "schema": {"type": "integer"}}
PETS: dict[str, Any] = description(
    {
        "/pets": {
            "get": {"operationId": "listPets", "parameters": [LIMIT], "summary": "All"},
            "post": {"operationId": "addPet", "requestBody": {"content": {"application/json": {"schema": {}}}}},
            "trace": {},
        },
        "/pets/{id}": {"get": {"operationId": "get pet"}},
    },
    servers=[{"url": "https://{where}.example.test/v1", "variables": {"where": {"default": "eu", "enum": ["eu"]}}}],
    security=[{"key": []}],
    components={"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
)


def test_a_description_that_is_fetched(importer: Importer, agent: str, server: Descriptions) -> None:
    shown = importer.read(agent, url=server.put("/pets.json", PETS))
    told = shown["description"]
    assert (told["title"], told["base_url"], told["format"]) == ("Test", "https://eu.example.test/v1", "json")
    assert told["counts"] == {"accepted": 2, "changed": 1, "skipped": 1}
    assert told["changes"] is told["removed"] is shown["integration_id"] is shown["result"] is None
    (scheme,) = told["credentials"]
    assert (scheme["kind"], scheme["settings"]) == ("api_key", {"in": "header", "name": "X-Key"})
    operations = {one["key"]: one for one in shown["operations"]}
    assert [(one["key"], one["status"]) for one in shown["operations"]] == [
        ("GET /pets", "accepted"),
        ("POST /pets", "accepted"),
        ("TRACE /pets", "skipped"),
        ("GET /pets/{id}", "changed"),
    ]
    assert operations["TRACE /pets"]["name"] is None
    assert [reason["code"] for reason in operations["TRACE /pets"]["reasons"]] == ["method"]
    assert operations["GET /pets/{id}"]["name"] == "get_pet"
    assert [one["effect"] for one in shown["operations"]] == ["read", "write", None, "read"]
    assert operations["GET /pets"]["security"] == [[{"scheme": "key", "scopes": []}]]


def test_a_description_that_is_given_as_text_or_as_it_is(importer: Importer, agent: str) -> None:
    as_text = importer.read(agent, document=json.dumps(PETS))
    as_it_is = importer.read(agent, document=PETS)
    as_yaml = importer.read(agent, document="swagger: '2.0'\ninfo: {title: Y}\npaths: {/a: {get: {}}}\n")
    assert as_text["operations"] == as_it_is["operations"]
    assert as_text["url"] is None
    assert as_yaml["description"]["title"] == "Y"
    assert as_yaml["description"]["base_url"] is None
    assert "no_server" in [note["code"] for note in as_yaml["description"]["notes"]]


def test_a_description_behind_a_sign_in(importer: Importer, agent: str, server: Descriptions) -> None:
    secret = {"name": "Docs", "kind": "bearer", "secret": {"value": TOKEN}}
    credential = importer.rest("POST", "/api/v1/credentials", secret).json["id"]
    url = server.put("/private/pets.json", PETS)
    refused = importer.refused(agent, url=url)
    assert refused["code"] == "description_unavailable"
    assert "401" in refused["detail"] and "credential_id" in refused["detail"]
    shown = importer.read(agent, url=url, credential_id=credential)
    assert len(shown["operations"]) == 4
    assert TOKEN not in json.dumps(shown)


def test_redirects_are_followed_and_servers_are_relative_to_where_it_was_found(
    importer: Importer, agent: str, server: Descriptions
) -> None:
    url = server.put("/deep/er/api.json", description({"/a": {"get": {}}}, servers=[{"url": "../v2"}]))
    server.moved["/moved"] = url
    shown = importer.read(agent, url=f"{server.url}/moved")
    assert shown["description"]["base_url"] == f"{server.url}/deep/v2"


def test_what_is_no_description_is_refused_in_words(importer: Importer, agent: str, server: Descriptions) -> None:
    for body, words in {
        b"<html><body>Sign in</body></html>": "web page",
        b'{"swagger": "1.2"}': "Version 1.2",
        b"{": "Not JSON",
        b"": "empty",
        b'{"a": ' + b"[" * 5_000: "levels",
        b"a: &a [x, x, x, x, x, x, x, x, x]\n"
        + b"\n".join(
            b"%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]" % (n, n, *[n - 1] * 8) for n in range(98, 110)
        ): "values",
    }.items():
        refused = importer.refused(agent, url=server.put("/strange", body))
        assert refused["code"] == "openapi_unreadable"
        assert words in refused["detail"], refused
    assert importer.refused(agent, url=f"{server.url}/nothing")["code"] == "description_unavailable"
    large = server.put("/large", b'{"openapi": "3.0.0", "x": "' + b"x" * 17_000_000 + b'"}')
    refused = importer.refused(agent, url=large)
    assert refused["code"] == "payload_too_large"
    assert "larger than 16 MB" in refused["detail"]


def test_what_may_not_be_called_is_refused_and_recorded(importer: Importer, agent: str) -> None:
    refused = importer.refused(agent, url="http://169.254.169.254/latest/meta-data")
    assert refused["code"] == "outbound_refused"
    (first, *_) = importer.rest("GET", "/api/v1/egress/refusals").json["items"]
    assert (first["purpose"], first["host"]) == ("openapi", "169.254.169.254")


def test_bad_requests_say_what_to_change(importer: Importer, agent: str) -> None:
    for wanted, pointer in (
        ({}, ""),
        ({"url": "https://a.test", "document": "x"}, ""),
        ({"document": "x", "credential_id": "crd_1"}, ""),
        ({"document": 5}, "/document"),
        ({"document": ""}, "/document"),
        ({"document": []}, "/document"),
        ({"url": "ftp://a.test"}, "/url"),
        ({"url": "https://user:word@a.test"}, "/url"),
        ({"url": "https://"}, "/url"),
        ({"document": "x", "more": 1}, "/more"),
        ({"document": "x", "integration_id": "int_1"}, "/integration_id"),
        ({"url": "https://a.test", "credential_id": "crd_1"}, "/credential_id"),
    ):
        problem = check_problem(importer.rest("POST", IMPORTS, {"agent_id": agent, **wanted}), 422)
        assert [fault["pointer"] for fault in problem["errors"]] == [pointer], (wanted, problem)
    check_problem(importer.rest("POST", IMPORTS, {"agent_id": "agt_1", "document": "x"}), 404, "not_found")


def test_the_same_key_begins_one_import(importer: Importer, agent: str) -> None:
    body = {"agent_id": agent, "document": PETS}
    first, again = (importer.rest("POST", IMPORTS, body, headers={"Idempotency-Key": agent}) for _ in range(2))
    assert first.json["id"] == again.json["id"]
    other = importer.rest("POST", IMPORTS, {**body, "document": "x"}, headers={"Idempotency-Key": agent})
    check_problem(other, 422, "idempotency_mismatch")
    importer.ended(first.json["id"])


def test_an_import_goes_with_its_agent(importer: Importer, agent: str) -> None:
    shown = importer.read(agent, document=PETS)
    assert importer.rest("DELETE", f"/api/v1/agents/{agent}").status == 204
    check_problem(importer.rest("GET", f"{IMPORTS}/{shown['id']}"), 404, "not_found")
