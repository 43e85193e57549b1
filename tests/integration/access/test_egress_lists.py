"""A tenant's lists of what its tools may call, from REST to the call that is refused."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import pytest

from agent_builder.errors import OutboundRefused
from agent_builder.repositories.egress import KEPT_SECONDS, EgressRepository
from agent_builder.services.egress import EgressService
from agent_builder.services.outbound import FRESH_MS, Outbound
from tests.integration.access.world import Rest, World


def outbound(world: World) -> Outbound:
    return Outbound(EgressRepository(), ssl.create_default_context, clock=world.product.clock)


async def reason(ways: Outbound, tenant: str, url: str) -> str:
    async with await ways.open(tenant) as egress:
        with pytest.raises(OutboundRefused) as refused:
            await egress.send("GET", url, purpose="tool")
    return refused.value.reason


def refusals(rest: Rest, world: World, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = rest(world.owner, "GET", f"/egress/refusals{query}").json["items"]
    return found


async def test_lists_are_in_force_within_ten_seconds(rest: Rest, world: World) -> None:
    ways = outbound(world)
    assert rest(world.owner, "GET", "/egress").json == {"allow": [], "deny": [], "ports": [80, 443]}
    assert await reason(ways, world.tenant, "http://127.0.0.1/") == "address"
    body = {"allow": ["*.Example.com.", "10.0.0.0/8"], "deny": ["bad.example.com"], "ports": [443]}
    changed = rest(world.owner, "PUT", "/egress", body).json
    assert changed == {"allow": ["*.example.com", "10.0.0.0/8"], "deny": ["bad.example.com"], "ports": [443]}
    assert rest(world.owner, "GET", "/egress").json == changed
    world.product.clock.ahead += FRESH_MS + 1
    assert await reason(ways, world.tenant, "https://bad.example.com/") == "denied"
    assert await reason(ways, world.tenant, "https://8.8.8.8/") == "not_allowed"
    assert await reason(ways, world.tenant, "https://10.0.0.1/") == "address"
    assert await reason(ways, world.tenant, "http://a.example.com/") == "port"
    assert await reason(ways, f"{world.tenant}-2", "https://10.0.0.1/") == "address"


async def test_what_is_refused_is_recorded(rest: Rest, world: World) -> None:
    ways, told = outbound(world), list[str]()
    ways.on_refused = told.append
    for url in ("http://169.254.169.254/latest?key=s3cret", "https://u:p@example.com/", "http://example.com:22/"):
        await reason(ways, world.tenant, url)
    await asyncio.get_running_loop().shutdown_default_executor()
    found = refusals(rest, world)
    assert sorted((one["reason"], one["host"], one["port"], one["purpose"]) for one in found) == [
        ("address", "169.254.169.254", 80, "tool"),
        ("port", "example.com", 22, "tool"),
        ("url", "example.com", 443, "tool"),
    ]
    assert "s3cret" not in str(found)
    assert sorted(told) == ["address", "port", "url"]
    assert len(refusals(rest, world, "?limit=2")) == 2
    world.product.clock.ahead += KEPT_SECONDS * 1000 + 60_000
    late = EgressService(EgressRepository(), world.product.clock)
    assert late.refusals(world.product.me, limit=10, after=None) == ([], None)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"allow": ["https://example.com"]}, "/allow/0"),
        ({"deny": ["ok.example.com", "*"]}, "/deny/1"),
        ({"deny": ["127.1"]}, "/deny/0"),
        ({"ports": []}, "/ports"),
        ({"ports": [0]}, "/ports/0"),
        ({"ports": ["443"]}, "/ports/0"),
        ({"more": 1}, "/more"),
    ],
)
def test_what_is_not_valid_is_named(rest: Rest, world: World, body: dict[str, Any], pointer: str) -> None:
    answer = rest(world.owner, "PUT", "/egress", body)
    assert answer.code == "validation_failed"
    assert [fault["pointer"] for fault in answer.json["errors"]] == [pointer]
