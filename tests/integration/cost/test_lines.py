"""One call of a model, on every wire: each kind of token, every tier, and what is paid besides tokens."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.cost.audit import Audit, Line, line
from tests.integration.cost.bill import Rates, anthropic, nano, rates
from tests.integration.cost.vendor import Reply

SONNET, LONG, GPT, ASTRA = "claude-sonnet-5", "claude-sonnet-4-5", "gpt-5", "gpt-6-astra"
GEMINI, FLASH = "gemini-2.5-pro", "gemini-2.5-flash"


def claude(plain: int, read: int, written: int, out: int, *, hour: int = 0, **more: Any) -> dict[str, Any]:
    split = {"ephemeral_5m_input_tokens": written - hour, "ephemeral_1h_input_tokens": hour}
    counts = {"input_tokens": plain, "cache_read_input_tokens": read, "cache_creation_input_tokens": written}
    return {**counts, "cache_creation": split, "output_tokens": out, "service_tier": "standard", **more}


def gpt(all_in: int, read: int, written: int, out: int, thought: int = 0) -> dict[str, Any]:
    return {
        "input_tokens": all_in,
        "input_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
        "output_tokens": out,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": all_in + out,
    }


def gemini(all_in: int, read: int, out: int, thought: int = 0, tools: int = 0) -> dict[str, Any]:
    counts = {"promptTokenCount": all_in, "candidatesTokenCount": out, "totalTokenCount": all_in + out + thought}
    some = {"cachedContentTokenCount": read, "thoughtsTokenCount": thought, "toolUsePromptTokenCount": tools}
    return {**counts, **{name: count for name, count in some.items() if count}}


CASES = {
    "anthropic plain": ("anthropic", SONNET, claude(1_234, 0, 0, 567)),
    "anthropic read": ("anthropic", SONNET, claude(3, 50_001, 0, 77)),
    "anthropic written for minutes": ("anthropic", SONNET, claude(9, 0, 4_321, 5)),
    "anthropic written for an hour": ("anthropic", SONNET, claude(9, 0, 4_321, 5, hour=4_321)),
    "anthropic everything": (
        "anthropic",
        SONNET,
        claude(11, 7_777, 3_001, 901, hour=1_001, output_tokens_details={"thinking_tokens": 500}),
    ),
    "anthropic below the tier": ("anthropic", LONG, claude(1_000, 198_000, 1_000, 999)),
    "anthropic above the tier": ("anthropic", LONG, claude(1_000, 198_000, 1_001, 999, hour=1_000)),
    "anthropic searched": ("anthropic", SONNET, claude(15_665, 0, 0, 795, server_tool_use={"web_search_requests": 3})),
    "openai plain": ("openai", GPT, gpt(1_234, 0, 0, 567)),
    "openai cached": ("openai", GPT, gpt(10_000, 9_984, 0, 3)),
    "openai thought": ("openai", GPT, gpt(51, 0, 0, 900, 896)),
    "openai written": ("openai", ASTRA, gpt(5_000, 2_000, 2_500, 33, 12)),
    "openai below the tier": ("openai", ASTRA, gpt(272_000, 200_000, 1_000, 5)),
    "openai above the tier": ("openai", ASTRA, gpt(272_001, 200_000, 1_000, 5)),
    "google plain": ("google", GEMINI, gemini(1_234, 0, 567)),
    "google cached": ("google", FLASH, gemini(40_000, 39_001, 3)),
    "google thought": ("google", FLASH, gemini(5, 0, 1, thought=100)),
    "google used its tools": ("google", FLASH, gemini(500, 100, 20, thought=7, tools=321)),
    "google below the tier": ("google", GEMINI, gemini(200_000, 150_000, 9, thought=3)),
    "google above the tier": ("google", GEMINI, gemini(200_001, 150_000, 9, thought=3)),
    "google answered nothing": ("google", FLASH, {"promptTokenCount": 17, "totalTokenCount": 17}),
}


def one_call(audit: Audit, provider: str, model: str, reply: Reply, *lines: Line) -> dict[str, Any]:
    agent = audit.agent(provider, model)
    audit.vendor.play(**{model.replace("-", "_").replace(".", "__"): [reply]})
    return audit.check(agent, audit.ask(agent), lines)


@pytest.mark.parametrize("case", CASES)
def test_a_call_costs_what_its_vendor_charges(audit: Audit, case: str) -> None:
    provider, model, raw = CASES[case]
    run = one_call(audit, provider, model, Reply(raw), line(provider, raw, model))
    (step,) = run["steps"]
    assert step["price"]["source"].startswith("genai-prices ")
    assert (step["price"]["model"], step["price"]["at"] >= run["created_at"]) == (model, True)


@pytest.mark.parametrize("tier", ["flex", "priority"])
def test_a_tier_of_service_has_its_own_price(audit: Audit, tier: str) -> None:
    raw = gpt(1_001, 501, 0, 301, 3)  # of flex, half a nano-dollar is left over
    run = one_call(audit, "openai", GPT, Reply(raw, more={"service_tier": tier}), line("openai", raw, f"{GPT} {tier}"))
    assert run["steps"][0]["price"]["terms"] == {"service_tier": tier}


@pytest.mark.parametrize(
    ("provider", "model", "reply"),
    [
        ("openai", GPT, Reply(gpt(1_001, 501, 0, 301), more={"service_tier": "scale"})),
        ("anthropic", SONNET, Reply(claude(9, 0, 0, 5, service_tier="priority"))),
        ("anthropic", SONNET, Reply(claude(9, 0, 0, 5, inference_geo="us"))),
        ("anthropic", "claude-made-up", Reply(claude(9, 0, 0, 5))),
        ("openai", "gpt-made-up", Reply(gpt(9, 0, 0, 5))),
        ("google", "gemini-made-up", Reply(gemini(9, 0, 5))),
    ],
)
def test_what_is_on_no_list_is_null_and_counted(audit: Audit, provider: str, model: str, reply: Reply) -> None:
    run = one_call(audit, provider, model, reply, line(provider, reply.usage, None))
    assert run["cost"] == {"amount_nanousd": None, "unpriced_steps": 1}
    assert run["steps"][0]["price"] is None


def test_a_tier_that_was_asked_of_google_has_no_price_on_the_list(audit: Audit) -> None:
    agent = audit.agent("google", FLASH, options={"serviceTier": "flex"})
    raw = gemini(9, 0, 5)
    audit.vendor.play(gemini_2__5_flash=[Reply(raw)])
    audit.check(agent, audit.ask(agent), [line("google", raw, None)])


def test_searches_are_paid_and_looking_at_what_they_found_is_not(audit: Audit) -> None:
    raw = gpt(31_073, 3_712, 0, 4_416, 3_712)
    actions = ("search", "search", "open_page", "find_in_page")
    items = tuple({"type": "web_search_call", "id": f"ws_{n}", "action": {"type": a}} for n, a in enumerate(actions))
    tokens = line("openai", raw, GPT)
    assert tokens.amount is not None
    one_call(audit, "openai", GPT, Reply(raw, items=items), Line(tokens.used, tokens.amount + 2 * 10**9 // 100))


@pytest.mark.parametrize(
    ("provider", "model", "reply"),
    [
        ("openai", GPT, Reply(gpt(9, 0, 0, 5), items=({"type": "code_interpreter_call", "id": "ci_1"},))),
        ("google", FLASH, Reply(gemini(9, 0, 5), more={"groundingMetadata": {"webSearchQueries": ["news"]}})),
    ],
)
def test_what_is_paid_besides_and_nobody_knows_is_told(audit: Audit, provider: str, model: str, reply: Reply) -> None:
    run = one_call(audit, provider, model, reply, line(provider, reply.usage, model, unpriced=1))
    assert run["cost"]["amount_nanousd"] > 0


def test_passes_of_one_request_are_all_billed_and_advice_by_its_model(audit: Audit) -> None:
    shorten = claude(100, 55_096, 0, 83)
    advice = claude(2_543, 0, 0, 18)
    answer = claude(181, 0, 0, 8)
    kinds = ((shorten, {"type": "compaction"}), (advice, {"type": "advisor_message", "model": "claude-opus-4-8"}))
    passes = [{**raw, **kind} for raw, kind in (*kinds, (answer, {"type": "message"}))]
    lines = [
        line("anthropic", raw, model)
        for raw, model in ((shorten, SONNET), (advice, "claude-opus-4-8"), (answer, SONNET))
    ]
    sums = [sum(five) for five in zip(*(one.used.five.values() for one in lines if one.used), strict=True)]
    run = audit.agent("anthropic", SONNET)
    audit.vendor.play(claude_sonnet_5=[Reply({**answer, "iterations": passes})])
    shown = audit.run(audit.ask(run)["run_id"])
    assert shown["cost"] == {"amount_nanousd": sum(one.amount or 0 for one in lines), "unpriced_steps": 0}
    assert list(shown["usage"].values()) == sums


def test_a_turn_that_pauses_is_several_requests_and_none_of_them_is_long(audit: Audit) -> None:
    """Each is below the tier, the sum is not; of each something is left over that is rounded once."""
    first, second = claude(0, 150_003, 0, 11), claude(0, 150_005, 0, 7)
    agent = audit.agent("anthropic", LONG)
    audit.vendor.play(claude_sonnet_4_5=[Reply(first, more={"stop_reason": "pause_turn"}), Reply(second)])
    shown = audit.run(audit.ask(agent)["run_id"])
    prices = Rates(rates("3", "0.3", "3.75", "6", "15"))
    exact = nano(*(anthropic(raw).dollars(prices) for raw in (first, second)))
    assert (shown["cost"], len(shown["steps"])) == ({"amount_nanousd": exact, "unpriced_steps": 0}, 1)
    assert shown["usage"]["cache_read_tokens"] == 300_008


OWN = {"provider": "openai_compatible", "model": "llama-*", "input": "0.2", "cached_input": "0.0300005"}
CHAT = {
    "prompt_tokens": 1_003,
    "prompt_tokens_details": {"cached_tokens": 1_000},
    "completion_tokens": 31,
    "completion_tokens_details": {"reasoning_tokens": 30},
    "total_tokens": 1_034,
}


def test_compatible_servers_have_no_price_but_the_tenants(audit: Audit) -> None:
    agent = audit.agent("openai_compatible", "llama-3")
    audit.vendor.play(llama_3=[Reply(CHAT)])
    audit.check(agent, audit.ask(agent), [line("openai_compatible", CHAT, None)])


def test_a_tenants_price_comes_before_the_list(audit: Audit) -> None:
    dear = {"provider": "anthropic", "model": SONNET, "input": "3", "cache_write": "4.5", "output": "0.0001"}
    before = audit.rest("PUT", "/api/v1/prices", {"prices": [{**OWN, "output": "0.6"}, dear]})
    assert before.status == 200
    audit.forget()
    try:
        agent = audit.agent("openai_compatible", "llama-3")
        audit.vendor.play(llama_3=[Reply(CHAT)])
        own = Rates(rates("0.2", "0.0300005", "0.2", "0.2", "0.6"))
        run = audit.check(agent, audit.ask(agent), [line("openai_compatible", CHAT, own)])
        assert (run["steps"][0]["price"]["source"], run["steps"][0]["price"]["model"]) == ("tenant", "llama-*")
        raw = claude(1_001, 5, 77, 123)
        theirs = Rates(rates("3", "3", "4.5", "4.5", "0.0001"))
        one_call(audit, "anthropic", SONNET, Reply(raw), line("anthropic", raw, theirs))
    finally:
        assert audit.rest("PUT", "/api/v1/prices", {"prices": []}).status == 200
        audit.forget()
