"""Tokens against a real authorization server: refresh tokens rotate, and families end at the first misuse."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from agent_builder.crypto import Envelopes, master_keys
from agent_builder.errors import SecretUnreadable, TokenEndpointFailed, ToolError
from agent_builder.models.credentials import CREDENTIAL_INPUT
from agent_builder.models.places import Place
from agent_builder.models.principals import new_consent
from agent_builder.services.authorization import LEASE_MS, YOUNG_MS, Authorization
from agent_builder.services.consents import CONSENT_SECONDS
from agent_builder.services.credentials import credential_view
from agent_builder.services.secrets import Secrets
from local.variables import key_file
from tests.integration.oauth.conftest import Api, World
from tests.integration.store.product import everything


def bearer(material: Any) -> str:
    return str(material.secrets[0])


async def renewing(worker: Authorization) -> None:
    async with asyncio.timeout(20):
        while not worker._renewing:  # noqa: ASYNC110 (a look inside; nothing else says it)
            await asyncio.sleep(0.005)


async def code_of(call: Any) -> str:
    with pytest.raises(ToolError) as error:
        await call
    return error.value.error_code


# ---------------------------------------------------------------- consent


@pytest.mark.parametrize("client", ["basic", "post", "public"])
def test_connecting(world: World, api: Api, client: str) -> None:
    credential_id = world.create(client)
    assert world.stored(credential_id).status == "not_connected"
    assert asyncio.run(code_of(world.worker().material(world.tenant, credential_id))) == "not_connected"
    assert world.finish(world.server.consent(world.start(credential_id))) == ""
    stored = world.stored(credential_id)
    assert (stored.status, stored.tokens.version) == ("ready", 1)
    assert credential_view(stored)["token_expires_at"] is not None
    assert asyncio.run(world.call(world.worker(), credential_id, api.url)).status == 200
    assert set(world.runner.rung[0]) == {"kind", "tenant_id", "consent"}


def test_a_way_back_is_good_once(world: World) -> None:
    credential_id = world.create()
    back = world.server.consent(world.start(credential_id))
    assert world.finish(back) == ""
    assert world.finish(back) == "consent_expired"
    assert world.finish(back.replace("state=", "state=x")) == "consent_expired"
    assert world.consents.finish(new_consent(world.tenant).text, code="c", error="") == "consent_expired"
    assert world.consents.finish("", code="c", error="") == "consent_expired"
    assert world.stored(credential_id).tokens.version == 1


def test_a_way_back_ends(world: World) -> None:
    credential_id = world.create()
    back = world.server.consent(world.start(credential_id))
    world.clock.ahead += CONSENT_SECONDS * 1000 + 1000
    assert world.finish(back) == "consent_expired"
    assert world.stored(credential_id).status == "not_connected"


def test_somebody_says_no(world: World) -> None:
    state = world.start(world.create()).partition("state=")[2].partition("&")[0]
    assert world.consents.finish(state, code="", error="access_denied") == "access_denied"
    assert world.consents.finish(state, code="c", error="") == "consent_expired"
    state = world.start(world.create()).partition("state=")[2].partition("&")[0]
    assert world.consents.finish(state, code="", error="<script>") == "no_code"


def test_a_code_of_somebody_else_s(world: World) -> None:
    """Whoever puts their own code into another's way back fails at PKCE: it belongs to another verifier."""
    mine, theirs = world.start(world.create()), world.start(world.create())
    code = world.server.consent(theirs).partition("code=")[2].partition("&")[0]
    state = mine.partition("state=")[2].partition("&")[0]
    assert world.consents.finish(state, code=code, error="") == "invalid_grant"


def test_a_credential_that_was_replaced_meanwhile(world: World) -> None:
    credential_id = world.create()
    back = world.server.consent(world.start(credential_id))
    settings = dict(world.stored(credential_id).settings)
    body = {"name": "x", "kind": "oauth2", "settings": settings, "secret": {"client_secret": "other"}}
    wanted = CREDENTIAL_INPUT.validate_python(body)
    world.service.replace(world.product.me, credential_id, wanted, expected_revision=None)
    assert world.finish(back) == "credential_changed"


