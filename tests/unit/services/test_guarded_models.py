"""Model servers that a tenant names are called behind its guards, over TLS, at the address that was checked."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest
import trustme

from agent_builder.errors import ProviderError
from agent_builder.messages import Message, ModelEvent, ModelRequest, TextDelta, TextPart
from agent_builder.models.agents import AgentVersion, LlmConfig
from agent_builder.providers.registry import ProviderRegistry
from agent_builder.repositories.prices import PriceRepository
from agent_builder.services.guarded_models import ModelClients
from agent_builder.services.models import Models
from agent_builder.services.prices import PriceBook, TenantRates
from agent_builder.tools.egress import Egress, EgressPolicy, Refusal
from tests.unit.tools.misbehaving import PUBLIC, Asked, Names, Roads, Server, always, bomb, reply, serving


def streamed(*texts: str) -> bytes:
    chunks = [{"choices": [{"index": 0, "delta": {"content": text}}]} for text in texts]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    lines = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    return reply(lines.encode(), Content_Type="text/event-stream")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@dataclass
class Outside:
    """Names, roads and lists of a tenant's world; `opened` counts the ways out."""

    authority: trustme.CA
    names: dict[str, list[list[str]]]
    roads: Roads
    policy: EgressPolicy = field(default_factory=EgressPolicy)
    refusals: list[Refusal] = field(default_factory=list)

    async def open(self, tenant: str) -> Egress:
        tls = ssl.create_default_context()
        self.authority.configure_trust(tls)
        return Egress(self.policy, record=self.refusals.append, tls=tls, resolve=Names(self.names), dialler=self.roads)


def outside(authority: trustme.CA, server: Server | None, names: dict[str, list[list[str]]]) -> Outside:
    return Outside(authority, names, Roads({PUBLIC: server.port} if server else {}))


