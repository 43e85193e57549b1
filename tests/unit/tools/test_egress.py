"""The guarded client against names that lie and servers that misbehave."""

from __future__ import annotations

import asyncio
import gzip
import logging
import ssl
import tracemalloc
import zlib

import httpx2
import pytest
import trustme

from agent_builder.errors import OutboundFailed, OutboundRefused
from agent_builder.tools.egress import Egress, EgressLimits, EgressPolicy
from tests.unit.tools.misbehaving import (
    HOURS,
    OTHER_PUBLIC,
    PUBLIC,
    Asked,
    always,
    bomb,
    reply,
    serving,
    world,
)

LOOPBACK = EgressPolicy(allow_loopback=True)


async def refused(get: object) -> str:
    with pytest.raises(OutboundRefused) as error:
        await get  # type: ignore[misc]
    return error.value.reason


async def failed(get: object) -> tuple[str, bool]:
    with pytest.raises(OutboundFailed) as error:
        await get  # type: ignore[misc]
    return error.value.kind, error.value.sent


# ---------------------------------------------------------------- where a connection goes


async def test_the_checked_address_is_dialled() -> None:
    async with serving(always(reply())) as server:
        there = world({"api.test": [[PUBLIC]]}, {PUBLIC: server.port})
        answer = await there.get("http://api.test/a%2Fb?q=%20")
        assert (answer.status, answer.body) == (200, b"ok")
        assert there.roads.dialled == [PUBLIC]
        assert server.asked[0].line == "GET /a%2Fb?q=%20 HTTP/1.1"
        assert server.asked[0].header("host") == "api.test"
        await there.egress.aclose()


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], [PUBLIC, "127.0.0.1"], ["::1"], ["169.254.169.254"], [PUBLIC, "fe80::1%eth0"], [], ["nonsense"]],
)
async def test_a_name_with_an_address_that_is_not_public(addresses: list[str]) -> None:
    there = world({"evil.test": [addresses]}, {PUBLIC: 1, "127.0.0.1": 1})
    assert await refused(there.get("http://evil.test/")) == "address"
    assert there.roads.dialled == []
    assert [(refusal.reason, refusal.host, refusal.port) for refusal in there.refusals] == [
        ("address", "evil.test", 80)
    ]


async def test_unknown_and_private_names_look_alike() -> None:
    there = world({"inside.test": [["10.0.0.1"]]})
    texts = set()
    for host in ("inside.test", "unknown.test", "10.0.0.1", "x" * 63 + ".test"):
        with pytest.raises(OutboundRefused) as error:
            await there.get(f"http://{host}/")
        texts.add(error.value.detail)
    assert len(texts) == 1


async def test_a_name_that_changes_its_mind() -> None:
    """DNS rebinding: each connection is checked, and goes where the check looked."""
    async with serving(always(reply())) as server:
        there = world({"rebind.test": [[PUBLIC], ["127.0.0.1"]]}, {PUBLIC: server.port, "127.0.0.1": server.port})
        assert (await there.get("http://rebind.test/")).status == 200
        assert await refused(there.get("http://rebind.test/")) == "address"
        assert there.names.asked == ["rebind.test", "rebind.test"]
        assert there.roads.dialled == [PUBLIC]


async def test_the_next_address_is_tried() -> None:
    async with serving(always(reply())) as server:
        there = world({"api.test": [[OTHER_PUBLIC, PUBLIC]]}, {PUBLIC: server.port})
        assert (await there.get("http://api.test/")).status == 200
        assert there.roads.dialled == [OTHER_PUBLIC, PUBLIC]


async def test_nobody_answers() -> None:
    there = world({"api.test": [[PUBLIC]]})
    assert await failed(there.get("http://api.test/")) == ("connect", False)


async def test_refusals_leave_no_connections_behind() -> None:
    async with serving(always(reply())) as server:
        there = world({"api.test": [[PUBLIC]], "evil.test": [["127.0.0.1"]]}, {PUBLIC: server.port})
        for _ in range(50):
            assert await refused(there.get("http://evil.test/")) == "address"
        assert (await there.get("http://api.test/")).status == 200


