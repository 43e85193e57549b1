"""What sending traces costs an answer: nobody, a server that takes them, one that refuses, one that hangs, by turns.

    python -m benchmarks.tracing [--turns 20] [--tokens 40] [--rate 200] [--first-ms 50]

Four stacks that differ only in where traces go, and one conversation on each, asked one after the other: twice each
time, after a while as people do, and then right behind the answer, while its trace is still on its way. For both it
prints the time to the first token and to the end beyond what the mock model takes (median and 95th percentile,
milliseconds), the ratio of the whole to the one without traces, and how many requests came in all.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from websockets.asyncio.client import connect

from benchmarks.streaming import Product, Shape, create_agent, free_port
from local.testing import Instance, running_stack

Pair = tuple[float, float]


@dataclass
class Receiver:
    """A trace server's address, and how often it was asked."""

    url: str
    asked: int = 0


@contextmanager
def receiving(status: int | None) -> Iterator[Receiver]:
    """One that answers a status; None: nothing at all."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.asked += 1
            self.rfile.read(int(self.headers["Content-Length"]))
            if status is None:
                over.wait()
                return
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        over.set()
        server.shutdown()
        server.server_close()


async def measure(
    stacks: dict[str, Instance], base_url: str, shape: Shape, turns: int
) -> tuple[dict[str, list[Pair]], dict[str, list[Pair]]]:
    """Answers after a while and right behind another, seconds beyond the mock's own time, to first token and end."""
    later: dict[str, list[Pair]] = {name: [] for name in stacks}
    behind: dict[str, list[Pair]] = {name: [] for name in stacks}
    sockets = {name: await connect(stack.ws_url(create_agent(stack, base_url))) for name, stack in stacks.items()}
    products = {name: Product(socket, shape) for name, socket in sockets.items()}
    for product in products.values():
        await product.turn()
    for _ in range(turns):
        for name, product in products.items():
            later[name].append(await product.turn())
            behind[name].append(await product.turn())
    for socket in sockets.values():
        await socket.close()
    return later, behind


def show(found: dict[str, list[Pair]], receivers: dict[str, Receiver], shape: Shape) -> None:
    """A line for each stack."""
    print(f"{'traces':10} {'first p50':>10} {'p95':>8} {'end p50':>10} {'p95':>8} {'ratio':>7} {'asked':>6}")
    plain = statistics.median(end for _, end in found["nobody"]) + shape.total
    for name, pairs in found.items():
        firsts, ends = (sorted(pair[index] * 1000 for pair in pairs) for index in (0, 1))
        numbers = [
            value for times in (firsts, ends) for value in (statistics.median(times), times[int(len(times) * 0.95)])
        ]
        ratio = (shape.total + statistics.median(ends) / 1000) / plain
        asked = receivers[name].asked if name in receivers else 0
        print("{:10} {:10.1f} {:8.1f} {:10.1f} {:8.1f} {:7.3f} {:6}".format(name, *numbers, ratio, asked))


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--tokens", type=int, default=40)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--first-ms", type=float, default=50)
    given = parser.parse_args()
    shape, port = Shape(given.first_ms / 1000, given.tokens, given.rate), free_port()
    numbers = [str(port), str(given.first_ms), str(given.tokens), str(given.rate)]
    mock = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.mock_vendor", *numbers], cwd=Path(__file__).parent.parent
    )
    try:
        with ExitStack() as open_now:
            kinds = {"taken": 200, "refused": 503, "hanging": None}
            receivers = {name: open_now.enter_context(receiving(status)) for name, status in kinds.items()}
            stacks = {"nobody": open_now.enter_context(running_stack())}
            for name, receiver in receivers.items():
                keys = {"PUBLIC_KEY": "pk", "SECRET_KEY": "sk", "BASE_URL": receiver.url}
                variables = {f"LANGFUSE_{key}": value for key, value in keys.items()}
                stacks[name] = open_now.enter_context(running_stack(providers=variables))
            base_url = f"http://127.0.0.1:{port}/v1"
            later, behind = asyncio.run(measure(stacks, base_url, shape, given.turns))
            print("asked after a while")
            show(later, receivers, shape)
            print("asked right behind an answer")
            show(behind, receivers, shape)
    finally:
        mock.terminate()


if __name__ == "__main__":
    main()
