"""A tool that a person must approve, on the running stack: frames, REST, restarts, and nobody at work meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from local.testing import Instance, running_stack
from tests.integration.chat import Chat, chatting
from tests.integration.rest import Rest, check_problem
from tests.integration.tools.api import Api, Asked, Says, serving

SCHEMA = {
    "type": "object",
    "properties": {"body": {"type": "object"}},
    "required": ["body"],
    "additionalProperties": False,
}
ASK = '/tool send {"body": {"to": "everybody"}}\n/say It is done.'


@pytest.fixture(scope="module")
def stack() -> Iterator[Instance]:
    with running_stack(env={"LOOPBACK_TOOLS": "1"}) as running:
        yield running


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with serving(_sent) as server:
        yield server


def _sent(asked: Asked) -> Says:
    return Says({"sent": json.loads(asked.body)})


@dataclass
class Mailer:
    """An agent whose tool sends something, once a person has approved it."""

    rest: Rest
    agent_id: str
    api: Api

    @property
    def sent(self) -> list[Any]:
        return [json.loads(asked.body) for asked in self.api.asked]

    def decide(self, run_id: str, call: str, **body: Any) -> Any:
        return self.rest("POST", f"/api/v1/runs/{run_id}/approvals/{call}", body)

    def run(self, run_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.rest("GET", f"/api/v1/runs/{run_id}").json
        return found


@pytest.fixture
def mailer(stack: Instance, api: Api) -> Mailer:
    api.asked.clear()
    rest = Rest(stack.url)
    agent_id = rest.create()["id"]
    tool = {"kind": "http", "name": "send", "method": "POST", "base_url": api.url, "path": "/send", "effect": "write"}
    tool |= {"body": {"kind": "json", "content_type": "application/json"}, "input_schema": SCHEMA}
    made = rest("POST", f"/api/v1/agents/{agent_id}/tools", {**tool, "requires_approval": True})
    assert made.status == 201, made.body
    return Mailer(rest, agent_id, api)


def ask(chat: Chat, content: str = ASK) -> dict[str, Any]:
    """Say something of which a call comes that waits; its frame."""
    chat.say(content)
    return chat.until("approval_required")


def test_approved_by_a_frame(stack: Instance, mailer: Mailer) -> None:
    with chatting(stack, mailer.agent_id) as chat:
        asked = ask(chat)
        assert (asked["tool_name"], asked["input"]) == ("send", {"body": {"to": "everybody"}})
        assert mailer.sent == []
        run = mailer.run(asked["run_id"])
        assert (run["status"], run["steps"][-1]["status"]) == ("waiting", "waiting")
        chat.send(type="approval", run_id=asked["run_id"], tool_use_id=asked["tool_use_id"], decision="approve")
        end = chat.end()
    assert end["content"] == "It is done."
    assert mailer.sent == [{"to": "everybody"}]
    assert [frame["tool_use_id"] for frame in chat.of("tool_use_start")] == [asked["tool_use_id"]]
    run = mailer.run(asked["run_id"])
    assert (run["status"], run["approvals"][0]["status"]) == ("completed", "approved")


def test_approved_by_rest_with_other_arguments(stack: Instance, mailer: Mailer) -> None:
    with chatting(stack, mailer.agent_id) as chat:
        asked = ask(chat)
        answer = mailer.decide(asked["run_id"], asked["tool_use_id"], decision="approve", input={"body": {"to": "ann"}})
        assert (answer.status, answer.json["status"], answer.json["edited_input"]) == (
            200,
            "approved",
            {"body": {"to": "ann"}},
        )
        chat.end()
    assert mailer.sent == [{"to": "ann"}]
    (done,) = chat.of("tool_use_complete")
    assert done["result"]["edited_input"] == {"body": {"to": "ann"}}


@pytest.mark.parametrize(
    ("given", "pointers"),
    [
        ({"to": "ann"}, ["/input", "/input"]),
        ({"body": "ann"}, ["/input/body"]),
        ({"body": {}, "more": 1}, ["/input"]),
    ],
    ids=str,
)
def test_arguments_that_the_tool_does_not_take_decide_nothing(
    stack: Instance, mailer: Mailer, given: Any, pointers: list[str]
) -> None:
    with chatting(stack, mailer.agent_id) as chat:
        asked = ask(chat)
        run_id, call = asked["run_id"], asked["tool_use_id"]
        answer = mailer.decide(run_id, call, decision="approve", input=given)
        faults = check_problem(answer, 422, "validation_failed")["errors"]
        assert [fault["pointer"] for fault in faults] == pointers
        chat.send(type="approval", run_id=run_id, tool_use_id=call, decision="approve", input=given)
        error = chat.until("error")
        assert (error["code"], "run_id" in error) == ("validation_failed", False)
        assert "still waits" in error["error"]
        denied = mailer.decide(run_id, call, decision="deny", input={"body": {}})
        assert check_problem(denied, 422, "validation_failed")["errors"][0]["pointer"] == "/input"
        run = mailer.run(run_id)
        assert (run["status"], run["approvals"][0]["status"]) == ("waiting", "waiting")
        assert mailer.sent == []
        assert mailer.decide(run_id, call, decision="approve", input={"body": {"to": "ann"}}).status == 200
        chat.end()
    assert mailer.sent == [{"to": "ann"}]


def test_an_agent_is_asked_what_a_person_gave_it_to_be_asked(stack: Instance, mailer: Mailer) -> None:
    rest, friend = mailer.rest, mailer.rest.create()["id"]
    tool = {"kind": "agent", "name": "friend", "target_agent_id": friend, "requires_approval": True}
    assert rest("POST", f"/api/v1/agents/{mailer.agent_id}/tools", tool).status == 201
    with chatting(stack, mailer.agent_id) as chat:
        asked = ask(chat, '/tool friend {"message": "/say Hello"}')
        for given in ({}, {"message": "  "}, {"message": "x", "more": 1}):
            answer = mailer.decide(asked["run_id"], asked["tool_use_id"], decision="approve", input=given)
            assert check_problem(answer, 422, "validation_failed")["errors"][0]["pointer"] == "/input"
        given = {"message": "/say Good bye"}
        answer = mailer.decide(asked["run_id"], asked["tool_use_id"], decision="approve", input=given)
        assert answer.status == 200, answer.body
        chat.end()
    (done,) = chat.of("tool_use_complete")
    assert done["result"]["result"]["text"] == "Good bye"


def test_a_call_that_waits_is_made_as_its_run_began(stack: Instance, mailer: Mailer) -> None:
    rest = mailer.rest
    (tool,) = rest("GET", f"/api/v1/agents/{mailer.agent_id}/tools").json["items"]
    with chatting(stack, mailer.agent_id) as chat:
        asked = ask(chat)
        assert rest("PATCH", f"/api/v1/tools/{tool['id']}", {"path": "/elsewhere"}).status == 200
        assert rest("DELETE", f"/api/v1/tools/{tool['id']}").status == 204
        wrong = mailer.decide(asked["run_id"], asked["tool_use_id"], decision="approve", input={})
        assert check_problem(wrong, 422, "validation_failed")["errors"], "also known when the tool is deleted"
        assert mailer.decide(asked["run_id"], asked["tool_use_id"], decision="approve").status == 200
        chat.end()
    assert [one.path for one in mailer.api.asked] == ["/send"]


def test_the_audit_trail_has_what_was_decided_and_no_content(stack: Instance, mailer: Mailer) -> None:
    with chatting(stack, mailer.agent_id) as chat:
        first = ask(chat)
        call, run_id = first["tool_use_id"], first["run_id"]
        given = {"body": {"to": "canary"}}
        chat.send(type="approval", run_id=run_id, tool_use_id=call, decision="deny", input=given)
        chat.until("error")
        chat.send(type="approval", run_id=run_id, tool_use_id=call, decision="approve", input=given)
        chat.end()
        second = ask(chat)
        mailer.decide(second["run_id"], second["tool_use_id"], decision="deny", reason="canary")
        chat.end()
    trail = mailer.rest("GET", "/api/v1/audit")
    of = {entry["target"]: entry for entry in trail.json["items"] if "approval" in entry["action"]}
    one, other = of[first["run_id"]], of[second["run_id"]]
    which = [{"field": "tool_use_id", "value": call}, {"field": "decision", "value": "approve"}]
    assert (one["action"], one["changes"]) == ("approval", [*which, {"field": "input"}])
    assert other["action"] == "POST /runs/{run_id}/approvals/{tool_use_id}"
    assert other["changes"][1:] == [{"field": "decision", "value": "deny"}, {"field": "reason"}]
    assert other["request_id"]
    assert one["request_id"]
    assert b"canary" not in trail.body


def test_denied(stack: Instance, mailer: Mailer) -> None:
    with chatting(stack, mailer.agent_id) as chat:
        asked = ask(chat)
        answer = mailer.decide(asked["run_id"], asked["tool_use_id"], decision="deny", reason="Not today.")
        assert answer.json["reason"] == "Not today."
        chat.end()
    (done,) = chat.of("tool_use_complete")
    assert ("Not today." in done["error"], done["outcome"]) == (True, "denied")
    run = Rest(stack.url)("GET", f"/api/v1/runs/{asked['run_id']}").json
    (step,) = (step for step in run["steps"] if step["kind"] == "tool")
    whole = Rest(stack.url)("GET", f"/api/v1/runs/{asked['run_id']}/steps/{step['number']}").json
    assert (step["outcome"], whole["outcome"], whole["error"]) == ("denied", "denied", done["error"])
    answer = Rest(stack.url)("GET", f"/api/v1/conversations/{asked['conversation_id']}/messages").json["items"][0]
    assert [part["outcome"] for part in answer["parts"] if part["type"] == "tool_result"] == ["denied"]
    assert mailer.sent == []


def test_what_cannot_be_decided(stack: Instance, mailer: Mailer) -> None:
    with chatting(stack, mailer.agent_id) as chat:
        asked = ask(chat)
        run_id, call = asked["run_id"], asked["tool_use_id"]
        for body in ({}, {"decision": "maybe"}, {"decision": "approve", "input": []}, {"decision": "deny", "why": ""}):
            assert check_problem(mailer.decide(run_id, call, **body), 422, "validation_failed")["errors"]
        assert mailer.decide(run_id, call, decision="deny", reason="x" * 501).status == 422
        check_problem(mailer.decide(run_id, "another", decision="deny"), 404, "not_found")
        check_problem(mailer.decide("run_" + "0" * 26, call, decision="deny"), 404, "not_found")
        chat.send(type="approval", run_id=run_id, tool_use_id="another", decision="deny")
        assert chat.until("error")["code"] == "nothing_to_decide"
        assert mailer.decide(run_id, call, decision="deny").status == 200
        check_problem(mailer.decide(run_id, call, decision="approve"), 409)
        chat.end()
        check_problem(mailer.decide(run_id, call, decision="approve"), 409, "nothing_to_decide")
        chat.send(type="approval", run_id=run_id, tool_use_id=call, decision="approve")
        error = chat.until("error")
        assert (error["code"], "run_id" in error) == ("nothing_to_decide", False)
    assert mailer.sent == []


def test_over_a_connection_to_another_agent_there_is_nothing_to_decide(stack: Instance, mailer: Mailer) -> None:
    with chatting(stack, mailer.agent_id) as chat, chatting(stack, mailer.rest.create()["id"]) as other:
        asked = ask(chat)
        frame = {"type": "approval", "run_id": asked["run_id"], "tool_use_id": asked["tool_use_id"]}
        other.send(**frame, decision="approve")
        assert other.until("error")["code"] == "nothing_to_decide"
        chat.send(**frame, decision="deny")
        chat.end()
    assert mailer.sent == []


def test_who_comes_back_sees_what_waits(stack: Instance, mailer: Mailer) -> None:
    with chatting(stack, mailer.agent_id) as chat:
        asked = ask(chat)
    with chatting(stack, mailer.agent_id) as chat:
        for _ in range(3):
            chat.send(type="resume", conversation_id=asked["conversation_id"])
            snapshot, again = chat.until("content_snapshot"), chat.until("approval_required")
            assert snapshot["status"] == "running"
            names = ("tool_use_id", "tool_name", "input", "expires_at", "step_id")
            assert [again[name] for name in names] == [asked[name] for name in names]
        chat.send(type="approval", run_id=asked["run_id"], tool_use_id=asked["tool_use_id"], decision="approve")
        assert chat.end()["content"] == "It is done."
    assert len(mailer.sent) == 1


def test_cancelled_while_it_waits(stack: Instance, mailer: Mailer) -> None:
    with chatting(stack, mailer.agent_id) as chat:
        asked = ask(chat)
        chat.send(type="cancel", conversation_id=asked["conversation_id"])
        assert chat.end(10)["type"] == "run_cancelled"
    run = mailer.run(asked["run_id"])
    assert (run["status"], run["approvals"][0]["status"]) == ("cancelled", "cancelled")
    assert mailer.sent == []


def test_it_waits_through_a_restart_with_messages_behind_it(stack: Instance, mailer: Mailer) -> None:
    with chatting(stack, mailer.agent_id) as chat:
        asked = ask(chat)
        chat.say("/say And me?", conversation_id=asked["conversation_id"])
        assert chat.until("message_accepted")["queued"]
    stack.restart()
    rest = Rest(stack.url)
    mailer = Mailer(rest, mailer.agent_id, mailer.api)
    with chatting(stack, mailer.agent_id) as chat:
        chat.send(type="resume", conversation_id=asked["conversation_id"])
        assert chat.until("approval_required")["tool_use_id"] == asked["tool_use_id"]
        assert mailer.decide(asked["run_id"], asked["tool_use_id"], decision="approve").status == 200
        assert chat.end()["content"] == "It is done."
        assert chat.end()["content"] == "And me?"
    assert len(mailer.sent) == 1
