"""Tools that are models or other agents, and a model's help around a call: made, tried, used, seen in the trace."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from local.testing import Instance
from tests.e2e.console.visit import Visit, rest, scripted_agent
from tests.integration.tools.api import Api, Says, serving


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with serving(lambda asked: Says({"path": asked.path, "degrees": 21})) as server:
        yield server


def _agent(stack: Instance, name: str, script: list[dict[str, Any]]) -> str:
    config = {"provider": "scripted", "model": f"{name.lower()}-model", "options": {"script": script}}
    fields = {"name": name, "description": f"{name} at work.", "model_config": config}
    return str(rest(stack.url, "POST", "/agents", fields)["id"])


def _say(page: Page, text: str) -> Locator:
    page.get_by_role("textbox", name="Message").fill(text)
    page.keyboard.press("Enter")
    answer = page.get_by_role("article", name="Answer").last
    expect(answer.get_by_role("link", name="Trace of this answer")).to_be_visible()
    return answer


def _saved(page: Page) -> None:
    expect(page.get_by_role("status").filter(has_text=re.compile("^Saved$"))).to_be_visible()


def test_a_model_as_a_tool(visit: Visit, stack: Instance) -> None:
    agent = scripted_agent(stack.url, "Writer")
    page = visit.open(f"/agents/detail/?id={agent}&tab=tools")
    page.get_by_role("button", name="Other ways").click()
    page.get_by_role("menuitem", name="LLM tool").click()
    page.get_by_label("Name", exact=True).fill("summarise")
    page.get_by_label("Description", exact=True).fill("Makes a short text of a long one.")
    expect(page.get_by_label("Provider")).to_have_value("scripted")
    page.get_by_label("Instructions").fill("Summarise in one sentence.")
    page.get_by_role("button", name="Create tool").click()
    _saved(page)
    page.get_by_role("tab", name="Test").click()
    page.get_by_label("text", exact=True).fill("A long text.")
    page.get_by_role("button", name="Run test").click()
    outcome = page.get_by_role("region", name="Outcome of the test")
    expect(outcome.get_by_text("Worked")).to_be_visible()
    expect(outcome.get_by_text("A long text.")).to_be_visible()
    visit.axe()

    page.get_by_label("Model", exact=True).fill("")
    visit.expect_problem("status of 422")
    page.get_by_role("button", name="Save", exact=True).click()
    fault = page.get_by_role("main").get_by_role("alert").first
    expect(fault).to_contain_text("This cannot be saved yet:")
    expect(fault).to_be_in_viewport()
    page.get_by_label("Model", exact=True).fill("another")
    page.get_by_label("Instructions").fill("Summarise in two sentences.")
    page.get_by_role("button", name="Save", exact=True).click()
    _saved(page)
    page.reload()
    expect(page.get_by_label("Instructions")).to_have_value("Summarise in two sentences.")
    expect(page.get_by_label("Model", exact=True)).to_have_value("another")

    visit.open(f"/agents/detail/?id={agent}")
    answer = _say(page, '/tool summarise {"text": "Very long."}\n/say That is it.')
    answer.get_by_role("button", name=re.compile("^summarise done")).click()
    expect(answer.get_by_role("paragraph").filter(has_text="Very long.")).to_be_visible()
    expect(answer.get_by_role("group", name="Result")).to_have_count(0)  # it would say the same once more
    visit.axe()


def test_agents_that_ask_agents(visit: Visit, stack: Instance) -> None:
    """What goes on two levels deep is seen in the card of the call and in the trace."""
    deep = [{"text": "I look closer. "}, {"tool": "calculator", "input": {"expression": "6 * 7"}}, {"text": "42."}]
    researcher = _agent(stack, "Researcher", deep)
    asks = [{"text": "I ask. "}, {"tool": "ask_researcher", "input": {"message": "?"}}, {"text": "I write: 42."}]
    editor = _agent(stack, "Editor", asks)
    chief = scripted_agent(stack.url, "Chief")

    for agent, wanted in ((editor, "Researcher"), (chief, "Editor")):
        page = visit.open(f"/agents/detail/?id={agent}&tab=tools&tool=new&kind=agent")
        page.get_by_label("Agent", exact=True).select_option(label=wanted)
        expect(page.get_by_label("Name", exact=True)).to_have_value(f"ask_{wanted.lower()}")
        page.get_by_role("button", name="Create tool").click()
        _saved(page)
    page.get_by_label("message", exact=True).fill("Please.")
    page.get_by_role("button", name="Run test").click()
    outcome = page.get_by_role("region", name="Outcome of the test")
    expect(outcome.get_by_text("I write: 42.")).to_be_visible()
    page.get_by_label("Description", exact=True).fill("Asks the editor.")
    page.get_by_role("button", name="Save", exact=True).click()
    _saved(page)

    forgotten = _agent(stack, "Forgotten", deep)
    asking = {"kind": "agent", "name": "ask_forgotten", "target_agent_id": forgotten}
    asks_nobody = rest(stack.url, "POST", f"/agents/{chief}/tools", asking)
    rest(stack.url, "DELETE", f"/agents/{forgotten}")
    visit.expect_problem("status of 404")
    page = visit.open(f"/agents/detail/?id={chief}&tab=tools&tool={asks_nobody['id']}")
    expect(page.get_by_label("Agent", exact=True).locator("option:checked")).to_have_text("A deleted agent")
    expect(page.get_by_text("This agent was deleted, so every call fails.")).to_be_visible()

    page = visit.open(f"/agents/detail/?id={researcher}&tab=tools&tool=new&kind=agent")
    page.get_by_label("Agent", exact=True).select_option(label="Chief")
    visit.expect_problem("status of 422")
    page.get_by_role("button", name="Create tool").click()
    expect(page.get_by_text("agents cannot call each other in a circle").first).to_be_visible()

    visit.open(f"/agents/detail/?id={chief}")
    answer = _say(page, '/say Let me ask.\n/tool ask_editor {"message": "please"}\n/say There.')
    answer.get_by_role("button", name=re.compile("^ask_editor done")).click()
    answer.get_by_role("button", name=re.compile("^ask_researcher done")).click()
    answer.get_by_role("button", name=re.compile("^calculator done")).click()
    expect(answer.get_by_text("I look closer. 42.", exact=True)).to_be_visible()
    expect(answer.get_by_text('"expression": "6 * 7"')).to_be_visible()
    visit.axe()
    answer.get_by_role("link", name="Trace of this answer").click()
    steps = page.get_by_role("tree", name="Steps of this run")
    levels = {"ask_editor": "1", "ask_researcher": "2", "calculator": "3"}
    for name, level in levels.items():
        expect(steps.get_by_role("treeitem", name=re.compile(f"^{name}"))).to_have_attribute("aria-level", level)
    visit.axe()


@pytest.mark.parametrize("visit", ["desktop", "phone-dark"], indirect=True)
def test_help_of_a_model_around_a_call(visit: Visit, stack: Instance, api: Api) -> None:
    agent = scripted_agent(stack.url, "Forecaster")
    city = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tool = {"kind": "http", "name": "weather", "method": "GET", "effect": "read", "base_url": api.url, "path": "/now"}
    tool |= {"parameters": [{"name": "city", "location": "query", "argument": "city"}], "input_schema": city}
    made = rest(stack.url, "POST", f"/agents/{agent}/tools", tool)["id"]
    page = visit.open(f"/agents/detail/?id={agent}&tab=tools&tool={made}")
    page.get_by_text("Help of a model before and after a call").click()
    page.get_by_label("Use a model around each call").check()
    expect(page.get_by_label("Provider")).to_have_value("scripted")
    expect(page.get_by_text("Write what the model does before or after a call")).to_be_visible()
    visit.axe()
    visit.expect_problem("status of 422")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("main").get_by_role("alert").first).to_be_in_viewport()
    page.get_by_label("After: what to make of the answer").fill("Say it in words.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_disabled()
    page.reload()
    expect(page.get_by_label("After: what to make of the answer")).to_have_value("Say it in words.")
    page.get_by_label("A person approves each call").check()
    expect(page.get_by_text("Not for a tool that a person approves")).to_be_visible()
    page.get_by_label("A person approves each call").uncheck()

    visit.open(f"/agents/detail/?id={agent}")
    page.get_by_role("textbox", name="Message").fill('/tool weather {"city": "Graz"}\n/say So.')
    page.get_by_role("button", name="Send").click()
    answer = page.get_by_role("article", name="Answer").last
    answer.get_by_role("button", name=re.compile("^weather done")).click()
    expect(answer.get_by_role("group", name="Result")).to_contain_text("You said")
    answer.get_by_role("link", name="Trace of this answer").click()
    steps = page.get_by_role("tree", name="Steps of this run")
    expect(steps.get_by_role("treeitem").filter(has_text="call: weather").first).to_be_visible()
    expect(steps.get_by_role("treeitem").filter(has_text="after: scripted").first).to_be_visible()
    visit.axe()
