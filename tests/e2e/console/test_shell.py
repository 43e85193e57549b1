"""The frame of all pages: languages, themes, keyboard, phone, what is missing, accessibility of every page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from local.testing import Instance
from tests.e2e.console.visit import Visit, scripted_agent

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
