"""A person is asked about a tool call: in a real browser, with an API that is called or not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from local.testing import Instance, running_stack
from tests.e2e.chat_page import ChatPage, Watched, rest, scripted_agent
from tests.integration.tools.api import Api, Asked, Says, serving

SCHEMA = {"type": "object", "properties": {"body": {"type": "object"}}, "required": ["body"]}
ASK = '/say Let me send it.\n/tool send {"body": {"to": "everybody"}}\n/say It is done.'


@pytest.fixture(scope="module")
def asking_stack() -> Iterator[Instance]:
    with running_stack(env={"LOOPBACK_TOOLS": "1"}) as running:
        yield running


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with serving(_sent) as server:
        yield server


def _sent(asked: Asked) -> Says:
    return Says({"sent": json.loads(asked.body)})


def sent(api: Api) -> list[Any]:
    return [json.loads(asked.body) for asked in api.asked]


@pytest.fixture
def chat(watched: Watched, asking_stack: Instance, api: Api) -> ChatPage:
    """A page at an agent whose tool a person must approve."""
    api.asked.clear()
    agent = scripted_agent(asking_stack.url)
    tool = {"kind": "http", "name": "send", "method": "POST", "base_url": api.url, "path": "/send", "effect": "write"}
    tool |= {"body": {"kind": "json", "content_type": "application/json"}, "input_schema": SCHEMA}
    rest(asking_stack.url, "POST", f"/agents/{agent}/tools", {**tool, "requires_approval": True})
    page = ChatPage(watched.page, asking_stack.url)
    page.open(agent=agent)
    return page


def asked(chat: ChatPage) -> Locator:
    """What the page asks."""
    group = chat.page.get_by_role("group", name="Approval of send")
    expect(group).to_be_visible()
    return group


@pytest.mark.parametrize("watched", ["desktop", "phone"], indirect=True)
def test_approve_as_it_is(chat: ChatPage, api: Api) -> None:
    chat.say(ASK)
    group = asked(chat)
    expect(chat.answers.last).to_contain_text("Waiting for your approval")
    expect(group.get_by_label("Arguments of send")).to_have_value(re.compile(r'"to": "everybody"'))
    assert chat.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    assert sent(api) == []
    group.get_by_role("button", name="Approve").click()
    assert chat.text_of(chat.finished()) == "Let me send it.It is done."
    card = chat.answers.last.locator("details.tool")
    expect(card.locator("summary")).to_contain_text("done")
    expect(group).to_have_count(0)
    assert sent(api) == [{"to": "everybody"}]


def test_approve_with_other_arguments(chat: ChatPage, api: Api) -> None:
    chat.say(ASK)
    group = asked(chat)
    field = group.get_by_label("Arguments of send")
    field.fill('{"body": ')
    group.get_by_role("button", name="Approve").click()
    expect(group.get_by_role("alert")).to_contain_text("must be a JSON object")
    expect(field).to_be_focused()
    field.fill('{"body": {"to": "ann"}}')
    group.get_by_role("button", name="Approve").click()
    chat.finished()
    assert sent(api) == [{"to": "ann"}]
    expect(chat.answers.last.locator("details.tool")).to_contain_text("A person changed the arguments")


def test_deny_by_keyboard_with_a_reason(chat: ChatPage, api: Api) -> None:
    chat.say(ASK)
    group = asked(chat)
    group.get_by_label("Reason for a denial").fill("Not today.")
    group.get_by_role("button", name="Deny").press("Enter")
    card = chat.finished().locator("details.tool")
    expect(card.locator("summary")).to_contain_text("failed")
    expect(card).to_contain_text("Not today.")
    assert sent(api) == []


def test_after_a_reload_it_is_asked_again(chat: ChatPage, api: Api) -> None:
    chat.say(ASK)
    asked(chat)
    chat.page.reload()
    group = asked(chat)
    expect(chat.answers.last).to_contain_text("Let me send it.")
    expect(chat.answers).to_have_count(1)
    group.get_by_role("button", name="Approve").click()
    assert chat.text_of(chat.finished()) == "Let me send it.It is done."
    assert sent(api) == [{"to": "everybody"}]


def test_whoever_decides_first_is_heard_in_every_tab(chat: ChatPage, api: Api) -> None:
    chat.say(ASK)
    asked(chat)
    expect(chat.page).to_have_url(re.compile("conversation="))
    other = ChatPage(chat.page.context.new_page(), chat.url)
    other.page.goto(chat.page.url)
    asked(other).get_by_role("button", name="Deny").click()
    for tab in (chat, other):
        expect(tab.finished().locator("details.tool summary")).to_contain_text("failed")
    assert sent(api) == []


def test_stop_ends_what_waits(chat: ChatPage, api: Api) -> None:
    chat.say(ASK)
    group = asked(chat)
    chat.button("Stop").click()
    expect(chat.finished()).to_contain_text("stopped")
    expect(group).to_have_count(0)
    assert sent(api) == []
