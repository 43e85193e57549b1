"""What slow posts do to a fast stream: the raw vendor SDK, this product, and a plain sender that posts each token.

    python -m benchmarks.posts [--turns 5] [--tokens 400] [--rate 200] [--post-ms 15] [--first-ms 50]

Every call of the @connections interface is held up by `post-ms` in a proxy. The plain sender reads the model's stream
and posts token after token, each when the one before it was taken, as a first draft of such a product would.
Prints the time to the first token and to the end beyond what the mock itself takes (median, milliseconds), the ratio of
the totals, and the frames of text a second. Every answer is compared word by word.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import boto3  # type: ignore[import-untyped]
import openai
from aiohttp import ClientSession, web
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.streaming import Product, Raw, Shape, Turn, beyond, create_agent, free_port
from local.testing import Instance, running_stack


class SlowPosts:
    """Stands before the @connections interface and holds each call up. Times in seconds."""

    def __init__(self, seconds: float) -> None:
        self.upstream = ""
        self.seconds = seconds
        self._session: ClientSession | None = None

    async def start(self, port: int) -> web.AppRunner:
        """Listen; calls are passed on once `upstream` is set."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._pass)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        self._session = ClientSession()
        return runner

    async def close(self) -> None:
        """Close what it holds open."""
        if self._session is not None:
            await self._session.close()

    async def _pass(self, request: web.Request) -> web.Response:
        assert self._session is not None
        body = await request.read()
        await asyncio.sleep(self.seconds)
        url = self.upstream + request.raw_path
        async with self._session.request(request.method, url, data=body, headers=request.headers) as answer:
            return web.Response(body=await answer.read(), status=answer.status)


class Plain:
    """Turns of a sender that posts each token as it comes."""

    def __init__(self, client: openai.AsyncOpenAI, stack: Instance, slow: str, shape: Shape) -> None:
        self._client = client
        self._stack = stack
        self._slow = slow
        self._shape = shape
        self._got: asyncio.Queue[str] = asyncio.Queue()
        self._listening: asyncio.Task[None] | None = None
        self._connection = ""
        self.frames = 0

    async def open(self, agent: str) -> ClientConnection:
        """Connect as a client does, and find out what to post to."""
        before = await asyncio.to_thread(self._connections)
        socket_ = await connect(self._stack.ws_url(agent))
        await socket_.recv()
        (self._connection,) = await asyncio.to_thread(self._connections) - before
        self._listening = asyncio.create_task(self._listen(socket_))
        return socket_

    async def turn(self) -> tuple[float, float]:
        """One answer: seconds beyond the mock's own time, to the first token and to the end."""
        started = time.perf_counter()
        reading = asyncio.create_task(self._read())
        first, text, self.frames = 0.0, "", 0
        while len(text) < len(self._shape.text):
            text += await self._got.get()
            first = first or time.perf_counter()
            self.frames += 1
        await reading
        return beyond(self._shape, started, first, text)

    async def _read(self) -> None:
        messages: list[openai.types.chat.ChatCompletionMessageParam] = [{"role": "user", "content": "Go on."}]
        stream = await self._client.chat.completions.create(model="mock", messages=messages, stream=True)
        connections = boto3.client(
            "apigatewaymanagementapi",
            **{**self._stack.client_options("apigatewaymanagementapi"), "endpoint_url": self._slow},
        )
        async for event in stream:
            delta = event.choices[0].delta.content if event.choices else None
            if delta:
                data = json.dumps({"type": "content_delta", "delta": delta}).encode()
                await asyncio.to_thread(connections.post_to_connection, ConnectionId=self._connection, Data=data)

    async def _listen(self, socket_: ClientConnection) -> None:
        async for frame in socket_:
            self._got.put_nowait(json.loads(frame)["delta"])

    def _connections(self) -> set[str]:
        client = boto3.client("dynamodb", **self._stack.client_options("dynamodb"))
        items = client.scan(TableName=self._stack.table_name, ConsistentRead=True)["Items"]
        return {item["pk"]["S"].rsplit("#", 1)[1] for item in items if "#CONNECTION#" in item["pk"]["S"]}


async def measure(stack: Instance, base_url: str, slow: str, shape: Shape, turns: int) -> None:
    """The three by turns."""
    agent = await asyncio.to_thread(create_agent, stack, base_url)
    client = openai.AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0)
    plain = Plain(client, stack, slow, shape)
    sockets = [await plain.open(agent), await connect(stack.ws_url(agent))]
    raw, product = Raw(client, shape), Product(sockets[1], shape)
    contestants: dict[str, Turn] = {"raw SDK": raw.turn, "product": product.turn, "plain": plain.turn}
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
    frames: list[int] = []
    for turn in range(turns + 1):
        for name, contestant in contestants.items():
            took = await contestant()
            if turn:  # the first warms up
                results[name].append(took)
        frames.append(product.frames)
    for socket_ in sockets:
        await socket_.close()
    await client.close()
    _print(results, shape, {"product": statistics.median(frames[1:]), "plain": plain.frames})


def _print(results: dict[str, list[tuple[float, float]]], shape: Shape, frames: dict[str, float]) -> None:
    total = {name: shape.total + statistics.median(end for _, end in pairs) for name, pairs in results.items()}
    print(f"{'':10} {'first p50':>10} {'end p50':>10}   ms beyond the mock's own time; total; frames a second")
    for name, pairs in results.items():
        first, end = (statistics.median(values) * 1000 for values in zip(*pairs, strict=True))
        rate = f"{frames[name] / total[name]:8.1f}" if name in frames else f"{'':8}"
        print(f"{name:10} {first:10.1f} {end:10.1f} {total[name] / total['raw SDK']:8.3f}x {rate}")


async def run(given: argparse.Namespace, shape: Shape, vendor: int) -> None:
    """Start the proxy and the stack, and measure."""
    port = free_port()
    slow = SlowPosts(given.post_ms / 1000)
    proxy = await slow.start(port)
    address = f"http://127.0.0.1:{port}"
    variables = {"AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI": f"{address}/default"}
    stack_context = running_stack(env=variables)
    stack = await asyncio.to_thread(stack_context.__enter__)
    try:
        slow.upstream = str(stack.running["aws_url"])
        stage = f"{address}/{stack.running['stage']}"
        await measure(stack, f"http://127.0.0.1:{vendor}/v1", stage, shape, given.turns)
    finally:
        await asyncio.to_thread(stack_context.__exit__, None, None, None)
        await slow.close()
        await proxy.cleanup()


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=400)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--post-ms", type=float, default=15)
    parser.add_argument("--first-ms", type=float, default=50)
    given = parser.parse_args()
    vendor = free_port()
    numbers = [str(vendor), str(given.first_ms), str(given.tokens), str(given.rate)]
    command = [sys.executable, "-m", "benchmarks.mock_vendor", *numbers]
    mock = subprocess.Popen(command, cwd=Path(__file__).parent.parent)
    try:
        asyncio.run(run(given, Shape(given.first_ms / 1000, given.tokens, given.rate), vendor))
    finally:
        mock.terminate()


if __name__ == "__main__":
    main()
