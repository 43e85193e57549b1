"""Tokens that end while the console is open: renewed in silence where that can be, else signed in again with all kept."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from local.testing import Instance, running_stack
from tests.e2e.console.conftest import DESKTOP
from tests.e2e.console.visit import Visit, at_the_issuer, bearer, scripted_agent

# Renewed when a third is left; the connection is closed at the end of it.
SECONDS = 24


@pytest.fixture(scope="module")
def brief(console_folder: str) -> Iterator[Instance]:
    """A runtime whose tokens do not last."""
    arguments = ["--static", console_folder, "--token-seconds", str(SECONDS)]
    with running_stack(arguments=arguments, auth=True) as instance:
        yield instance


@pytest.fixture
def passing(browser: Browser, brief: Instance) -> Iterator[Visit]:
    """Somebody at that runtime."""
    context = browser.new_context(**DESKTOP, locale="en-US", reduced_motion="reduce")
    found = Visit(context.new_page(), brief.url)
    yield found
    unexpected = found.unexpected
    context.close()
    assert unexpected == []


def _renewals(page: Page) -> list[Request]:
    asked: list[Request] = []
    page.on("request", lambda one: asked.append(one) if "refresh_token" in (one.post_data or "") else None)
    return asked


def _token(page: Page) -> str:
    return str(page.evaluate("() => JSON.parse(sessionStorage.getItem('console.session')).token"))


def _say(page: Page, text: str) -> None:
    field = page.get_by_role("textbox", name="Message")
    field.fill(text)
    field.press("Enter")


def test_nobody_notices_a_renewal(passing: Visit, brief: Instance) -> None:
    page = passing.page
    agent = scripted_agent(brief.url, headers=bearer(brief, "rita", tenant="renewing", role="editor"))
    sockets: list[str] = []
    page.on("websocket", lambda one: sockets.append(one.url))
    asked = _renewals(page)
    passing.sign_in("rita", f"/agents/detail/?id={agent}")
    _say(page, "/say At first.")
    expect(page.get_by_role("article", name="Answer").last).to_contain_text("At first.")
    first = _token(page)
    page.get_by_role("textbox", name="Message").fill("half a thought")
    # The connection ends with the token it was opened with; the next one has a ticket by a new token.
    with page.expect_event("websocket", timeout=120_000):
        pass
    expect(page.locator("[data-connection=open]")).to_be_attached(timeout=60_000)
    expect(page.get_by_role("textbox", name="Message")).to_have_value("half a thought")
    assert len(asked) >= 1
    assert _token(page) != first
    _say(page, "/say And later.")
    expect(page.get_by_role("article", name="Answer").last).to_contain_text("And later.")
    page.get_by_role("tab", name="Versions").click()
    expect(page.get_by_role("heading", name="Version 1", exact=True)).to_be_visible()
    assert all(parse_qs(one.post_data or "")["client_id"] for one in asked)
    expect(page.get_by_role("alertdialog")).to_have_count(0)


def test_two_tabs_renew_at_once(passing: Visit, brief: Instance) -> None:
    """An issuer that takes each refresh token once, and a tab that was duplicated."""
    page = passing.page
    context = page.context
    bearer(brief, "tom", tenant="twins", role="editor")
    passing.sign_in("tom", "/agents/")
    expect(page.get_by_role("heading", name="Agents")).to_be_visible()
    used: set[str] = set()
    refused: list[str] = []

    def once_only(route: Route) -> None:
        form = parse_qs(route.request.post_data or "")
        token = form.get("refresh_token", [""])[0]
        if not token:
            route.continue_()
        elif token in used:
            refused.append(token)
            route.fulfill(status=400, json={"error": "invalid_grant"}, headers={"Access-Control-Allow-Origin": "*"})
        else:
            used.add(token)
            answer = route.fetch(post_data=f"grant_type=refresh_token&client_id=local&refresh_token={token.split('+')[0]}")
            route.fulfill(response=answer, json={**answer.json(), "refresh_token": f"{token}+"})

    context.route("**/oauth2/token", once_only)
    kept = page.evaluate("() => sessionStorage.getItem('console.session')")
    twin = context.new_page()
    twin.set_default_timeout(30_000)
    twin.add_init_script(f"sessionStorage.getItem('console.session') ?? sessionStorage.setItem('console.session', {json.dumps(kept)})")
    twin.goto(f"{brief.url}/en/agents/")
    expect(twin.get_by_role("heading", name="Agents")).to_be_visible()
    for tab in (page, twin):
        tab.clock.install()
    before = _token(page)
    for _ in range(3):
        for tab in (page, twin):
            # Both look at their token in the same moment.
            tab.clock.fast_forward((SECONDS - 4) * 1_000)
        for tab in (page, twin):
            tab.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
            tab.evaluate("() => void window.dispatchEvent(new Event('focus'))")
    for tab in (page, twin):
        tab.clock.resume()
        tab.get_by_role("link", name="Credentials").click()
        expect(tab.get_by_role("heading", name="Credentials")).to_be_visible()
        expect(tab.get_by_role("link", name="Usage")).to_be_visible()
        tab.wait_for_function("before => JSON.parse(sessionStorage.getItem('console.session') ?? '{}').token !== before", arg=before)
        expect(tab.get_by_role("alertdialog")).to_have_count(0)
    assert refused == []


def test_what_is_typed_is_there_after_signing_in_again(passing: Visit, brief: Instance) -> None:
    passing.expect_problem("status of 401")
    page = passing.page
    agent = scripted_agent(brief.url, headers=bearer(brief, "nora", tenant="again", role="editor"))
    passing.sign_in("nora", f"/agents/detail/?id={agent}")
    field = page.get_by_role("textbox", name="Message")
    field.fill("a draft of a question")
    page.get_by_role("tab", name="Instructions and model").click()
    instructions = page.get_by_role("textbox", name="Instructions")
    instructions.fill("Instructions that nobody saved yet.")
    # The issuer takes nothing back from her: the next renewal is refused.
    revoking = urllib.request.Request(f"{brief.running['issuer']}/users/nora/revoke-tokens", method="POST")
    urllib.request.urlopen(revoking, timeout=30).close()
    dialog = page.get_by_role("alertdialog", name="The session has ended")
    # Saving is what a person does in the end; it waits for them.
    page.wait_for_function(
        f"() => JSON.parse(sessionStorage.getItem('console.session') ?? '{{}}').expires - Date.now() < {SECONDS * 1000 // 4}",
        timeout=60_000,
    )
    page.get_by_role("button", name="Save").click()
    expect(dialog).to_be_visible()
    passing.axe()
    expect(dialog).to_contain_text("nora")
    with page.expect_popup() as opened:
        dialog.get_by_role("button", name="Sign in again").click()
    with opened.value.expect_event("close"):
        at_the_issuer(opened.value, "nora")
    expect(dialog).to_be_hidden()
    # What waited goes on by itself.
    expect(page.get_by_text("Saved as version 2")).to_be_visible()
    expect(instructions).to_have_value("Instructions that nobody saved yet.")
    page.get_by_role("tab", name="Playground").click()
    expect(field).to_have_value("a draft of a question")
    _say(page, "/say Here again.")
    expect(page.get_by_role("article", name="Answer").last).to_contain_text("Here again.")