def tls_of(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


class Asking:
    """Calls the model at an address, as a run of a tenant does."""

    def __init__(self, world: Outside) -> None:
        registry = ProviderRegistry(dict)
        self.clients = ModelClients(world.open)
        book = PriceBook(PriceRepository())
        self.models = Models(lambda: registry, self.clients.client, partial(TenantRates, book))

    async def __call__(self, base_url: str) -> str:
        config = LlmConfig(provider="openai_compatible", model="m", base_url=base_url)
        version = AgentVersion(
            agent_id="agt_1", version=1, name="n", description="", system_prompt="", llm_config=config,
            builtin_tools=(), created_at=0, created_by="",
        )  # fmt: skip
        provider = self.models.caller("acme", version, "cnv_1").provider
        request = ModelRequest(model="m", messages=[Message(role="user", parts=(TextPart(text="hello"),))])
        events: list[ModelEvent] = [event async for event in provider.stream(request)]
        return "".join(event.text for event in events if isinstance(event, TextDelta))


async def refused(asking: Any) -> ProviderError:
    with pytest.raises(ProviderError) as raised:
        await asking
    return raised.value


async def test_a_public_server_answers_at_the_checked_address(authority: trustme.CA) -> None:
    async with serving(always(streamed("Hel", "lo")), tls_of(authority, "models.test")) as server:
        world = outside(authority, server, {"models.test": [[PUBLIC]]})
        asking = Asking(world)
        assert await asking("https://models.test/v1") == "Hello"
        assert await asking("https://models.test/v1") == "Hello"
        assert set(world.roads.dialled) == {PUBLIC}
        assert world.refusals == []
        assert [asked.line for asked in server.asked] == ["POST /v1/chat/completions HTTP/1.1"] * 2
        await asking.clients.settle()


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::ffff:10.0.0.1", "fd00::1"])
async def test_a_name_of_an_inner_address_leads_nowhere(authority: trustme.CA, address: str) -> None:
    world = outside(authority, None, {"inside.test": [[address]]})
    error = await refused(Asking(world)("https://inside.test/v1"))
    assert (error.kind, error.retryable) == ("invalid_request", False)
    assert "may not be called" in error.detail
    assert world.roads.dialled == []
    assert [(one.reason, one.purpose, one.host) for one in world.refusals] == [("address", "model", "inside.test")]


async def test_a_name_that_changes_its_address_between_calls(authority: trustme.CA) -> None:
    async with serving(always(streamed("one")), tls_of(authority, "moving.test")) as server:
        world = outside(authority, server, {"moving.test": [[PUBLIC], ["127.0.0.1"]]})
        asking = Asking(world)
        assert await asking("https://moving.test/v1") == "one"
        assert (await refused(asking("https://moving.test/v1"))).kind == "invalid_request"
        assert world.roads.dialled == [PUBLIC]


async def test_the_tenant_s_lists_count_as_soon_as_they_change(authority: trustme.CA) -> None:
    async with serving(always(streamed("one")), tls_of(authority, "models.test")) as server:
        world = outside(authority, server, {"models.test": [[PUBLIC]]})
        asking = Asking(world)
        assert await asking("https://models.test/v1") == "one"
        world.policy = replace(world.policy, deny=("models.test",))
        error = await refused(asking("https://models.test/v1"))
        assert "list of hosts" in error.detail
        await asking.clients.settle()
        world.policy = EgressPolicy()
        assert await asking("https://models.test/v1") == "one"


@pytest.mark.parametrize("base_url", ["http://models.test/v1", "https://models.test:8443/v1"])
async def test_plain_addresses_and_other_ports(authority: trustme.CA, base_url: str) -> None:
    world = outside(authority, None, {"models.test": [[PUBLIC]]})
    assert (await refused(Asking(world)(base_url))).kind == "invalid_request"
    assert world.roads.dialled == []
    assert [one.purpose for one in world.refusals] == ["model"]


INNER = [
    "http://127.0.0.1:11434/v1",
    "http://localhost:11434/v1",
    "http://[::1]:11434/v1",
    "http://192.168.1.20:11434/v1",
    "http://10.0.0.1:11434/v1",
    "http://[fd00::1]:11434/v1",
    "http://home.test:11434/v1",
]
NAMES = {
    "localhost": [["127.0.0.1"]],
    "home.test": [["192.168.1.20", "fe80::1%eth0", "fe80::2"]],
    "cloud.test": [["169.254.169.254"]],
    "open.test": [[PUBLIC]],
}


@pytest.mark.parametrize("base_url", [*INNER, "https://localhost/v1", "https://10.0.0.1/v1", "https://db.internal/v1"])
async def test_inner_servers_are_refused_and_recorded(authority: trustme.CA, base_url: str) -> None:
    world = outside(authority, None, NAMES)
    assert (await refused(Asking(world)(base_url))).kind == "invalid_request"
    assert world.roads.dialled == []
    assert [one.purpose for one in world.refusals] == ["model"]


async def test_what_is_refused_and_what_is_not_there_read_the_same(authority: trustme.CA) -> None:
    """Nobody explores a network by the errors of a model, whether this machine is open or not."""
    for policy in (EgressPolicy(), EgressPolicy(allow_loopback=True)):
        world = outside(authority, None, NAMES)
        world.policy = policy
        asking = Asking(world)
        there = await refused(asking("https://home.test/v1"))
        literal = await refused(asking("https://10.0.0.1/v1"))
        absent = await refused(asking("https://absent.test/v1"))
        assert (there.kind, there.detail) == (literal.kind, literal.detail) == (absent.kind, absent.detail)
        assert world.roads.dialled == []


@pytest.mark.parametrize(("number", "open_"), list(enumerate([True, True, True, False, False, False, False])))
async def test_this_machine_where_it_is_switched_on(authority: trustme.CA, number: int, *, open_: bool) -> None:
    await _asked(authority, INNER[number], EgressPolicy(allow_loopback=True), reached=open_)


@pytest.mark.parametrize("base_url", INNER)
async def test_private_networks_where_one_person_is_at_home(authority: trustme.CA, base_url: str) -> None:
    await _asked(authority, base_url, EgressPolicy(allow_private=True), reached=True)


@pytest.mark.parametrize(
    "base_url",
    [
        "http://169.254.169.254/latest",
        "http://cloud.test/latest",
        "http://[fe80::1]/v1",
        "http://[::ffff:169.254.169.254]/v1",
        "http://[64:ff9b::a00:1]/v1",
        "http://0.0.0.0:11434/v1",
        "http://open.test:11434/v1",
    ],
)
async def test_not_all_is_private(authority: trustme.CA, base_url: str) -> None:
    """Where clouds answer their machines, what translators carry on, and other ports of public servers."""
    await _asked(authority, base_url, EgressPolicy(allow_private=True), reached=False)


@pytest.mark.parametrize("rules", ["192.168.0.0/16", "home.test"])
async def test_the_tenant_s_lists_count_at_home_too(authority: trustme.CA, rules: str) -> None:
    home = "http://home.test:11434/v1"
    await _asked(authority, home, EgressPolicy(allow_private=True, deny=(rules,)), reached=False)
    await _asked(authority, home, EgressPolicy(allow_private=True, allow=(rules,)), reached=True)
    await _asked(authority, home, EgressPolicy(allow_private=True, allow=("api.example.com",)), reached=False)


async def _asked(authority: trustme.CA, base_url: str, policy: EgressPolicy, *, reached: bool) -> None:
    """Ask a model at an address; see whether it answers, or whether it was refused and that recorded."""
    async with serving(always(streamed("Hello"))) as server:
        world = Outside(authority, NAMES, Roads(dict.fromkeys(ADDRESSES, server.port)), policy)
        asking = Asking(world)
        if reached:
            assert await asking(base_url) == "Hello"
            assert len(world.roads.dialled) == 1
        else:
            assert (await refused(asking(base_url))).kind == "invalid_request"
            assert world.roads.dialled == []
        assert [one.purpose for one in world.refusals] == ([] if reached else ["model"])
        await asking.clients.settle()


ADDRESSES = ("127.0.0.1", "::1", "192.168.1.20", "10.0.0.1", "fd00::1", PUBLIC)


async def test_redirects_are_not_followed(authority: trustme.CA) -> None:
    moved = reply(b"", "307 Temporary Redirect", Location="https://169.254.169.254/latest")
    async with serving(always(moved), tls_of(authority, "models.test")) as server:
        world = outside(authority, server, {"models.test": [[PUBLIC]]})
        await refused(Asking(world)("https://models.test/v1"))
        assert len(server.asked) == 1
        assert world.roads.dialled == [PUBLIC]


async def test_what_unpacks_to_a_mountain_is_cut_off(authority: trustme.CA) -> None:
    packed = reply(bomb(256), Content_Type="text/event-stream", Content_Encoding="gzip")
    async with serving(always(packed), tls_of(authority, "models.test")) as server:
        world = outside(authority, server, {"models.test": [[PUBLIC]]})
        error = await refused(Asking(world)("https://models.test/v1"))
        assert error.kind in ("broken_stream", "invalid_request")


async def test_a_server_that_hangs_up(authority: trustme.CA) -> None:
    async def hang_up(asked: Asked, writer: Any) -> None:
        writer.close()

    async with serving(hang_up, tls_of(authority, "models.test")) as server:
        world = outside(authority, server, {"models.test": [[PUBLIC]]})
        assert (await refused(Asking(world)("https://models.test/v1"))).kind == "broken_stream"


async def test_a_certificate_of_somebody_else(authority: trustme.CA) -> None:
    async with serving(always(streamed("one")), tls_of(authority, "other.test")) as server:
        world = outside(authority, server, {"models.test": [[PUBLIC]]})
        assert (await refused(Asking(world)("https://models.test/v1"))).kind == "unavailable"
        assert server.asked == []


def test_without_guards_there_is_no_way_out() -> None:
    with pytest.raises(ProviderError, match="operator"):
        ProviderRegistry(dict).get("openai_compatible", "https://models.test/v1")
