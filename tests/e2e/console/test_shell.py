"""The frame of all pages: languages, themes, keyboard, phone, what is missing, accessibility of every page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from local.testing import Instance
from tests.e2e.console.visit import Visit, rest, scripted_agent, talk

PLACES = ["/agents/", "/agents/new/", "/credentials/", "/usage/", "/settings/"]


@pytest.mark.parametrize("visit", ["desktop", "dark", "phone"], indirect=True)
def test_every_page_is_accessible(visit: Visit, stack: Instance) -> None:
    agent = scripted_agent(stack.url)
    for path in [*PLACES, f"/agents/detail/?id={agent}"]:
        page = visit.open(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        visit.axe()


def test_another_language_keeps_the_page(visit: Visit, stack: Instance) -> None:
    agent = scripted_agent(stack.url)
    page = visit.open(f"/agents/detail/?id={agent}")
    page.get_by_role("button", name="This computer").click()
    page.get_by_role("menuitemradio", name="Deutsch").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page).to_have_url(re.compile(rf"/de/agents/detail/\?id={agent}"))


def test_theme_is_kept(visit: Visit) -> None:
    page = visit.open()
    page.get_by_role("button", name="This computer").click()
    page.get_by_role("menuitemradio", name="Dark").click()
    expect(page.locator("html")).to_have_class(re.compile(r"\bdark\b"))
    page.reload()
    expect(page.locator("html")).to_have_class(re.compile(r"\bdark\b"))


def test_palette_by_keyboard(visit: Visit, stack: Instance) -> None:
    agent = scripted_agent(stack.url, "Keyboard friend")
    page = visit.open("/settings/")
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox")
    expect(field).to_be_focused()
    visit.axe()
    field.fill("keyboard fr")
    expect(page.get_by_role("option", name="Keyboard friend")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/en/agents/detail/\?id={agent}"))
    expect(field).to_be_hidden()


@pytest.mark.parametrize("visit", ["phone"], indirect=True)
def test_menu_of_a_phone(visit: Visit) -> None:
    page = visit.open()
    menu = page.get_by_role("navigation", name="Main")
    expect(menu).to_be_hidden()
    page.get_by_role("button", name="Open the menu").click()
    expect(menu).to_be_visible()
    visit.axe()
    menu.get_by_role("link", name="Usage").click()
    expect(page).to_have_url(re.compile("/en/usage/"))
    expect(menu).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_address_that_leads_nowhere(visit: Visit) -> None:
    visit.expect_problem("status of 404")
    answer = visit.page.goto(f"{visit.url}/de/nothing/here")
    assert answer is not None
    assert answer.status == 404
    page = visit.page
    expect(page.get_by_role("heading", name="Hier ist nichts")).to_be_visible()
    visit.axe()
    page.get_by_role("link", name="Zu den Agenten").click()
    expect(page).to_have_url(re.compile("/de/agents/"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Agenten")


def test_without_a_connection(visit: Visit) -> None:
    visit.expect_problem("ERR_INTERNET_DISCONNECTED")
    page = visit.open("/settings/")
    page.context.set_offline(True)
    expect(page.get_by_text("No connection.")).to_be_visible()
    visit.axe()
    page.context.set_offline(False)
    expect(page.get_by_text("No connection.")).to_be_hidden()


def test_a_server_that_fails_says_its_request(visit: Visit) -> None:
    visit.expect_problem("status of 500")
    problem = {
        "title": "Internal Server Error",
        "status": 500,
        "code": "internal_error",
        "detail": "",
        "request_id": "r-1",
    }
    failing = True

    def answer(route: Route) -> None:
        if failing:
            route.fulfill(status=500, content_type="application/problem+json", json=problem)
        else:
            route.continue_()

    visit.page.route("**/api/v1/agents?*", answer)
    page = visit.open()
    alert = page.get_by_role("alert").filter(has_text="r-1")
    expect(alert).to_be_visible()
    visit.axe()
    failing = False
    alert.get_by_role("button", name="Try again").click()
    expect(alert).to_be_hidden()


# Sums the layout shifts that no person caused; https://web.dev/articles/cls calls up to 0.1 good.
_SHIFTS = """() => {
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) {
      if (one.hadRecentInput) continue;
      const moved = one.sources.map(({ node }) => (node?.outerHTML ?? node?.textContent ?? '').slice(0, 120));
      window.shifts.push([one.value, moved]);
    }
  }).observe({ type: 'layout-shift', buffered: true });
}"""
GOOD = 0.1


@pytest.mark.parametrize("visit", ["desktop", "phone"], indirect=True)
def test_nothing_moves_while_a_page_is_loaded(visit: Visit, stack: Instance) -> None:
    """With answers of the API that come one after the other, the later ones of a page long after the first."""
    agent = scripted_agent(stack.url, "Settled", description="Has a little of everything.")
    tool = {"kind": "http", "method": "GET", "base_url": "https://api.example.com", "path": "/", "effect": "read"}
    for name in ("look_up", "look_down", "look_aside"):
        rest(stack.url, "POST", f"/agents/{agent}/tools", {**tool, "name": name, "input_schema": {"type": "object"}})
    talk(stack.ws_url(agent), ['/tool calculator {"expression": "1+1"}\n/say **two**', "/say three"])
    page, detail = visit.page, f"/agents/detail/?id={agent}"
    page.add_init_script(f"({_SHIFTS})()")
    asked = [0]

    def later(route: Route) -> None:
        asked[0] += 1
        page.wait_for_timeout(min(asked[0], 5) * 60)
        route.continue_()

    page.route("**/api/v1/**", later)
    tabs = ("playground", "settings", "tools", "credentials", "versions", "traces", "usage")
    for path in (*PLACES, *(f"{detail}&tab={tab}" for tab in tabs)):
        asked[0] = 0
        visit.open(path)
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(300)
        shifts = page.evaluate("window.shifts")
        assert sum(value for value, _ in shifts) < GOOD, (path, shifts)
