"""Budgets on the running stack: reached, raised, shared by runs at once and by what they ask, and through kills."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.testing import Instance, running_stack
from tests.integration.budgets.vendor import OUTPUT, USED, Vendor
from tests.integration.chat import Chat, chatting, is_terminal
from tests.integration.rest import AGENTS, Rest
from tests.integration.runner.workers import kill_workers
from tests.integration.tools.api import Api, serving

TOKEN = 1_000_000  # nano-dollars; $1,000 for a million
NO_MONEY = {"amount_nanousd": 0, "tokens": 0}


@pytest.fixture(scope="module")
def stack() -> Iterator[Instance]:
    """It retries when a lease has ended, as AWS does after a minute."""
    with running_stack(env={"LOOPBACK_TOOLS": "1"}, arguments=["--retry-delays", "16,16"]) as instance:
        yield instance


@pytest.fixture(scope="module")
def rest(stack: Instance) -> Rest:
    rest = Rest(stack.url)
    price = {"provider": "openai_compatible", "model": "priced*", "input": "1000", "output": "1000"}
    assert rest("PUT", "/api/v1/prices", {"prices": [price]}).status == 200
    return rest


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
def server(vendor: Vendor) -> Iterator[Api]:
    with serving(vendor.play) as server:
        yield server
        vendor.free.set()


@pytest.fixture
def agent(rest: Rest, server: Api) -> Callable[..., str]:
    """Makes agents; answers with their ids."""

    def make(model: str = "priced", max_tokens: int = OUTPUT, **fields: Any) -> str:
        wanted = {"builtin_tools": [], "model_config": config(server, model, max_tokens), **fields}
        return str(rest.create(**wanted)["id"])

    return make


def config(server: Api, model: str, max_tokens: int = OUTPUT) -> dict[str, Any]:
    url = f"{server.url}/v1"
    return {"provider": "openai_compatible", "model": model, "base_url": url, "max_tokens": max_tokens}


def put(rest: Rest, agent_id: str, **budgets: Any) -> dict[str, Any]:
    answer = rest("PUT", f"{AGENTS}/{agent_id}/budget", budgets)
    assert answer.status == 200, answer.body
    told: dict[str, Any] = answer.json
    return told


def day(rest: Rest, agent_id: str) -> dict[str, Any]:
    state: dict[str, Any] = rest("GET", f"{AGENTS}/{agent_id}/budget").json["state"]["agent_day"]
    return state


def usage(rest: Rest, agent_id: str) -> tuple[int, int, int]:
    """What the ledger says of an agent's runs: tokens, money, calls of unknown price."""
    total = rest("GET", f"/api/v1/usage?agent_id={agent_id}").json["total"]
    tokens = total["usage"]["input_tokens"] + total["usage"]["output_tokens"]
    return tokens, total["cost"]["amount_nanousd"] or 0, total["cost"]["unpriced_steps"]


def wait_for(happened: Callable[[], Any], seconds: float = 60.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := happened()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)
    return found


def refused(rest: Rest, chat: Chat, vendor: Vendor, *, of: str) -> dict[str, Any]:
    """That a message is answered with `budget_exceeded` and no model is asked; its frame."""
    before = len(vendor.asked)
    end = chat.ask("Again")
    assert (end["type"], end["code"], end["retryable"]) == ("error", "budget_exceeded", False), end
    assert len(vendor.asked) == before, "no model was asked"
    assert of in end["error"]
    run = rest("GET", f"/api/v1/runs/{end['run_id']}").json
    assert (run["status"], run["error"]) == ("failed", {"code": "budget_exceeded", "detail": end["error"]})
    listed = rest("GET", f"/api/v1/conversations/{run['conversation_id']}/runs?error_code=budget_exceeded").json[
        "items"
    ]
    assert [item["id"] for item in listed] == [run["id"]]
    said = rest("GET", f"/api/v1/conversations/{run['conversation_id']}/messages").json["items"][0]
    assert (said["role"], said["status"]) == ("assistant", "failed")
    return end


def spend(chat: Chat, most: int) -> dict[str, Any]:
    """Ask until it is refused; the frame."""
    for _ in range(most):
        end = chat.ask("Again")
        if end["type"] == "error":
            return end
    raise AssertionError("it was never refused")


