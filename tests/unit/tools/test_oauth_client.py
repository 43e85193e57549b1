"""Token endpoints as they are: by the book, and as the world has them."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import pytest

from agent_builder.errors import GrantRefused, OutboundRefused, TokenEndpointFailed
from agent_builder.tools.auth.oauth import TokenClient, TokenSet
from agent_builder.tools.egress import Egress, EgressPolicy
from tests.unit.tools.misbehaving import Asked, Server, always, reply, serving

SETTINGS: dict[str, Any] = {
    "client_id": "my client",
    "client_authentication": "basic",
    "scopes": [],
    "token_parameters": {},
}
SECRET = {"client_secret": "s3cret+/=%é"}
JSON = {"Content_Type": "application/json"}


def told(status: str = "200 OK", **fields: Any) -> bytes:
    return reply(json.dumps(fields).encode(), status=status, **JSON)


async def _no_pause(seconds: float) -> None:
    return


@asynccontextmanager
async def client(
    play: Callable[[Asked, asyncio.StreamWriter], Awaitable[None]] | bytes, **changes: Any
) -> AsyncIterator[tuple[TokenClient, Server]]:
    playing = always(play) if isinstance(play, bytes) else play
    async with serving(playing) as server, Egress(EgressPolicy(allow_loopback=True)) as egress:
        settings = {**SETTINGS, "token_url": f"http://127.0.0.1:{server.port}/token", **changes}
        yield TokenClient(egress, settings, SECRET, _no_pause), server


def form_of(asked: Asked) -> dict[str, str]:
    return dict(parse_qsl(asked.body.decode(), keep_blank_values=True))


async def test_the_client_proves_itself_by_basic() -> None:
    async with client(told(access_token="a")) as (asking, server):
        await asking.by_credentials()
    name, _, coded = str(server.asked[0].header("authorization")).partition(" ")
    user, _, password = base64.b64decode(coded).decode().partition(":")
    assert (name, unquote_plus(user), unquote_plus(password)) == ("Basic", "my client", "s3cret+/=%é")
    assert form_of(server.asked[0]) == {"grant_type": "client_credentials"}
    assert server.asked[0].header("content-type") == "application/x-www-form-urlencoded"
    assert server.asked[0].header("accept") == "application/json"


async def test_the_client_proves_itself_in_the_body() -> None:
    changes = {
        "client_authentication": "body",
        "scopes": ["a", "b"],
        "token_parameters": {"audience": "x", "scope": "y"},
    }
    async with client(told(access_token="a"), **changes) as (asking, server):
        await asking.by_credentials()
    assert server.asked[0].header("authorization") is None
    expected = {"grant_type": "client_credentials", "scope": "a b", "audience": "x"}
    assert form_of(server.asked[0]) == {**expected, "client_id": "my client", "client_secret": "s3cret+/=%é"}


async def test_a_public_client_proves_nothing() -> None:
    async with client(told(access_token="a"), client_authentication="none") as (asking, server):
        await asking.by_code("c0de", verifier="v", redirect_uri="https://a.test/back")
    assert server.asked[0].header("authorization") is None
    assert form_of(server.asked[0]) == {
        "grant_type": "authorization_code",
        "code": "c0de",
        "redirect_uri": "https://a.test/back",
        "code_verifier": "v",
        "client_id": "my client",
    }


async def test_a_refresh_token_that_stays() -> None:
    async with client(told(access_token="a", expires_in=60)) as (asking, _):
        assert await asking.by_refresh_token("old") == TokenSet("a", "old", 60)
    async with client(told(access_token="a", refresh_token="new")) as (asking, _):
        assert await asking.by_refresh_token("old") == TokenSet("a", "new", 0)


@pytest.mark.parametrize(
    ("lifetime", "seconds"),
    [(3600, 3600), ("3600", 3600), (3599.9, 3599), (-1, 0), (0, 0), ("never", 0), (None, 0), (10**30, 0), (True, 1)],
)
async def test_lifetimes(lifetime: object, seconds: int) -> None:
    async with client(told(access_token="a", expires_in=lifetime)) as (asking, _):
        assert (await asking.by_credentials()).lifetime == seconds


async def test_a_form_as_the_answer() -> None:
    answer = reply(b"access_token=a%2Bb&expires_in=60&refresh_token=r", Content_Type="text/plain")
    async with client(answer) as (asking, _):
        assert await asking.by_refresh_token("old") == TokenSet("a+b", "r", 60)


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (told("400 Bad Request", error="invalid_grant", error_description="s3cret canary"), "invalid_grant"),
        (told("401 Unauthorized", error="invalid_client"), "invalid_client"),
        (told(error="bad_verification_code"), "bad_verification_code"),  # as GitHub has it: status 200
        (told(ok=False, error="invalid_refresh_token"), "invalid_refresh_token"),  # as Slack has it
        (told(access_token="a", error="invalid_grant"), "invalid_grant"),
        (told("400 Bad Request", error="canary_of_a_vendor"), "refused"),
        (told("400 Bad Request", error={"code": "invalid_grant"}), "invalid_grant"),
        (told("400 Bad Request", error={"message": "canary"}), "refused"),
        (reply(b"error=invalid_grant", Content_Type="application/x-www-form-urlencoded"), "invalid_grant"),
        (reply(b"<html>canary</html>", status="403 Forbidden"), "refused"),
    ],
    ids=range(10),
)
async def test_a_refusal_is_final(answer: bytes, failure: str) -> None:
    async with client(answer) as (asking, server):
        with pytest.raises(GrantRefused) as refused:
            await asking.by_refresh_token("old")
        assert refused.value.failure == failure
        assert "canary" not in refused.value.detail
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"", status="500 Error"),
        told("503 Unavailable", error="invalid_grant"),
        told("429 Too Many Requests", error="slow"),
        told("400 Bad Request", error="temporarily_unavailable"),
        told(),
        told(access_token=""),
        told(access_token=5),
        told(access_token="with space"),
        told(access_token="line\r\nbreak"),
        told(access_token="x" * 40_000),
        told(access_token="a", refresh_token="with space"),
        reply(b"not json", **JSON),
        reply(b'{"access_token": "a", "access_token": "b"}', **JSON),
        reply(b"", status="302 Found", Location="http://127.0.0.1:1/elsewhere"),
        reply(b"x" * 300_000),
        b"",
    ],
    ids=range(16),
)
async def test_what_may_be_better_later_is_asked_once_more(answer: bytes) -> None:
    async with client(answer) as (asking, server):
        with pytest.raises(TokenEndpointFailed) as failed:
            await asking.by_refresh_token("old")
        assert failed.value.sent
        assert len(server.asked) == 2
        with pytest.raises(TokenEndpointFailed):
            await asking.by_code("c0de", verifier="v", redirect_uri="https://a.test")
        assert len(server.asked) == 3


async def test_the_second_try_counts() -> None:
    answers = [reply(b"", status="502 Bad Gateway"), told(access_token="a")]

    async def play(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(answers.pop(0))

    async with client(play) as (asking, _):
        assert (await asking.by_refresh_token("old")).access_token == "a"


@pytest.mark.parametrize("url", ["http://id.example.com/token", "https://169.254.169.254/token", "https://10.0.0.1/"])
async def test_an_endpoint_that_may_not_be_called(url: str) -> None:
    async with client(told(access_token="a"), token_url=url) as (asking, server):
        with pytest.raises(OutboundRefused):
            await asking.by_credentials()
        assert server.asked == []


async def test_nothing_is_shown_by_accident() -> None:
    async with client(told(access_token="t0ken", refresh_token="refr3sh")) as (asking, _):
        tokens = await asking.by_credentials()
        assert not [word for word in ("t0ken", "refr3sh", "s3cret") if word in repr((tokens, asking))]