async def test_loopback_by_explicit_setting_only() -> None:
    async with serving(always(reply())) as server:
        async with Egress(EgressPolicy()) as egress:
            for host in ("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"):
                url = f"http://{host}:{server.port}/"
                assert await refused(egress.send("GET", url, purpose="tool")) in ("port", "address")
        async with Egress(LOOPBACK) as egress:
            url = f"http://127.0.0.1:{server.port}/"
            assert (await egress.send("GET", url, purpose="tool", secret=True)).status == 200
            for host in ("10.0.0.1", "169.254.169.254", "0.0.0.0"):
                assert await refused(egress.send("GET", f"http://{host}/", purpose="tool")) == "address"


async def test_a_port_that_only_loopback_may_use() -> None:
    there = world({"a.localhost": [[PUBLIC]]}, {PUBLIC: 1}, policy=LOOPBACK)
    assert await refused(there.get("http://a.localhost:6379/")) == "port"
    assert there.roads.dialled == []


async def test_networks_on_the_lists_are_known_at_the_connection() -> None:
    there = world({"api.test": [[PUBLIC]]}, policy=EgressPolicy(deny=("93.184.0.0/16",)))
    assert await refused(there.get("http://api.test/")) == "denied"
    there = world({"api.test": [[PUBLIC]]}, policy=EgressPolicy(allow=("8.8.0.0/16",)))
    assert await refused(there.get("http://api.test/")) == "not_allowed"


async def test_no_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with serving(always(reply())) as server:
        there = world({"api.test": [[PUBLIC]]}, {PUBLIC: server.port})
        assert (await there.get("http://api.test/")).status == 200
        async with there.egress.client("mcp", secret=False) as client:
            assert (await client.get("http://api.test/")).status_code == 200


# ---------------------------------------------------------------- TLS


