"""Agents and models inside calls, on the running stack: told, stored, counted, cancelled, and gone on with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from local.testing import Instance, running_stack
from tests.integration.chat import Chat, Frame, chatting, is_terminal
from tests.integration.rest import AGENTS, Rest
from tests.integration.runner.workers import kill_workers


@pytest.fixture(scope="module")
def stack() -> Iterator[Instance]:
    """A stack of our own, whose workers are killed; it retries when a lease has ended, as AWS does after a minute."""
    with running_stack(arguments=["--retry-delays", "16,16"]) as instance:
        yield instance


@pytest.fixture(scope="module")
def rest(stack: Instance) -> Rest:
    return Rest(stack.url)


def scripted(*acts: dict[str, Any]) -> dict[str, Any]:
    return {"provider": "scripted", "model": "script", "options": {"script": list(acts)}}


def agent(rest: Rest, *acts: dict[str, Any], **fields: Any) -> str:
    return str(rest.create(model_config=scripted(*acts), **fields)["id"])


def add(rest: Rest, owner: str, **tool: Any) -> str:
    answer = rest("POST", f"{AGENTS}/{owner}/tools", tool)
    assert answer.status == 201, answer.body
    return str(answer.json["id"])


def steps(rest: Rest, run_id: str) -> list[dict[str, Any]]:
    """All steps of a run, one by one."""
    found: list[dict[str, Any]] = []
    while (answer := rest("GET", f"/api/v1/runs/{run_id}/steps/{len(found) + 1}")).status == 200:
        found.append(answer.json)
    return found


def family(rest: Rest, *leaf: dict[str, Any]) -> str:
    """An agent that asks another, which does what `leaf` says."""
    helper = agent(rest, *leaf, name="Helper")
    root = agent(
        rest, {"text": "I ask. "}, {"tool": "helper", "input": {"message": "please"}, "id": "t1"}, {"text": "So."}
    )
    add(rest, root, kind="agent", name="helper", target_agent_id=helper)
    return root


def told(chat: Chat) -> list[tuple[Any, ...]]:
    """Frames of tools, short; pieces of text joined."""
    found: list[tuple[Any, ...]] = []
    for frame in chat.frames:
        kind = frame["type"]
        if kind == "tool_output_delta" and found and found[-1][0] == kind:
            found[-1] = (kind, frame["tool_use_id"], found[-1][2] + frame["delta"])
        elif kind == "tool_output_delta":
            found.append((kind, frame["tool_use_id"], frame["delta"]))
        elif kind.startswith("tool_use"):
            found.append((kind, frame["tool_use_id"], frame.get("parent_tool_use_id")))
    return found


def the_sum(found: list[dict[str, Any]]) -> tuple[dict[str, int], int, int]:
    names = ("input_tokens", "output_tokens")
    usage = {name: sum((step["usage"] or {}).get(name, 0) for step in found) for name in names}
    costs = [step["cost"] for step in found if step["cost"]]
    return (
        usage,
        sum(cost["amount_nanousd"] or 0 for cost in costs),
        sum(cost["unpriced_steps"] for cost in costs),
    )


def agrees(end: Frame, found: list[dict[str, Any]]) -> None:
    usage, amount, unpriced = the_sum(found)
    assert {name: end["usage"][name] for name in usage} == usage
    assert ((end["cost"]["amount_nanousd"] or 0), end["cost"]["unpriced_steps"]) == (amount, unpriced)


def test_an_agent_asks_another_and_everybody_sees_it(stack: Instance, rest: Rest) -> None:
    look = {"tool": "calculator", "input": {"expression": "6 * 7"}, "id": "t1"}
    root = family(rest, {"text": "Let me see. "}, look, {"text": "It is 42."})
    with chatting(stack, root) as chat:
        end = chat.ask("Go")
    assert (end["type"], end["content"]) == ("message_complete", "I ask. So.")
    assert chat.text(end["run_id"]) == "I ask. So."
    assert told(chat) == [
        ("tool_use_start", "t1", None),
        ("tool_output_delta", "t1", "Let me see. "),
        ("tool_use_start", "t1/t1", "t1"),
        ("tool_use_complete", "t1/t1", "t1"),
        ("tool_output_delta", "t1", "It is 42."),
        ("tool_use_complete", "t1", None),
    ]
    (done,) = (f for f in chat.of("tool_use_complete") if f["tool_use_id"] == "t1")
    assert done["result"] == {"text": "Let me see. It is 42."}
    found = steps(rest, end["run_id"])
    assert [(s["kind"], s["parent"], s["status"]) for s in found] == [
        ("model", None, "succeeded"),
        ("tool", None, "succeeded"),
        ("model", 2, "succeeded"),
        ("tool", 2, "succeeded"),
        ("model", 2, "succeeded"),
        ("model", None, "succeeded"),
    ]
    assert found[2]["agent_version"] == 1
    agrees(end, found)
    seqs = [frame["seq"] for frame in chat.frames if "seq" in frame]
    assert seqs == sorted(set(seqs))


def test_a_model_is_a_tool(stack: Instance, rest: Rest) -> None:
    root = agent(rest, {"tool": "translate", "input": {"text": "Guten Tag"}, "id": "t1"}, {"text": "Done."})
    schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    add(
        rest,
        root,
        kind="llm",
        name="translate",
        instructions="Translate.",
        input_schema=schema,
        model_config={"provider": "scripted", "model": "echo"},
    )
    with chatting(stack, root) as chat:
        end = chat.ask("Go")
    (done,) = chat.of("tool_use_complete")
    assert done["result"] == {"text": 'You said: {"text": "Guten Tag"}'}
    found = steps(rest, end["run_id"])
    assert [(s["kind"], s["parent"]) for s in found] == [("model", None), ("tool", None), ("model", 2), ("model", None)]
    agrees(end, found)


def test_agents_side_by_side_and_cancel(stack: Instance, rest: Rest) -> None:
    slow = [{"slow_ms": 30}, {"text": " ".join(f"w{n}" for n in range(400))}]
    one, other = agent(rest, *slow, name="One"), agent(rest, *slow, name="Other")
    root = agent(
        rest,
        {"tool": "one", "input": {"message": "go"}, "id": "a"},
        {"tool": "other", "input": {"message": "go"}, "id": "b"},
    )
    add(rest, root, kind="agent", name="one", target_agent_id=one)
    add(rest, root, kind="agent", name="other", target_agent_id=other)
    with chatting(stack, root) as chat:
        chat.say("Go")
        accepted = chat.until("message_accepted")
        while {frame["tool_use_id"] for frame in chat.of("tool_output_delta")} != {"a", "b"}:
            chat.until("tool_output_delta")
        chat.send(type="cancel", conversation_id=accepted["conversation_id"])
        end = chat.until("run_cancelled")
        for name in ("a", "b"):
            text = ""
            for frame in chat.of("tool_output_delta"):
                if frame["tool_use_id"] == name:
                    assert frame["offset"] == len(text)
                    text += frame["delta"]
            assert slow[1]["text"].startswith(text)
        assert chat.quiet()
    found = steps(rest, end["run_id"])
    assert {(s["kind"], s["status"]) for s in found[1:3]} == {("tool", "unknown")}
    assert {(s["kind"], s["status"], s["parent"]) for s in found[3:]} == {
        ("model", "failed", 2),
        ("model", "failed", 3),
    }
    assert end["cost"]["unpriced_steps"] == 2
    agrees(end, found)


@pytest.mark.timeout(150)
def test_killed_inside_it_goes_on_there(stack: Instance, rest: Rest) -> None:
    look = {"tool": "calculator", "input": {"expression": "6 * 7"}, "id": "t1"}
    words = " ".join(f"w{n}" for n in range(60))
    root = family(rest, {"text": "First. "}, look, {"slow_ms": 30}, {"text": words})
    with chatting(stack, root) as chat:
        chat.say("Go")
        accepted = chat.until("message_accepted")
        while not any("w5" in frame["delta"] for frame in chat.of("tool_output_delta")):
            chat.until("tool_output_delta")
        assert kill_workers(stack)
        while not is_terminal(chat.frames[-1]):
            try:
                chat.next(seconds=5)
            except TimeoutError:
                chat.send(type="resume", conversation_id=accepted["conversation_id"])
        end = chat.frames[-1]
    assert (end["type"], end["content"]) == ("message_complete", "I ask. So.")
    found = steps(rest, end["run_id"])
    assert [(s["kind"], s["parent"], s["status"]) for s in found] == [
        ("model", None, "succeeded"),
        ("tool", None, "succeeded"),
        ("model", 2, "succeeded"),
        ("tool", 2, "succeeded"),
        ("model", 2, "failed"),
        ("model", 2, "succeeded"),
        ("model", None, "succeeded"),
    ], "what was stored inside was not asked again"
    assert found[1]["result"] == {"text": f"First. {words}"}
    shown = ""
    for frame in chat.of("tool_output_delta"):
        shown = shown[: frame["offset"]] + frame["delta"]
    assert shown == f"First. {words}"
    assert (found[4]["error_code"], found[4]["model"], found[4]["cost"]["unpriced_steps"]) == (
        "runner_lost",
        "script",
        1,
    )
    agrees(end, found)


def test_a_tool_is_tried_outside_of_a_run(rest: Rest) -> None:
    helper = agent(rest, {"text": "Here I am."}, name="Helper")
    root = agent(rest)
    tool = add(rest, root, kind="agent", name="helper", target_agent_id=helper)
    answer = rest("POST", f"/api/v1/tools/{tool}/test", {"arguments": {"message": "hello"}})
    assert answer.status == 200, answer.body
    assert answer.json["result"] == {"text": "Here I am."}