@pytest.mark.parametrize("budget", [{"amount_nanousd": 130 * TOKEN}, {"tokens": 130}])
def test_a_day_of_an_agent(stack: Instance, rest: Rest, vendor: Vendor, agent: Any, budget: dict[str, int]) -> None:
    mine, other = agent(), agent()
    put(rest, mine, agent_day=budget)
    with chatting(stack, mine) as chat:
        end = spend(chat, 5)
        assert (end["type"], end["code"]) == ("error", "budget_exceeded")
        calls = len(vendor.asked)
        assert calls in (3, 4), "as many as there is room for"
        end = refused(rest, chat, vendor, of="this agent and day (")
        assert "when an owner raises it" in end["error"]
        state = wait_for(lambda: day(rest, mine) if day(rest, mine)["held"] == NO_MONEY else None)
        assert state["free_at"] in end["error"]
        assert state["used"] == {"tokens": calls * USED, "amount_nanousd": calls * USED * TOKEN}
        wait_for(lambda: usage(rest, mine) == (calls * USED, calls * USED * TOKEN, 0))
        assert state["warned_at"] is not None, "who is refused was warned"
        with chatting(stack, other) as free:
            assert free.ask("Go")["type"] == "message_complete"
        more = {name: amount * 10 for name, amount in budget.items()}
        assert put(rest, mine, agent_day=more)["state"]["agent_day"]["used"] == state["used"], "it goes on counting"
        wait_for(lambda: chat.ask("Go on")["type"] == "message_complete")


def test_a_warning_at_80_percent_is_told_to_the_operator_once(stack: Instance, rest: Rest, agent: Any) -> None:
    mine = agent()
    put(rest, mine, agent_day={"tokens": 10 * USED})
    with chatting(stack, mine) as chat:
        for _ in range(8):
            assert day(rest, mine)["warned_at"] is None
            assert chat.ask("Go")["type"] == "message_complete"
        wait_for(lambda: day(rest, mine)["warned_at"])
        assert chat.ask("Go")["type"] == "message_complete"
    lines = [line for line in stack.function_log().splitlines() if "budget_warning" in line and mine in line]
    assert len(lines) == 1
    assert '"BudgetWarnings"' in stack.function_log()


def test_a_run_has_its_own(stack: Instance, rest: Rest, vendor: Vendor, agent: Any) -> None:
    mine = agent()
    put(rest, mine, run={"tokens": USED - 1})
    with chatting(stack, mine) as chat:
        end = refused(rest, chat, vendor, of=f"the budget for one run ({USED - 1} tokens)")
        assert "may need" in end["error"]
        assert "set a smaller `max_tokens` for the agent" in end["error"]
    assert vendor.asked == []


def test_zero_is_nothing_at_all_and_unknown_prices_count_tokens_only(
    stack: Instance, rest: Rest, vendor: Vendor, agent: Any
) -> None:
    closed, unknown = agent(), agent(model="unknown")
    put(rest, closed, agent_day={"tokens": 0})
    put(rest, unknown, agent_day={"amount_nanousd": 1, "tokens": 2 * USED})
    with chatting(stack, closed) as chat:
        refused(rest, chat, vendor, of="(0 tokens)")
    with chatting(stack, unknown) as chat:
        assert chat.ask("Go")["type"] == "message_complete"
        spend(chat, 2)
    wait_for(lambda: usage(rest, unknown) == (len(vendor.asked) * USED, 0, len(vendor.asked)))


def test_many_runs_at_once_never_get_more_than_there_is(
    stack: Instance, rest: Rest, vendor: Vendor, agent: Any
) -> None:
    mine, limit = agent(), 8 * USED
    put(rest, mine, agent_day={"tokens": limit, "amount_nanousd": limit * TOKEN})
    vendor.free.clear()

    def say(number: int) -> str:
        answer = rest("POST", f"{AGENTS}/{mine}/messages", {"content": f"Number {number}"})
        assert answer.status == 202, answer.body
        return str(answer.json["run_id"])

    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(say, range(24)))
        wait_for(lambda: vendor.asked)
        held = day(rest, mine)
        vendor.free.set()
        ends = [wait_for(lambda run=run: ended(rest, run), 120) for run in runs]
    assert {(end["status"], (end["error"] or {}).get("code")) for end in ends} == {
        ("completed", None),
        ("failed", "budget_exceeded"),
    }
    answered = sum(end["status"] == "completed" for end in ends)
    assert answered == len(vendor.asked) <= 8
    assert 0 < held["held"]["tokens"] <= limit
    wait_for(lambda: day(rest, mine)["held"] == NO_MONEY)
    assert day(rest, mine)["used"] == {"tokens": answered * USED, "amount_nanousd": answered * USED * TOKEN}
    wait_for(lambda: usage(rest, mine) == (answered * USED, answered * USED * TOKEN, 0))