async def test_tls_verifies_the_name_and_dials_the_checked_address() -> None:
    authority = trustme.CA()
    trusting, own = ssl.create_default_context(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.configure_trust(trusting)
    authority.issue_cert("api.test").configure_cert(own)
    async with serving(always(reply()), tls=own) as server:
        names = {"api.test": [[PUBLIC]], "other.test": [[PUBLIC]]}
        there = world(names, {PUBLIC: server.port}, tls=trusting)
        assert (await there.get("https://api.test/", secret=True)).body == b"ok"
        with pytest.raises(OutboundFailed, match="certificate") as error:
            await there.get("https://other.test/", secret=True)
        assert (error.value.kind, error.value.sent) == ("connect", False)
        strict = world(names, {PUBLIC: server.port})
        assert await failed(strict.get("https://api.test/")) == ("connect", False)
        assert len(server.asked) == 1


async def test_a_redirect_from_https_to_http() -> None:
    authority = trustme.CA()
    trusting, own = ssl.create_default_context(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.configure_trust(trusting)
    authority.issue_cert("api.test").configure_cert(own)
    async with serving(always(reply(status="302 Found", Location="http://api.test/")), tls=own) as server:
        there = world({"api.test": [[PUBLIC]]}, {PUBLIC: server.port}, tls=trusting)
        assert await failed(there.get("https://api.test/")) == ("redirect", True)
        assert [refusal.reason for refusal in there.refusals] == ["redirect"]


# ---------------------------------------------------------------- redirects


async def test_a_redirect_to_a_private_address() -> None:
    for target in (
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1/",
        "http://[::ffff:10.0.0.1]/",
        "//evil.test/",
        "http://evil.test/",
    ):
        async with serving(always(reply(status="302 Found", Location=target))) as server:
            there = world({"api.test": [[PUBLIC]], "evil.test": [["10.0.0.1"]]}, {PUBLIC: server.port})
            assert await refused(there.get("http://api.test/")) == "address"
            assert there.roads.dialled == [PUBLIC]
            assert len(there.refusals) == 1


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://api.test/", "http://u:p@api.test/", "http://api.test:22/"]
)
async def test_a_redirect_to_what_cannot_be_called(target: str) -> None:
    async with serving(always(reply(status="301 Moved", Location=target))) as server:
        there = world({"api.test": [[PUBLIC]]}, {PUBLIC: server.port})
        assert await refused(there.get("http://api.test/")) in ("scheme", "url", "port")
        assert len(server.asked) == 1


async def test_credentials_stay_with_their_origin() -> None:
    async def play(asked: Asked, writer: asyncio.StreamWriter) -> None:
        moved = {"/start": "/near", "/near": "http://other.test/far"}.get(asked.path.partition("?")[0])
        writer.write(reply(status="307 Moved", Location=moved) if moved else reply())

    secrets = [("Authorization", "Bearer s3cret"), ("X-Api-Key", "s3cret"), ("Cookie", "s=s3cret"), ("Accept", "a/b")]
    async with serving(play) as server:
        there = world(
            {"api.test": [[PUBLIC]], "other.test": [[OTHER_PUBLIC]]}, {PUBLIC: server.port, OTHER_PUBLIC: server.port}
        )
        answer = await there.get("http://api.test/start?key=s3cret", headers=secrets)
        assert answer.url == "http://other.test/far"
    start, near, far = server.asked
    assert start.header("x-api-key") == near.header("x-api-key") == "s3cret"
    assert far.header("accept") == "a/b"
    assert "s3cret" not in repr((far.line, far.headers, far.body))


async def test_cookies_of_an_answer_are_not_kept() -> None:
    async with serving(always(reply(Set_Cookie="session=1; Path=/"))) as server:
        there = world({"api.test": [[PUBLIC]]}, {PUBLIC: server.port})
        await there.get("http://api.test/")
        await there.get("http://api.test/")
    assert [asked.header("cookie") for asked in server.asked] == [None, None]


@pytest.mark.parametrize(
    ("method", "status", "target", "outcome"),
    [
        ("POST", 303, "/done", ("GET", b"")),
        ("POST", 307, "/again", ("POST", b"body")),
        ("PUT", 308, "/again", ("PUT", b"body")),
        ("HEAD", 302, "/again", ("HEAD", b"")),
        ("POST", 301, "/lost", None),
        ("POST", 302, "/lost", None),
        ("POST", 307, "http://other.test/", None),
        ("DELETE", 308, "http://other.test/", None),
        ("POST", 303, "http://other.test/", ("GET", b"")),
    ],
)
async def test_a_write_is_neither_lost_nor_given_away(
    method: str, status: int, target: str, outcome: tuple[str, bytes] | None
) -> None:
    async def play(asked: Asked, writer: asyncio.StreamWriter) -> None:
        first = asked.path == "/start"
        writer.write(reply(b"", status=f"{status} Moved", Location=target) if first else reply(b""))

    async with serving(play) as server:
        there = world(
            {"api.test": [[PUBLIC]], "other.test": [[OTHER_PUBLIC]]}, {PUBLIC: server.port, OTHER_PUBLIC: server.port}
        )
        body = None if method == "HEAD" else b"body"
        call = there.egress.send(
            method, "http://api.test/start", purpose="tool", body=body, headers=[("Content-Type", "text/plain")]
        )
        if outcome is None:
            assert await failed(call) == ("redirect", True)
            assert len(server.asked) == 1
        else:
            assert (await call).status == 200
            last = server.asked[-1]
            assert (last.line.split(" ")[0], last.body) == outcome
            assert (last.header("content-type") is None) == (outcome[0] == "GET")


async def test_redirects_without_end() -> None:
    async with serving(always(reply(status="302 Found", Location="/again"))) as server:
        there = world({"api.test": [[PUBLIC]]}, {PUBLIC: server.port})
        assert await failed(there.get("http://api.test/")) == ("redirect", True)
        assert len(server.asked) == 6
        assert (await there.get("http://api.test/", redirects=0)).status == 302


# ---------------------------------------------------------------- too much, too slow, broken


async def test_more_bytes_than_are_accepted() -> None:
    limits = EgressLimits(seconds=3600, wire_bytes=10_000, body_bytes=10_000)

    async def unannounced(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"3e8\r\n" + bytes(1000) + b"\r\n")
            await writer.drain()

    for play in (always(reply(bytes(10_001))), unannounced):
        async with serving(play) as server:
            there = world({"api.test": [[PUBLIC]]}, {PUBLIC: server.port})
            assert await failed(there.get("http://api.test/", limits=limits)) == ("too_large", True)
    async with serving(always(reply(bytes(10_000)))) as server:
        there = world({"api.test": [[PUBLIC]]}, {PUBLIC: server.port})
        assert len((await there.get("http://api.test/", limits=limits)).body) == 10_000


async def test_a_gzip_bomb_takes_no_memory() -> None:
    async with serving(always(reply(bomb(300), Content_Encoding="gzip"))) as server:
        there = world({"api.test": [[PUBLIC]]}, {PUBLIC: server.port})
        tracemalloc.start()
        try:
            assert await failed(there.get("http://api.test/", limits=HOURS)) == ("too_large", True)
            assert tracemalloc.get_traced_memory()[1] < 32 * 2**20
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("members", [1, 3])
async def test_gzip_is_unpacked(members: int) -> None:
    packed = b"".join(gzip.compress(b"piece") for _ in range(members))
    async with serving(always(reply(packed, Content_Encoding="gzip"))) as server:
        there = world({"api.test": [[PUBLIC]]}, {PUBLIC: server.port})
        answer = await there.get("http://api.test/")
        assert answer.body == b"piece" * members
        assert "content-encoding" not in answer.headers
        assert server.asked[0].header("accept-encoding") == "gzip"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"text")[:-9]),
        ("gzip", b"plain text"),
        ("gzip", gzip.compress(b"text") + b"garbage"),
        ("br", b"\x0b\x02\x80text\x03"),
        ("deflate", zlib.compress(b"text")),
        ("gzip, gzip", gzip.compress(gzip.compress(b"text"))),
        ("zstd", b"(\xb5/\xfd"),
    ],
)
async def test_packing_that_is_damaged_or_was_not_asked_for(encoding: str, body: bytes) -> None:
    async with serving(always(reply(body, Content_Encoding=encoding))) as server:
        there = world({"api.test": [[PUBLIC]]}, {PUBLIC: server.port})
        assert await failed(there.get("http://api.test/")) == ("protocol", True)