# ---------------------------------------------------------------- renewing


async def test_ten_workers_at_once_make_one_renewal(world: World, api: Api) -> None:
    credential_id = await asyncio.to_thread(world.connected)
    before = await world.tokens(credential_id)
    for round_number in (1, 2, 3):
        world.grow_old()
        asked = world.server.asked()
        workers = [world.worker() for _ in range(10)]
        made = await asyncio.gather(*(worker.material(world.tenant, credential_id) for worker in workers))
        assert world.server.asked() == asked + 1
        after = await world.tokens(credential_id)
        assert after["refresh_token"] != before["refresh_token"]
        # Near its end the old token is still good, so that nobody has to wait; all tokens in use are accepted.
        assert {bearer(one) for one in made} <= {before["access_token"], after["access_token"]}
        assert world.stored(credential_id).tokens.version == round_number + 1
        assert (await world.call(world.worker(), credential_id, api.url)).status == 200
        before = after


async def test_ten_workers_with_a_token_that_is_over(world: World, api: Api) -> None:
    """An API refuses the token of all of them at the same moment."""
    credential_id = await asyncio.to_thread(world.connected)
    world.server.end((await world.tokens(credential_id))["access_token"])
    asked = world.server.asked()
    answers = await asyncio.gather(*(world.call(world.worker(), credential_id, api.url) for _ in range(10)))
    assert [answer.status for answer in answers] == [200] * 10
    assert world.server.asked() == asked + 1
    assert world.stored(credential_id).status == "ready"


async def test_ten_calls_of_one_worker(world: World, api: Api) -> None:
    credential_id = await asyncio.to_thread(world.connected)
    world.clock.ahead += (3600 + 60) * 1000
    asked, worker = world.server.asked(), world.worker()
    answers = await asyncio.gather(*(world.call(worker, credential_id, api.url) for _ in range(10)))
    assert [answer.status for answer in answers] == [200] * 10
    assert world.server.asked() == asked + 1


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("/", {}),
        ("/says-403", {"expired_statuses": [401, 403]}),
        ("/says-so-in-200", {"expired_texts": ['"code":*E-1001']}),
    ],
)
async def test_signs_that_a_token_is_over(world: World, api: Api, path: str, changes: dict[str, Any]) -> None:
    credential_id = await asyncio.to_thread(lambda: world.connected(**changes))
    worker = world.worker()
    assert (await world.call(worker, credential_id, api.url + path)).body == b'{"ok": true}'
    world.server.end((await world.tokens(credential_id))["access_token"])
    assert (await world.call(worker, credential_id, api.url + path)).body == b'{"ok": true}'
    assert world.stored(credential_id).tokens.version == 2


async def test_every_token_is_renewed_when_it_is_refused_however_young(world: World, api: Api) -> None:
    credential_id = await asyncio.to_thread(world.connected)
    for version in (2, 3, 4):
        world.server.end((await world.tokens(credential_id))["access_token"])
        assert (await world.call(world.worker(), credential_id, api.url)).status == 200
        assert world.stored(credential_id).tokens.version == version
    world.grow_old()
    await world.worker().material(world.tenant, credential_id)
    world.server.end((await world.tokens(credential_id))["access_token"])
    assert (await world.call(world.worker(), credential_id, api.url)).status == 200
    stored = world.stored(credential_id)
    assert (stored.tokens.version, stored.status) == (6, "ready")


async def test_what_is_sent_again_with_a_new_token_counts_twice(world: World, api: Api) -> None:
    credential_id, times = await asyncio.to_thread(world.connected), []
    world.server.end((await world.tokens(credential_id))["access_token"])
    calls = len(api.asked)
    async with await world.egress(world.tenant) as egress:
        how: Any = {"method": "GET", "url": api.url, "tried": lambda: times.append(1)}
        answer, _ = await world.worker().call(egress, world.tenant, credential_id, **how)
        assert (answer.status, len(times), len(api.asked) - calls) == (200, 2, 2)
        await world.worker().call(egress, world.tenant, credential_id, **how)
    assert len(times) == 3


