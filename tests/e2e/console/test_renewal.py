"""Tokens that end while the console is open: renewed in silence, or signed in again with all kept."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode

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


def _until_due(page: Page, share: float) -> None:
    """Wait until no more than this share of a token's life is left."""
    left = int(SECONDS * 1_000 * share)
    page.wait_for_function(
        f"() => JSON.parse(sessionStorage['console.session']).expires - Date.now() < {left}", timeout=90_000
    )


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
    connections = len(sockets)
    _until_due(page, 0)
    # The connection is over with the token that opened it: the message goes by another one, which a new token opens.
    _say(page, "/say And later.")
    expect(page.get_by_role("article", name="Answer").last).to_contain_text("And later.", timeout=60_000)
    expect(page.get_by_role("article", name="Answer")).to_have_count(2)
    assert len(sockets) > connections
    assert _token(page) != first
    _until_due(page, 0)
    page.get_by_role("tab", name="Versions").click()
    expect(page.get_by_role("heading", name="Version 1", exact=True)).to_be_visible()
    assert len(asked) >= 2
    expect(page.get_by_role("alertdialog")).to_have_count(0)


def test_two_tabs_renew_at_once(passing: Visit, brief: Instance) -> None:
    """An issuer that takes each refresh token once, and a tab that was duplicated."""
    page = passing.page
    bearer(brief, "tom", tenant="twins", role="editor")
    used: list[str] = []

    def once_only(route: Route) -> None:
        """Give a new refresh token with each answer, and refuse one that came before."""
        form = {name: value for name, (value, *_) in parse_qs(route.request.post_data or "").items()}
        token = form.get("refresh_token", "")
        if token in used:
            route.fulfill(status=400, json={"error": "invalid_grant"}, headers={"Access-Control-Allow-Origin": "*"})
            return
        used.append(token)
        if token:
            form["refresh_token"] = token.partition("+")[0]
        answer = route.fetch(post_data=urlencode(form))
        body = answer.json()
        body["refresh_token"] = f"{token}+" if token else body["refresh_token"]
        route.fulfill(response=answer, json=body)

    page.context.route("**/oauth2/token", once_only)
    passing.sign_in("tom", "/agents/")
    expect(page.get_by_role("link", name="New agent")).to_be_visible()
    kept = json.dumps(page.evaluate("() => sessionStorage.getItem('console.session')"))
    twin = page.context.new_page()
    twin.set_default_timeout(30_000)
    # The browser's own way to duplicate a tab copies its session storage; no program can press that.
    twin.add_init_script(f"sessionStorage['console.session'] ??= {kept}")
    twin.goto(f"{brief.url}/en/agents/")
    expect(twin.get_by_role("link", name="New agent")).to_be_visible()
    for _ in range(2):
        before = _token(page)
        _until_due(page, 1 / 4)
        at = page.evaluate("() => Date.now() + 1500")
        for tab in (page, twin):
            place = "/credentials/" if "credentials" not in tab.url else "/agents/"
            click = f"document.querySelector('#sidebar nav a[href$=\"{place}\"]').click()"
            tab.evaluate(f"at => void setTimeout(() => {click}, at - Date.now())", at)
        for tab in (page, twin):
            changed = "before => JSON.parse(sessionStorage['console.session'] ?? '{}').token !== before"
            tab.wait_for_function(changed, arg=before)
            expect(tab.get_by_role("alertdialog")).to_have_count(0)
    assert len(used) == len(set(used))
    assert _token(page) == _token(twin)


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
    _until_due(page, 1 / 4)
    # What is sent now waits for her.
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
