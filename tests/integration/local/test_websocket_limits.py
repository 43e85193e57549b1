"""The limits in time, shortened: idle, lifetime, integration. The functions are fakes, the sockets real."""

import asyncio
import json

import pytest
from aiohttp import web
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from local.admission import Everybody
from local.connections import Connections
from local.environment import Invocation, Result
from local.template import WebSocketApi
from local.websocket_gateway import Limits, WebSocketGateway


class Functions:
    """Functions that answer at once, except for events that `slow` names, which are never answered."""

    def __init__(self, slow=()):
        self.slow = slow
        self.events = []

    def find(self, name):
        return name

    def submit(self, function, payload):
        event = json.loads(payload)
        self.events.append(event["requestContext"])
        invocation = Invocation(payload, "arn", "trace", 1.0)
        if event["requestContext"]["routeKey"] not in self.slow:
            invocation.resolve(Result(b"{}"))
        return invocation


@pytest.fixture
async def serve():
    """Serve a gateway with the given limits; return its address."""
    runners = []

    async def start(functions, limits=None, integration=29.0):
        routes = dict.fromkeys(["$connect", "$default", "$disconnect"], "F")
        api = WebSocketApi("Api", "/ws", "live", routes, integration)
        gateway = WebSocketGateway(functions, api, Connections(), Everybody({"subject": "s"}), limits or Limits())
        app = web.Application()
        app.router.add_route("*", "/ws", gateway.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"ws://127.0.0.1:{runner.addresses[0][1]}/ws"

    yield start
    for runner in runners:
        await runner.cleanup()


async def until(look):
    """Wait for something to be true, at most ten seconds."""
    async with asyncio.timeout(10):
        while True:
            if look():
                return
            await asyncio.sleep(0.01)


async def closing(address, **options):
    """Connect, wait for the end, and return its code and reason."""
    async with connect(address, **options) as browser:
        with pytest.raises(ConnectionClosed) as closed:
            await browser.recv()
    return closed.value.rcvd.code, closed.value.rcvd.reason


@pytest.mark.parametrize("limits", [Limits(idle=0.1), Limits(lifetime=0.1)])
async def test_an_idle_and_an_old_connection_are_closed(serve, limits):
    functions = Functions()
    assert await closing(await serve(functions, limits)) == (1001, "Going away")
    await until(lambda: functions.events[-1]["routeKey"] == "$disconnect")
    assert functions.events[-1]["disconnectStatusCode"] == 1001


async def test_messages_keep_a_connection_open(serve):
    functions = Functions()
    async with connect(await serve(functions, Limits(idle=0.5))) as browser:
        for _ in range(8):
            await asyncio.sleep(0.1)
            await browser.send("x")
        assert await (await browser.ping()) >= 0


async def test_a_message_that_takes_too_long_is_told_in_a_frame(serve):
    async with connect(await serve(Functions(slow=["$default"]), integration=0.1)) as browser:
        await browser.send("{}")
        frame = json.loads(await browser.recv())
    assert frame["message"] == "Endpoint request timed out"
    assert set(frame) == {"message", "connectionId", "requestId"}


async def test_a_connect_that_takes_too_long_is_504(serve):
    with pytest.raises(InvalidStatus) as denied:
        await closing(await serve(Functions(slow=["$connect"]), integration=0.1))
    assert denied.value.response.status_code == 504


async def test_messages_are_started_in_the_order_of_arrival(serve):
    functions = Functions(slow=["$default"])
    order = []
    submit = functions.submit
    functions.submit = lambda function, payload: (
        order.append(json.loads(payload).get("body")),
        submit(function, payload),
    )[1]
    async with connect(await serve(functions)) as browser:
        for number in range(100):
            await browser.send(str(number))
        await until(lambda: len(order) > 100)
    assert order[1:101] == [str(number) for number in range(100)]


async def test_a_client_that_never_answers_the_close_is_cut(serve):
    functions = Functions()
    address = await serve(functions, Limits(idle=0.1, close=0.1))
    reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2].partition("/")[0]))
    writer.write(
        b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    answer = await asyncio.wait_for(reader.read(), 5)
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in answer
    assert answer.endswith(b"Going away")
    writer.close()