def ended(rest: Rest, run_id: str) -> dict[str, Any] | None:
    run: dict[str, Any] = rest("GET", f"/api/v1/runs/{run_id}").json
    return run if run["status"] in ("completed", "failed") else None


# ---------------------------------------------------------------- inside of calls


def give_tool(rest: Rest, server: Api, agent: Any, root: str, kind: str, max_tokens: int) -> None:
    """A tool that asks a model, one way or the other."""
    asked = config(server, "priced-inside", max_tokens)
    schema = {"type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"]}
    tool: dict[str, Any] = {"name": "helper", "kind": kind}
    if kind == "agent":
        tool["target_agent_id"] = agent(model="priced-inside", max_tokens=max_tokens, name="Helper")
    elif kind == "llm":
        tool |= {"instructions": "Help.", "input_schema": schema, "model_config": asked}
    else:
        tool |= {"kind": "http", "base_url": server.url, "path": "/nothing", "input_schema": {"type": "object"}}
        tool |= {"method": "GET", "effect": "read", "enhancement": {"after": "Shorter.", "model_config": asked}}
    answer = rest("POST", f"{AGENTS}/{root}/tools", tool)
    assert answer.status == 201, answer.body


@pytest.mark.parametrize("kind", ["agent", "llm", "enhancement"])
def test_what_is_asked_inside_of_calls_counts_for_the_run(
    stack: Instance, rest: Rest, vendor: Vendor, server: Api, agent: Any, kind: str
) -> None:
    root = agent()
    give_tool(rest, server, agent, root, kind, OUTPUT)
    put(rest, root, agent_day={"tokens": 1_000_000})
    with chatting(stack, root) as chat:
        end = chat.ask("Go")
    assert end["type"] == "message_complete", end
    models = [name for name in vendor.asked if name.startswith("priced")]
    assert models == ["priced", "priced-inside", "priced"]
    wait_for(lambda: day(rest, root)["held"] == NO_MONEY)
    assert day(rest, root)["used"] == {"tokens": 3 * USED, "amount_nanousd": 3 * USED * TOKEN}
    assert end["cost"] == {"amount_nanousd": 3 * USED * TOKEN, "unpriced_steps": 0}


@pytest.mark.parametrize("kind", ["agent", "llm", "enhancement"])
@pytest.mark.parametrize("scope", ["run", "agent_day"])
def test_without_room_inside_of_a_call_the_run_ends_and_says_so(
    stack: Instance, rest: Rest, vendor: Vendor, server: Api, agent: Any, kind: str, scope: str
) -> None:
    root = agent()
    give_tool(rest, server, agent, root, kind, 5_000)
    put(rest, root, **{scope: {"tokens": 5_000}})
    with chatting(stack, root) as chat:
        end = chat.ask("Go")
    assert (end["type"], end["code"]) == ("error", "budget_exceeded"), end
    assert ("one run" if scope == "run" else "this agent and day") in end["error"]
    assert [name for name in vendor.asked if name.startswith("priced")] == ["priced"], "not once more"
    run = rest("GET", f"/api/v1/runs/{end['run_id']}").json
    assert [(step["kind"], step["tool_name"] if step["kind"] == "tool" else None) for step in run["steps"]] == [
        ("model", None),
        ("tool", "helper"),
    ]
    assert run["cost"]["amount_nanousd"] == USED * TOKEN
    if kind != "enhancement":
        assert "the budget for" in run["steps"][1]["error"]


