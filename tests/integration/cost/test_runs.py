"""Whole runs: every step that was billed is in the sum once, whatever became of the run."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.chat import chatting, is_terminal
from tests.integration.cost.audit import LOST, Audit, line
from tests.integration.cost.test_lines import CHAT, FLASH, GPT, SONNET, claude, gemini, gpt
from tests.integration.cost.vendor import Reply

LLAMA = "llama-3"
WIRES: dict[str, tuple[str, tuple[dict[str, Any], ...]]] = {
    "anthropic": (SONNET, (claude(900, 0, 800, 40), claude(7, 800, 60, 31), claude(9, 860, 0, 5))),
    "openai": (GPT, (gpt(900, 0, 0, 140, 128), gpt(1_040, 896, 0, 31), gpt(1_071, 1_024, 0, 5))),
    "google": (FLASH, (gemini(900, 0, 40, 128), gemini(1_040, 896, 31), gemini(1_071, 1_024, 5, 1))),
    "openai_compatible": (
        LLAMA,
        (CHAT, {**CHAT, "prompt_tokens": 2_000}, {"prompt_tokens": 1, "completion_tokens": 2}),
    ),
}
SUM = ("calculator", {"expression": "6 * 7"})
OTHER_SUM = ("calculator", {"expression": "6 * 8"})


def named(model: str) -> str:
    return model.replace("-", "_").replace(".", "__")


@pytest.mark.parametrize("provider", WIRES)
def test_several_steps_with_tools(audit: Audit, provider: str) -> None:
    model, raws = WIRES[provider]
    agent = audit.agent(provider, model)
    replies = [Reply(raws[0], calls=(SUM, OTHER_SUM)), Reply(raws[1], calls=(SUM,)), Reply(raws[2])]
    audit.vendor.play(**{named(model): replies})
    prices = None if provider == "openai_compatible" else model
    run = audit.check(agent, audit.ask(agent), [line(provider, raw, prices) for raw in raws])
    assert run["status"] == "completed"
    assert [step["cost"] for step in run["steps"] if step["kind"] == "tool"] == [None] * 3


def test_agents_and_models_inside_calls_are_in_the_sum_once(audit: Audit) -> None:
    helper = audit.agent("openai", GPT, name="Helper")
    schema = {"type": "object", "properties": {"text": {"type": "string"}}}
    summary = {"kind": "llm", "name": "summary", "instructions": "Sum up.", "input_schema": schema}
    agent = audit.agent(
        "anthropic",
        SONNET,
        {"kind": "agent", "name": "helper", "target_agent_id": helper},
        {**summary, "model_config": {"provider": "google", "model": FLASH}},
    )
    asks = (("helper", {"message": "please"}), ("summary", {"text": "long"}))
    first, last = claude(900, 0, 800, 40), claude(7, 800, 60, 31)
    inside, inside_last, other = gpt(500, 0, 0, 20, 10), gpt(530, 512, 0, 9), gemini(44, 0, 3, 5)
    audit.vendor.play(
        claude_sonnet_5=[Reply(first, calls=asks[:1]), Reply(last, calls=asks[1:]), Reply(last)],
        gpt_5=[Reply(inside, calls=(SUM,)), Reply(inside_last)],
        gemini_2__5_flash=[Reply(other)],
    )
    lines = [
        line("anthropic", first, SONNET),
        line("openai", inside, GPT),
        line("openai", inside_last, GPT),
        line("anthropic", last, SONNET),
        line("google", other, FLASH),
        line("anthropic", last, SONNET),
    ]
    audit.check(agent, audit.ask(agent), lines)
    assert audit.usage(helper, runs=0)["total"]["cost"]["amount_nanousd"] is None, "it is the asking agent's run"


def test_help_before_and_after_a_call_is_in_the_sum(audit: Audit, answering: str) -> None:
    definition = {"method": "GET", "base_url": answering, "path": "/look", "input_schema": {"type": "object"}}
    help_of = {"model_config": {"provider": "openai", "model": GPT}, "before": "Mend.", "after": "Shorten."}
    tool = {"kind": "http", "name": "look", "effect": "read", "enhancement": help_of, **definition}
    agent = audit.agent("anthropic", SONNET, tool)
    raws = claude(900, 0, 800, 40), gpt(300, 0, 0, 12), gpt(400, 128, 0, 30, 20), claude(7, 800, 60, 31)
    audit.vendor.play(
        claude_sonnet_5=[Reply(raws[0], calls=(("look", {}),)), Reply(raws[3])],
        gpt_5=[Reply(raws[1], text="{}"), Reply(raws[2], text='{"short": 1}')],
    )
    providers = (("anthropic", SONNET), ("openai", GPT), ("openai", GPT), ("anthropic", SONNET))
    lines = [line(provider, raw, model) for (provider, model), raw in zip(providers, raws, strict=True)]
    run = audit.check(agent, audit.ask(agent), lines)
    assert [step["purpose"] for step in run["steps"][1]["steps"]] == ["before", "call", "after"]


@pytest.mark.parametrize("provider", ["anthropic", "openai", "google"])
def test_attempts_that_were_refused_cost_nothing_and_those_that_broke_off_are_unknown(
    audit: Audit, provider: str
) -> None:
    model, (first, *_) = WIRES[provider]
    agent = audit.agent(provider, model)
    refused, silent, drops = Reply(status=503), Reply(first, ends="silent"), Reply(first, ends="drops")
    audit.vendor.play(**{named(model): [refused, Reply(first)]})
    run = audit.check(agent, audit.ask(agent), [line(provider, first, model)])
    assert run["steps"][0]["retries"] == 1

    agent = audit.agent(provider, model)
    audit.vendor.play(**{named(model): [drops, refused, Reply(first)]})
    audit.check(agent, audit.ask(agent), [LOST, line(provider, first, model)])

    agent = audit.agent(provider, model)
    audit.vendor.play(**{named(model): [silent, Reply(first)]})
    run = audit.check(agent, audit.ask(agent), [line(provider, first, model, unpriced=1)])
    assert (run["steps"][0]["retries"], audit.vendor.asked) == (1, [model] * 2)


def test_a_run_that_fails_is_billed_for_what_it_did(audit: Audit) -> None:
    first = claude(900, 0, 800, 40)
    agent = audit.agent("anthropic", SONNET)
    audit.vendor.play(claude_sonnet_5=[Reply(first, calls=(SUM,)), Reply(status=401)])
    run = audit.run(audit.ask(agent)["run_id"])
    cost = {"amount_nanousd": line("anthropic", first, SONNET).amount, "unpriced_steps": 0}
    assert (run["status"], run["cost"], run["steps"][-1]["cost"]) == ("failed", cost, None), (
        "who is refused pays nothing"
    )
    assert audit.usage(agent)["total"]["cost"] == cost


@pytest.mark.parametrize("provider", ["anthropic", "openai", "google", "openai_compatible"])
def test_cancelled_in_the_middle_of_an_answer(audit: Audit, provider: str) -> None:
    model, (first, second, _) = WIRES[provider]
    agent = audit.agent(provider, model)
    audit.vendor.play(**{named(model): [Reply(first, calls=(SUM,)), Reply(second, text="Cut", ends="hangs")]})
    with chatting(audit.stack, agent) as chat:
        chat.say("Go")
        accepted = chat.until("message_accepted")
        while "Cut" not in chat.text(accepted["run_id"]):
            chat.until("content_delta")
        chat.send(type="cancel", conversation_id=accepted["conversation_id"])
        end = chat.until("run_cancelled")
    prices = None if provider == "openai_compatible" else model
    run = audit.check(agent, end, [line(provider, first, prices), LOST])
    assert (run["status"], run["steps"][-1]["error_code"]) == ("cancelled", "cancelled")


@pytest.mark.timeout(150)
def test_a_runner_that_dies_is_billed_once_and_so_is_the_next(audit: Audit) -> None:
    first, second = claude(900, 0, 800, 40), claude(7, 800, 60, 31)
    agent = audit.agent("anthropic", SONNET)
    replies = [Reply(first, calls=(SUM,)), Reply(second, text="Cut", ends="hangs"), Reply(second, text="Whole.")]
    audit.vendor.play(claude_sonnet_5=replies)
    with chatting(audit.stack, agent) as chat:
        chat.say("Go")
        accepted = chat.until("message_accepted")
        while "Cut" not in chat.text(accepted["run_id"]):
            chat.until("content_delta")
        audit.forget()
        while not is_terminal(chat.frames[-1]):
            try:
                chat.next(seconds=5)
            except TimeoutError:
                chat.send(type="resume", conversation_id=accepted["conversation_id"])
        end = chat.frames[-1]
    known = [line("anthropic", raw, SONNET) for raw in (first, second)]
    run = audit.check(agent, end, [known[0], LOST, known[1]])
    lost = run["steps"][2]
    assert (run["status"], lost["error_code"], lost["duration_ms"]) == ("completed", "runner_lost", None)
    assert audit.vendor.asked == [SONNET] * 3


def test_a_conversation_of_priced_and_unpriced_runs(audit: Audit) -> None:
    raws = [claude(900, 0, 800, 40), claude(7, 800, 60, 31)]
    agent = audit.agent("anthropic", SONNET)
    audit.vendor.play(claude_sonnet_5=[Reply(raws[0]), Reply(raws[1], ends="hangs"), Reply(raws[1])])
    with chatting(audit.stack, agent) as chat:
        first = chat.ask("Go")
        chat.say("On", conversation_id=first["conversation_id"])
        while "Said." not in chat.text(chat.until("content_delta")["run_id"]):
            pass
        chat.send(type="cancel", conversation_id=first["conversation_id"])
        chat.until("run_cancelled")
        chat.ask("On", conversation_id=first["conversation_id"])
    amount = sum(line("anthropic", raw, SONNET).amount or 0 for raw in raws)
    cost = {"amount_nanousd": amount, "unpriced_steps": 1}
    conversation = audit.rest("GET", f"/api/v1/conversations/{first['conversation_id']}").json
    assert (conversation["cost"], conversation["runs"]) == (cost, 3)
    for group_by in ("day", "model"):
        report = audit.usage(agent, group_by, runs=3)
        assert report["total"]["cost"] == report["items"][0]["cost"] == cost


def test_a_vendor_that_refuses_every_attempt_was_asked_as_often_as_the_step_says(audit: Audit) -> None:
    agent = audit.agent("anthropic", SONNET)
    audit.vendor.play(claude_sonnet_5=[Reply(status=503)] * 9)
    run = audit.run(audit.ask(agent)["run_id"])
    [step] = run["steps"]
    assert (run["status"], step["status"], step["cost"]) == ("failed", "failed", None)
    assert 1 + step["retries"] == len(audit.vendor.asked) > 1
