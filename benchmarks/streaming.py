"""What the platform adds to a model's stream: the raw vendor SDK and this product by turns, against one mock vendor.

    python -m benchmarks.streaming [--turns 30] [--conversations 1 20] [--tokens 200] [--rate 100] [--first-ms 50]

For each number of conversations at once it prints, for both, the time to the first token and to the end beyond what the
mock itself takes (median and 95th percentile, milliseconds), what the product adds to the raw SDK, and the ratio of the
totals. Every answer is compared word by word. Then the same with a Langfuse server that takes traces, refuses them,
says nothing or is not there, by turns, as ratios to the product without one. At last what the ledger, metrics and
Langfuse add to the calls to AWS of a run: none before the first delta; after it the ledger one, Langfuse one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import openai
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.mock_vendor import word
from local.testing import Instance, running_stack

Turn = Callable[[], Awaitable[tuple[float, float]]]


@dataclass(frozen=True)
class Shape:
    """The mock's answer; times in seconds."""

    first: float
    tokens: int
    rate: float

    @property
    def total(self) -> float:
        """When the mock has sent its last token."""
        return self.first + (self.tokens - 1) / self.rate

    @property
    def text(self) -> str:
        """What an undamaged answer says."""
        return "".join(word(number) for number in range(self.tokens))


class Raw:
    """Turns of the vendor's own SDK."""

    def __init__(self, client: openai.AsyncOpenAI, shape: Shape) -> None:
        self._client = client
        self._shape = shape

    async def turn(self) -> tuple[float, float]:
        """One answer: seconds beyond the mock's own time, to the first token and to the end."""
        started = time.perf_counter()
        first = 0.0
        text = ""
        stream = await self._client.chat.completions.create(
            model="mock",
            messages=[{"role": "user", "content": "Go on."}],
            stream=True,
            stream_options={"include_usage": True},
        )
        async for event in stream:
            if event.choices and event.choices[0].delta.content:
                first = first or time.perf_counter()
                text += event.choices[0].delta.content
        return beyond(self._shape, started, first, text)


class Product:
    """Turns of one conversation in the playground."""

    def __init__(self, socket_: ClientConnection, shape: Shape) -> None:
        self._socket = socket_
        self._shape = shape
        self._conversation: str | None = None
        self.frames = 0  # of the last answer's text

    async def turn(self) -> tuple[float, float]:
        """One answer, in the same units."""
        frame = {"type": "user_message", "content": "Go on."}
        if self._conversation:
            frame["conversation_id"] = self._conversation
        started = time.perf_counter()
        await self._socket.send(json.dumps(frame))
        first, text, self.frames = 0.0, "", 0
        while True:
            got = json.loads(await self._socket.recv())
            self._conversation = got.get("conversation_id", self._conversation)
            if got["type"] == "content_delta":
                first = first or time.perf_counter()
                text += got["delta"]
                self.frames += 1
            elif got["type"] == "message_complete":
                return beyond(self._shape, started, first, text)
            elif got["type"] == "error":
                raise RuntimeError(got["error"])


def beyond(shape: Shape, started: float, first: float, text: str) -> tuple[float, float]:
    """What a whole answer took beyond the mock's own time; RuntimeError where it is not whole."""
    ended = time.perf_counter()
    if text != shape.text:
        raise RuntimeError("an answer was damaged")
    return first - started - shape.first, ended - started - shape.total


async def measure(stack: Instance, base_url: str, shape: Shape, at_once: int, turns: int) -> None:
    """Both by turns, `at_once` conversations side by side, `turns` each."""
    agent = create_agent(stack, base_url)
    client = openai.AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0)
    raws = [Raw(client, shape) for _ in range(at_once)]
    sockets = [await connect(stack.ws_url(agent)) for _ in range(at_once)]
    products = [Product(socket_, shape) for socket_ in sockets]
    await _together([raw.turn for raw in raws])
    for _ in range(2):
        await _together([product.turn for product in products])
    results: dict[str, list[tuple[float, float]]] = {"raw SDK": [], "product": []}
    for _ in range(turns):
        results["raw SDK"] += await _together([raw.turn for raw in raws])
        results["product"] += await _together([product.turn for product in products])
    for socket_ in sockets:
        await socket_.close()
    await client.close()
    _print(results, shape, at_once)


async def _together(turns: list[Turn]) -> list[tuple[float, float]]:
    """Start them spread over a second, as people would, not in one instant."""

    async def late(index: int, turn: Turn) -> tuple[float, float]:
        await asyncio.sleep(index / max(1, len(turns)))
        return await turn()

    return await asyncio.gather(*(late(index, turn) for index, turn in enumerate(turns)))


def _print(results: dict[str, list[tuple[float, float]]], shape: Shape, at_once: int) -> None:
    medians = {}
    print(f"\n{at_once} conversation(s) at once, {len(results['product'])} answers each")
    print(f"{'':10} {'first p50':>10} {'p95':>8} {'end p50':>10} {'p95':>8}   ms beyond the mock's own time")
    for name, pairs in results.items():
        firsts = sorted(first * 1000 for first, _ in pairs)
        ends = sorted(end * 1000 for _, end in pairs)
        medians[name] = statistics.median(firsts), statistics.median(ends)
        p95 = firsts[int(len(firsts) * 0.95)], ends[int(len(ends) * 0.95)]
        print(f"{name:10} {medians[name][0]:10.1f} {p95[0]:8.1f} {medians[name][1]:10.1f} {p95[1]:8.1f}")
    added = medians["product"][0] - medians["raw SDK"][0]
    total = shape.total * 1000
    ratio = (total + medians["product"][1]) / (total + medians["raw SDK"][1])
    print(f"the product adds {added:.1f} ms to the first token (median); its total is {ratio:.3f} times the raw SDK's")


def create_agent(stack: Instance, base_url: str) -> str:
    """An agent without tools, whose model is the mock; its id."""
    config = {"provider": "openai_compatible", "model": "mock", "base_url": base_url}
    body = json.dumps({"name": "bench", "model_config": config, "builtin_tools": []}).encode()
    request = urllib.request.Request(  # noqa: S310 (loopback)
        f"{stack.url}/api/v1/agents", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310 (loopback)
        return str(json.load(answer)["id"])


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """Run the benchmark."""
    from benchmarks import tracing  # which builds on this module

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--conversations", type=int, nargs="+", default=[1, 20])
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--first-ms", type=float, default=50)
    given = parser.parse_args()
    shape = Shape(given.first_ms / 1000, given.tokens, given.rate)
    port = free_port()
    base_url = f"http://127.0.0.1:{port}/v1"
    numbers = [str(port), str(given.first_ms), str(given.tokens), str(given.rate)]
    mock = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.mock_vendor", *numbers], cwd=Path(__file__).parent.parent
    )
    try:
        with running_stack() as stack:
            for at_once in given.conversations:
                turns = given.turns if at_once == 1 else max(2, given.turns // 5)
                asyncio.run(measure(stack, base_url, shape, at_once, turns))
        asyncio.run(tracing.measure(base_url, shape, given.turns))
    finally:
        mock.terminate()
        mock.wait()
    tracing.print_calls()


if __name__ == "__main__":
    main()
