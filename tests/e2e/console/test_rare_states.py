"""States that are rare: two people restore, an agent that is switched off or gone, a server that is away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Route, expect

from local.testing import Instance, running_stack
from tests.e2e.console.visit import Visit, rest, scripted_agent, talk


@pytest.fixture(scope="module")
def stack(console_folder: str) -> Iterator[Instance]:
    """A runtime of this module's own, since one test stops it."""
    with running_stack(arguments=["--static", console_folder, "--no-example"]) as instance:
        yield instance


@pytest.mark.parametrize("visit", ["desktop", "phone-dark"], indirect=True)
def test_two_people_and_one_restoration(visit: Visit, stack: Instance) -> None:
    visit.expect_problem("status of 412")
    agent = scripted_agent(stack.url, system_prompt="Be kind.")
    rest(stack.url, "PATCH", f"/agents/{agent}", {"system_prompt": "Be brief."})
    page = visit.open(f"/agents/detail/?id={agent}&tab=versions&version=1")
    page.get_by_role("button", name="Restore version 1").click()
    rest(stack.url, "PATCH", f"/agents/{agent}", {"system_prompt": "Be thorough."})
    page.get_by_role("dialog", name="Restore version 1?").get_by_role("button", name="Restore").click()
    both = page.get_by_role("dialog", name="The agent was changed meanwhile")
    expect(both).to_contain_text("Be thorough.")
    expect(both).to_contain_text("Be kind.")
    assert rest(stack.url, "GET", f"/agents/{agent}")["system_prompt"] == "Be thorough."
    visit.axe()
    both.get_by_role("button", name="Restore version 1 all the same").click()
    expect(page.get_by_text("Version 4 is like version 1")).to_be_visible()
    assert rest(stack.url, "GET", f"/agents/{agent}")["system_prompt"] == "Be kind."


def test_an_agent_that_is_switched_off_and_on(visit: Visit, stack: Instance) -> None:
    agent = scripted_agent(stack.url, status="inactive")
    page = visit.open(f"/agents/detail/?id={agent}")
    notice = page.get_by_role("alert").filter(has_text="inactive")
    expect(notice).to_be_visible()
    visit.axe()
    page.get_by_role("button", name="Status: Inactive. Change").click()
    page.get_by_role("menuitemradio", name="Active").first.click()
    expect(notice).to_be_hidden()
    field = page.get_by_role("textbox", name="Message")
    field.fill("/say Awake.")
    field.press("Enter")
    expect(page.get_by_role("article", name="Answer")).to_contain_text("Awake.")


def test_what_is_gone_says_so(visit: Visit, stack: Instance) -> None:
    visit.expect_problem("status of 404")
    agent = scripted_agent(stack.url)
    conversation = talk(stack.ws_url(agent), ["/say Hello."])
    rest(stack.url, "DELETE", f"/conversations/{conversation}")
    page = visit.open(f"/agents/detail/?id={agent}&c={conversation}")
    expect(page.get_by_role("heading", name="This conversation does not exist")).to_be_visible()
    visit.axe()
    rest(stack.url, "DELETE", f"/agents/{agent}")
    page = visit.open(f"/agents/detail/?id={agent}&c={conversation}")
    expect(page.get_by_role("heading", name="This agent does not exist")).to_be_visible()
    visit.axe()
    page.get_by_role("link", name="All agents").click()
    expect(page.get_by_role("heading", name="Agents", exact=True)).to_be_visible()


def test_a_part_that_cannot_be_loaded_takes_nothing_with_it(visit: Visit, stack: Instance) -> None:
    """As without a connection, or after a deployment that took older files away."""
    for part in ("Failed to load", "ChunkLoadError", "net::ERR"):
        visit.expect_problem(part)
    agent = scripted_agent(stack.url)
    page = visit.open(f"/agents/detail/?id={agent}&tab=settings")
    instructions = page.get_by_label("Instructions", exact=True)
    instructions.fill("Typed before the connection went.")
    page.route("**/_next/static/chunks/**", lambda route: route.abort())
    page.get_by_role("button", name="Model: ").click()
    expect(page.get_by_text("This part could not be loaded")).to_be_visible()
    expect(instructions).to_have_value("Typed before the connection went.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("button", name="Version 2")).to_be_visible()
    assert rest(stack.url, "GET", f"/agents/{agent}")["system_prompt"] == "Typed before the connection went."
    page.get_by_role("tab", name="Traces").click()
    expect(page.get_by_role("heading", name="Tester")).to_be_visible()
    expect(page.get_by_text("This part could not be loaded")).to_be_visible()
    visit.axe()
    page.unroute("**/_next/static/chunks/**")
    page.get_by_role("button", name="Load the page again").click()
    expect(page.get_by_text("No runs yet")).to_be_visible()


def test_a_server_that_comes_back(visit: Visit, stack: Instance) -> None:
    """Every list says that the server is away, and goes on when asked to, without a reload."""
    for part in ("Failed to load resource", "WebSocket connection"):
        visit.expect_problem(part)
    agent = scripted_agent(stack.url, "Survivor")
    places = {
        "/agents/": ("link", "Survivor"),
        "/credentials/": ("heading", "No credentials yet"),
        "/settings/?tab=limits": ("button", "Save"),
        f"/agents/detail/?id={agent}&tab=versions": ("heading", "Version 1"),
        f"/agents/detail/?id={agent}&tab=traces": ("heading", "No runs yet"),
    }

    def away(route: Route) -> None:
        route.abort("connectionrefused")

    for path, (role, name) in places.items():
        visit.page.route("**/api/v1/**", away)
        page = visit.open(path)
        page.evaluate("() => { window.kept = true }")
        alert = page.get_by_role("alert").filter(has_text="cannot be reached")
        expect(alert.first).to_be_visible()
        visit.axe()
        page.unroute("**/api/v1/**")
        page.get_by_role("button", name="Try again").first.click()
        expect(page.get_by_role(role, name=name).first).to_be_visible()  # type: ignore[arg-type]
        expect(alert).to_have_count(0)
        assert page.evaluate("() => window.kept")
