"""Agents: the list, the first one, settings that are not lost, two people at once, versions, deleting."""

from __future__ import annotations

import re
import urllib.error
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from local.testing import Instance, running_stack
from tests.e2e.console.visit import Visit, rest, scripted_agent

expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def stack(console_folder: str) -> Iterator[Instance]:
    """A runtime of this module's own, since one test begins without any agent."""
    with running_stack(arguments=["--static", console_folder, "--no-example"]) as instance:
        yield instance


def _row(page: Page, name: str) -> Locator:
    return page.get_by_role("listitem").filter(has=page.get_by_role("link", name=name, exact=True))


def _settings(visit: Visit, agent: str) -> Page:
    return visit.open(f"/agents/detail/?id={agent}&tab=settings")


def _get(stack: Instance, agent: str) -> dict[str, Any]:
    found: dict[str, Any] = rest(stack.url, "GET", f"/agents/{agent}")
    return found


def test_from_nothing_to_the_first_agent(visit: Visit, stack: Instance) -> None:
    for agent in rest(stack.url, "GET", "/agents?limit=100")["items"]:
        rest(stack.url, "DELETE", f"/agents/{agent['id']}")
    page = visit.open()
    visit.axe()
    page.get_by_role("link", name="Create an agent").click()
    page.get_by_role("radio", name="Data analyst").check(force=True)
    name = page.get_by_role("textbox", name="Name")
    expect(name).to_have_value("Data analyst")
    name.fill("Ledger")
    page.get_by_role("button", name="Model").click()
    page.get_by_role("combobox").fill("scripted")
    visit.axe()
    page.get_by_role("option", name="Scripted").click()
    visit.axe()
    page.get_by_role("button", name="Create agent").click()
    expect(page).to_have_url(re.compile(r"/en/agents/detail/\?id=agt_"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ledger")
    expect(page.get_by_role("tab", name="Playground")).to_have_attribute("aria-selected", "true")
    page.get_by_role("link", name="All agents").click()
    expect(_row(page, "Ledger")).to_contain_text("Draft")
    made = rest(stack.url, "GET", "/agents")["items"]
    assert [one["model_config"] for one in made] == [{"provider": "scripted", "model": "scripted"}]
    assert "calculator" in made[0]["system_prompt"]


def test_what_is_not_saved_is_not_lost(visit: Visit, stack: Instance) -> None:
    agent = scripted_agent(stack.url, "Keeper")
    page = visit.open()
    page.get_by_role("link", name="Keeper").click()
    page.get_by_role("tab", name="Instructions and model").click()
    text = page.get_by_role("textbox", name="Instructions")
    text.fill("Be brief.")
    bar = page.get_by_role("region", name="Unsaved changes")
    expect(bar).to_contain_text("1 unsaved change")
    asked = page.get_by_role("dialog", name="Leave without saving?")

    ways_out = [
        page.get_by_role("tab", name="Versions").click,
        page.get_by_role("link", name="Credentials").click,
        lambda: page.evaluate("history.back()"),
    ]
    for way_out in ways_out:
        way_out()
        expect(asked).to_be_visible()
        asked.get_by_role("button", name="Keep editing").click()
        expect(asked).to_be_hidden()
        expect(text).to_have_value("Be brief.")
        expect(page).to_have_url(re.compile("tab=settings"))
    visit.axe()

    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(text).to_have_value("Be brief.")
    expect(bar).to_contain_text("is back")
    page.keyboard.press("Control+s")
    expect(bar).to_be_hidden()
    expect(page.get_by_text("Saved as version 2")).to_be_visible()
    assert _get(stack, agent)["system_prompt"] == "Be brief."

    text.fill("Something else.")
    page.get_by_role("link", name="All agents").click()
    asked.get_by_role("button", name="Discard and leave").click()
    expect(_row(page, "Keeper")).to_be_visible()
    assert _get(stack, agent)["version"] == 2


# Text that is typed, and the keys that save it before the browser has time for anything else.
_TYPE_AND_SAVE = """async (editor) => {
  editor.focus();
  const typed = {inputType: "insertText", data: "}", bubbles: true, cancelable: true};
  editor.dispatchEvent(new InputEvent("beforeinput", typed));
  await null;
  window.dispatchEvent(new KeyboardEvent("keydown", {key: "s", ctrlKey: true, cancelable: true}));
}"""


def test_what_is_typed_into_the_editor_is_there_for_the_next_key(visit: Visit, stack: Instance) -> None:
    agent = scripted_agent(stack.url, "Quick")
    page = _settings(visit, agent)
    page.get_by_role("button", name="Extra options of the vendor").click()
    editor = page.get_by_role("textbox", name="Extra options")
    editor.fill('{"script": []}')
    expect(page.get_by_text("1 unsaved change")).to_be_visible()
    editor.press("End")
    editor.press("Backspace")
    expect(page.get_by_text("This is not JSON.").first).to_be_visible()
    editor.evaluate(_TYPE_AND_SAVE)
    expect(page.get_by_text("Saved as version 2")).to_be_visible()


def test_options_are_json(visit: Visit, stack: Instance) -> None:
    agent = scripted_agent(stack.url, "Optional")
    page = _settings(visit, agent)
    page.get_by_role("button", name="Extra options of the vendor").click()
    editor = page.get_by_role("textbox", name="Extra options")
    editor.fill('{"script": [')
    page.keyboard.press("Control+s")
    expect(page.get_by_role("alert").filter(has_text="This is not JSON.")).to_be_visible()
    visit.axe()
    editor.fill('{"script": [{"text": "Hello"}]}')
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Saved as version 2")).to_be_visible()
    assert _get(stack, agent)["model_config"]["options"] == {"script": [{"text": "Hello"}]}


def test_two_people_change_one_agent(visit: Visit, stack: Instance) -> None:
    agent = scripted_agent(stack.url, "Shared")
    visit.expect_problem("412")
    page = _settings(visit, agent)
    page.get_by_role("textbox", name="Name").fill("Mine")
    page.get_by_role("textbox", name="Instructions").fill("As I say.")
    rest(stack.url, "PATCH", f"/agents/{agent}", {"name": "Theirs", "description": "As they say."})
    page.get_by_role("button", name="Save", exact=False).click()
    dialog = page.get_by_role("dialog", name="Two versions of this agent")
    name = dialog.get_by_role("group", name="Name")
    expect(name).to_contain_text("changed on both sides")
    expect(name.get_by_role("radio", name="Yours")).to_be_checked()
    expect(dialog.get_by_role("group", name="Instructions")).to_contain_text("changed here only")
    visit.axe()
    name.get_by_role("radio", name="Theirs").check()
    dialog.get_by_role("button", name="Save this choice").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Theirs")
    now = _get(stack, agent)
    assert (now["name"], now["description"], now["system_prompt"]) == ("Theirs", "As they say.", "As I say.")


def test_versions_are_compared_and_restored(visit: Visit, stack: Instance) -> None:
    lines = [f"Rule {number}." for number in range(1, 20)]
    agent = scripted_agent(stack.url, "Historian", system_prompt="\n".join(lines))
    lines[9] = "Rule ten."
    changes = {"system_prompt": "\n".join(lines), "model_config": {"model": "echo"}}
    rest(stack.url, "PATCH", f"/agents/{agent}", changes)
    rest(stack.url, "PATCH", f"/agents/{agent}", {"builtin_tools": []})
    page = visit.open(f"/agents/detail/?id={agent}&tab=versions")
    page.get_by_role("list", name="List of versions").get_by_role("button", name="Version 2").click()
    expect(page.get_by_role("heading", name="Version 2 compared with version 1")).to_be_visible()
    diff = page.get_by_role("region", name="Instructions")
    expect(diff.get_by_role("row").filter(has_text="removed")).to_contain_text("Rule 10.")
    expect(diff.get_by_role("row").filter(has_text="added")).to_contain_text("Rule ten.")
    expect(diff).to_contain_text("6 lines without change")
    expect(page.get_by_role("row", name="Model")).to_contain_text("echo")
    visit.axe()
    page.get_by_role("button", name="Current", exact=True).click()
    expect(page.get_by_role("heading", name="Version 3 compared with version 2")).to_be_visible()
    expect(page.get_by_role("row", name="Built-in tools")).to_contain_text("Calculator")

    page.get_by_role("list", name="List of versions").get_by_role("button", name="Version 1").click()
    page.get_by_role("button", name="Restore version 1").click()
    page.get_by_role("dialog").get_by_role("button", name="Restore").click()
    expect(page.get_by_text("Version 4 is like version 1")).to_be_visible()
    expect(page.get_by_role("list", name="List of versions").get_by_role("button", name="Version 4")).to_contain_text(
        "As version 1"
    )
    assert "Rule 10." in _get(stack, agent)["system_prompt"]


def test_a_row_is_switched_off_and_deleted(visit: Visit, stack: Instance) -> None:
    agent = scripted_agent(stack.url, "Leaver", description="Goes soon", status="active")
    other = scripted_agent(stack.url, "Stayer")
    page = visit.open("/agents/?q=soon")
    row = _row(page, "Leaver")
    expect(row).to_be_visible()
    expect(_row(page, "Stayer")).to_be_hidden()
    visit.axe()
    menu = row.get_by_role("button", name="Actions for Leaver")

    visit.expect_problem("503")
    page.route(
        "**/api/v1/agents/agt_*",
        lambda route: route.fulfill(status=503, json={"detail": "Not now", "code": "store_unavailable"}),
    )
    menu.click()
    page.get_by_role("menuitem", name="Deactivate").click()
    expect(page.get_by_text("The status of Leaver was not changed")).to_be_visible()
    expect(row).to_contain_text("Active")
    page.unroute("**/api/v1/agents/agt_*")

    menu.click()
    page.get_by_role("menuitem", name="Deactivate").click()
    expect(row).to_contain_text("Inactive")
    page.get_by_role("button", name="Inactive").click()
    expect(row).to_be_visible()
    menu.click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete the agent").click()
    expect(page.get_by_text("Leaver is deleted")).to_be_visible()
    page.get_by_role("button", name="Show all agents").click()
    expect(_row(page, "Stayer")).to_be_visible()
    assert _get(stack, other)["status"] == "draft"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        _get(stack, agent)


@pytest.mark.parametrize("visit", ["phone", "phone-dark"], indirect=True)
def test_agents_on_a_phone(visit: Visit, stack: Instance) -> None:
    agent = scripted_agent(
        stack.url, "Ein Agent mit einem sehr langen Namen, der auf kein Telefon passt", system_prompt="Kurz."
    )
    rest(stack.url, "PATCH", f"/agents/{agent}", {"system_prompt": "Kürzer."})
    page = visit.open("/agents/", locale="de")
    expect(page.get_by_role("link", name="Ein Agent mit einem sehr").first).to_be_visible()
    for path in [
        "/agents/",
        "/agents/new/",
        *(f"/agents/detail/?id={agent}&tab={tab}" for tab in ("settings", "versions", "versions&version=2")),
    ]:
        visit.open(path, locale="de")
        expect(page.get_by_role("heading").nth(1).or_(page.get_by_role("list")).first).to_be_visible()
        visit.axe()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
