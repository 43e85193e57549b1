"""HTTP tools against servers that do what they should not, and what the ledger says afterwards."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from agent_builder.errors import OutboundFailed, OutboundRefused, OutcomeUnknown, ToolError
from agent_builder.messages import Cost, Json, ModelRequest, user_message
from agent_builder.models.tools import Body, HttpTool, Parameter
from agent_builder.services.account import UNKNOWN
from agent_builder.services.engine import Engine, RunEnded
from agent_builder.services.transcript import Transcript
from agent_builder.tools.auth.material import Material, material_of
from agent_builder.tools.base import CallContext
from agent_builder.tools.egress import Answer, Egress, EgressLimits, EgressPolicy
from agent_builder.tools.http import HttpCalls
from agent_builder.tools.http_request import HttpRequest
from agent_builder.tools.specs import Checked
from tests.unit.test_engine import Model, call, calls, says
from tests.unit.tools.misbehaving import OTHER_PUBLIC, PUBLIC, Asked, Server, always, bomb, reply, serving
from tests.unit.tools.misbehaving import World as Made
from tests.unit.tools.misbehaving import world as made_up

SECRET = "s3cr3t/+=key"
Play = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


def http_tool(**fields: Any) -> HttpTool:
    defaults: dict[str, Any] = {
        "name": "lookup",
        "method": "GET",
        "path": "/things/{id}",
        "parameters": (Parameter(name="id", location="path", argument="id"),),
        "input_schema": {
            "type": "object",
            "properties": {"id": {"type": "string"}},
            "required": ["id"],
            "additionalProperties": False,
        },
        "effect": "read",
        "timeout_seconds": 20,
    }
    return HttpTool(**{**defaults, **fields})


def writing(**fields: Any) -> HttpTool:
    return http_tool(
        **{
            "name": "order",
            "method": "POST",
            "path": "/orders",
            "parameters": (),
            "body": Body(kind="json", content_type="application/json"),
            "input_schema": {"type": "object", "properties": {"body": {"type": "object"}}},
            "effect": "write",
            **fields,
        }
    )


@dataclass
class World:
    """A tool and what it said of its calls."""

    server: Server
    tool: HttpTool
    material: Material = field(default_factory=Material)
    paused: list[float] = field(default_factory=list)
    noted: Json = field(default_factory=dict)

    async def call(self, arguments: Json | None = None, vendor: Any = "scripted") -> Json:
        async with Egress(EgressPolicy(allow_loopback=True)) as egress:

            async def send(
                request: HttpRequest, limits: EgressLimits, tried: Callable[[], None]
            ) -> tuple[Answer, Material]:
                url, headers = self.material.applied(request.url, request.headers)
                answer = await egress.send(
                    request.method, url, purpose="tool", headers=headers, body=request.body, limits=limits, tried=tried
                )
                return answer, self.material

            async def pause(seconds: float) -> None:
                self.paused.append(seconds)

            calls = HttpCalls(self.tool, send, f"http://127.0.0.1:{self.server.port}", pause)
            given = {"body": {"n": 1}} if self.tool.effect == "write" else {"id": "1"}
            context = CallContext("run_1-2", self.noted.update)
            return await Checked(calls, vendor).call(given if arguments is None else arguments, context)


def in_turn(*answers: bytes) -> Play:
    """One answer a call, the last for ever; an empty one breaks the connection off."""
    left = list(answers)

    async def play(asked: Asked, writer: asyncio.StreamWriter) -> None:
        data = left.pop(0) if len(left) > 1 else left[0]
        if not data:
            writer.transport.abort()
        writer.write(data)

    return play


def as_json(value: Any, status: str = "200 OK", **headers: str) -> bytes:
    return reply(json.dumps(value).encode(), status, Content_Type="application/json", **headers)


async def test_a_call() -> None:
    async with serving(always(as_json({"id": "1", "name": "x"}))) as server:
        world = World(server, http_tool(), material_of("bearer", {}, {"value": SECRET}))
        assert await world.call() == {"id": "1", "name": "x"}
        (asked,) = server.asked
        assert asked.line == "GET /things/1 HTTP/1.1"
        assert asked.header("authorization") == f"Bearer {SECRET}"
        assert asked.header("idempotency-key") is None
        assert world.noted["request"]["headers"]["Authorization"] == "***"
        assert world.noted["response"]["status"] == 200
        assert world.noted["attempts"] == 1
        assert SECRET not in str(world.noted)


async def test_a_call_that_acts_has_a_key() -> None:
    async with serving(always(as_json({"ok": 1}))) as server:
        await World(server, writing()).call()
        assert server.asked[0].header("idempotency-key") == "run_1-2"
        assert json.loads(server.asked[0].body) == {"n": 1}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "id"),
        ({"id": 1}, "id: 1 is not of type"),
        ({"id": "1", "more": 2}, "more"),
        ({"id": None}, "id"),
        ({"id": ".."}, "path"),
    ],
)
async def test_wrong_arguments_are_told_and_nothing_is_called(arguments: Json, says: str) -> None:
    async with serving(always(as_json({}))) as server:
        with pytest.raises(ToolError, match=says):
            await World(server, http_tool()).call(arguments)
        assert server.asked == []


async def test_arguments_come_back_from_a_vendors_dialect() -> None:
    schema = {
        "type": "object",
        "properties": {"id": {"type": "string"}, "filter": {"type": "string"}},
        "required": ["id"],
        "additionalProperties": False,
    }
    parameters = (*http_tool().parameters, Parameter(name="filter[name]", location="query", argument="filter"))
    tool = http_tool(input_schema=schema, parameters=parameters)
    async with serving(always(as_json({}))) as server:
        world = World(server, tool)
        await world.call({"id": "1", "filter": None}, vendor="openai")
        assert server.asked[0].path == "/things/1"
        spec = Checked(HttpCalls(tool, None), "openai").spec  # type: ignore[arg-type]
        assert spec.strict
        assert spec.input_schema["required"] == ["id", "filter"]
        assert not Checked(HttpCalls(tool, None), "anthropic").spec.strict  # type: ignore[arg-type]


@pytest.mark.parametrize("status", ["503 Busy", "429 Slow", "502 Bad", "504 Late"])
async def test_a_read_is_made_again_when_the_server_is_busy(status: str) -> None:
    async with serving(in_turn(as_json({}, status), as_json({}, status), as_json({"at": "last"}))) as server:
        world = World(server, http_tool())
        assert await world.call() == {"at": "last"}
        assert (len(server.asked), len(world.paused), world.noted["attempts"]) == (3, 2, 3)


async def test_a_read_is_made_again_when_the_connection_breaks() -> None:
    async with serving(in_turn(b"", as_json({"at": "last"}))) as server:
        world = World(server, http_tool())
        assert await world.call() == {"at": "last"}
        assert world.noted["attempts"] == 2


@pytest.mark.parametrize(
    ("how", "tool", "times"),
    [
        (b"", http_tool(), 3),
        (b"", writing(), 1),
        (as_json({}, "503 Busy"), http_tool(retries=1), 2),
        (reply(b"", "302 Found", Location="http://169.254.169.254/"), http_tool(), 1),
    ],
)
async def test_every_attempt_is_noted_also_of_a_call_that_failed(how: bytes, tool: HttpTool, times: int) -> None:
    async with serving(always(how)) as server:
        world = World(server, tool)
        with pytest.raises(ToolError):
            await world.call()
        assert (len(server.asked), world.noted["attempts"]) == (times, times)


async def test_what_was_refused_was_not_attempted() -> None:
    async with serving(always(as_json({}))) as server:
        world = World(server, http_tool(), Material(allowed_hosts=("elsewhere.test",)))
        with pytest.raises(OutboundRefused):
            await world.call()
        assert (server.asked, world.noted["attempts"]) == ([], 0)


async def test_a_write_that_is_redirected_to_where_it_may_not_go_may_have_acted() -> None:
    """303 is what an API says that has acted: see there."""
    async with serving(always(reply(b"", "303 See Other", Location="http://169.254.169.254/"))) as server:
        world = World(server, writing())
        with pytest.raises(OutcomeUnknown):
            await world.call()
        assert (len(server.asked), world.noted["attempts"]) == (1, 1)


def through(there: Made, tool: HttpTool, noted: Json) -> Awaitable[Json]:
    """A call whose names and roads are made up."""

    async def send(request: HttpRequest, limits: EgressLimits, tried: Callable[[], None]) -> tuple[Answer, Material]:
        more: dict[str, Any] = {"purpose": "tool", "body": request.body, "limits": limits, "tried": tried}
        return await there.egress.send(request.method, request.url, headers=request.headers, **more), Material()

    made = Checked(HttpCalls(tool, send, "http://api.test"), "scripted")
    given: Json = {"body": {"n": 1}} if tool.effect == "write" else {"id": "1"}
    return made.call(given, CallContext("run_1-2", noted.update))


@pytest.mark.parametrize("inward", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("tool", [http_tool(), writing()], ids=["read", "write"])
async def test_a_name_that_leads_inwards_behind_a_redirect(tool: HttpTool, inward: str) -> None:
    """DNS rebinding: the same name, public when it is first asked for, is not when the redirect is followed."""
    async with serving(always(reply(b"", "307 Again", Location="/once-more"))) as server:
        roads = {PUBLIC: server.port, inward: server.port}
        noted: Json = {}
        there = made_up({"api.test": [[PUBLIC], [inward]]}, roads)
        async with there.egress:
            with pytest.raises(ToolError) as caught:
                await through(there, tool, noted)
        assert isinstance(caught.value, OutcomeUnknown if tool.effect == "write" else OutboundRefused)
        assert there.names.asked == ["api.test", "api.test"]
        assert there.roads.dialled == [PUBLIC]
        assert [(one.reason, one.host) for one in there.refusals] == [("address", "api.test")]
        assert (len(server.asked), noted["attempts"]) == (1, 1)


async def test_another_name_that_leads_inwards_behind_redirects() -> None:
    hops = {"/things/1": "http://second.test/b", "/b": "http://api.test/c"}

    async def play(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(reply(b"", "302 Found", Location=hops[asked.path]))

    async with serving(play) as server:
        noted: Json = {}
        names = {"api.test": [[PUBLIC], ["127.0.0.1"]], "second.test": [[OTHER_PUBLIC]]}
        there = made_up(names, {PUBLIC: server.port, OTHER_PUBLIC: server.port, "127.0.0.1": server.port})
        async with there.egress:
            with pytest.raises(OutboundRefused):
                await through(there, http_tool(), noted)
        assert there.roads.dialled == [PUBLIC, OTHER_PUBLIC]
        assert [asked.path for asked in server.asked] == ["/things/1", "/b"]


async def test_only_as_often_as_the_tool_says() -> None:
    async with serving(always(as_json({"why": "busy"}, "503 Busy"))) as server:
        with pytest.raises(ToolError, match=r'503 \(Service Unavailable\): {"why":"busy"}'):
            await World(server, http_tool(retries=1)).call()
        assert len(server.asked) == 2
        with pytest.raises(ToolError, match="503"):
            await World(server, http_tool(retries=0)).call()
        assert len(server.asked) == 3


async def test_a_wait_that_is_too_long_is_told() -> None:
    async with serving(always(as_json({}, "429 Slow", Retry_After="600"))) as server:
        world = World(server, http_tool())
        with pytest.raises(ToolError, match="asks to wait 600 seconds"):
            await world.call()
        assert (len(server.asked), world.paused) == (1, [])
    async with serving(in_turn(as_json({}, "429 Slow", Retry_After="3"), as_json({"ok": 1}))) as server:
        world = World(server, http_tool())
        assert await world.call() == {"ok": 1}
        assert world.paused == [3]


async def test_a_write_is_made_again_only_where_it_was_refused() -> None:
    async with serving(in_turn(as_json({}, "429 Slow"), as_json({"ok": 1}))) as server:
        assert await World(server, writing()).call() == {"ok": 1}
        keys = [asked.header("idempotency-key") for asked in server.asked]
        assert keys == ["run_1-2"] * 2
    async with serving(always(as_json({}, "503 Busy"))) as server:
        with pytest.raises(ToolError, match="503") as caught:
            await World(server, writing()).call()
        assert not isinstance(caught.value, OutcomeUnknown)
        assert len(server.asked) == 1


@pytest.mark.parametrize("status", ["500 Oops", "502 Bad", "504 Late", "408 Late", "520 Odd"])
async def test_a_write_whose_server_lost_the_thread_may_have_acted(status: str) -> None:
    async with serving(always(as_json({"why": "unclear"}, status))) as server:
        with pytest.raises(OutcomeUnknown, match="unclear"):
            await World(server, writing()).call()
        assert len(server.asked) == 1


async def test_a_write_that_nobody_took_may_be_made_again_and_did_not_happen() -> None:
    async with serving(always(b"")) as server:
        pass
    server.port = 1  # nobody listens there
    world = World(server, writing())
    with pytest.raises(OutboundFailed) as caught:
        await world.call()
    assert not caught.value.sent
    assert len(world.paused) == 2


async def slow(asked: Asked, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def drip(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


MISBEHAVIOUR: dict[str, Play] = {
    "never answers": slow,
    "drips": drip,
    "breaks off": in_turn(b""),
    "breaks off in the middle": always(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"),
    "is no HTTP": always(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "says it is huge": always(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"),
    "is huge": always(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + bytes(5 * 2**20)),
    "is a bomb": always(reply(bomb(200), Content_Encoding="gzip")),
    "is damaged gzip": always(reply(gzip.compress(b"x" * 100)[:-10], Content_Encoding="gzip")),
    "is packed otherwise": always(reply(b"xx", Content_Encoding="br")),
    "redirects for ever": always(reply(b"", "302 Found", Location="/things/1")),
    "redirects inwards": always(reply(b"", "302 Found", Location="http://169.254.169.254/")),
    "redirects to a file": always(reply(b"", "302 Found", Location="file:///etc/passwd")),
}


@pytest.mark.parametrize("how", MISBEHAVIOUR)
@pytest.mark.parametrize("tool", [http_tool(timeout_seconds=0.4), writing(timeout_seconds=0.4)], ids=["read", "write"])
async def test_servers_that_misbehave(how: str, tool: HttpTool) -> None:
    async with serving(MISBEHAVIOUR[how]) as server:
        with pytest.raises(ToolError) as caught:
            await World(server, tool).call()
        if tool.effect == "write":
            assert type(caught.value) is OutcomeUnknown
            assert len(server.asked) == 1
        else:
            assert not isinstance(caught.value, OutcomeUnknown)
            assert isinstance(caught.value, OutboundFailed | OutboundRefused)


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1", "http://[::1]:22", "http://metadata.internal", "http://127.0.0.1:22", "http://0x7f.1"]
)
async def test_what_may_not_be_called_is_not(url: str) -> None:
    async with Egress(EgressPolicy()) as egress:

        async def send(
            request: HttpRequest, limits: EgressLimits, tried: Callable[[], None]
        ) -> tuple[Answer, Material]:
            answer = await egress.send("POST", request.url, purpose="tool", body=request.body, limits=limits)
            return answer, Material()

        with pytest.raises(OutboundRefused):
            await HttpCalls(writing(), send, url).call({"body": {}}, CallContext("k"))


def echo(status: str, content_type: str) -> Play:
    """Says all that it was asked, in the head and the body."""

    async def play(asked: Asked, writer: asyncio.StreamWriter) -> None:
        said = json.dumps({"line": asked.line, "headers": dict(asked.headers), "list": [asked.line]})
        secret = asked.header("authorization") or asked.header("cookie") or asked.line.split(" ")[1]
        writer.write(reply(said.encode(), status, Content_Type=content_type, X_Echo=secret, Set_Cookie=f"s={secret}"))

    return play


CREDENTIALS = {
    "bearer": ({}, {"value": SECRET}),
    "basic": ({}, {"username": "user", "password": SECRET}),
    "header": ({"in": "header", "name": "X-Key", "prefix": ""}, {"value": SECRET}),
    "query": ({"in": "query", "name": "key", "prefix": ""}, {"value": SECRET}),
    "cookie": ({"in": "cookie", "name": "key", "prefix": ""}, {"value": SECRET}),
}


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "text/html", "application/octet-stream"])
@pytest.mark.parametrize("status", ["200 OK", "400 Bad"])
@pytest.mark.parametrize("kind", CREDENTIALS)
async def test_a_server_that_repeats_the_secret(kind: str, status: str, content_type: str) -> None:
    settings, secret = CREDENTIALS[kind]
    made = material_of(kind if kind in ("bearer", "basic") else "api_key", settings, secret)
    async with serving(echo(status, content_type)) as server:
        world, told = World(server, http_tool(), made), ""
        try:
            told = str(await world.call())
        except ToolError as error:
            told = error.detail
        assert server.asked
        assert told
        for form in {SECRET, "s3cr3t", *made.secrets, "s3cr3t%2F%2B%3Dkey", "czNjcjN0"} - {"user"}:
            assert form not in told
            assert form not in str(world.noted)


async def test_errors_show_enough_to_try_otherwise() -> None:
    async with serving(always(as_json({"error": "no such thing", "x": "y" * 9_000}, "404 Not Found"))) as server:
        with pytest.raises(ToolError) as caught:
            await World(server, http_tool()).call()
        assert caught.value.detail.startswith('The API answered with status 404 (Not Found): {"error":"no such thing"')
        assert len(caught.value.detail) < 2_200
        assert caught.value.error_code == "api_error"


async def test_what_an_empty_answer_tells() -> None:
    async with serving(always(reply(b"", "201 Created", Location="/orders/7"))) as server:
        told = await World(server, writing()).call()
        assert told["status"] == 201
        assert told["headers"]["location"] == "/orders/7"


@pytest.mark.parametrize("how", MISBEHAVIOUR)
@pytest.mark.parametrize("tool", [http_tool(timeout_seconds=0.4), writing(timeout_seconds=0.4)], ids=["read", "write"])
async def test_the_ledger_after_a_server_that_misbehaves(how: str, tool: HttpTool) -> None:
    asked = {"body": {"n": 1}} if tool.effect == "write" else {"id": "1"}
    model = Model([calls(call(tool.name, **asked)), says("So.")])
    async with serving(MISBEHAVIOUR[how]) as server, Egress(EgressPolicy(allow_loopback=True)) as egress:

        async def send(
            request: HttpRequest, limits: EgressLimits, tried: Callable[[], None]
        ) -> tuple[Answer, Material]:
            answer = await egress.send(
                request.method, request.url, purpose="tool", headers=request.headers, body=request.body, limits=limits
            )
            return answer, Material()

        made = Checked(HttpCalls(tool, send, f"http://127.0.0.1:{server.port}"), "scripted")
        transcript = Transcript()
        engine = Engine(model.stream, {tool.name: made}, lambda name, usage: Cost())
        events = [event async for event in engine.run(ModelRequest("m", [user_message("go")]), transcript)]
        assert isinstance(events[-1], RunEnded)
    (step,) = (step for step in transcript.take_unsaved() if step.kind == "tool")
    assert step.status == ("unknown" if tool.effect == "write" else "failed")
    assert step.detail["call"]["request"]["method"] == tool.method
    assert (UNKNOWN in step.detail["result"]["error"]) == (tool.effect == "write")
