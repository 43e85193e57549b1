"""Calls that a person must approve, in the console: changed, refused, and too late.

The approval that nobody gives is asked for before all else here: the shortest time for one is a minute, which passes
while the others are looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from local.testing import Instance
from tests.e2e.console.visit import Visit, rest, scripted_agent
from tests.integration.chat import chatting
from tests.integration.tools.api import Api, Says, serving

SCHEMA = {"type": "object", "properties": {"body": {"type": "object"}}, "required": ["body"]}
ASK = '/say Let me send it.\n/tool send {"body": {"to": "everybody"}}\n/say It is done.'
LATE_MS = 300_000


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with serving(lambda asked: Says({"sent": json.loads(asked.body)})) as server:
        yield server


def _sender(stack: Instance, api: Api, name: str) -> str:
    agent = scripted_agent(stack.url, name)
    tool = {"kind": "http", "name": "send", "method": "POST", "base_url": api.url, "path": f"/{name}"}
    tool |= {"effect": "write", "body": {"kind": "json", "content_type": "application/json"}, "input_schema": SCHEMA}
    tool |= {"requires_approval": True, "approval_seconds": 60}
    rest(stack.url, "POST", f"/agents/{agent}/tools", tool)
    return agent


def _sent(api: Api, name: str) -> list[Any]:
    return [json.loads(asked.body) for asked in api.asked if asked.path == f"/{name}"]


@pytest.fixture(scope="module", autouse=True)
def waiting(stack: Instance, api: Api) -> tuple[str, str]:
    """An agent and a conversation in which nobody approves."""
    agent = _sender(stack, api, "Late")
    with chatting(stack, agent) as chat:
        chat.say(ASK)
        asked = chat.until("approval_required")
    return agent, str(asked["conversation_id"])


def _asked(visit: Visit, agent: str) -> Locator:
    page = visit.open(f"/agents/detail/?id={agent}")
    page.get_by_role("textbox", name="Message").fill(ASK)
    page.keyboard.press("Enter")
    group = page.get_by_role("group", name="Approval of send")
    expect(group.get_by_role("button", name="Approve")).to_be_visible()
    return group


def test_changed_in_the_second_attempt(visit: Visit, stack: Instance, api: Api) -> None:
    group = _asked(visit, _sender(stack, api, "Changer"))
    editor = group.get_by_role("textbox", name="Arguments")
    group.get_by_role("button", name="Edit the arguments").click()
    editor.fill('{"body": {"to": ')
    expect(group.get_by_text("This is no JSON object")).to_be_visible()
    expect(group.get_by_role("button", name="Approve with these arguments")).to_be_disabled()
    editor.fill('{"body": "ann"}')
    visit.expect_problem("status of 422")
    group.get_by_role("button", name="Approve with these arguments").click()
    expect(group.get_by_role("alert").filter(has_text="the call still waits")).to_be_visible()
    visit.axe()
    group.get_by_role("button", name="Leave them as they are").click()
    expect(group.get_by_text("the call still waits")).to_be_hidden()
    group.get_by_role("button", name="Edit the arguments").click()
    editor.fill('{"body": {"to": "ann"}}')
    group.get_by_role("button", name="Approve with these arguments").click()
    answer = visit.page.get_by_role("article", name="Answer").last
    expect(answer.get_by_text("It is done.")).to_be_visible()
    answer.get_by_role("button", name=re.compile("^send done")).click()
    expect(answer.get_by_role("group", name="Result")).to_contain_text('"ann"')
    assert _sent(api, "Changer") == [{"to": "ann"}]
    answer.get_by_role("link", name="Trace of this answer").click()
    visit.page.get_by_role("treeitem", name=re.compile("^send")).click()
    expect(visit.page.get_by_text("Approved", exact=False).first).to_be_visible()


@pytest.mark.parametrize("visit", ["phone-dark"], indirect=True)
def test_refused_on_a_phone(visit: Visit, stack: Instance, api: Api) -> None:
    page = visit.open(f"/agents/detail/?id={_sender(stack, api, 'Refuser')}")
    page.get_by_role("textbox", name="Message").fill(ASK)
    page.get_by_role("button", name="Send").click()
    group = page.get_by_role("group", name="Approval of send")
    group.get_by_role("button", name="Deny …").click()
    expect(group.get_by_label("Reason")).to_be_focused()
    group.get_by_role("button", name="Back").click()
    group.get_by_role("button", name="Deny …").click()
    group.get_by_label("Reason").fill("Not to everybody")
    visit.axe()
    group.get_by_role("button", name="Deny", exact=True).click()
    answer = page.get_by_role("article", name="Answer").last
    answer.get_by_role("button", name=re.compile("^send denied")).click()
    expect(answer.get_by_text("Not to everybody")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    assert _sent(api, "Refuser") == []


def test_nobody_approves_in_time(visit: Visit, stack: Instance, api: Api, waiting: tuple[str, str]) -> None:
    agent, conversation = waiting
    page = visit.open(f"/agents/detail/?id={agent}&c={conversation}")
    answer = page.get_by_role("article", name="Answer")
    expect(answer.get_by_text("It is done.")).to_be_visible(timeout=LATE_MS)
    answer.get_by_role("button", name=re.compile("^send not approved in time")).click()
    expect(answer.get_by_text("nobody approved it in time. It was not made.")).to_be_visible()
    expect(page.get_by_role("group", name="Approval of send")).to_have_count(0)
    visit.axe()
    assert _sent(api, "Late") == []
