"""Counts what a plain run, a connection and a minute without anybody make of AWS: the real handlers, in this process.

A plain run is one message of a conversation that has five exchanges already, and one answer of a model without tools:
first piece after a second, 200 words in four more. It comes through the playground and is watched by one connection.
The functions remember nothing of before, as if each run came to new environments: a busy one saves most of the reads.
The day's usage aggregates are as large as runs of many durations make them.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from io import StringIO
from logging import StreamHandler
from typing import Any

import boto3  # type: ignore[import-untyped]

from agent_builder.jsontext import encode
from benchmarks.calls import HEARTBEAT, Calls, Context, Speaker, counted
from benchmarks.metering import Index, Item, Meter
from local.events import (
    Handshake,
    HttpCall,
    connect_authorizer_event,
    connect_event,
    disconnect_event,
    http_authorizer_event,
    http_event,
)
from local.oidc import AUDIENCE, CLAIMS
from local.testing import Instance, running_stack
from tests.template import read

CONNECTION = "bench"
FRAME_BYTES = 32 * 1024
SLOW = "/wait 1000\n/slow 20\n/long 200"
QUICK = "/long 200"
EXCHANGES = 5


@dataclass
class Count:
    """What something makes of AWS; bytes of what the code itself writes to the log.

    Attributes:
        invocations: Function to how many of its invocations.
        calls: Operations to how many, heartbeats apart.
        messages: Frames that were posted, in units of 32 KB.
        series: Metrics with their dimensions.
    """

    invocations: dict[str, int]
    calls: dict[str, int] = field(default_factory=dict)
    read_units: float = 0
    write_units: float = 0
    heartbeats: int = 0
    heartbeat_units: float = 0
    messages: int = 0
    sent_bytes: int = 0
    log_bytes: int = 0
    log_lines: int = 0
    series: list[str] = field(default_factory=list)


class Counting:
    """The handlers, as one person and the schedule use them."""

    def __init__(self, stack: Instance, calls: Calls, agent_id: str) -> None:
        from agent_builder.repositories.table import Item as Stored

        self.calls = calls
        self.agent_id = agent_id
        self.token = stack.token("ada", tenant="local", role="owner")
        self.store = boto3.client("dynamodb", **stack.client_options("dynamodb"))
        self.table = stack.table_name
        self.meter = Meter(self._look, indexes())
        self.meter.watch(Stored._get_connection().connection.client.meta.events)

    def _look(self, key: Mapping[str, Any]) -> Item | None:
        found: Item | None = self.store.get_item(TableName=self.table, Key=dict(key), ConsistentRead=True).get("Item")
        return found

    @contextmanager
    def count(self, **invocations: int) -> Iterator[Count]:
        """Fill in a count with what is done meanwhile."""
        found, log = Count(invocations), StringIO()
        self.calls.clear()
        self.meter.calls.clear()
        with logged_to(log), redirect_stdout(log):
            yield found
        lines = log.getvalue().splitlines()
        names = self.calls.operations
        found.calls = {name: names.count(name) for name in sorted(set(names)) if name != HEARTBEAT}
        found.heartbeats = names.count(HEARTBEAT)
        found.read_units, found.write_units = self.meter.units(heartbeats=False)
        found.heartbeat_units = self.meter.units(heartbeats=True)[1]
        sizes = [len(encode(frame).encode()) for frame in self.calls.posts]
        found.messages = sum(math.ceil(size / FRAME_BYTES) for size in sizes)
        found.sent_bytes = sum(sizes)
        found.log_bytes, found.log_lines = sum(len(line.encode()) + 1 for line in lines), len(lines)
        found.series = sorted(set(series(lines)))

    def grow_aggregates(self) -> None:
        """Make usage of today as it is when runs took from half a second to a minute, in all shards."""
        from agent_builder.models.usage import bucket, day_of
        from agent_builder.repositories import keys
        from agent_builder.repositories.ledger import SHARDS

        day = day_of(int(datetime.now(UTC).timestamp() * 1000))
        times = [500 * 1.1**step for step in range(50)]
        names = [bucket("duration", int(each)) for each in times] + [bucket("first", int(each / 2)) for each in times]
        counts = {name: {"N": "123"} for name in names}
        kinds = [("", "agent", self.agent_id)]
        kinds += [
            (scope, *kind) for scope in ("", self.agent_id) for kind in (("total", ""), ("model", "scripted/script"))
        ]
        for scope, dimension, name in kinds:
            for shard in range(SHARDS):
                key = {"pk": {"S": keys.usage("local", scope, dimension)}, "sk": {"S": f"{day}#{shard}#{name}"}}
                self.store.put_item(TableName=self.table, Item={**key, "kind": {"S": "usage"}, **counts})

    def ticket(self) -> str:
        """By REST, as a browser does before it connects."""
        from functions.api.app import lambda_handler as api
        from functions.authorizer.app import lambda_handler as authorizer

        headers = [
            ("Host", "api.example"),
            ("Authorization", f"Bearer {self.token}"),
            ("Content-Type", "application/json"),
        ]
        body = json.dumps({"agent_id": self.agent_id}).encode()
        call = HttpCall("POST", "/api/v1/playground/tickets", "", headers, body, "127.0.0.1")
        event = http_event(call, "POST /api/v1/{proxy+}", {"proxy": "playground/tickets"}, None)
        answer = authorizer(http_authorizer_event(event, ["authorization"]), Context())
        event["requestContext"]["authorizer"] = {"lambda": answer["context"]}
        return str(json.loads(api(event, Context())["body"])["ticket"])

    def connect(self, ticket: str) -> Handshake:
        """The handshake, with what it rings."""
        from functions.authorizer.app import lambda_handler as authorizer
        from functions.playground.app import lambda_handler as playground
        from functions.runner.app import lambda_handler as runner

        headers = [("Host", "ws.example"), ("Sec-WebSocket-Protocol", f"aab.v1, ticket.{ticket}")]
        handshake = Handshake("other", "live", headers, [("agent_id", self.agent_id)], "127.0.0.1", None)
        context = authorizer(connect_authorizer_event(connect_event(handshake)), Context())["context"]
        known = Handshake("other", "live", headers, [("agent_id", self.agent_id)], "127.0.0.1", context)
        assert playground(connect_event(known), Context())["statusCode"] == 200
        runner({"kind": "greet", "tenant_id": "local", "connection_id": "other", "agent_id": self.agent_id}, Context())
        return known

    def disconnect(self, handshake: Handshake) -> None:
        """The end of a connection."""
        from functions.playground.app import lambda_handler as playground

        playground(disconnect_event(handshake, 1000, "Bye"), Context())


def indexes() -> tuple[Index, ...]:
    """The indexes of the table, as the template has them."""
    found = read()["Resources"]["Table"]["Properties"]["GlobalSecondaryIndexes"]
    return tuple(
        Index(tuple(key["AttributeName"] for key in index["KeySchema"]), index["Projection"]["ProjectionType"] == "ALL")
        for index in found
    )


@contextmanager
def logged_to(log: StringIO) -> Iterator[None]:
    """What the product logs goes there."""
    from agent_builder.observability import logger

    handlers = [handler for handler in logger.handlers if isinstance(handler, StreamHandler)]
    before = [handler.setStream(log) for handler in handlers]
    try:
        yield
    finally:
        for handler, stream in zip(handlers, before, strict=True):
            handler.setStream(stream)


def series(lines: list[str]) -> Iterator[str]:
    """Metrics in lines of embedded metric format, each with the values of its dimensions; each is paid as one."""
    for line in lines:
        told = json.loads(line)
        for directive in told.get("_aws", {}).get("CloudWatchMetrics", ()):
            for metric in directive["Metrics"]:
                values = [str(told[name]) for names in directive["Dimensions"] for name in sorted(names)]
                yield "/".join([metric["Name"], *values])


def count_all() -> dict[str, dict[str, Any]]:
    """A run, a connection and a minute without anybody, each by functions that remember nothing."""
    with running_stack(auth=True) as stack:
        issuer = {"OIDC_ISSUER": stack.running["issuer"], "OIDC_AUDIENCE": AUDIENCE, **CLAIMS, "ALLOWED_ORIGINS": ""}
        world = _World(stack, issuer)
        kinds = {"run": _run, "connection": _connection, "minute": _minute}
        return {name: asdict(world.within_a_minute(count)) for name, count in kinds.items()}


@dataclass
class _World:
    """A stack with an agent."""

    stack: Instance
    variables: Mapping[str, str]
    agent_id: str = ""

    @contextmanager
    def functions(self) -> Iterator[tuple[Counting, Speaker]]:
        """Those that remember nothing."""
        with counted(self.stack, variables=self.variables) as (calls, say):
            agent_id = self.agent_id or say.agent_id
            yield Counting(self.stack, calls, agent_id), replace(say, agent_id=agent_id)

    def within_a_minute(self, count: Callable[[Counting, Speaker, str], Count]) -> Count:
        """What others have done in the same minute: the first of each resets a tenant's limits, which costs it more."""
        while True:
            begun = time.time() // 60
            with self.functions() as (counting, say), logged_to(StringIO()), redirect_stdout(StringIO()):
                self.agent_id, conversation = say.agent_id, say(QUICK)
                for _ in range(EXCHANGES - 1):
                    say(QUICK, conversation)
                counting.grow_aggregates()
                counting.disconnect(counting.connect(counting.ticket()))
            with self.functions() as (counting, say):
                found = count(counting, say, conversation)
            if time.time() // 60 == begun:
                return found


def _run(counting: Counting, say: Speaker, conversation: str) -> Count:
    with counting.count(playground=1, runner=1) as found:
        say(SLOW, conversation)
    return found


def _connection(counting: Counting, say: Speaker, conversation: str) -> Count:
    with counting.count(authorizer=2, api=1, playground=2, runner=1) as found:
        counting.disconnect(counting.connect(counting.ticket()))
    return found


def _minute(counting: Counting, say: Speaker, conversation: str) -> Count:
    from functions.runner.app import lambda_handler as runner

    with counting.count(runner=1) as found:
        runner({"kind": "rescue"}, Context())
    return found
