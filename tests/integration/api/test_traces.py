"""Traces, usage and messages by REST, on the running stack."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from local.testing import Instance
from tests.integration.chat import chatting
from tests.integration.rest import AGENTS, Rest, check_problem

API = "/api/v1"
SECONDS = 30.0
OVER = ("completed", "failed", "cancelled")


@pytest.fixture
def rest(stack: Instance) -> Rest:
    return Rest(stack.url)


def until(rest: Rest, run_id: str, *wanted: str) -> dict[str, Any]:
    """The run, once its status is one of these."""
    deadline = time.monotonic() + SECONDS
    while True:
        run: dict[str, Any] = rest("GET", f"{API}/runs/{run_id}").json
        if run["status"] in wanted:
            return run
        assert time.monotonic() < deadline, run
        time.sleep(0.05)


def say(rest: Rest, agent_id: str, content: str, **more: Any) -> dict[str, Any]:
    answer = rest("POST", f"{AGENTS}/{agent_id}/messages", {"content": content, **more})
    assert answer.status == 202, answer.body
    assert answer.headers["location"] == f"{API}/runs/{answer.json['run_id']}"
    told: dict[str, Any] = answer.json
    return told


def test_a_run_with_a_tool_is_told_step_by_step(rest: Rest) -> None:
    agent = rest.create()["id"]
    accepted = say(rest, agent, '/tool calculator {"expression": "6*7"}\n/say done')
    run = until(rest, accepted["run_id"], *OVER)
    first, tool, last = run["steps"]
    assert [step["kind"] for step in run["steps"]] == ["model", "tool", "model"]
    assert (first["provider"], first["model"], first["stop_reason"]) == ("scripted", "script", "tool_use")
    assert (tool["tool_name"], tool["input"], tool["status"]) == ("calculator", {"expression": "6*7"}, "succeeded")
    assert "42" in str(tool["result"])
    assert last["text"].endswith("done")
    assert last["price"]["source"] == "nobody"
    assert run["usage"] == {name: first["usage"][name] + last["usage"][name] for name in run["usage"]}
    assert run["cost"] == {"amount_nanousd": 0, "unpriced_steps": 0}
    assert (run["agent_id"], run["version"], run["error"]) == (agent, 1, None)
    assert run["duration_ms"] >= run["first_token_ms"] >= 0
    assert run["created_at"] <= run["started_at"] <= run["finished_at"]
    (listed,) = rest.all(f"{AGENTS}/{agent}/runs")
    assert listed == {name: value for name, value in run.items() if name not in ("steps", "approvals")}
    assert rest.all(f"{API}/conversations/{accepted['conversation_id']}/runs") == [listed]
    conversation = rest("GET", f"{API}/conversations/{accepted['conversation_id']}").json
    assert (conversation["runs"], conversation["usage"], conversation["cost"]) == (1, run["usage"], run["cost"])


def test_what_is_long_is_cut_and_says_where_all_of_it_is(rest: Rest) -> None:
    agent = rest.create()["id"]
    run = until(rest, say(rest, agent, "/say " + "é" * 5_000)["run_id"], *OVER)
    (step,) = run["steps"]
    assert len(step["text"].encode()) <= 4_096
    assert step["whole"] == f"{API}/runs/{run['id']}/steps/1"


def test_a_run_can_be_seen_and_cancelled_while_it_goes_on_and_while_it_waits(rest: Rest) -> None:
    agent = rest.create()["id"]
    first = say(rest, agent, "/wait 60000")
    second = say(rest, agent, "/say later", conversation_id=first["conversation_id"])
    assert second["queued"]
    assert until(rest, first["run_id"], "running")["finished_at"] is None
    assert until(rest, second["run_id"], "queued")["usage"]["output_tokens"] == 0
    runs = f"{AGENTS}/{agent}/runs"
    assert [run["id"] for run in rest.all(f"{runs}?status=running")] == [first["run_id"]]
    assert [run["id"] for run in rest.all(f"{runs}?status=queued")] == [second["run_id"]]
    for waiting in (second, first):
        answer = rest("POST", f"{API}/runs/{waiting['run_id']}/cancel")
        assert (answer.status, answer.json["run_id"]) == (202, waiting["run_id"])
        assert until(rest, waiting["run_id"], *OVER)["status"] == "cancelled"
        check_problem(rest("POST", f"{API}/runs/{waiting['run_id']}/cancel"), 409, "nothing_to_cancel")
    assert len(rest.all(f"{runs}?status=cancelled")) == 2


def test_runs_are_filtered_and_paged(rest: Rest) -> None:
    agent = rest.create()["id"]
    conversation = say(rest, agent, "/say 0")["conversation_id"]
    failing = say(rest, agent, "/error auth", conversation_id=conversation)
    ids = [say(rest, agent, f"/say {n}", conversation_id=conversation)["run_id"] for n in range(3)]
    failed = until(rest, failing["run_id"], *OVER)
    for run_id in ids:
        until(rest, run_id, *OVER)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "provider_auth")
    assert failed["steps"][0]["error_code"] == "provider_auth"
    for place in (f"{AGENTS}/{agent}/runs", f"{API}/conversations/{conversation}/runs"):
        everything = rest.all(place, limit=2)
        assert len(everything) == 5
        assert [run["id"] for run in everything[:3]] == ids[::-1]
        for query in ("status=failed", "error_code=provider_auth", "status=failed&error_code=provider_auth"):
            assert [run["id"] for run in rest.all(f"{place}?{query}", limit=1)] == [failing["run_id"]]
        assert rest.all(f"{place}?status=cancelled") == []
        moment = quote(failed["created_at"])
        later, earlier = rest.all(f"{place}?from={moment}"), rest.all(f"{place}?to={moment}")
        assert later + earlier == everything
        assert later[-1]["id"] == failing["run_id"]


BAD = {
    "status=over": "query/status",
    "error=true": "query/error",
    "limit=1&Limit=2": "query/Limit",
    "from=2026-11-23T00:00:01Z&to=2026-11-23T00:00:00Z": "query/from",
    "from=yesterday": "query/from",
    "from=1700000000": "query/from",
    "to=2026-11-23T00:00:00+01:00": "query/to",  # a bare + is a space
    "cursor=abc": "query/cursor",
    "limit=0": "query/limit",
}


@pytest.mark.parametrize("query", BAD)
def test_a_filter_that_is_wrong_is_explained(rest: Rest, query: str) -> None:
    problem = check_problem(rest("GET", f"{AGENTS}/{rest.create()['id']}/runs?{query}"), 422, "validation_failed")
    assert [fault["pointer"] for fault in problem["errors"]] == [BAD[query]]


def test_what_is_said_twice_is_answered_once(rest: Rest) -> None:
    agent = rest.create()["id"]
    path, key = f"{AGENTS}/{agent}/messages", {"Idempotency-Key": "once"}
    first, again = (rest("POST", path, {"content": "/say hi"}, headers=key) for _ in range(2))
    assert (first.status, again.status) == (202, 202)
    assert again.json["run_id"] == first.json["run_id"]
    check_problem(rest("POST", path, {"content": "/say other"}, headers=key), 422, "idempotency_mismatch")
    elsewhere = {"content": "/say hi", "conversation_id": "cnv_01ARZ3NDEKTSV4RRFFQ69G5FAV"}
    check_problem(rest("POST", path, elsewhere, headers=key), 422, "idempotency_mismatch")
    both = {"content": "/say hi", "client_message_id": "c"}
    check_problem(rest("POST", path, both, headers=key), 422, "validation_failed")
    check_problem(rest("POST", path, {"content": "  "}), 422)
    check_problem(rest("POST", path, {}), 422, "validation_failed")
    check_problem(rest("POST", path, elsewhere), 404, "conversation_not_found")
    assert len(rest.all(f"{AGENTS}/{agent}/runs")) == 1


def test_usage_adds_up_to_the_runs(rest: Rest, stack: Instance) -> None:
    agent = rest.create()["id"]
    with chatting(stack, agent) as chat:
        chat.ask('/tool calculator {"expression": "1+1"}\n/say one')
        chat.ask("/tool calculator {}\n/tool made_up {}\n/say two")
        chat.ask("/error auth")
    runs = rest.all(f"{AGENTS}/{agent}/runs")
    today = datetime.now(UTC).date().isoformat()
    place = f"{API}/usage?agent_id={agent}"
    deadline = time.monotonic() + SECONDS
    while (usage := rest("GET", place).json)["total"]["runs"] < len(runs):  # added beside the end of a run
        assert time.monotonic() < deadline, usage
        time.sleep(0.05)
    total = usage["total"]
    assert usage["to"] == today
    assert [item["day"] for item in usage["items"]] == [today]
    assert usage["items"][0] == {**total, "day": today}
    assert (total["runs"], total["completed"], total["errors"]) == (3, 2, 1)
    assert (total["calls"], total["tool_calls"], total["tool_errors"]) == (5, 3, 2)
    for name in total["usage"]:
        assert total["usage"][name] == sum(run["usage"][name] for run in runs)
    assert total["duration_ms"]["p50"] <= total["duration_ms"]["p99"]
    (model,) = rest("GET", f"{place}&group_by=model").json["items"]
    assert (model["provider"], model["model"], model["runs"], model["calls"]) == ("scripted", "script", 3, 5)
    assert (model["usage"], model["cost"], model["errors"]) == (total["usage"], total["cost"], 1)
    assert rest("GET", f"{place}&group_by=model&per_day=true").json["items"] == [{**model, "day": today}]
    other, tool = sorted(rest("GET", f"{place}&group_by=tool").json["items"], key=lambda item: item["tool_name"])
    assert (tool["tool_name"], tool["calls"], tool["errors"], tool["success_rate"]) == ("calculator", 2, 1, 0.5)
    assert (other["tool_name"], other["calls"], other["errors"]) == ("(other)", 1, 1), (
        "what a model makes up is no tool"
    )
    by_agent = rest("GET", f"{API}/usage?group_by=agent").json["items"]
    (mine,) = [item for item in by_agent if item["agent_id"] == agent]
    assert mine == {**total, "agent_id": agent}


WRONG = {
    "from=2026-02-30": "query/from",
    "form=2026-02-01": "query/form",
    "from=0": "query/from",
    "from=2026-11-02&to=2026-11-01": "query/from",
    "from=2026-01-01&to=2026-04-03": "query/to",
    "agent_id=x": "query/agent_id",
    "group_by=hour": "query/group_by",
    "per_day=perhaps": "query/per_day",
    "agent_id=agt_01ARZ3NDEKTSV4RRFFQ69G5FAV&group_by=agent": "query/group_by",
}


@pytest.mark.parametrize("query", WRONG)
def test_a_question_about_usage_that_is_wrong_is_explained(rest: Rest, query: str) -> None:
    problem = check_problem(rest("GET", f"{API}/usage?{query}"), 422, "validation_failed")
    assert [fault["pointer"] for fault in problem["errors"]] == [WRONG[query]]


def test_usage_up_to_the_first_day_that_there_is(rest: Rest) -> None:
    for day in ("0001-01-01", "0001-01-29"):
        answer = rest("GET", f"{API}/usage?to={day}")
        assert (answer.status, answer.json["from"], answer.json["to"]) == (200, "0001-01-01", day)


@pytest.mark.parametrize("amount", ["", ".", "1.", ".5", "-1", "1e3", "1000000", "0.1234567891", "1\n", "\u0661"])
def test_what_is_no_price_is_explained_in_words(rest: Rest, amount: str) -> None:
    price = {"provider": "openai_compatible", "model": "x", "input": amount, "output": "1"}
    problem = check_problem(rest("PUT", f"{API}/prices", {"prices": [price]}), 422, "validation_failed")
    assert [fault["pointer"] for fault in problem["errors"]] == ["/prices/0/input"]
    assert 'such as "0.15"' in problem["errors"][0]["message"]