async def test_an_api_that_always_refuses_costs_one_renewal(world: World, api: Api) -> None:
    credential_id = await asyncio.to_thread(world.connected)
    for _ in range(2):
        asked, calls = world.server.asked(), len(api.asked)
        for _ in range(4):
            assert (await world.call(world.worker(), credential_id, f"{api.url}/always-refuses")).status == 401
        # What it accepts elsewhere says nothing of the tokens that were got because of this refusal.
        assert (await world.call(world.worker(), credential_id, api.url)).status == 200
        assert (await world.call(world.worker(), credential_id, f"{api.url}/always-refuses")).status == 401
        assert world.server.asked() == asked + 1
        assert len(api.asked) == calls + 7
        world.clock.ahead += YOUNG_MS + 1000
    assert world.stored(credential_id).status == "ready"


async def test_ten_workers_that_are_always_refused(world: World, api: Api) -> None:
    credential_id = await asyncio.to_thread(world.connected)
    asked = world.server.asked()
    for _ in range(2):
        calls = (world.call(world.worker(), credential_id, f"{api.url}/always-refuses") for _ in range(10))
        assert [answer.status for answer in await asyncio.gather(*calls)] == [401] * 10
    assert world.server.asked() == asked + 1
    assert world.stored(credential_id).status == "ready"


async def test_tokens_that_were_got_in_vain_end_as_others_do(world: World, api: Api) -> None:
    """Near their end they are renewed, refused or not; what a person connects anew has no past."""
    credential_id = await asyncio.to_thread(world.connected)
    assert (await world.call(world.worker(), credential_id, f"{api.url}/always-refuses")).status == 401
    back = await asyncio.to_thread(lambda: world.server.consent(world.start(credential_id)))
    assert await asyncio.to_thread(world.finish, back) == ""
    assert world.stored(credential_id).tokens.renewed_for_refusal_at == 0
    assert (await world.call(world.worker(), credential_id, f"{api.url}/always-refuses")).status == 401
    version = world.stored(credential_id).tokens.version
    world.grow_old()
    assert (await world.call(world.worker(), credential_id, api.url)).status == 200
    assert world.stored(credential_id).tokens.version == version + 1


async def test_a_lost_grant_must_be_connected_again(world: World, api: Api) -> None:
    credential_id = await asyncio.to_thread(world.connected, "public")
    world.server.revoke((await world.tokens(credential_id))["refresh_token"])
    world.clock.ahead += 3600 * 1000
    assert await code_of(world.call(world.worker(), credential_id, api.url)) == "needs_reconnect"
    view = credential_view(world.stored(credential_id))
    assert (view["status"], view["failure"]) == ("needs_reconnect", "invalid_grant")
    asked = world.server.asked()
    assert await code_of(world.worker().material(world.tenant, credential_id)) == "needs_reconnect"
    assert world.server.asked() == asked
    assert len(world.lost) == 1
    back = await asyncio.to_thread(lambda: world.server.consent(world.start(credential_id)))
    assert await asyncio.to_thread(world.finish, back) == ""
    assert (await world.call(world.worker(), credential_id, api.url)).status == 200
    assert credential_view(world.stored(credential_id))["failure"] is None


async def test_a_worker_that_comes_too_late_logs_nobody_out(world: World) -> None:
    """It was held up beyond its lease, and asks with a refresh token that another has used meanwhile."""
    credential_id = await asyncio.to_thread(world.connected)
    late, old = world.worker(), world.stored(credential_id)
    world.grow_old()
    await world.worker().material(world.tenant, credential_id)
    secret = await late.secrets.secret(world.tenant, old)
    found = await late._renew(world.tenant, old, secret, lease=0)
    assert found.tokens.version == 2
    assert world.stored(credential_id).status == "ready"


