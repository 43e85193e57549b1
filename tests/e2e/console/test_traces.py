"""Traces and usage: a run step by step, what it cost, what waits and what failed, the report, budgets."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from local.testing import Instance
from tests.e2e.console.visit import Visit, rest, scripted_agent

_CHUNK = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "home-brew"}
_SAID = {"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}
_USED = {"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}}
_ANSWER = "".join(f"data: {json.dumps(_CHUNK | part)}\n\n" for part in (_SAID, _USED)) + "data: [DONE]\n\n"
_DONE = {"completed", "failed", "cancelled"}


class _Model(BaseHTTPRequestHandler):
    """A model server whose prices nobody knows."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(_ANSWER)))
        self.end_headers()
        self.wfile.write(_ANSWER.encode())

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def unpriced(stack: Instance) -> Iterator[str]:
    """An agent whose model has no known price."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = {
        "provider": "openai_compatible",
        "model": "home-brew",
        "base_url": f"http://127.0.0.1:{server.server_port}/v1",
    }
    yield scripted_agent(stack.url, "Home brewer", model_config=config)
    server.shutdown()
    server.server_close()


def until(what: Callable[[], Any], seconds: float = 60) -> Any:
    """Ask again until there is an answer."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "It did not come to be in time."
        time.sleep(0.2)
    return found


def run_of(stack: Instance, agent: str, text: str, *, states: set[str] = _DONE) -> str:
    """Say something and wait until the run stands as wanted; its id."""
    run = str(rest(stack.url, "POST", f"/agents/{agent}/messages", {"content": text})["run_id"])
    until(lambda: rest(stack.url, "GET", f"/runs/{run}")["status"] in states)
    return run


def traces(visit: Visit, agent: str, more: str = "") -> Page:
    return visit.open(f"/agents/detail/?id={agent}&tab=traces{more}")


def family(stack: Instance) -> str:
    """An agent that asks another one, which calculates."""
    calculate = {"tool": "calculator", "input": {"expression": "6 * 7"}}
    script = [{"text": "Let me see. "}, calculate, {"text": "It is 42."}]
    config = {"provider": "scripted", "model": "thinker", "options": {"script": script}}
    helper = scripted_agent(stack.url, "Helper", model_config=config)
    root = scripted_agent(stack.url, "Asks another")
    rest(stack.url, "POST", f"/agents/{root}/tools", {"kind": "agent", "name": "helper", "target_agent_id": helper})
    return root


def test_a_run_step_by_step(visit: Visit, stack: Instance) -> None:
    agent = family(stack)
    run = run_of(stack, agent, '/say I ask. \n/tool helper {"message": "please"}\n/say So.')
    page = traces(visit, agent)
    row = page.get_by_role("row").filter(has_text="Completed")
    visit.axe()
    row.get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(f"run={run}"))
    tree = page.get_by_role("tree", name="Steps of this run")
    nested = tree.get_by_role("treeitem", name=re.compile("calculator"))
    expect(nested).to_have_attribute("aria-level", "2")
    nested.click()
    details = page.get_by_role("region", name="Details of the step")
    expect(details.get_by_role("region", name="Arguments")).to_contain_text("6 * 7")
    expect(details.get_by_role("region", name="Result")).to_contain_text("42")
    details.get_by_role("button", name="Copy: Result").click()
    assert json.loads(page.evaluate("() => navigator.clipboard.readText()"))["result"] == "42"
    visit.axe()
    helper = tree.get_by_role("treeitem", name=re.compile("^helper"))
    nested.focus()
    page.keyboard.press("ArrowLeft")
    expect(helper).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(nested).to_be_hidden()
    page.keyboard.press("ArrowRight")
    expect(nested).to_be_visible()
    page.get_by_role("link", name="All runs").click()
    expect(row).to_be_visible()


@pytest.mark.parametrize("visit", ["phone-dark"], indirect=True)
def test_a_run_on_a_phone(visit: Visit, stack: Instance) -> None:
    agent = family(stack)
    run = run_of(stack, agent, '/tool helper {"message": "please"}')
    page = traces(visit, agent, f"&run={run}")
    item = page.get_by_role("treeitem", name=re.compile("calculator"))
    item.click()
    sheet = page.get_by_role("dialog", name="calculator")
    expect(sheet.get_by_role("region", name="Arguments")).to_contain_text("6 * 7")
    visit.axe()
    sheet.get_by_role("button", name="Close").click()
    expect(sheet).to_be_hidden()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    visit.axe()