@pytest.mark.parametrize("kind", ["agent", "llm", "enhancement"])
def test_a_test_of_a_tool_counts_as_a_run_does(rest: Rest, vendor: Vendor, server: Api, agent: Any, kind: str) -> None:
    root = agent()
    give_tool(rest, server, agent, root, kind, OUTPUT)
    (tool,) = rest("GET", f"{AGENTS}/{root}/tools").json["items"]
    arguments = {} if kind == "enhancement" else {"message": "go"}

    def tried() -> dict[str, Any]:
        answer = rest("POST", f"/api/v1/tools/{tool['id']}/test", {"arguments": arguments})
        assert answer.status == 200, answer.body
        test: dict[str, Any] = answer.json
        return test

    put(rest, root, agent_day={"tokens": 1_000_000})
    told = tried()
    assert told["error"] is None
    assert told["cost"] == {"amount_nanousd": USED * TOKEN, "unpriced_steps": 0}
    assert day(rest, root)["held"] == NO_MONEY
    assert day(rest, root)["used"] == {"tokens": USED, "amount_nanousd": USED * TOKEN}
    assert usage(rest, root) == (USED, USED * TOKEN, 0)
    total = rest("GET", f"/api/v1/usage?agent_id={root}").json["total"]
    assert (total["runs"], total["tests"], total["calls"]) == (0, 1, 1)
    (model,) = rest("GET", f"/api/v1/usage?agent_id={root}&group_by=model").json["items"]
    assert (model["model"], model["runs"], model["tests"], model["calls"]) == ("priced-inside", 0, 1, 1)
    for budget in ("run", "agent_day"):
        put(rest, root, **{budget: {"amount_nanousd": USED * TOKEN}})
        wait_for(lambda: tried()["error"], 30)  # the budgets of a moment ago may be in force for ten seconds
        told, before = tried(), len(vendor.asked)
        assert told["error"]["code"] == "budget_exceeded", told
        assert tried()["error"]["outcome_unknown"] is False
        assert len(vendor.asked) == before, "no model was asked"
    assert usage(rest, root) == (len(vendor.asked) * USED, len(vendor.asked) * USED * TOKEN, 0)


# ---------------------------------------------------------------- killed, and the tenant's


@pytest.mark.timeout(150)
@pytest.mark.parametrize("kind", ["", "agent"])
def test_a_runner_that_is_killed_holds_nothing_for_ever(
    stack: Instance, rest: Rest, vendor: Vendor, server: Api, agent: Any, kind: str
) -> None:
    root = agent()
    if kind:
        give_tool(rest, server, agent, root, kind, OUTPUT)
    put(rest, root, agent_day={"tokens": 1_000_000})
    wanted = vendor.holds = 2 if kind else 1
    with chatting(stack, root) as chat:
        chat.say("Go")
        accepted = chat.until("message_accepted")
        wait_for(lambda: len(vendor.asked) == wanted)
        assert day(rest, root)["held"]["tokens"] > OUTPUT
        assert kill_workers(stack)
        vendor.free.set()
        while not is_terminal(chat.frames[-1]):
            try:
                chat.next(seconds=5)
            except TimeoutError:
                chat.send(type="resume", conversation_id=accepted["conversation_id"])
        end = chat.frames[-1]
    assert end["type"] == "message_complete", end
    settled = len(vendor.asked) - 1
    assert end["cost"] == {"amount_nanousd": settled * USED * TOKEN, "unpriced_steps": 1}
    wait_for(lambda: day(rest, root)["held"] == NO_MONEY)
    assert day(rest, root)["used"]["tokens"] == settled * USED
    wait_for(lambda: usage(rest, root) == (settled * USED, settled * USED * TOKEN, 1))


def test_a_month_of_the_tenant(stack: Instance, rest: Rest, vendor: Vendor, agent: Any) -> None:
    mine = agent()
    total = rest("GET", "/api/v1/usage").json["total"]
    before = total["usage"]["input_tokens"] + total["usage"]["output_tokens"]
    answer = rest("PUT", "/api/v1/budgets", {"tenant_month": {"tokens": before + 4 * USED}})
    assert answer.status == 200, answer.body
    try:
        with chatting(stack, mine) as chat:
            ends = wait_for(lambda: (end := chat.ask("Go"))["type"] == "error" and end)
            assert ends["code"] == "budget_exceeded"
            refused(rest, chat, vendor, of="this tenant and month (")
            with chatting(stack, agent()) as other:
                refused(rest, other, vendor, of="this tenant and month (")
            state = rest("GET", "/api/v1/budgets").json["state"]["tenant_month"]
            assert state["warned_at"], state
            assert state["held"] == NO_MONEY
            raised = {"tenant_month": {"tokens": state["used"]["tokens"] + 100 * USED}}
            assert rest("PUT", "/api/v1/budgets", raised).status == 200
            wait_for(lambda: chat.ask("Go on")["type"] == "message_complete")
    finally:
        assert rest("PUT", "/api/v1/budgets", {}).status == 200