async def test_head_and_empty_answers_may_say_gzip() -> None:
    async with serving(
        always(b"HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n")
    ) as server:
        there = world({"api.test": [[PUBLIC]]}, {PUBLIC: server.port})
        assert (await there.get("http://api.test/")).body == b""
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 99999999\r\nConnection: close\r\n\r\n"
    async with serving(always(head)) as server:
        there = world({"api.test": [[PUBLIC]]}, {PUBLIC: server.port})
        assert (await there.egress.send("HEAD", "http://api.test/", purpose="tool")).status == 200


async def test_an_answer_that_drips() -> None:
    """Each byte comes in time; only the whole is late."""

    async def drip(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.01)

    async def drip_head(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while True:
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.01)

    async def silent(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(3600)

    for play in (drip, drip_head, silent):
        async with serving(play) as server:
            there = world({"api.test": [[PUBLIC]]}, {PUBLIC: server.port})
            assert await failed(there.get("http://api.test/", limits=EgressLimits(seconds=1.5))) == ("timeout", True)
            assert len(server.asked) == 1


async def test_a_look_up_without_end() -> None:
    async def never(host: str, port: int) -> list[str]:
        await asyncio.sleep(3600)
        return []

    async with Egress(EgressPolicy(), resolve=never) as egress:
        call = egress.send("POST", "http://api.test/", purpose="tool", limits=EgressLimits(seconds=0.1))
        assert await failed(call) == ("timeout", False)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\nhello",
        b"SSH-2.0-OpenSSH_9\r\n",
    ],
    ids=range(7),
)
async def test_answers_that_are_no_http(data: bytes) -> None:
    async with serving(always(data)) as server:
        there = world({"api.test": [[PUBLIC]]}, {PUBLIC: server.port})
        assert await failed(there.get("http://api.test/")) == ("protocol", True)


