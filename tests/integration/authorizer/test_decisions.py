"""The authorizer function on the real store: whom it lets in, as what, and what it tells whom it does not."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from agent_builder.bootstrap import authorizer_services
from agent_builder.errors import Unauthenticated
from agent_builder.models.identity import ROLES, Identity, identity_of
from agent_builder.models.principals import Ticket, fingerprint, new_api_key, new_ticket
from agent_builder.repositories import keys
from agent_builder.repositories.principals import ApiKeyItem, HomeItem, MemberItem, PrincipalRepository
from agent_builder.repositories.table import Item
from agent_builder.services.authentication import CACHE_SECONDS, Authentication, own_tenant
from agent_builder.tokens import TokenVerifier
from functions.authorizer.app import lambda_handler
from local.events import (
    Handshake,
    HttpCall,
    connect_authorizer_event,
    connect_event,
    http_authorizer_event,
    http_event,
)
from local.testing import Instance
from tests.issuer import AUDIENCE, RSA_KEY, Issuer, signed

AGENT = "agt_01K8ZZZZZZZZZZZZZZZZZZZZZZ"
ORIGIN = "https://console.example"
REFUSED = {"isAuthorized": False}
NOW = int(time.time())
LATER = NOW + 36_000


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with Issuer() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
def settings(store: Instance, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the template sets; a cold cache for each test."""
    values = {
        "OIDC_ISSUER": issuer.url,
        "OIDC_AUDIENCE": AUDIENCE,
        "TENANT_CLAIM": "tenant",
        "ROLE_CLAIM": "role",
        "ALLOWED_ORIGINS": ORIGIN,
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    authorizer_services.cache_clear()
    yield
    authorizer_services.cache_clear()


def ask(*authorization: str) -> dict[str, Any]:
    """What the function answers to a request of the HTTP API."""
    headers = [("Host", "api.example"), *(("Authorization", value) for value in authorization)]
    event = http_event(HttpCall("GET", "/api/v1/agents", "", headers, b"", "127.0.0.1"), "GET /x", {}, None)
    return lambda_handler(http_authorizer_event(event, ["authorization"] if authorization else []), None)


def bearer(credential: str) -> dict[str, Any]:
    return ask(f"Bearer {credential}")


def let_in(answer: dict[str, Any]) -> Identity:
    """The identity that the functions behind the API read from an answer."""
    assert answer["isAuthorized"] is True
    assert all(isinstance(value, str) for value in answer["context"].values())
    return identity_of(answer["context"])


def connect(query: dict[str, str] | None = None, **headers: str) -> dict[str, Any]:
    """What the function answers to a $connect."""
    pairs = [("Host", "api.example"), *((name.replace("_", "-"), value) for name, value in headers.items())]
    asked = {"agent_id": AGENT} if query is None else query
    handshake = Handshake("c=", "live", pairs, list(asked.items()), "127.0.0.1", None)
    return lambda_handler(connect_authorizer_event(connect_event(handshake)), None)


def allowed(answer: dict[str, Any]) -> Identity:
    [statement] = answer["policyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "execute-api:Invoke")
    assert statement["Resource"].endswith("/live/$connect")
    return identity_of(answer["context"])


def denied(answer: dict[str, Any]) -> bool:
    [statement] = answer["policyDocument"]["Statement"]
    assert answer["context"] == {}
    return bool(statement["Effect"] == "Deny")


def save_key(tenant: str, scopes: set[str], ends_at: int | None = None) -> str:
    secret = new_api_key(tenant)
    ApiKeyItem(
        pk=keys.api_keys(tenant),
        sk=secret.hash,
        key_id="key_1",
        name="CI",
        prefix=secret.prefix,
        scopes=scopes,
        ends_at=ends_at,
    ).save()
    return secret.text


def save_member(tenant: str, subject: str, role: str, status: str = "active") -> None:
    MemberItem(pk=keys.members(tenant), sk=subject, role=role, status=status, joined_at=NOW * 1000).save()


def save_ticket(tenant: str, **changes: Any) -> str:
    secret = new_ticket(tenant)
    values: dict[str, Any] = {
        "tenant": tenant,
        "subject": "ada",
        "permissions": frozenset({"read", "run"}),
        "key_id": "key_1",
        "agent_id": AGENT,
        "expires_at": LATER,
        "identity_expires_at": LATER,
    }
    PrincipalRepository().save_ticket(secret.hash, Ticket(**{**values, **changes}))
    return secret.text


# ---------------------------------------------------------------- tokens


def test_person_without_claim_owns_a_tenant_of_their_own(issuer: Issuer) -> None:
    identity = let_in(bearer(signed(issuer, sub="own")))
    assert (identity.tenant, identity.subject) == (own_tenant(issuer.url, "own"), "own")
    assert identity.permissions == ROLES["owner"]
    assert identity.expires_at > NOW
    assert own_tenant(issuer.url, "own") != own_tenant(issuer.url + "/", "own")


def test_invited_person_works_where_they_were_invited_to(issuer: Issuer) -> None:
    HomeItem(pk=keys.home(own_tenant(issuer.url, "guest")), sk=keys.HEAD, tenant="hosts", role="viewer").save()
    identity = let_in(bearer(signed(issuer, sub="guest")))
    assert (identity.tenant, identity.permissions) == ("hosts", ROLES["viewer"])


@pytest.mark.parametrize("role", ROLES)
def test_claims_name_tenant_and_role(role: Any, issuer: Issuer) -> None:
    identity = let_in(bearer(signed(issuer, sub=f"as-{role}", tenant="acme", role=role)))
    assert (identity.tenant, identity.permissions) == ("acme", ROLES[role])


@pytest.mark.parametrize(
    "tenant",
    [
        "platform.internal",
        "PLATFORM.internal",
        "u-0",
        "U-" + "0" * 32,
        "",
        " ",
        "a#b",
        "a/b",
        "a\n",
        "t" * 129,
        7,
        None,
        [],
    ],
)
def test_claim_that_names_no_tenant_refuses(tenant: Any, issuer: Issuer) -> None:
    claim = {} if tenant is None else {"tenant": tenant}
    token = signed(issuer, sub="claims", role="owner", **claim)
    if tenant is None:
        assert let_in(bearer(token)).tenant == own_tenant(issuer.url, "claims")
    else:
        assert bearer(token) == REFUSED


@pytest.mark.parametrize("role", ["", "root", "Owner", "owner viewer", 1, ["owner"], None])
def test_claimed_tenant_without_role_refuses(role: Any, issuer: Issuer) -> None:
    claim = {} if role is None else {"role": role}
    assert bearer(signed(issuer, sub="nobody", tenant="acme", **claim)) == REFUSED


def test_what_owners_stored_of_a_member_counts_before_the_claim(issuer: Issuer) -> None:
    save_member("acme", "promoted", "editor")
    save_member("acme", "removed", "owner", "removed")
    assert let_in(bearer(signed(issuer, sub="promoted", tenant="acme"))).permissions == ROLES["editor"]
    token = signed(issuer, sub="promoted", tenant="acme", role="owner")
    assert let_in(bearer(token)).permissions == ROLES["editor"]
    assert bearer(signed(issuer, sub="removed", tenant="acme", role="owner")) == REFUSED


# ---------------------------------------------------------------- API keys


def test_key_gives_its_scopes_in_its_tenant() -> None:
    identity = let_in(bearer(save_key("keys", {"read", "run"}, LATER)))
    assert (identity.tenant, identity.subject, identity.key_id) == ("keys", "key_1", "key_1")
    assert identity.permissions == {"read", "run"}
    assert identity.expires_at == LATER


def test_keys_that_are_unknown_expired_or_of_another_tenant_are_refused() -> None:
    good = save_key("keys", {"read"})
    unknown = new_api_key("keys").text
    foreign = new_api_key("others").text[:-43] + good[-43:]
    expired = save_key("keys", {"read"}, NOW - 1)
    empty = save_key("keys", {"sudo"})
    for key in (unknown, foreign, expired, empty, good[:-1], good + "A", good.upper(), f"aab_{good}", "aab_", "aab__"):
        assert bearer(key) == REFUSED
    assert let_in(bearer(good)).tenant == "keys"


@pytest.mark.parametrize("tenant", ["a#b", "a b", "é", "", "t" * 129, "platform.internal", "../x"])
def test_tenant_in_a_key_is_no_more_than_a_place_to_look(tenant: str) -> None:
    assert bearer(new_api_key(tenant).text) == REFUSED
    assert denied(connect(sec_websocket_protocol=f"aab.v1, ticket.{new_ticket(tenant).text}"))


def test_revoked_key_is_refused_once_the_short_memory_ends(issuer: Issuer) -> None:
    now = [float(NOW)]
    verify = TokenVerifier(issuer.url, AUDIENCE).verify
    authentication = Authentication(PrincipalRepository(), verify, clock=lambda: now[0])
    key = save_key("revoking", {"read"})
    assert authentication.of_bearer(key).tenant == "revoking"
    ApiKeyItem(pk=keys.api_keys("revoking"), sk=fingerprint(key)).delete()
    now[0] += CACHE_SECONDS + 0.01
    with pytest.raises(Unauthenticated):
        authentication.of_bearer(key)


def test_memory_ends_with_the_key_itself(issuer: Issuer) -> None:
    now = [float(NOW)]
    authentication = Authentication(
        PrincipalRepository(), TokenVerifier(issuer.url, AUDIENCE).verify, clock=lambda: now[0]
    )
    key = save_key("ending", {"read"}, NOW + 2)
    authentication.of_bearer(key)
    now[0] += 2
    with pytest.raises(Unauthenticated):
        authentication.of_bearer(key)


# ---------------------------------------------------------------- reads


@pytest.fixture
def requests() -> Iterator[list[str]]:
    """The operations that are sent to the table."""
    seen: list[str] = []

    def note(model: Any, **arguments: Any) -> None:
        seen.append(model.name)

    Item._get_connection()
    events = Item._get_connection().connection.client.meta.events
    events.register("before-call.dynamodb", note)
    yield seen
    events.unregister("before-call.dynamodb", note)


CREDENTIALS: dict[str, Callable[[Issuer], str]] = {
    "own tenant": lambda issuer: signed(issuer, sub="reader"),
    "claimed tenant": lambda issuer: signed(issuer, sub="reader", tenant="acme", role="viewer"),
    "API key": lambda issuer: save_key("reads", {"read"}),
}


@pytest.mark.parametrize("kind", CREDENTIALS)
def test_one_read_on_a_cold_cache_none_on_a_warm_one(kind: str, issuer: Issuer, requests: list[str]) -> None:
    credential = CREDENTIALS[kind](issuer)
    requests.clear()
    let_in(bearer(credential))
    assert requests == ["GetItem"]
    for _ in range(5):
        let_in(bearer(credential))
    assert requests == ["GetItem"]


def test_refused_token_reads_nothing(issuer: Issuer, requests: list[str]) -> None:
    assert bearer(signed(issuer, aud="another")) == REFUSED
    assert bearer("aab_garbage") == REFUSED
    assert requests == []


def test_ticket_costs_one_request(requests: list[str]) -> None:
    ticket = save_ticket("reads")
    requests.clear()
    allowed(connect(sec_websocket_protocol=f"aab.v1, ticket.{ticket}"))
    assert requests == ["DeleteItem"]


# ---------------------------------------------------------------- headers


def test_other_headers_are_refused(issuer: Issuer) -> None:
    token = signed(issuer)
    for header in (
        "",
        token,
        "Bearer",
        "Bearer ",
        f"Basic {token}",
        f"Bearer{token}",
        f"Bearer {token}, Bearer {token}",
    ):
        assert ask(header) == REFUSED
    assert ask() == REFUSED
    assert ask(f"Bearer {token}", f"Bearer {token}") == REFUSED
    assert let_in(ask(f"bearer {token}"))


def test_no_log_line_holds_a_credential(issuer: Issuer, caplog: pytest.LogCaptureFixture) -> None:
    key, ticket = save_key("logs", {"read"}), save_ticket("logs")
    token, bad = signed(issuer, tenant="logs", role="viewer"), signed(issuer, aud="another")
    for credential in (key, token, bad, key[:-1] + "-"):
        bearer(credential)
    for _ in range(2):
        connect(sec_websocket_protocol=f"aab.v1, ticket.{ticket}")
    output = "".join(repr(vars(record)) for record in caplog.records)
    assert "refused" in output
    for credential in (key, token, bad, ticket):
        assert credential not in output
        assert credential[-20:] not in output


# ---------------------------------------------------------------- WebSocket


def test_ticket_opens_one_connection_as_whom_it_was_given_to() -> None:
    ticket = save_ticket("sockets")
    identity = allowed(connect(sec_websocket_protocol=f"aab.v1, ticket.{ticket}", origin=ORIGIN))
    assert identity == Identity("sockets", "ada", AGENT, frozenset({"read", "run"}), "key_1", LATER)
    assert denied(connect(sec_websocket_protocol=f"aab.v1, ticket.{ticket}", origin=ORIGIN))


def test_ticket_may_come_as_query() -> None:
    ticket = save_ticket("sockets")
    assert allowed(connect({"agent_id": AGENT, "ticket": ticket})).tenant == "sockets"


def test_one_of_many_at_once_uses_a_ticket() -> None:
    ticket = save_ticket("sockets")
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: connect({"agent_id": AGENT, "ticket": ticket}), range(20)))
    assert sorted(bool(answer["context"]) for answer in answers) == [False] * 19 + [True]
    assert all(denied(answer) for answer in answers if not answer["context"])


