"""Signing in with the stack's issuer: there and back, an end in the middle of work, an invitation."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Route, expect

from local.testing import Instance
from tests.e2e.console.visit import Visit, at_the_issuer, rest


def test_there_and_back(guest: Visit) -> None:
    page = guest.page
    page.goto(f"{guest.url}/en/usage/?range=7")
    expect(page).to_have_url(re.compile("/en/sign-in/"))
    button = page.get_by_role("button", name="Sign in")
    expect(button).to_be_visible()
    guest.axe()
    button.click()
    at_the_issuer(page, "ada@example.com")
    expect(page).to_have_url(re.compile(r"/en/usage/\?range=7"))
    with page.expect_request("**/api/v1/members/me") as asked:
        page.get_by_role("button", name="ada@example.com").click()
    assert asked.value.header_value("authorization").startswith("Bearer ")
    menu = page.get_by_role("menu")
    expect(menu).to_contain_text("owner")
    guest.axe()
    menu.get_by_role("menuitem", name="Sign out").click()
    page.locator("form button").first.click()
    expect(page).to_have_url(re.compile("/en/sign-in/"))
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert page.evaluate("sessionStorage.getItem('console.session')") is None


def test_an_answer_that_nobody_asked_for_signs_nobody_in(guest: Visit) -> None:
    page = guest.page
    page.goto(f"{guest.url}/en/signed-in/?code=stolen&state=made-up")
    expect(page.get_by_role("heading", name="Signing in failed")).to_be_visible()
    guest.axe()
    assert page.evaluate("sessionStorage.getItem('console.session')") is None


def test_a_session_that_ends_loses_nothing(guest: Visit) -> None:
    guest.expect_problem("status of 401")
    page = guest.page
    page.goto(f"{guest.url}/en/agents/new/")
    page.get_by_role("button", name="Sign in").click()
    at_the_issuer(page, "bob@example.com")
    expect(page).to_have_url(re.compile("/en/agents/new/"))
    # Stands for what somebody typed.
    page.evaluate("window.kept = 'here'")
    ended = True

    def answer(route: Route) -> None:
        if ended:
            body = {"title": "Unauthorized", "status": 401, "code": "unauthenticated", "detail": "Sign in."}
            route.fulfill(status=401, content_type="application/problem+json", body=json.dumps(body))
        else:
            route.continue_()

    page.route("**/api/v1/**", answer)
    page.keyboard.press("Control+k")
    dialog = page.get_by_role("alertdialog")
    expect(dialog.get_by_role("heading", name="The session has ended")).to_be_visible()
    guest.axe()
    ended = False
    with page.expect_popup() as opened:
        dialog.get_by_role("button", name="Sign in again").click()
    with opened.value.expect_event("close"):
        at_the_issuer(opened.value, "bob@example.com")
    expect(dialog).to_be_hidden()
    assert page.evaluate("window.kept") == "here"


def test_an_invitation_is_accepted(guest: Visit, guarded: Instance) -> None:
    owner = {"Authorization": f"Bearer {guarded.token('carol')}"}
    rest(guarded.url, "GET", "/members/me", **owner)
    body = {"email": "dave@example.com", "role": "editor"}
    invitation = rest(guarded.url, "POST", "/members", body, **owner, **{"Idempotency-Key": "invite-dave"})
    page = guest.page
    page.goto(f"{guest.url}/en/invitation/?token={invitation['token']}")
    page.get_by_role("button", name="Sign in").click()
    at_the_issuer(page, "dave@example.com")
    page.get_by_role("button", name="Accept the invitation").click()
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    guest.axe()
    page.get_by_role("button", name="To the agents").click()
    expect(page).to_have_url(re.compile("/en/agents/"))
    members = rest(guarded.url, "GET", "/members", **owner)["items"]
    assert {one["subject"]: one["role"] for one in members}["dave@example.com"] == "editor"