async def test_a_reset() -> None:
    async def reset(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin")
        await writer.drain()
        writer.transport.abort()

    async with serving(reset) as server:
        there = world({"api.test": [[PUBLIC]]}, {PUBLIC: server.port})
        assert await failed(there.get("http://api.test/")) == ("protocol", True)


# ---------------------------------------------------------------- what is sent


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Host", "internal"),
        ("host", "internal"),
        ("Content-Length", "0"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "upgrade"),
        ("Proxy-Authorization", "x"),
        ("Expect", "100-continue"),
        ("X-A", "a\r\nX-B: b"),
        ("X-A", "a\x00"),
        ("X A", "a"),
        ("X-A:", "a"),
        ("", "a"),
        ("X-A", "a" * 20_000),
    ],
)
async def test_headers_that_cannot_be_set(name: str, value: str) -> None:
    there = world({"api.test": [[PUBLIC]]}, {PUBLIC: 1})
    assert await refused(there.get("http://api.test/", headers=[(name, value)])) == "header"
    assert there.refusals[0].reason == "header"


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "GET /x", "G\r\nET", ""])
async def test_methods_that_cannot_be_used(method: str) -> None:
    there = world({"api.test": [[PUBLIC]]}, {PUBLIC: 1})
    assert await refused(there.egress.send(method, "http://api.test/", purpose="tool")) == "header"


async def test_repeated_and_international_headers() -> None:
    async with serving(always(reply())) as server:
        there = world({"api.test": [[PUBLIC]]}, {PUBLIC: server.port})
        await there.get("http://api.test/", headers=[("X-A", "1"), ("X-A", "2"), ("X-B", "é"), ("User-Agent", "mine")])
    assert [value for name, value in server.asked[0].headers if name == "X-A"] == ["1", "2"]
    assert server.asked[0].header("x-b") == "é".encode().decode("latin-1")
    assert server.asked[0].header("user-agent") == "mine"


async def test_nothing_is_logged_of_a_call(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(always(reply())) as server:
        there = world({"api.test": [[PUBLIC]]}, {PUBLIC: server.port})
        await there.get("http://api.test/?key=s3cret", headers=[("X-Key", "s3cret")])
        async with there.egress.client("mcp", secret=False) as client:
            await client.get("http://api.test/?key=s3cret")
    assert "s3cret" not in caplog.text


# ---------------------------------------------------------------- the client for libraries


async def test_the_client_for_libraries_is_guarded_as_well() -> None:
    async with serving(always(reply(bomb(20), Content_Encoding="gzip"))) as server:
        there = world({"api.test": [[PUBLIC]], "evil.test": [["10.0.0.1"]]}, {PUBLIC: server.port})
        async with there.egress.client("mcp") as client:
            assert await refused(client.get("http://api.test/")) == "insecure"
            assert await refused(client.get("https://evil.test/")) == "address"
        async with there.egress.client("mcp", secret=False) as client:
            assert await failed(client.get("http://api.test/")) == ("too_large", True)
            asked = {"headers": {"Host": "internal.test"}, "extensions": {"sni_hostname": "internal.test"}}
            with pytest.raises(OutboundFailed):
                await client.get("http://api.test/", **asked)  # type: ignore[arg-type]
        assert server.asked[-1].header("host") == "api.test"
        assert [refusal.purpose for refusal in there.refusals] == ["mcp", "mcp"]


async def test_the_client_for_libraries_streams() -> None:
    async def events(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(3):
            writer.write(b"6\r\nevent\n\r\n")
            await writer.drain()
        writer.write(b"0\r\n\r\n")

    async with serving(events) as server:
        there = world({"api.test": [[PUBLIC]]}, {PUBLIC: server.port})
        async with (
            there.egress.client("mcp", secret=False) as client,
            client.stream("GET", "http://api.test/") as answer,
        ):
            assert isinstance(answer, httpx2.Response)
            assert [line async for line in answer.aiter_lines()] == ["event"] * 3
