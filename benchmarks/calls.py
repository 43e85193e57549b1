"""Counts the calls to AWS that one message costs: the real handlers, in this process, against the real store.

    python -m benchmarks.calls

Every call is seen by a hook on the AWS clients themselves; retries count. The runner is invoked with what the
playground rang with, and its posts are counted apart.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from local.testing import Instance, running_stack

HEARTBEAT = "heartbeat"
SCRIPTED = {"provider": "scripted", "model": "script"}
AUTHORIZER = {"tenant_id": "local", "subject": "bench", "roles": "owner"}


@dataclass
class Calls:
    """Operations in order. `first_delta` is how many had been made when the first piece of the answer was posted."""

    operations: list[str] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)
    first_delta: int | None = None

    def clear(self) -> None:
        """Begin anew."""
        self.operations.clear()
        self.posts.clear()
        self.first_delta = None

    @property
    def but_heartbeats(self) -> list[str]:
        """Operations without those that are made once a second, whatever happens."""
        return [name for name in self.operations if name != HEARTBEAT]

    def record(self, request: Any, event_name: str = "", **_: Any) -> None:
        """A botocore `before-send` hook."""
        name = event_name.removeprefix("before-send.")
        self.operations.append(HEARTBEAT if is_heartbeat(name, json.loads(request.body or b"{}")) else name)

    def post(self, connection_id: str, data: bytes) -> Any:
        """A poster that reaches nobody and always succeeds."""
        from agent_builder.bootstrap_tools import metrics
        from agent_builder.metrics import POSTS
        from agent_builder.realtime.connections import Posted

        frame = json.loads(data)
        if frame["type"] == "content_delta" and self.first_delta is None:
            self.first_delta = len(self.operations)
        self.posts.append(frame)
        metrics().add(POSTS, outcome="sent")
        return Posted.SENT

    def close(self, connection_id: str) -> None:
        """Nobody to close."""


def is_heartbeat(operation: str, body: Mapping[str, Any]) -> bool:
    """Whether a call renews a lease and does nothing else."""
    if operation != "dynamodb.UpdateItem" or body["Key"]["sk"].get("S") != "LEASE":
        return False
    touched = set(body["ExpressionAttributeNames"].values())
    return not touched & {"holder", "wake", "queue", "begun", "hops"}


class Context:
    """What Lambda passes to a handler."""

    aws_request_id = "benchmark"

    def get_remaining_time_in_millis(self) -> int:
        """Plenty."""
        return 900_000


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Variables of this process, for a while."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def counted(
    stack: Instance,
    *,
    langfuse: str = "",
    tells: bool = True,
    variables: Mapping[str, str] | None = None,
) -> Iterator[tuple[Calls, Speaker]]:
    """Both handlers with counting clients; yields the count and `say(text, conversation)`.

    Args:
        langfuse: Address of a server that takes traces; empty for none.
        tells: Whether the ledger is kept and metrics are written; they can be left out here only.
        variables: Further ones of the environment.
    """
    keys = {"LANGFUSE_PUBLIC_KEY": "pk-lf-1", "LANGFUSE_SECRET_KEY": "sk-lf-1", "LANGFUSE_BASE_URL": langfuse}
    environment = {**stack.environment, "RUNNER_FUNCTION": "nobody", **(keys if langfuse else {}), **(variables or {})}
    with _environment(environment), _handlers(tells=tells) as handlers:
        yield handlers


@contextmanager
def _handlers(*, tells: bool) -> Iterator[tuple[Calls, Speaker]]:
    from agent_builder import bootstrap
    from agent_builder.metrics import Metrics
    from agent_builder.providers import http
    from agent_builder.repositories.table import Item

    bootstrap._forget()
    calls = Calls()
    playground, runner = bootstrap.playground_services(), bootstrap.runner_services()
    Item._get_connection().connection.client.meta.events.register("before-send", calls.record)
    rung: list[dict[str, Any]] = []
    bell = _Bell(calls, rung)
    playground.intake._doorbell = bell  # type: ignore[assignment]
    for services in (playground.greeter, playground, runner.greeter):
        object.__setattr__(services, "connections", calls)
    runner.runner.poster = calls
    if not tells:
        runner.runner.settle = lambda tenant, used: None
        runner.runner.metrics = Metrics(lambda line: None)
    try:
        yield calls, Speaker(calls, rung, _agent(bell))
    finally:
        runner.loop.run(http.close())
        runner.loop.close()
        runner.runner.executor.shutdown()
        bootstrap._forget()


class _Bell:
    """Counts a ring as the one call that it is, and keeps what it carried."""

    def __init__(self, calls: Calls, rung: list[dict[str, Any]]) -> None:
        self._calls, self._rung = calls, rung

    def ring(self, kind: str, **ids: Any) -> bool:
        """Record the asynchronous invoke."""
        self._calls.operations.append("lambda.Invoke")
        self._rung.append({"kind": kind, **ids})
        return True


def _agent(bell: _Bell) -> str:
    from agent_builder.models.agents import AgentCreate
    from agent_builder.models.identity import Identity
    from agent_builder.repositories.agents import AgentRepository
    from agent_builder.services.agents import AgentService

    new = AgentCreate.model_validate({"name": "calls", "model_config": SCRIPTED})
    service = AgentService(AgentRepository(), bell)  # type: ignore[arg-type]
    return str(service.create(Identity("local", "bench"), new, idempotency_key=None)["id"])


@dataclass(frozen=True)
class Speaker:
    """Says something to an agent, and carries out what that rings."""

    calls: Calls
    rung: list[dict[str, Any]]
    agent_id: str

    def __call__(self, text: str, conversation_id: str | None = None) -> str:
        """A message and its whole run, counted anew; the conversation."""
        from functions.playground.app import lambda_handler as accept
        from functions.runner.app import lambda_handler as run

        self.calls.clear()
        body = {"type": "user_message", "content": text}
        if conversation_id:
            body["conversation_id"] = conversation_id
        caller = {**AUTHORIZER, "agent_id": self.agent_id}
        request = {"routeKey": "$default", "connectionId": "bench", "authorizer": caller}
        accept({"requestContext": request, "body": json.dumps(body)}, Context())
        run(self.rung[-1], Context())
        return str(self.rung[-1]["conversation_id"])


def main() -> None:
    """Print what a message costs, the first in a process and later ones."""
    with running_stack() as stack, counted(stack) as (calls, say):
        conversation = say("first")
        print("first message of a process ", calls.first_delta, "before the first delta,", calls.operations)
        say("second", conversation)
        print("the next of a conversation ", calls.first_delta, "before the first delta,", calls.operations)
        say("third")
        print("a new conversation, warm   ", calls.first_delta, "before the first delta,", calls.operations)


if __name__ == "__main__":
    main()
