"""A person connects a credential through REST, and comes back to the page of the running stack."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import Request

import boto3
import pytest

from local.testing import Instance, running_stack
from tests.integration.chat import chatting
from tests.integration.oauth.conftest import AuthorizationServer, start_server
from tests.integration.rest import Rest, check_problem

CREDENTIALS = "/api/v1/credentials"


@pytest.fixture(scope="module")
def stack() -> Iterator[Instance]:
    with running_stack(env={"LOOPBACK_TOOLS": "1"}) as running:
        yield running


@pytest.fixture(scope="module")
def server(stack: Instance) -> Iterator[AuthorizationServer]:
    process, started = start_server(f"{stack.url}/api/v1/oauth/callback")
    with process:
        yield started
        process.kill()


def settings(server: AuthorizationServer) -> dict[str, Any]:
    return {
        "grant": "authorization_code",
        "token_url": f"{server.url}/token",
        "authorization_url": f"{server.url}/auth",
        "client_id": "basic",
        "scopes": ["openid"],
    }


def page(url: str | Request) -> tuple[int, str, str]:
    """Status, media type and text of a page, as a browser without any identity gets it."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def test_from_the_start_to_the_page(stack: Instance, server: AuthorizationServer) -> None:
    rest = Rest(stack.url)
    body = {
        "name": "Mail",
        "kind": "oauth2",
        "settings": settings(server),
        "secret": {"client_secret": "basic-s3cret+/=%"},
    }
    made = rest("POST", CREDENTIALS, body).json
    path = f"{CREDENTIALS}/{made['id']}"
    assert made["status"] == "not_connected"
    started = rest("POST", f"{path}/oauth/start", {}).json
    assert started["redirect_uri"] == f"{stack.url}/api/v1/oauth/callback"
    assert rest("GET", "/api/v1/oauth/client").json == {"redirect_uri": started["redirect_uri"]}
    back = server.consent(started["authorization_url"])
    status, media_type, text = page(back)
    assert (status, media_type) == (200, "text/html; charset=utf-8")
    assert "Connected" in text
    shown = rest("GET", path).json
    assert (shown["status"], shown["failure"]) == ("ready", None)
    assert shown["token_expires_at"] is not None
    assert shown["last_consent"]["failure"] is None
    assert page(back)[0] == 400
    assert rest("GET", path).json == shown


def test_whoever_waits_learns_of_a_refusal(stack: Instance, server: AuthorizationServer) -> None:
    rest = Rest(stack.url)
    secret = {"client_secret": "basic-s3cret+/=%"}
    made = rest("POST", CREDENTIALS, {"name": "M", "kind": "oauth2", "settings": settings(server), "secret": secret})
    path = f"{CREDENTIALS}/{made.json['id']}"
    assert made.json["last_consent"] is None
    for error, kept in (("access_denied", "access_denied"), ("invalid_scope", "invalid_scope"), ("<b>", "no_code")):
        before = rest("GET", path).json["last_consent"]
        started = rest("POST", f"{path}/oauth/start", {}).json
        state = parse_qs(urlsplit(started["authorization_url"]).query)["state"][0]
        query = urlencode({"state": state, "error": error})
        request = Request(f"{started['redirect_uri']}?{query}", headers={"Accept-Language": "de-AT,en;q=0.5"})
        status, _, text = page(request)
        assert (status, "Nicht verbunden" in text, "<b>" in text) == (400, True, False)
        shown = rest("GET", path).json
        assert (shown["status"], shown["last_consent"]["failure"]) == ("not_connected", kept)
        assert shown["last_consent"] != before


def test_ways_back_that_lead_nowhere(stack: Instance) -> None:
    for query in ("", "?code=x", "?state=x&code=y", "?state=%00&error=%3Cscript%3E", "?state=cst_dA_" + "x" * 43):
        status, media_type, text = page(f"{stack.url}/api/v1/oauth/callback{query}")
        assert (status, media_type) == (400, "text/html; charset=utf-8")
        assert "<script>" not in text


def test_only_what_people_consent_to_is_connected(stack: Instance) -> None:
    rest = Rest(stack.url)
    bearer = rest("POST", CREDENTIALS, {"name": "t", "kind": "bearer", "secret": {"value": "x-12"}}).json
    check_problem(rest("POST", f"{CREDENTIALS}/{bearer['id']}/oauth/start", {}), 409, "no_consent_needed")
    check_problem(rest("POST", f"{CREDENTIALS}/{bearer['id'][:-1]}0/oauth/start", {}), 404, "not_found")


def test_moving_to_the_key_that_seals_now(stack: Instance) -> None:
    client = boto3.client("lambda", **stack.client_options("lambda"))
    answer = client.invoke(FunctionName="RunnerFunction", Payload=json.dumps({"kind": "reseal", "tenant_id": "local"}))
    assert json.loads(answer["Payload"].read()) == {"resealed": 0}
    assert "FunctionError" not in answer


def test_it_says_that_this_machine_may_be_called(stack: Instance) -> None:
    assert "LOOPBACK_TOOLS=1" in stack.output()


def test_a_run_says_which_credential_a_person_must_connect(stack: Instance, server: AuthorizationServer) -> None:
    rest = Rest(stack.url)
    secret = {"client_secret": "basic-s3cret+/=%"}
    wanted = {"name": "Mail", "kind": "oauth2", "settings": settings(server), "secret": secret}
    credential = rest("POST", CREDENTIALS, wanted).json["id"]
    agent = rest.create()["id"]
    tool = {"kind": "http", "name": "mail", "method": "GET", "base_url": server.url, "path": "/me", "effect": "read"}
    tool |= {"credential_id": credential, "input_schema": {"type": "object", "properties": {}}}
    assert rest("POST", f"/api/v1/agents/{agent}/tools", tool).status == 201
    with chatting(stack, agent) as chat:
        end = chat.ask("/tool mail {}")
        assert end["type"] == "message_complete"
        (done,) = chat.of("tool_use_complete")
        (told,) = chat.of("needs_reconnect")
        assert "must connect" in done["error"]
        assert done["needs_reconnect"] == told["credential_id"] == credential
        assert (told["tool_name"], told["tool_use_id"]) == ("mail", done["tool_use_id"])
        stored = rest("GET", f"/api/v1/conversations/{end['conversation_id']}/messages").json["items"][0]
        (result,) = [part for part in stored["parts"] if part["type"] == "tool_result"]
        assert result["needs_reconnect"] == credential
        started = rest("POST", f"{CREDENTIALS}/{credential}/oauth/start", {}).json
        assert page(server.consent(started["authorization_url"]))[0] == 200
        chat.ask("/tool mail {}", conversation_id=end["conversation_id"])
        assert len(chat.of("needs_reconnect")) == 1
        assert "needs_reconnect" not in chat.of("tool_use_complete")[1]
