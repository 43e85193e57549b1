"""Credentials, as callers meet them: what goes in is told to nobody."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from agent_builder import bootstrap
from agent_builder.errors import RaceLost, SecretUnreadable
from agent_builder.models.credentials import Credential, CredentialUse
from agent_builder.models.places import Place
from agent_builder.repositories import keys
from agent_builder.repositories.credentials import CredentialItem, CredentialRepository
from agent_builder.repositories.table import Transaction
from agent_builder.repositories.uses import UseRepository
from tests.integration.access.world import Answer, Calls, Rest, World
from tests.integration.store.product import everything

REPOSITORY = CredentialRepository()
CANARY = "canary+S3cret/=?&%41é"
OAUTH = {
    "grant": "authorization_code",
    "token_url": "https://id.example.com/token",
    "authorization_url": "https://id.example.com/authorize?tenant=1",
    "client_id": "client",
}
# Every kind, with a secret in each secret field.
KINDS: dict[str, dict[str, Any]] = {
    "api_key in a header": {
        "kind": "api_key",
        "settings": {"in": "header", "name": "X-Api-Key", "prefix": "Key "},
        "secret": {"value": CANARY},
    },
    "api_key in the query": {
        "kind": "api_key",
        "settings": {"in": "query", "name": "key"},
        "secret": {"value": CANARY},
    },
    "api_key in a cookie": {
        "kind": "api_key",
        "settings": {"in": "cookie", "name": "session"},
        "secret": {"value": CANARY},
    },
    "bearer": {"kind": "bearer", "secret": {"value": CANARY}},
    "basic": {"kind": "basic", "secret": {"username": f"{CANARY}1", "password": f"{CANARY}2"}},
    "custom_headers": {"kind": "custom_headers", "secret": {"headers": {"X-A": f"{CANARY}1", "X-B": f"{CANARY}2"}}},
    "client_credentials": {
        "kind": "oauth2",
        "settings": {**OAUTH, "grant": "client_credentials"},
        "secret": {"client_secret": CANARY},
    },
    "authorization_code": {"kind": "oauth2", "settings": OAUTH, "secret": {"client_secret": CANARY}},
    "refresh_token": {
        "kind": "oauth2",
        "settings": {**OAUTH, "grant": "refresh_token", "client_authentication": "none"},
        "secret": {"refresh_token": CANARY},
    },
    "provider_key": {"kind": "provider_key", "settings": {"provider": "anthropic"}, "secret": {"value": CANARY}},
}
BEARER = {"name": "Token", **KINDS["bearer"]}


def forms(secret: str) -> list[str]:
    """How a secret could show up."""
    coded = base64.b64encode(secret.encode()).decode()
    basic = base64.b64encode(f"{secret}1:{secret}2".encode()).decode()
    return [secret, coded, coded.rstrip("="), quote(secret, safe=""), quote(secret), basic, secret[:12]]


def create(rest: Rest, world: World, **changes: Any) -> str:
    made = rest(world.owner, "POST", "/credentials", {**BEARER, **changes})
    assert made.status == 201, made.body
    return str(made.json["id"])


def stored(world: World, credential_id: str) -> Credential:
    found = REPOSITORY.get(world.tenant, credential_id)
    assert found is not None
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_secret_is_told_nowhere(
    rest: Rest, world: World, calls: Calls, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    body = {"name": "Canary", **KINDS[kind]}
    answers = [rest(world.owner, "POST", "/credentials", body)]
    path = f"/credentials/{answers[0].json['id']}"
    answers += [rest(world.owner, "PUT", path, body)]
    answers += [rest(world.owner, "PUT", path, {**body, "name": "", "unknown": CANARY})]
    answers += [rest(world.owner, "GET", place) for place in ("/credentials", path, "/audit")]
    assert [answer.status for answer in answers] == [201, 200, 422, 200, 200, 200]
    logs = "".join(capfd.readouterr())
    for form in forms(CANARY):
        assert everything(form) == []
        assert form not in logs
        assert form not in str(calls.rung)
        assert not [answer for answer in answers if form in answer.body or form in str(answer.headers)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_credential_as_people_see_it(rest: Rest, world: World, kind: str) -> None:
    body = {"name": "  Weather ", "allowed_hosts": ["api.example.com", "*.example.org"], **KINDS[kind]}
    answer = rest(world.owner, "POST", "/credentials", body)
    made = answer.json
    assert answer.headers["Location"] == f"/api/v1/credentials/{made['id']}"
    assert (answer.headers["ETag"], answer.headers["Cache-Control"]) == ('"1"', "no-store")
    assert set(made) == set(
        "id name kind settings allowed_hosts status failure last_consent token_expires_at uses created_at created_by "
        "updated_at".split()
    )
    assert (made["name"], made["kind"], made["uses"], made["failure"]) == ("Weather", body["kind"], 0, None)
    assert made["status"] == ("not_connected" if kind == "authorization_code" else "ready")
    assert body.get("settings", {}).items() <= made["settings"].items()
    assert (made["settings"].get("headers") == ["X-A", "X-B"]) == (kind == "custom_headers")
    shown = rest(world.owner, "GET", f"/credentials/{made['id']}").json
    assert shown == {**made, "used_by": []}
    listed = rest(world.owner, "GET", "/credentials").json["items"]
    assert listed[0] == made


def test_a_secret_pasted_with_spaces_is_stored_without_them(rest: Rest, world: World) -> None:
    mine = create(rest, world, kind="bearer", secret={"value": f" \t{CANARY}-pasted \n"})
    opened = bootstrap.envelopes().open(stored(world, mine).sealed, Place(world.tenant, mine, "secret"))
    assert json.loads(opened) == {"value": f"{CANARY}-pasted"}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_stored_opens_at_its_place_only(rest: Rest, world: World, kind: str) -> None:
    mine, other = create(rest, world, **KINDS[kind]), create(rest, world)
    envelopes, sealed = bootstrap.envelopes(), stored(world, mine).sealed
    assert CANARY.encode() in envelopes.open(sealed, Place(world.tenant, mine, "secret"))
    for place in (
        Place(f"{world.tenant}-2", mine, "secret"),
        Place(world.tenant, other, "secret"),
        Place(world.tenant, mine, "token"),
    ):
        with pytest.raises(SecretUnreadable):
            envelopes.open(sealed, place)


def test_a_stolen_envelope_is_refused(rest: Rest, world: World) -> None:
    """Whoever can write to the table moves a secret into a credential of their own."""
    mine, thief = create(rest, world), create(rest, world)
    item = CredentialItem(pk=keys.credentials(world.tenant), sk=thief)
    item.update([CredentialItem.sealed.set(stored(world, mine).sealed)])
    with pytest.raises(SecretUnreadable):
        bootstrap.envelopes().open(stored(world, thief).sealed, Place(world.tenant, thief, "secret"))


FAULTY: list[tuple[dict[str, Any], str]] = [
    ({"kind": "bearer"}, "/secret"),
    ({"kind": "nonsense", "secret": {"value": "x-12"}}, ""),
    ({"secret": {"value": "x-12"}}, ""),
    ({"kind": "bearer", "secret": {"value": ""}}, "/secret/value"),
    ({"kind": "bearer", "secret": {"value": "abc"}}, "/secret/value"),
    ({"kind": "custom_headers", "secret": {"headers": {"X-A": "1"}}}, "/secret/headers/X-A"),
    ({"kind": "basic", "secret": {"username": "u", "password": "abc"}}, "/secret/password"),
    ({"kind": "basic", "secret": {"username": "abc"}}, "/secret"),
    ({"kind": "oauth2", "settings": OAUTH, "secret": {"client_secret": "abc"}}, "/secret/client_secret"),
    ({"kind": "bearer", "secret": {"value": 5}}, "/secret/value"),
    ({"kind": "bearer", "secret": {"value": "line\nbreak"}}, "/secret/value"),
    ({"kind": "bearer", "secret": {"value": "x-12" * 20_000}}, "/secret/value"),
    ({"kind": "bearer", "secret": {"value": "x-12", "more": "y"}}, "/secret/more"),
    ({"kind": "bearer", "secret": {"value": "x-12"}, "allowed_hosts": ["https://a.com"]}, "/allowed_hosts/0"),
    ({"kind": "bearer", "secret": {"value": "x-12"}, "allowed_hosts": ["*"]}, "/allowed_hosts/0"),
    ({"kind": "api_key", "settings": {"in": "header", "name": "Host"}, "secret": {"value": "x-12"}}, "/settings"),
    ({"kind": "api_key", "settings": {"in": "body", "name": "k"}, "secret": {"value": "x-12"}}, "/settings/in"),
    ({"kind": "basic", "secret": {"username": "a:b", "password": "x-12"}}, "/secret"),
    ({"kind": "custom_headers", "secret": {"headers": {}}}, "/secret/headers"),
    ({"kind": "custom_headers", "secret": {"headers": {"X-A": "1234", "x-a": "2345"}}}, "/secret"),
    ({"kind": "custom_headers", "secret": {"headers": {"Content-Length": "1234"}}}, "/secret/headers"),
    ({"kind": "provider_key", "settings": {"provider": "other"}, "secret": {"value": "x-12"}}, "/settings/provider"),
    ({"kind": "oauth2", "settings": OAUTH}, ""),
    ({"kind": "oauth2", "settings": {**OAUTH, "token_url": "http://id.example.com/"}}, "/settings/token_url"),
    ({"kind": "oauth2", "settings": {**OAUTH, "token_url": "https://u:p@id.example.com/"}}, "/settings/token_url"),
    ({"kind": "oauth2", "settings": {**OAUTH, "token_url": "file:///etc/passwd"}}, "/settings/token_url"),
    ({"kind": "oauth2", "settings": {**OAUTH, "authorization_url": None}}, "/settings"),
    ({"kind": "oauth2", "settings": {**OAUTH, "scopes": ["two words"]}}, "/settings/scopes/0"),
    (
        {"kind": "oauth2", "settings": {**OAUTH, "authorization_parameters": {"state": "x"}}},
        "/settings/authorization_parameters",
    ),
    (
        {"kind": "oauth2", "settings": {**OAUTH, "grant": "refresh_token"}, "secret": {"client_secret": "x-12"}},
        "",
    ),
    (
        {"kind": "oauth2", "settings": {**OAUTH, "client_authentication": "none"}, "secret": {"client_secret": "x-12"}},
        "",
    ),
]


@pytest.mark.parametrize(("body", "pointer"), FAULTY, ids=range(len(FAULTY)))
def test_what_is_not_valid_is_named(rest: Rest, world: World, body: dict[str, Any], pointer: str) -> None:
    answer = rest(world.owner, "POST", "/credentials", {"name": "Faulty", **body})
    assert answer.code == "validation_failed", answer.body
    assert [fault["pointer"] for fault in answer.json["errors"] if fault["pointer"].startswith(pointer)]
    assert not [fault for fault in answer.json["errors"] if fault["pointer"].startswith(f"/{body.get('kind')}")]


def test_a_secret_that_could_not_be_blotted_out_is_refused(rest: Rest, world: World) -> None:
    short = {"name": "S", "kind": "bearer", "secret": {"value": "abc"}}
    answer = rest(world.owner, "POST", "/credentials", short)
    assert "at least 4 characters" in answer.json["errors"][0]["message"]
    for secret in ({"username": "u", "password": "abcd"}, {"username": "user"}):
        answer = rest(world.owner, "POST", "/credentials", {"name": "B", "kind": "basic", "secret": secret})
        assert answer.status == 201, answer.body


def test_replacing_takes_all_of_it(rest: Rest, world: World) -> None:
    mine = create(rest, world)
    path = f"/credentials/{mine}"
    assert rest(world.owner, "PUT", path, {"name": "x", "kind": "bearer"}).code == "validation_failed"
    changed = rest(world.owner, "PUT", path, {"name": "New", "kind": "bearer", "secret": {"value": "newer"}})
    assert (changed.status, changed.json["name"], changed.headers["ETag"]) == (200, "New", '"2"')
    opened = bootstrap.envelopes().open(stored(world, mine).sealed, Place(world.tenant, mine, "secret"))
    assert opened == b'{"value":"newer"}'
    other_kind = {"name": "x", "kind": "basic", "secret": {"username": "u", "password": "p-12"}}
    assert rest(world.owner, "PUT", path, other_kind).json["errors"][0]["pointer"] == "/kind"


def test_one_key_for_each_provider(rest: Rest, world: World) -> None:
    key = {"name": "Key", **KINDS["provider_key"]}
    first = rest(world.owner, "POST", "/credentials", key).json["id"]
    assert rest(world.owner, "POST", "/credentials", key).code == "provider_key_exists"
    other = {**key, "settings": {"provider": "google"}}
    assert rest(world.owner, "POST", "/credentials", other).status == 201
    assert rest(world.owner, "PUT", f"/credentials/{first}", other).json["errors"][0]["pointer"] == "/settings/provider"
    found = REPOSITORY.provider_key(world.tenant, "anthropic")
    assert found is not None
    assert found.id == first
    assert rest(world.owner, "DELETE", f"/credentials/{first}").status == 204
    assert REPOSITORY.provider_key(world.tenant, "anthropic") is None
    assert rest(world.owner, "POST", "/credentials", key).status == 201


def test_what_is_in_use_stays(rest: Rest, world: World) -> None:
    mine = create(rest, world)
    use = CredentialUse("tool", "tol_1", "Weather", world.agent_id)

    def note(uses: list[CredentialUse], more: int) -> None:
        write = Transaction()
        UseRepository().note(write, world.tenant, world.agent_id, mine, uses, more)
        write.commit()

    note([use], 1)
    shown = rest(world.owner, "GET", f"/credentials/{mine}").json
    assert shown["uses"] == 1
    assert shown["used_by"] == [{"kind": "tool", "id": "tol_1", "name": "Weather", "agent_id": world.agent_id}]
    assert rest(world.owner, "DELETE", f"/credentials/{mine}").code == "credential_in_use"
    assert rest(world.owner, "PUT", f"/credentials/{mine}", BEARER).json["uses"] == 1
    note([], -1)
    assert rest(world.owner, "DELETE", f"/credentials/{mine}").status == 204
    with pytest.raises(RaceLost) as lost:
        note([use], 1)
    assert f"credential:{mine}" in lost.value.failed
    assert everything(mine) == [pair for pair in everything(mine) if "#AUDIT" in pair[0]]


def test_revisions(rest: Rest, world: World) -> None:
    mine = create(rest, world)

    def ask(method: str, etag: str, body: Any = None) -> Answer:
        return rest(world.owner, method, f"/credentials/{mine}", body, {"if-match": etag})

    assert ask("PUT", '"9"', BEARER).code == "precondition_failed"
    assert ask("PUT", '"1"', BEARER).status == 200
    assert ask("DELETE", '"1"').code == "precondition_failed"
    assert ask("DELETE", '"2"').status == 204
    assert rest(world.owner, "GET", f"/credentials/{mine}").code == "not_found"


def test_pages(rest: Rest, world: World) -> None:
    made = [create(rest, world) for _ in range(3)]
    first = rest(world.owner, "GET", "/credentials?limit=2").json
    assert [one["id"] for one in first["items"]] == made[:0:-1]
    second = rest(world.owner, "GET", f"/credentials?limit=3&cursor={first['next_cursor']}").json
    assert [one["id"] for one in second["items"]] == [made[0], world.keys_id, world.credential_id]
    assert second["next_cursor"] is None


def test_without_a_key_nothing_is_stored(rest: Rest, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_KEYS", "arn:aws:kms:us-east-1:111122223333:key/1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:9")
    bootstrap.envelopes.cache_clear()
    try:
        refused = rest(world.owner, "POST", "/credentials", {**BEARER, "name": "Never stored"})
        assert (refused.status, refused.code) == (503, "secrets_unavailable")
        assert everything("Never stored") == []
    finally:
        bootstrap.envelopes.cache_clear()