async def test_a_server_that_fails_for_a_moment(world: World) -> None:
    credential_id = await asyncio.to_thread(world.connected)
    world.grow_old()
    world.server.control(failing=1)
    await world.worker().material(world.tenant, credential_id)
    assert world.stored(credential_id).tokens.version == 2


async def test_a_server_that_fails_for_longer(world: World) -> None:
    credential_id = await asyncio.to_thread(world.connected)
    before = (await world.tokens(credential_id))["access_token"]
    world.grow_old()
    world.server.control(failing=2)
    assert bearer(await world.worker().material(world.tenant, credential_id)) == before  # it is good for 30 s yet
    world.clock.ahead += 60_000
    world.server.control(failing=2)
    with pytest.raises(TokenEndpointFailed):
        await world.worker().material(world.tenant, credential_id)
    stored = world.stored(credential_id)
    assert (stored.status, stored.tokens.lease_until) == ("ready", 0)
    await world.worker().material(world.tenant, credential_id)
    assert world.stored(credential_id).tokens.version == 2


async def test_a_worker_that_died_while_renewing(world: World) -> None:
    credential_id = await asyncio.to_thread(world.connected)
    world.grow_old()
    dead = world.stored(credential_id)
    now = world.clock()
    assert world.grants.lease(world.tenant, dead, now=now, until=now + LEASE_MS)
    assert not world.grants.lease(world.tenant, dead, now=now, until=now + LEASE_MS)
    asked = world.server.asked()
    await world.worker().material(world.tenant, credential_id)
    assert world.server.asked() == asked
    world.clock.ahead += LEASE_MS + 1000
    await world.worker().material(world.tenant, credential_id)
    assert world.stored(credential_id).tokens.version == 2


async def test_a_cancelled_call_does_not_lose_the_new_tokens(world: World) -> None:
    credential_id = await asyncio.to_thread(world.connected)
    world.grow_old()
    world.server.control(slow=300)
    try:
        worker = world.worker()
        waiting = asyncio.create_task(worker.material(world.tenant, credential_id))
        await renewing(worker)
        renewal = next(iter(worker._renewing))
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await worker.settle()
        assert renewal.result().tokens.version == 2
    finally:
        world.server.control(slow=0)
    assert world.server.active((await world.tokens(credential_id))["access_token"])


async def test_a_credential_that_is_replaced_while_it_is_renewed(world: World) -> None:
    credential_id = await asyncio.to_thread(world.connected)
    world.grow_old()
    world.server.control(slow=300)
    try:
        worker = world.worker()
        waiting = asyncio.create_task(worker.material(world.tenant, credential_id))
        await renewing(worker)
        settings = dict(world.stored(credential_id).settings)
        body = {"name": "x", "kind": "oauth2", "settings": settings, "secret": {"client_secret": "other"}}
        wanted = CREDENTIAL_INPUT.validate_python(body)
        world.service.replace(world.product.me, credential_id, wanted, expected_revision=None)
        assert await code_of(waiting) == "not_connected"
    finally:
        world.server.control(slow=0)
    stored = world.stored(credential_id)
    assert (stored.revision, stored.tokens.sealed) == (2, b"")


# ---------------------------------------------------------------- other grants


@pytest.mark.parametrize("client", ["machine", "machine-post"])
async def test_client_credentials(world: World, api: Api, client: str) -> None:
    credential_id = world.create(client, "client_credentials")
    asked = world.server.asked()
    answers = await asyncio.gather(*(world.call(world.worker(), credential_id, api.url) for _ in range(10)))
    assert [answer.status for answer in answers] == [200] * 10
    assert world.server.asked() == asked + 1
    world.grow_old()
    await world.worker().material(world.tenant, credential_id)
    assert world.server.asked() == asked + 2


