"""One test body, provider by case. A cell that is not run is an error, unless `GAPS` says why."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent_builder.errors import ProviderError
from agent_builder.messages import ModelFinished, TextDelta, ToolCallPart, ToolResultPart, user_message
from tests.integration.providers import cases
from tests.integration.providers.recorded import came
from tests.integration.providers.vendors import (
    AIMOCK_PATHS,
    LLMOCK_PATHS,
    PROVIDERS,
    TOOLS,
    all_events,
    asking,
    provider,
    until,
)
from tests.integration.providers.wire import Reply, WireServer, cut, events

# Where a mock server cannot play a case on a wire; the same is proved by the case or golden stream named.
GAPS: dict[tuple[str, str], str] = {}

pytestmark = pytest.mark.filterwarnings("ignore:.* is not a valid FinishReason:UserWarning")


def cells(names: dict[str, Any]) -> list[Any]:
    return [
        pytest.param(vendor, case, id=f"{vendor}-{case}")
        for vendor in PROVIDERS
        for case in names
        if (vendor, case) not in GAPS
    ]


@pytest.mark.parametrize(("vendor", "case"), cells(cases.GOOD))
async def test_good_answer(vendor: str, case: str, aimock: str) -> None:
    good = cases.GOOD[case]
    named = provider(vendor, aimock + AIMOCK_PATHS[vendor])
    found = await all_events(named, asking(vendor, good.asked, **good.request))
    last = found[-1]
    assert isinstance(last, ModelFinished)
    good.check(came(found), last)


@pytest.mark.parametrize(("vendor", "case"), cells(cases.FAULTS))
async def test_fault(vendor: str, case: str, llmock: Any, wire: WireServer) -> None:
    fault = cases.FAULTS[case]
    if fault.llmock is not None:
        fault.llmock(llmock)
        url = llmock.url + LLMOCK_PATHS[vendor]
    else:
        assert fault.reply is not None
        wire.reply(fault.reply(vendor))
        url = wire.url
    came_before = []
    with pytest.raises(ProviderError) as raised:
        async for event in provider(vendor, url, **fault.settings).stream(asking(vendor, "Say something long.")):
            came_before.append(event)  # noqa: PERF401  what came before the error is kept
    error = raised.value
    assert error.kind == fault.kind, error.detail
    assert {name: getattr(error, name) for name in fault.expected} == fault.expected
    assert fault.partly or not came_before
    assert not any(isinstance(event, ModelFinished) for event in came_before)


@pytest.mark.parametrize("vendor", PROVIDERS)
async def test_error_inside_a_stream(vendor: str, wire: WireServer) -> None:
    data = cases.golden(vendor)
    begun = data[: data.index(b"Let me look")]
    whole_events = begun[: max(begun.rfind(b"\n\n"), begun.rfind(b"\r\n\r\n"))] + b"\r\n\r\n"
    wire.reply(Reply(cut(whole_events + events(cases.errors_inside(vendor)), vendor)))
    with pytest.raises(ProviderError) as raised:
        await all_events(provider(vendor, wire.url), asking(vendor, "Hello"))
    assert raised.value.kind == "overloaded"
    assert raised.value.retryable


@pytest.mark.parametrize("vendor", PROVIDERS)
async def test_tool_loop(vendor: str, aimock: str) -> None:
    named = provider(vendor, aimock + AIMOCK_PATHS[vendor])
    said = (await all_events(named, asking(vendor, "case one tool", tools=TOOLS)))[-1]
    assert isinstance(said, ModelFinished)
    call = next(part for part in said.parts if isinstance(part, ToolCallPart))
    result = ToolResultPart(tool_use_id=call.tool_use_id, name=call.name, result={"sky": "clear \u2028"})
    so_far = (user_message("case one tool"), cases.with_answer(call, said, result))
    found = came(await all_events(named, asking(vendor, *so_far, tools=TOOLS)))
    assert found["text"] == "It is sunny in Paris."
    assert found["stop_reason"] == "end_turn"


@pytest.mark.parametrize("vendor", PROVIDERS)
async def test_cut_off_tool_arguments_never_become_a_call(vendor: str, llmock: Any) -> None:
    llmock.call_tool("get_weather", {"city": "Paris"}).break_tool_call("malformed_arguments")
    named = provider(vendor, llmock.url + LLMOCK_PATHS[vendor])
    found = came(await all_events(named, asking(vendor, "Weather?", tools=TOOLS)))
    (call,) = found["calls"]
    assert call.input == {}
    if vendor != "google":  # this mock sends Gemini's arguments as an object, which cannot be cut off
        assert call.invalid


@pytest.mark.parametrize("vendor", PROVIDERS)
async def test_cancel_drops_the_connection_at_once(vendor: str, wire: WireServer) -> None:
    data = cases.golden(vendor)
    wire.reply(Reply([data[: data.index(b"Twice")]], end="hang"))
    stream = provider(vendor, wire.url).stream(asking(vendor, "Hello"))
    async for event in stream:
        if isinstance(event, TextDelta):
            break
    await stream.aclose()  # type: ignore[attr-defined]
    await until(wire.dropped)


@pytest.mark.parametrize("vendor", PROVIDERS)
async def test_cancelled_task_drops_the_connection(vendor: str, wire: WireServer) -> None:
    data = cases.golden(vendor)
    wire.reply(Reply([data[: data.index(b"Twice")]], end="hang"))
    begun = asyncio.Event()

    async def consume() -> None:
        async for _ in provider(vendor, wire.url).stream(asking(vendor, "Hello")):
            begun.set()

    task = asyncio.create_task(consume())
    await until(begun)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(wire.dropped)


@pytest.mark.parametrize("vendor", PROVIDERS)
async def test_connection_is_used_again(vendor: str, wire: WireServer) -> None:
    wire.reply(Reply([cases.golden(vendor)]))
    for _ in range(2):
        await all_events(provider(vendor, wire.url), asking(vendor, "Hello"))
    assert len(wire.requests) == 2
    assert not wire.dropped.is_set()


@pytest.mark.parametrize("vendor", PROVIDERS)
async def test_unreachable(vendor: str) -> None:
    with pytest.raises(ProviderError) as raised:
        await all_events(provider(vendor, "http://127.0.0.1:9"), asking(vendor, "Hello"))
    assert raised.value.kind == "unavailable"


@pytest.mark.parametrize("vendor", PROVIDERS)
async def test_deadline_holds_against_a_drip(vendor: str, wire: WireServer) -> None:
    """Bytes that come all the time, and never an end: the idle time never strikes, the deadline does."""
    wire.reply(Reply([b'data: {"type": "ping"}\n\n'] * 100_000))
    loop = asyncio.get_running_loop()
    with pytest.raises(ProviderError) as raised:
        await all_events(provider(vendor, wire.url), asking(vendor, "Hello", deadline=loop.time() + 0.5))
    assert raised.value.kind == "timeout"


def test_every_cell_is_run() -> None:
    names = {*cases.GOOD, *cases.FAULTS}
    for vendor, case in GAPS:
        assert vendor in PROVIDERS, vendor
        assert case in names, case
    run = {(cell.values[0], cell.values[1]) for cell in (*cells(cases.GOOD), *cells(cases.FAULTS))}
    assert run | set(GAPS) == {(vendor, case) for vendor in PROVIDERS for case in names}