def test_costs_that_are_known_and_unknown(visit: Visit, stack: Instance, unpriced: str) -> None:
    free = scripted_agent(stack.url)
    page = traces(visit, free, f"&run={run_of(stack, free, '/say Hello')}")
    expect(page.get_by_text("Nobody bills for this model").first).to_be_visible()
    page = traces(visit, unpriced, f"&run={run_of(stack, unpriced, 'Hello')}")
    expect(page.get_by_text("Unknown", exact=True).first).to_be_visible()
    expect(page.get_by_text("1 step without a known price")).to_be_visible()
    page.get_by_role("link", name="Set prices").click()
    expect(page.get_by_role("tab", name="Prices")).to_have_attribute("aria-selected", "true")


def test_runs_that_failed_are_found(visit: Visit, stack: Instance) -> None:
    agent = scripted_agent(stack.url)
    run_of(stack, agent, "/error auth")
    page = traces(visit, agent)
    filters = page.get_by_role("search", name="Filter runs")
    filters.get_by_label("Status").select_option("failed")
    expect(page).to_have_url(re.compile("status=failed"))
    expect(page.get_by_role("cell", name="provider_auth")).to_be_visible()
    filters.get_by_label("Error").select_option("budget_exceeded")
    expect(page.get_by_role("heading", name="No run fits these filters")).to_be_visible()
    visit.axe()
    filters.get_by_role("button", name="Reset").click()
    expect(page.get_by_role("cell", name="provider_auth")).to_be_visible()


def test_a_run_that_waits_is_cancelled(visit: Visit, stack: Instance) -> None:
    agent = scripted_agent(stack.url)
    tool = {"kind": "http", "name": "send", "method": "POST", "base_url": stack.url, "path": "/none", "effect": "write"}
    schema = {"type": "object", "properties": {}}
    rest(stack.url, "POST", f"/agents/{agent}/tools", tool | {"requires_approval": True, "input_schema": schema})
    run = run_of(stack, agent, "/tool send {}", states={"waiting"})
    page = traces(visit, agent, f"&run={run}")
    expect(page.get_by_text("waits until a person decides about send")).to_be_visible()
    page.get_by_role("treeitem", name=re.compile("^send")).click()
    expect(page.get_by_role("region", name="Approval")).to_contain_text("Waits for approval")
    visit.axe()
    page.get_by_role("button", name="Cancel run").click()
    expect(page.get_by_role("status").filter(has_text="Cancelled")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel run")).to_be_hidden()
    expect(page.get_by_role("region", name="Approval")).to_contain_text("ended before anybody decided")


def test_the_report_of_an_agent_and_its_budget(visit: Visit, stack: Instance, unpriced: str) -> None:
    run_of(stack, unpriced, "Hello")
    until(lambda: rest(stack.url, "GET", f"/usage?agent_id={unpriced}")["total"]["runs"], 120)
    page = visit.open("/usage/")
    line = page.get_by_role("table", name="By agent").get_by_role("row").filter(has_text="Home brewer").first
    expect(line).to_contain_text("Unknown")
    chart = page.get_by_role("img", name=re.compile("Runs by day"))
    expect(chart.locator("svg").first).to_be_visible()
    visit.axe()
    page.get_by_role("button", name="Show as a table: Runs by day").click()
    expect(page.get_by_role("figure", name="Runs by day").get_by_role("table")).to_be_visible()
    page = visit.open(f"/agents/detail/?id={unpriced}&tab=usage&range=7d")
    expect(page.get_by_text("1 step without a known price")).to_be_visible()
    page.get_by_role("button", name="Edit budgets").click()
    form = page.get_by_role("group", name="One agent on a day")
    form.get_by_label("US dollars").fill("x1")
    form.get_by_label("Tokens").fill("100,000")
    page.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_be_visible()
    form.get_by_label("US dollars").fill("0.30")
    visit.axe()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("meter", name="One agent on a day, money")).to_have_attribute("aria-valuemax", "300000000")
    expect(page.get_by_text("of $0.30")).to_be_visible()
    budget = rest(stack.url, "GET", f"/agents/{unpriced}/budget")["agent_day"]
    assert budget == {"amount_nanousd": 300_000_000, "tokens": 100_000}