async def test_a_client_that_was_refused_may_be_let_in_later(world: World) -> None:
    credential_id = world.create("machine", "client_credentials", client_id="unknown")
    for _ in range(2):
        asked = world.server.asked()
        assert await code_of(world.worker().material(world.tenant, credential_id)) == "needs_reconnect"
        assert world.server.asked() == asked + 1
    assert world.stored(credential_id).failure == "invalid_client"


async def test_a_refresh_token_that_somebody_brought_along(world: World, api: Api) -> None:
    connected = await asyncio.to_thread(world.connected)
    brought = (await world.tokens(connected))["refresh_token"]
    settings = {
        "grant": "refresh_token",
        "token_url": f"{world.server.url}/token",
        "client_id": "basic",
    }
    secret = {"client_secret": "basic-s3cret+/=%", "refresh_token": brought}
    body = {"name": "Brought", "kind": "oauth2", "settings": settings, "secret": secret}
    credential_id = world.service.create(world.product.me, CREDENTIAL_INPUT.validate_python(body)).id
    for version in (1, 2):
        assert (await world.call(world.worker(), credential_id, api.url)).status == 200
        assert world.stored(credential_id).tokens.version == version
        world.grow_old()


# ---------------------------------------------------------------- secrets


async def test_tokens_are_told_nowhere_and_open_nowhere_else(
    world: World, api: Api, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    credential_id, other = await asyncio.to_thread(world.connected), world.create()
    world.grow_old()
    await world.call(world.worker(), credential_id, api.url)
    tokens = await world.tokens(credential_id)
    stored = world.stored(credential_id)
    seen = [*capfd.readouterr(), caplog.text, str(credential_view(stored)), repr(stored), repr(world.worker())]
    for secret in (*tokens.values(), "basic-s3cret"):
        for form in (secret, base64.b64encode(secret.encode()).decode().rstrip("=")):
            assert everything(form) == []
            assert not [text for text in seen if form in text]
    for place in (
        Place(world.tenant, other, "token"),
        Place("other", credential_id, "token"),
        Place(world.tenant, credential_id, "secret"),
    ):
        with pytest.raises(SecretUnreadable):
            world.envelopes().open(stored.tokens.sealed, place)


async def test_a_tenant_s_own_provider_key(world: World) -> None:
    body = {"name": "k", "kind": "provider_key", "settings": {"provider": "openai"}, "secret": {"value": "sk-theirs"}}
    credential_id = world.service.create(world.product.me, CREDENTIAL_INPUT.validate_python(body)).id
    secrets = world.worker().secrets
    assert await secrets.provider_key(world.tenant, "openai") == "sk-theirs"
    assert await secrets.provider_key(world.tenant, "google") == ""
    assert await secrets.provider_key(f"{world.tenant}-2", "openai") == ""
    body["secret"] = {"value": "sk-new"}
    wanted = CREDENTIAL_INPUT.validate_python(body)
    world.service.replace(world.product.me, credential_id, wanted, expected_revision=None)
    assert await secrets.provider_key(world.tenant, "openai") == "sk-theirs"  # kept for a minute
    assert await world.worker().secrets.provider_key(world.tenant, "openai") == "sk-new"
    world.service.delete(world.product.me, credential_id, expected_revision=None)
    assert await world.worker().secrets.provider_key(world.tenant, "openai") == ""


async def test_moving_to_another_key(world: World, api: Api, tmp_path_factory: pytest.TempPathFactory) -> None:
    credential_id = await asyncio.to_thread(world.connected)
    old, new = world.keys, str(key_file(tmp_path_factory.mktemp("new")))
    both = Secrets(world.credentials, lambda: Envelopes(master_keys([new, old], lambda: None)), world.clock)
    assert await asyncio.to_thread(both.reseal, world.tenant) == 1
    assert await asyncio.to_thread(both.reseal, world.tenant) == 0
    world.keys = new
    assert (await world.call(world.worker(), credential_id, api.url)).status == 200
    world.grow_old()
    await world.worker().material(world.tenant, credential_id)
    assert world.stored(credential_id).tokens.version == 2
