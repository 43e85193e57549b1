"""Workers that are killed: runs end all the same, and deletions too."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from agent_builder.clock import now_ms
from local.testing import Instance, running_stack
from tests.integration.chat import chatting, is_terminal
from tests.integration.rest import AGENTS, Rest
from tests.integration.runner.workers import kill_workers

TENANT = "local"
MESSAGES = 5_000


@pytest.fixture(scope="module")
def stack() -> Iterator[Instance]:
    """A stack of our own; it retries an asynchronous event when a lease has ended, as AWS does after a minute."""
    with running_stack(arguments=["--retry-delays", "16,16"]) as instance:
        yield instance


def wait_for(happened: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Poll until it is true; what it gave."""
    deadline = time.monotonic() + seconds
    while not (found := happened()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return found


@pytest.mark.timeout(150)
def test_a_run_whose_worker_is_killed_ends_all_the_same(stack: Instance) -> None:
    rest = Rest(stack.url)
    agent = str(rest.create()["id"])
    whole = " ".join(f"word{n}" for n in range(1, 101))
    with chatting(stack, agent) as chat:
        with chatting(stack, agent) as left:
            left.say("/slow 20\n/long 100")
            alone = left.until("message_accepted")
            left.until("content_delta")
        chat.say("/slow 20\n/long 100")
        mine = chat.until("message_accepted")
        chat.until("content_delta")
        killed = now_ms()
        assert kill_workers(stack) >= 2
        while not chat.frames or not is_terminal(chat.frames[-1]):
            try:
                chat.next(seconds=5)
            except TimeoutError:
                chat.send(type="resume", conversation_id=mine["conversation_id"])
        end = chat.frames[-1]
        assert (end["type"], end["run_id"], end["content"]) == ("message_complete", mine["run_id"], whole)
        assert chat.text(end["run_id"]) == whole
        assert chat.of("step_reset")
        seqs = [frame["seq"] for frame in chat.frames if "seq" in frame]
        assert seqs == sorted(seqs)
        assert now_ms() - killed < 30_000
        assert chat.quiet()

    def answered() -> Any:
        return rest("GET", f"/api/v1/conversations/{alone['conversation_id']}/messages").json["items"][0]

    wait_for(lambda: answered()["role"] == "assistant", 90)
    assert (answered()["content"], answered()["status"]) == (whole, "completed")


def _left(stack: Instance, agent: str) -> list[str]:
    """Keys of all that names the agent; the audit trail and the counts of usage go on doing so, for a year or so."""
    client = boto3.client("dynamodb", **stack.client_options("dynamodb"))
    pages = client.get_paginator("scan").paginate(TableName=stack.table_name, ConsistentRead=True)
    items = [item for page in pages for item in page["Items"] if agent in str(item)]
    return [f"{item['pk']['S']} {item['sk']['S']}" for item in items if not _stays(item["pk"]["S"])]


def _stays(pk: str) -> bool:
    return pk.endswith("#AUDIT") or "#USAGE#" in pk


def _sort_key(n: int) -> str:
    return f"M#run_{n // 10:026d}#{n % 10}"


def _there(stack: Instance, conversation: str, n: int) -> bool:
    """Whether a message is there still. To count them would keep the store busy, and the purge from its work."""
    client = boto3.client("dynamodb", **stack.client_options("dynamodb"))
    key = {"pk": {"S": f"T#{TENANT}#CONVERSATION#{conversation}"}, "sk": {"S": _sort_key(n)}}
    return "Item" in client.get_item(TableName=stack.table_name, Key=key, ConsistentRead=True)


def _fill(stack: Instance, agent: str, conversation: str) -> None:
    client = boto3.client("dynamodb", **stack.client_options("dynamodb"))
    pk = f"T#{TENANT}#CONVERSATION#{conversation}"
    names = ("pk", "sk", "kind", "message_id", "run_id", "role", "parts", "agent")
    for start in range(0, MESSAGES, 25):
        puts = []
        for n in range(start, start + 25):
            run = f"run_{n // 10:026d}"
            values = (pk, _sort_key(n), "message", f"msg_{n}", run, ("user", "assistant")[n % 2], "[]", agent)
            item: dict[str, Any] = {name: {"S": value} for name, value in zip(names, values, strict=True)}
            puts.append({"PutRequest": {"Item": {**item, "created_at": {"N": "1"}}}})
        assert not client.batch_write_item(RequestItems={stack.table_name: puts})["UnprocessedItems"]


@pytest.mark.timeout(360)
def test_an_agent_with_5000_messages_is_purged_through_a_kill(stack: Instance) -> None:
    rest = Rest(stack.url)
    agent = str(rest.create()["id"])
    with chatting(stack, agent) as chat:
        conversation = chat.ask("/say hello", client_message_id="m")["conversation_id"]
        chat.ask("/say again", conversation_id=conversation)
        other = chat.ask("/say elsewhere")["conversation_id"]
    _fill(stack, agent, conversation)
    assert len(_left(stack, agent)) > MESSAGES
    assert rest("DELETE", f"{AGENTS}/{agent}").status == 204
    assert rest("GET", f"/api/v1/conversations/{other}").status == 404
    wait_for(lambda: not _there(stack, conversation, 0), 120)
    assert kill_workers(stack) >= 1
    assert _there(stack, conversation, MESSAGES - 1), "it was killed in the middle"
    wait_for(lambda: not _there(stack, conversation, MESSAGES - 1), 120)
    wait_for(lambda: len(_left(stack, agent)) <= 1, 60)
    # What is left is the note of the deletion itself: an index is read late on AWS, so there is a second look.
    functions = boto3.client("lambda", **stack.client_options("lambda"))
    event = {"kind": "purge", "tenant_id": TENANT, "target_id": agent}
    for _ in range(2):
        functions.invoke(FunctionName=_runner(stack), Payload=json.dumps(event).encode())
    assert _left(stack, agent) == []


def _runner(stack: Instance) -> str:
    from local.settings import Settings  # the name that template.yaml gives it here
    from local.template import load

    functions = load(Settings().template, str(stack.running["region"])).functions
    return functions["RunnerFunction"].name
