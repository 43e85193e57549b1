"""Counts the calls to AWS that one message costs: the real handlers, in this process, against the real store.

    python -m benchmarks.calls

Every call is seen by a hook on the AWS clients themselves; retries count. The runner is invoked with what the
playground rang with, and its posts are counted apart.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from local.testing import Instance, running_stack

AUTHORIZER = {"tenant_id": "local", "subject": "bench", "roles": "owner"}


@dataclass
class Calls:
    """Operations in order. `first_delta` is how many had been made when the first piece of the answer was posted."""

    operations: list[str] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)
    first_delta: int | None = None

    def record(self, request: Any, event_name: str = "", **_: Any) -> None:
        """A botocore `before-send` hook."""
        self.operations.append(event_name.removeprefix("before-send."))

    def post(self, connection_id: str, data: bytes) -> Any:
        """A poster that reaches nobody and always succeeds."""
        from agent_builder.realtime.connections import Posted

        frame = json.loads(data)
        if frame["type"] == "content_delta" and self.first_delta is None:
            self.first_delta = len(self.operations)
        self.posts.append(frame)
        return Posted.SENT

    def close(self, connection_id: str) -> None:
        """Nobody to close."""


class Context:
    """What Lambda passes to a handler."""

    aws_request_id = "benchmark"

    def get_remaining_time_in_millis(self) -> int:
        """Plenty."""
        return 900_000


@contextmanager
def counted(stack: Instance) -> Iterator[tuple[Calls, Any]]:
    """Both handlers with counting clients; yields the count and `say(text, conversation)`."""
    os.environ.update(stack.environment)
    os.environ["RUNNER_FUNCTION"] = "nobody"
    from agent_builder import bootstrap
    from agent_builder.repositories.table import Item

    bootstrap._forget()
    calls = Calls()
    playground, runner = bootstrap.playground_services(), bootstrap.runner_services()
    Item._get_connection().connection.client.meta.events.register("before-send", calls.record)
    rung: list[dict[str, Any]] = []
    bell = _Bell(calls, rung)
    playground.intake._doorbell = bell  # type: ignore[assignment]
    for services in (playground.greeter, playground):
        object.__setattr__(services, "connections", calls)
    runner.runner.poster = calls
    try:
        yield calls, _speaker(calls, rung, _agent(bell))
    finally:
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

    config = {"provider": "scripted", "model": "echo"}
    new = AgentCreate.model_validate({"name": "calls", "model_config": config})
    service = AgentService(AgentRepository(), bell)  # type: ignore[arg-type]
    return str(service.create(Identity("local", "bench"), new, idempotency_key=None)["id"])


def _speaker(calls: Calls, rung: list[dict[str, Any]], agent_id: str) -> Any:
    from functions.playground.app import lambda_handler as accept
    from functions.runner.app import lambda_handler as run

    def say(text: str, conversation_id: str | None = None) -> str:
        calls.operations.clear()
        calls.posts.clear()
        calls.first_delta = None
        body = {"type": "user_message", "content": text}
        if conversation_id:
            body["conversation_id"] = conversation_id
        request = {"routeKey": "$default", "connectionId": "bench", "authorizer": {**AUTHORIZER, "agent_id": agent_id}}
        accept({"requestContext": request, "body": json.dumps(body)}, Context())
        run(rung[-1], Context())
        return str(rung[-1]["conversation_id"])

    return say


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
