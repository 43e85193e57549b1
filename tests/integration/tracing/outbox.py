"""Traces that are still to be sent, as tests look at them and make them due."""

from __future__ import annotations

import json
import time
from typing import Any

import boto3

from local.testing import Instance


def scripted(*acts: dict[str, Any]) -> dict[str, Any]:
    return {"provider": "scripted", "model": "script", "options": {"script": list(acts)}}


def marks(stack: Instance) -> list[dict[str, Any]]:
    """Traces that are still to be sent."""
    table = boto3.resource("dynamodb", **stack.client_options("dynamodb")).Table(stack.table_name)
    key = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": "T#local#TRACEMARKS"}}
    return list(table.query(**key, ConsistentRead=True)["Items"])


def until(happened: Any, seconds: float = 20.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := happened()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def make_due(stack: Instance, run_id: str) -> None:
    """As if time had passed."""
    table = boto3.resource("dynamodb", **stack.client_options("dynamodb")).Table(stack.table_name)
    table.update_item(
        Key={"pk": "T#local#TRACEMARKS", "sk": run_id},
        UpdateExpression="SET due_at = :now",
        ExpressionAttributeValues={":now": int(time.time() * 1000) - 1},
    )


def rescue(stack: Instance) -> None:
    from local.settings import Settings  # the name that template.yaml gives it here
    from local.template import load

    functions = load(Settings().template, str(stack.running["region"])).functions
    name = functions["RunnerFunction"].name
    client = boto3.client("lambda", **stack.client_options("lambda"))
    client.invoke(FunctionName=name, Payload=json.dumps({"kind": "rescue"}).encode())
