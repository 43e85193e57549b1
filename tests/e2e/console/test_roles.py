"""Roles: who may only look sees all of it and nothing that is refused; two people of two tenants in one browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from local.testing import Instance
from tests.e2e.console.visit import Visit, bearer, rest, scripted_agent

CREDENTIAL = {"name": "Weather", "kind": "bearer", "settings": {}, "secret": {"value": "abcdefgh"}}
TOOL = {
    "kind": "http",
    "name": "forecast",
    "method": "GET",
    "base_url": "https://api.example.com",
    "path": "/cities",
    "effect": "read",
    "input_schema": {"type": "object"},
}
CHANGES = re.compile(
    "^(New agent|Create|Add tool|Add|New credential|Restore|Send|New conversation|Rename|Delete|Save|Run test)"
)


def _listen(page: Page) -> list[str]:
    refused: list[str] = []
    page.on("response", lambda answer: refused.append(answer.url) if answer.status == 403 else None)
    return refused


def _prepared(guarded: Instance, tenant: str) -> tuple[str, str]:
    """An agent with a tool and a conversation, and a credential; the ids of agent and conversation."""
    owner = bearer(guarded, f"olga-{tenant}", tenant=tenant, role="owner")
    agent = scripted_agent(guarded.url, f"Agent of {tenant}", owner)
    rest(guarded.url, "POST", f"/agents/{agent}/tools", TOOL, **owner)
    rest(guarded.url, "POST", "/credentials", CREDENTIAL, **owner)
    said = rest(guarded.url, "POST", f"/agents/{agent}/messages", {"content": "/say Hello there"}, **owner)
    return agent, said["conversation_id"]


@pytest.mark.parametrize("guest", ["desktop", "phone-dark"], indirect=True)
def test_who_only_looks_meets_no_closed_door(guest: Visit, guarded: Instance, request: pytest.FixtureRequest) -> None:
    tenant = "looking-" + re.sub("[^a-z]", "", request.node.callspec.id)
    agent, conversation = _prepared(guarded, tenant)
    bearer(guarded, f"vera-{tenant}", tenant=tenant, role="viewer", name="Vera")
    page = guest.page
    refused = _listen(page)
    guest.sign_in(f"vera-{tenant}", f"/agents/detail/?id={agent}&tab=versions&version=1")
    # A deep link survives.
    expect(page).to_have_url(re.compile(rf"id={agent}&tab=versions&version=1"))
    expect(page.get_by_role("heading", name="Version 1", exact=True)).to_be_visible()
    places = {
        f"/agents/detail/?id={agent}&tab=settings": "Instructions and model",
        f"/agents/detail/?id={agent}&tab=tools": "Tools",
        f"/agents/detail/?id={agent}&tab=versions&version=1": None,
        f"/agents/detail/?id={agent}&c={conversation}": None,
        "/credentials/": None,
        "/agents/": None,
        "/agents/new/": None,
    }
    for path in places:
        guest.open(path)
        if "versions" in path:
            expect(page.get_by_role("heading", name="Version 1", exact=True)).to_be_visible()
        elif path == "/agents/":
            expect(page.get_by_role("link", name=f"Agent of {tenant}")).to_be_visible()
        else:
            expect(page.get_by_role("note").filter(has_text="With this role")).to_be_visible()
        expect(page.get_by_role("button", name=CHANGES, disabled=False)).to_have_count(0)
        expect(page.get_by_role("link", name="New agent")).to_have_count(0)
        guest.axe()
    guest.open(f"/agents/detail/?id={agent}&c={conversation}")
    expect(page.get_by_role("article", name="Answer")).to_contain_text("Hello there")
    expect(page.get_by_role("textbox", name="Message")).to_have_count(0)
    guest.open(f"/agents/detail/?id={agent}&tab=tools")
    page.get_by_role("link", name="forecast").click()
    expect(page.get_by_role("textbox", name="Name")).to_be_disabled()
    # What only unfolds still does.
    page.get_by_role("tab", name="Input schema").click()
    expect(page.get_by_role("tab", name="Input schema")).to_have_attribute("aria-selected", "true")
    guest.axe()
    assert refused == []


def test_who_operates_talks_and_changes_nothing(guest: Visit, guarded: Instance) -> None:
    agent, conversation = _prepared(guarded, "operating")
    bearer(guarded, "otto", tenant="operating", role="operator")
    page = guest.page
    refused = _listen(page)
    guest.sign_in("otto", f"/agents/detail/?id={agent}&c={conversation}")
    field = page.get_by_role("textbox", name="Message")
    field.fill("/say It works.")
    field.press("Enter")
    expect(page.get_by_role("article", name="Answer").last).to_contain_text("It works.")
    page.get_by_role("tab", name="Instructions and model").click()
    expect(page.get_by_role("note").filter(has_text="With this role")).to_be_visible()
    expect(page.get_by_role("textbox", name="Instructions")).not_to_be_editable()
    assert refused == []


def test_two_tenants_in_one_browser(guest: Visit, guarded: Instance) -> None:
    agent, _ = _prepared(guarded, "first")
    bearer(guarded, "anna", tenant="first", role="editor", name="Anna")
    bearer(guarded, "bert", tenant="second", role="viewer", name="Bert")
    page = guest.page
    guest.expect_problem("status of 404")
    guest.sign_in("anna", f"/agents/detail/?id={agent}&tab=settings")
    page.get_by_role("textbox", name="Instructions").fill("Only Anna's business.")
    page.get_by_role("button", name="Discard").wait_for()
    page.on("dialog", lambda dialog: dialog.accept())
    guest.sign_out()
    guest.sign_in("bert")
    expect(page).to_have_url(re.compile("/en/agents/"))
    expect(page.get_by_role("note").filter(has_text="With this role")).to_be_visible()
    expect(page.get_by_role("link", name="Agent of first")).to_have_count(0)
    page.get_by_role("button", name="Bert").click()
    expect(page.get_by_role("menu")).to_contain_text("viewer · second")
    page.keyboard.press("Escape")
    guest.open(f"/agents/detail/?id={agent}&tab=settings")
    expect(page.get_by_role("heading", name="This agent does not exist")).to_be_visible()
    assert "Anna's business" not in page.content()
