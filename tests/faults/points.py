"""Names for the calls that the functions make, so that a fault can say where it strikes.

A write that has no name here is called `write:…`; the campaign fails on it, so that a new write in the product becomes
a new crash point and is not overlooked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
READS = frozenset({"GetItem", "Query", "BatchGetItem", "TransactGetItems", "DescribeTable"})
_SECTION = re.compile(r"\b(SET|REMOVE|ADD|DELETE)\b")
_NAME = re.compile(r"#\w+")


@dataclass(frozen=True)
class Touched:
    """One item that a call writes or checks: its key, its kind when it is put, and what is done to which attributes."""

    verb: str
    pk: str
    sk: str
    kind: str = ""
    item: Json = field(default_factory=dict)
    added: frozenset[str] = frozenset()
    set: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    conditions: frozenset[str] = frozenset()


def point_of_store(operation: str, body: Json) -> str:
    """The name of a call of DynamoDB."""
    if operation in READS:
        return "read"
    touched = _touched(operation, body)
    for rule in (_by_put, _by_steps(touched), _by_lease, _by_key):
        for item in touched:
            name = rule(item)
            if name:
                return name
    first = touched[0] if touched else Touched(operation, "", "")
    return f"write:{operation}:{first.kind or first.sk}"


def point_of_invoke(body: Json) -> str:
    """The name of an invocation of a function."""
    return f"ring.{body.get('kind', 'unknown')}"


def point_of_post(method: str, body: bytes) -> str:
    """The name of a call of @connections."""
    if method != "POST":
        return "close_connection"
    try:
        kind = str(json.loads(body).get("type", "unknown"))
    except ValueError:
        kind = "unknown"
    return f"post.{kind}"


def _by_put(item: Touched) -> str:
    """Calls that are told by a new item among what they write."""
    if item.verb != "Put":
        return ""
    if item.kind == "message":
        role = item.item.get("role", {}).get("S")
        return "accept" if role == "user" else "finish"
    return {"connection": "connect", "audit": "audit"}.get(item.kind, "")


def _by_steps(touched: list[Touched]) -> Callable[[Touched], str]:
    """Calls that store steps are told by all of them: the ledger before a tool acts, its result, or a model's step."""
    steps = [_step(item) for item in touched if item.kind == "step"]
    name = "ledger.result" if steps else ""
    if any(kind == "model" for _, kind, _ in steps):
        name = "save_steps"
    if any(status == "waiting" for _, _, status in steps):
        name = "ledger.waiting"
    if any(status == "running" for _, _, status in steps):
        name = "ledger.running"
    return lambda item: name


def steps_of(operation: str, body: Json) -> list[tuple[int, str, str]]:
    """The steps that a call stores: number, kind, status."""
    return [_step(item) for item in _touched(operation, body) if item.kind == "step"]


def _step(item: Touched) -> tuple[int, str, str]:
    values = {name: next(iter(item.item.get(name, {"S": ""}).values())) for name in ("number", "step_kind", "status")}
    return int(values["number"]), values["step_kind"], values["status"]


def _by_lease(item: Touched) -> str:
    """Calls that are told by what they do to the lease."""
    if item.sk != "LEASE" or item.verb != "Update":
        return ""
    for name, attribute in (
        ("claim", "fence"),
        ("subscribe", "resumed"),
        ("cancel", "cancelled"),
        ("hand_over", "hops"),
    ):
        if attribute in item.added:
            return name
    if "parked_until" in item.set:
        return "park"
    if "due_pk" in item.removed:
        return "release"
    if "lease_until" in item.set:
        return "heartbeat" if "lease_until" in item.conditions else "abandon"
    return ""


def _by_key(item: Touched) -> str:
    if "#GATE" in item.pk or "#CALLER#" in item.pk:
        return "limits"
    for place, name in (("#USAGE#", "add_up"), ("#SPENDING#", "spend"), ("#TRACEMARKS#", "trace_mark")):
        if place in f"{item.pk}#":
            return name
    if "#CONNECTION#" in item.pk:
        return "disconnect" if item.verb == "Delete" else "greeting"
    if item.sk.startswith("A#") and "decision" in item.set:
        return "decide"
    return "save_pieces" if item.kind == "piece" else ""


def _touched(operation: str, body: Json) -> list[Touched]:
    if operation == "TransactWriteItems":
        found = [_one(verb, action) for entry in body["TransactItems"] for verb, action in entry.items()]
    elif operation == "BatchWriteItem":
        requests = [request for table in body["RequestItems"].values() for request in table]
        found = [_one(verb.removesuffix("Request"), action) for request in requests for verb, action in request.items()]
    else:
        found = [_one(operation.removesuffix("Item"), body)]
    order = {"Put": 0, "Update": 1, "Delete": 2}
    return sorted((item for item in found if item.verb in order), key=lambda item: order[item.verb])


def _one(verb: str, action: Json) -> Touched:
    item = action.get("Item", {})
    key = action.get("Key") or item
    sections = _sections(action)
    return Touched(
        verb=verb,
        pk=key.get("pk", {}).get("S", ""),
        sk=key.get("sk", {}).get("S", ""),
        kind=item.get("kind", {}).get("S", ""),
        item=item,
        added=sections.get("ADD", frozenset()),
        set=sections.get("SET", frozenset()),
        removed=sections.get("REMOVE", frozenset()),
        conditions=_named(action, action.get("ConditionExpression", "")),
    )


def _sections(action: Json) -> dict[str, frozenset[str]]:
    """The attributes that each section of an update names."""
    parts = _SECTION.split(action.get("UpdateExpression", ""))
    return {section: _named(action, text) for section, text in zip(parts[1::2], parts[2::2], strict=True)}


def _named(action: Json, text: str) -> frozenset[str]:
    """The attributes that a part of an expression names."""
    names = action.get("ExpressionAttributeNames", {})
    return frozenset(names.get(name, name) for name in _NAME.findall(text))


def fence_of(body: Json) -> int | None:
    """The fence that a write insists on; None where it does not insist on any."""
    actions = [action for entry in body.get("TransactItems", []) for action in entry.values()] or [body]
    for action in actions:
        names, values = action.get("ExpressionAttributeNames", {}), action.get("ExpressionAttributeValues", {})
        for placeholder, name in names.items():
            condition = re.search(rf"{re.escape(placeholder)} = (:\w+)", action.get("ConditionExpression", ""))
            if name == "fence" and condition:
                return int(values[condition[1]]["N"])
    return None