@pytest.mark.parametrize(
    "changes", [{"expires_at": NOW - 1}, {"identity_expires_at": NOW - 1}, {"agent_id": "agt_other"}]
)
def test_ticket_that_ended_or_is_for_another_agent_is_refused_and_used_up(changes: dict[str, Any]) -> None:
    ticket = save_ticket("sockets", **changes)
    for agent in (AGENT, changes.get("agent_id", AGENT)):
        assert denied(connect({"agent_id": agent, "ticket": ticket}))


def test_servers_may_send_the_header_itself(issuer: Issuer) -> None:
    identity = allowed(connect(authorization=f"Bearer {signed(issuer, sub='server', tenant='acme', role='operator')}"))
    assert (identity.tenant, identity.agent_id) == ("acme", AGENT)
    assert denied(connect())
    assert denied(connect({"agent_id": "a" * 200}, authorization=f"Bearer {signed(issuer)}"))


def test_foreign_origin_is_refused_before_its_ticket_is_used() -> None:
    ticket = save_ticket("sockets")
    offered = f"aab.v1, ticket.{ticket}"
    for origin in ("https://evil.example", "null", "http://console.example", ORIGIN + ".evil.example", "https://"):
        assert denied(connect(sec_websocket_protocol=offered, origin=origin))
    assert allowed(connect(sec_websocket_protocol=offered, origin=ORIGIN + "/")).subject == "ada"


def test_origin_of_the_same_host_and_none_at_all_may_connect() -> None:
    for origin in ({"origin": "https://api.example"}, {}):
        assert allowed(connect({"agent_id": AGENT, "ticket": save_ticket("sockets")}, **origin))


def test_answers_fit_what_api_gateway_keeps(issuer: Issuer) -> None:
    answer = connect(authorization=f"Bearer {signed(issuer, RSA_KEY, sub='s' * 256, tenant='t' * 128, role='owner')}")
    assert len(json.dumps(answer)) < 8192
