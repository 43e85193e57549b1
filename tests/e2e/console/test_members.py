"""Members, invitations, roles, keys and limits where people sign in: what is done by page, and what is refused."""

from __future__ import annotations

import time
import urllib.error

import pytest
from playwright.sync_api import Locator, Page, expect

from local.testing import Instance
from tests.e2e.console.conftest import DESKTOP
from tests.e2e.console.visit import Visit, bearer, rest


def _line(page: Page, name: str) -> Locator:
    return page.get_by_role("list", name="Members").get_by_role("listitem").filter(has_text=name)


def _join(guest: Visit, link: str, subject: str) -> Page:
    """Another person, in a browser of their own, follows the link."""
    browser = guest.page.context.browser
    assert browser is not None
    page = browser.new_context(**DESKTOP, locale="en-US", reduced_motion="reduce").new_page()
    page.set_default_timeout(30_000)
    Visit(page, guest.url).sign_in(subject, link.removeprefix(f"{guest.url}/en"))
    page.get_by_role("button", name="Accept the invitation").click()
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    return page


def test_somebody_comes_in_and_goes(guest: Visit, guarded: Instance) -> None:
    guest.expect_problem("status of 409")
    page = guest.page
    bearer(guarded, "mona@example.com", email="mona@example.com")
    guest.sign_in("mona@example.com", "/settings/?tab=members")
    expect(_line(page, "mona@example.com")).to_contain_text("You")
    guest.axe()
    page.get_by_role("button", name="Invite").click()
    form = page.get_by_role("dialog")
    form.get_by_label("E-mail address").fill("nobody")
    form.get_by_role("button", name="Create invitation").click()
    expect(form.get_by_role("alert")).to_contain_text("An address such as")
    guest.axe()
    form.get_by_label("E-mail address").fill("ned@example.com")
    form.get_by_role("button", name="Create invitation").click()
    shown = page.get_by_role("dialog", name="Invitation for ned@example.com")
    link = shown.locator("code").first.inner_text()
    page.keyboard.press("Escape")
    expect(shown).to_be_visible()
    guest.axe()
    shown.get_by_role("button", name="I have kept it").click()
    open_ones = page.get_by_role("list", name="Open invitations")
    expect(open_ones).to_contain_text("ned@example.com")
    expect(page.get_by_text(link)).to_have_count(0)
    other = _join(guest, link, "ned")
    page.reload()
    expect(_line(page, "ned@example.com")).to_be_visible()
    expect(open_ones).to_have_count(0)
    # The newcomer looks only, from the next look at it.
    page.get_by_label("Role of ned@example.com").select_option("viewer")
    expect(page.get_by_text("Role of ned@example.com changed.")).to_be_visible()
    # That takes five seconds.
    locked = other.get_by_role("note").filter(has_text="With this role")
    deadline = time.monotonic() + 60
    while not locked.count() and time.monotonic() < deadline:
        with other.expect_response("**/api/v1/members/me") as me:
            other.goto(f"{guest.url}/en/agents/new/")
        assert me.value.ok
        other.get_by_role("heading", name="New agent").wait_for()
    expect(locked).to_be_visible()
    # The workspace is its owner's own: they stay, whatever they try.
    own = _line(page, "mona@example.com")
    page.get_by_label("Role of mona@example.com").select_option("viewer")
    page.get_by_role("dialog", name="Give up the own role?").get_by_role("button", name="Change role").click()
    expect(own.get_by_role("alert")).to_contain_text("they stay its owner")
    expect(page.get_by_label("Role of mona@example.com")).to_have_value("owner")
    page.get_by_role("button", name="Leave").click()
    page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    expect(page.get_by_role("alert").filter(has_text="they stay its owner")).to_have_count(2)
    guest.axe()
    page.get_by_role("button", name="Remove ned@example.com").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(_line(page, "ned@example.com")).to_have_count(0)
    other.context.close()


def test_the_last_owner_stays(guest: Visit, guarded: Instance) -> None:
    guest.expect_problem("status of 409")
    page = guest.page
    claims = {"tenant": "lasting", "role": "owner", "email": "lara@example.com"}
    owner = bearer(guarded, "lara", **claims)
    # By accepting an invitation somebody whose token names the tenant becomes a stored member of it.
    body = {"email": "lara@example.com", "role": "owner"}
    token = rest(guarded.url, "POST", "/members", body, **owner, **{"Idempotency-Key": "last-owner"})["token"]
    rest(guarded.url, "POST", "/invitations/accept", {"token": token}, **owner)
    guest.sign_in("lara", "/settings/?tab=members")
    page.get_by_label("Role of lara@example.com").select_option("editor")
    page.get_by_role("dialog").get_by_role("button", name="Change role").click()
    expect(_line(page, "lara@example.com").get_by_role("alert")).to_contain_text("at least one owner")
    expect(page.get_by_label("Role of lara@example.com")).to_have_value("owner")


def test_keys_work_until_they_are_revoked_and_limits_have_bounds(guest: Visit, guarded: Instance) -> None:
    guest.expect_problem("status of 422")
    page = guest.page
    bearer(guarded, "kim", tenant="keys", role="owner")
    guest.sign_in("kim", "/settings/?tab=keys")
    page.get_by_role("button", name="Create key").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("Robot")
    form.get_by_role("button", name="Create").click()
    shown = page.get_by_role("dialog", name="Key “Robot” created")
    secret = {"Authorization": f"Bearer {shown.locator('code').inner_text()}"}
    expect(shown.get_by_role("button", name="Close")).to_have_count(0)
    shown.get_by_role("button", name="I have kept it").click()
    assert rest(guarded.url, "GET", "/members/me", **secret)["tenant_id"] == "keys"
    page.reload()
    line = page.get_by_role("listitem").filter(has_text="Robot")
    line.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(line).to_be_hidden()
    page.get_by_role("tab", name="Limits").click()
    field = page.get_by_label("Requests a minute, all together")
    field.fill("5")
    # The browser's own check stands before the API's, which is the one that counts.
    page.locator("main form").evaluate("form => { form.noValidate = true }")
    page.get_by_role("button", name="Save").click()
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    guest.axe()
    field.fill("4000")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Limits saved.")).to_be_visible()
    # A revoked key may go on for five seconds.
    deadline = time.monotonic() + 60
    with pytest.raises(urllib.error.HTTPError, match="403"):
        while time.monotonic() < deadline:
            rest(guarded.url, "GET", "/members/me", **secret)
            time.sleep(0.5)
