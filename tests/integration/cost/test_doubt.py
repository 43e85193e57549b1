"""Servers that say of tokens what cannot be, or nothing: no price, no number below nothing, and budgets that hold."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.integration.cost.audit import Audit
from tests.integration.cost.test_lines import GPT, SONNET, gemini, gpt
from tests.integration.cost.vendor import Reply
from tests.integration.rest import AGENTS

LLAMA = "llama-3"
ANSWER = "A long answer. " * 400  # 6,000 bytes


def chat(all_in: Any, read: Any, out: Any) -> dict[str, Any]:
    return {"prompt_tokens": all_in, "prompt_tokens_details": {"cached_tokens": read}, "completion_tokens": out}


ODD = {
    "cached beside the prompt": ("openai_compatible", LLAMA, chat(10, 5_000, 3)),
    "negative": ("openai_compatible", LLAMA, chat(-5, 0, -7)),
    "huge": ("openai_compatible", LLAMA, chat(10**15, 0, 10**17)),
    "nothing, with a price": ("openai_compatible", LLAMA, {}),
    "more cached and thought than there is": ("openai", GPT, gpt(10, 500, 0, 3, 90)),
    "nothing, responses": ("openai", GPT, {}),
    "nothing, messages": ("anthropic", SONNET, {}),
    "nothing, google": ("google", "gemini-2.5-flash", {}),
    "cached, google": ("google", "gemini-2.5-flash", gemini(10, 500, 3)),
}


@pytest.fixture
def priced(audit: Audit) -> Iterator[None]:
    """A tenant's own price, whose cached tokens are free."""
    llama = {"provider": "openai_compatible", "model": "llama*", "input": "10", "cached_input": "0", "output": "20"}
    assert audit.rest("PUT", "/api/v1/prices", {"prices": [llama]}).status == 200
    audit.forget()
    yield
    assert audit.rest("PUT", "/api/v1/prices", {"prices": []}).status == 200
    audit.forget()


def until(happened: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while not (found := happened()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)
    return found


@pytest.mark.parametrize("case", ODD)
@pytest.mark.usefixtures("priced")
def test_what_cannot_be_has_no_price_and_is_below_nothing_nowhere(audit: Audit, case: str) -> None:
    provider, model, raw = ODD[case]
    agent = audit.agent(provider, model)
    audit.vendor.play(**{model.replace("-", "_").replace(".", "__"): [Reply(raw)]})
    run = audit.run(audit.ask(agent)["run_id"])
    unknown = {"amount_nanousd": None, "unpriced_steps": 1}
    [step] = run["steps"]
    assert (run["status"], run["cost"], step["cost"], step["price"]) == ("completed", unknown, unknown, None)
    used = step["usage"]
    assert 0 < used["input_tokens"] < 5_000
    assert 0 < used["output_tokens"] < 100
    assert 0 <= used["cache_read_tokens"] + used["cache_write_tokens"] <= used["input_tokens"]
    assert 0 <= used["reasoning_tokens"] <= used["output_tokens"]
    assert until(lambda: (total := audit.usage(agent)["total"])["runs"] and total)["usage"] == used


def test_a_budget_in_tokens_holds_for_a_server_that_does_not_count(audit: Audit) -> None:
    agent = audit.agent("openai_compatible", LLAMA)
    assert audit.rest("PUT", f"{AGENTS}/{agent}/budget", {"agent_day": {"tokens": 14_000}}).status == 200
    audit.vendor.play(llama_3=[Reply({}, text=ANSWER)] * 9)
    ends = [audit.ask(agent)]
    while ends[-1]["type"] == "message_complete":
        ends.append(audit.ask(agent))
    assert ends[-1]["code"] == "budget_exceeded", ends[-1]
    answered = len(ends) - 1
    assert len(audit.vendor.asked) == answered in (2, 3)
    spent = audit.rest("GET", f"{AGENTS}/{agent}/budget").json["state"]["agent_day"]["used"]
    assert spent["tokens"] >= answered * len(ANSWER) // 4
    sums = audit.usage(agent, runs=len(ends))["total"]["usage"]
    assert spent == {"tokens": sums["input_tokens"] + sums["output_tokens"], "amount_nanousd": 0}
