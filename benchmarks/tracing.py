"""What telling of runs adds to them: calls to AWS, and time where the Langfuse server is slow or refuses.

Called by `benchmarks.streaming`. Calls are counted in this process by a hook on the AWS clients, heartbeats aside.
Times are taken on a runtime for each kind of server, by turns in the same run, against one mock vendor.
"""

from __future__ import annotations

import statistics
import threading
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, get_args

from websockets.asyncio.client import connect

from benchmarks.calls import counted
from benchmarks.streaming import Product, Shape, create_agent, free_port
from local.testing import Instance, running_stack

Manner = Literal["takes", "refuses", "hangs"]
CALL = "/tool calculate {}"
KEYS = {"LANGFUSE_PUBLIC_KEY": "pk-lf-1", "LANGFUSE_SECRET_KEY": "sk-lf-1"}


@dataclass
class Receiver:
    """Takes traces as Langfuse does, refuses them (503), or says nothing; `got` counts bodies."""

    manner: Manner
    url: str = ""
    got: int = 0
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def receiving(manner: Manner) -> Iterator[Receiver]:
    """A receiver on a port of its own."""
    receiver = Receiver(manner)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got += 1
            if manner == "hangs":
                receiver.over.wait(60)
                self.close_connection = True
                return
            self.send_response(200 if manner == "takes" else 503)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(frozen=True)
class Counted:
    """Calls of a warm run with so many calls of a model, before the first piece of its answer and after that."""

    model_steps: int
    before: int
    after: int


def count(stack: Instance, *, steps: int = 4, langfuse: str = "", tells: bool = True) -> list[Counted]:
    """Runs with one call of a model and no tool up to `steps` with a tool between each two."""
    found = []
    with counted(stack, langfuse=langfuse, tells=tells) as (calls, say):
        conversation = say("warm up")
        say("once more", conversation)
        for number in range(1, steps + 1):
            # The first step says something before it calls, so that the first delta is the first step's.
            say("\n".join(["/say Well.", *[CALL, "/say So."] * (number - 1)]), conversation)
            assert calls.first_delta is not None and calls.posts[-1]["type"] == "message_complete"
            found.append(Counted(number, calls.first_delta, len(calls.but_heartbeats) - calls.first_delta))
    return found


def print_calls() -> None:
    """What the ledger and metrics, and Langfuse, add to the calls of runs."""
    with receiving("takes") as receiver, running_stack() as stack:
        nothing, told = count(stack, tells=False), count(stack)
        traced = count(stack, langfuse=receiver.url)
        assert receiver.got
    print("\ncalls to AWS of a warm run, before the first delta + after it (posts and heartbeats aside)")
    print(f"{'calls of the model':>20} {'nothing told':>14} {'ledger, metrics':>16} {'and Langfuse':>14}")
    for row in zip(nothing, told, traced, strict=True):
        cells = [f"{one.before} + {one.after}" for one in row]
        print(f"{row[0].model_steps:20} {cells[0]:>14} {cells[1]:>16} {cells[2]:>14}")


async def measure(base_url: str, shape: Shape, turns: int) -> None:
    """Conversations on runtimes that differ in the Langfuse server alone, by turns; prints how they compare."""
    with ExitStack() as stacks:
        servers = {manner: stacks.enter_context(receiving(manner)).url for manner in get_args(Manner)}
        addresses = {"off": "", **servers, "is not there": f"http://127.0.0.1:{free_port()}"}
        running = {name: stacks.enter_context(running_stack(providers=_keys(url))) for name, url in addresses.items()}
        await _by_turns(running, base_url, shape, turns)


def _keys(url: str) -> dict[str, str]:
    return {**KEYS, "LANGFUSE_BASE_URL": url} if url else {}


async def _by_turns(running: Mapping[str, Instance], base_url: str, shape: Shape, turns: int) -> None:
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in running}
    async with AsyncExitStack() as sockets:
        products = {}
        for name, stack in running.items():
            socket = await sockets.enter_async_context(connect(stack.ws_url(create_agent(stack, base_url))))
            products[name] = Product(socket, shape)
        for turn in range(turns + 2):
            for name, product in products.items():
                took = await product.turn()
                if turn >= 2:  # the first ones warm up
                    results[name].append(took)
    _print(results, shape)


def _print(results: Mapping[str, list[tuple[float, float]]], shape: Shape) -> None:
    print(f"\nwith a Langfuse server that …, by turns, {len(results['off'])} answers each")
    print(f"{'':14} {'first p50':>10} {'end p50':>10} ms {'first':>8} {'end':>8} times without")
    medians = {
        name: (
            statistics.median(shape.first + first for first, _ in pairs),
            statistics.median(shape.total + end for _, end in pairs),
        )
        for name, pairs in results.items()
    }
    for name, (first, end) in medians.items():
        ratios = first / medians["off"][0], end / medians["off"][1]
        print(f"{name:14} {first * 1000:10.1f} {end * 1000:10.1f}    {ratios[0]:8.3f} {ratios[1]:8.3f}")
