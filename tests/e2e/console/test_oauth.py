"""A person connects a credential at a real authorization server, refuses, loses the grant, and connects again."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from local.testing import Instance
from tests.e2e.console.visit import Visit, rest, scripted_agent
from tests.integration.oauth.conftest import Api, AuthorizationServer, start_server

SECRET = "basic-s3cret+/=%"
SIDEWAYS = "document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture(scope="module")
def server(stack: Instance) -> Iterator[AuthorizationServer]:
    process, started = start_server(f"{stack.url}/api/v1/oauth/callback")
    with process:
        yield started
        process.kill()


@pytest.fixture(scope="module")
def api(server: AuthorizationServer) -> Iterator[Api]:
    with Api(server) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield served
        served.shutdown()


def _window(page: Page, opens: Callable[[], None]) -> Page:
    """The window that opens by itself, at the authorization server or already back from there."""
    with page.context.expect_page() as opened:
        opens()
    window = opened.value
    window.wait_for_url(re.compile("/interaction/|/oauth/callback"))
    return window


def _consent(window: Page) -> None:
    """Sign in and agree, as far as one is asked."""
    window.locator("[name=login]").fill("ann")
    window.locator("[name=password]").fill("x")
    window.get_by_role("button", name="Sign-in").click()
    window.get_by_role("button", name="Continue").click()


def _settings(server: AuthorizationServer) -> dict[str, object]:
    return {
        "grant": "authorization_code",
        "token_url": f"{server.url}/token",
        "authorization_url": f"{server.url}/auth",
        "client_id": "basic",
        "scopes": ["openid"],
    }


def test_refused_connected_lost_and_connected_again(
    visit: Visit, stack: Instance, server: AuthorizationServer, api: Api
) -> None:
    page = visit.open("/credentials/")
    page.get_by_role("button", name="New credential").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Kind").select_option("oauth2")
    dialog.get_by_label("Name", exact=True).fill("Mail of Ann")
    dialog.get_by_label("How tokens are got").select_option("authorization_code")
    expect(dialog.get_by_text(f"{stack.url}/api/v1/oauth/callback")).to_be_visible()
    visit.axe()
    dialog.get_by_label("Authorization URL").fill(f"{server.url}/auth")
    dialog.get_by_label("Token URL").fill(f"{server.url}/token")
    dialog.get_by_label("Client ID").fill("basic")
    dialog.get_by_label("Client secret").fill(SECRET)
    dialog.get_by_label("Scopes").fill("openid")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog).to_be_hidden()
    row = page.get_by_role("listitem").filter(has_text="Mail of Ann")
    expect(row.get_by_text("Not connected")).to_be_visible()

    window = _window(page, row.get_by_role("button", name="Connect", exact=True).click)
    expect(row.get_by_text("Waiting for consent")).to_be_visible()
    row.get_by_text("Does the page complain").click()
    expect(row.get_by_text(f"{stack.url}/api/v1/oauth/callback")).to_be_visible()
    visit.axe()
    window.get_by_role("link", name="Cancel").click()
    expect(window.get_by_role("heading", name="Not connected")).to_be_visible()
    window.close()
    expect(row.get_by_text("Access was not granted.")).to_be_visible()
    visit.axe()

    window = _window(page, row.get_by_role("button", name="Connect", exact=True).click)
    _consent(window)
    expect(window.get_by_role("heading", name="Connected", exact=True)).to_be_visible()
    window.close()
    expect(row.get_by_text("Ready")).to_be_visible()
    expect(row.get_by_text("Access was not granted.")).to_be_hidden()

    [credential] = [one for one in rest(stack.url, "GET", "/credentials")["items"] if one["name"] == "Mail of Ann"]
    agent = scripted_agent(stack.url, "Post")
    tool = {"kind": "http", "name": "mail", "method": "GET", "base_url": api.url, "path": "/mail", "effect": "read"}
    tool |= {"credential_id": credential["id"], "input_schema": {"type": "object", "properties": {}}}
    rest(stack.url, "POST", f"/agents/{agent}/tools", tool)
    visit.open(f"/agents/detail/?id={agent}")
    answers = page.get_by_role("article", name="Answer")
    page.get_by_role("textbox", name="Message").fill("/tool mail {}\n/say That is all.")
    page.keyboard.press("Enter")
    expect(answers.last.get_by_role("button", name=re.compile("^mail done"))).to_be_visible()

    server.forget()
    page.get_by_role("textbox", name="Message").fill("/tool mail {}\n/say So it is.")
    page.keyboard.press("Enter")
    lost = answers.nth(1)
    expect(lost.get_by_text("The sign-in with Mail of Ann is no longer accepted.")).to_be_visible()
    expect(lost).to_have_attribute("aria-busy", "false")
    visit.axe()
    assert rest(stack.url, "GET", f"/credentials/{credential['id']}")["status"] == "needs_reconnect"
    window = _window(page, lost.get_by_role("button", name="Connect again").click)
    expect(window.get_by_role("heading", name="Connected", exact=True)).to_be_visible()
    window.close()
    expect(lost.get_by_text("Mail of Ann is connected by now.")).to_be_visible()
    visit.axe()
    lost.get_by_role("button", name="Ask again", exact=True).click()
    expect(answers.nth(2).get_by_role("button", name=re.compile("^mail done"))).to_be_visible()

    server.forget()
    page.get_by_role("textbox", name="Message").fill("/tool mail {}")
    page.keyboard.press("Enter")
    expect(answers.nth(3).get_by_role("button", name="Connect again")).to_be_visible()
    visit.open("/credentials/")
    expect(row.get_by_text("Sign-in lost")).to_be_visible()
    expect(row.get_by_role("button", name="Connect again")).to_be_visible()
    visit.axe()


@pytest.mark.parametrize("visit", ["phone-dark"], indirect=True)
def test_a_call_that_nobody_has_signed_in_for_on_a_phone_in_german(
    visit: Visit, stack: Instance, server: AuthorizationServer, api: Api
) -> None:
    body = {"name": "Kalender", "kind": "oauth2", "settings": _settings(server), "secret": {"client_secret": SECRET}}
    credential = rest(stack.url, "POST", "/credentials", body)["id"]
    agent = scripted_agent(stack.url, "Termine")
    tool = {"kind": "http", "name": "termine", "method": "GET", "base_url": api.url, "path": "/t", "effect": "read"}
    tool |= {"credential_id": credential, "input_schema": {"type": "object", "properties": {}}}
    rest(stack.url, "POST", f"/agents/{agent}/tools", tool)
    page = visit.open(f"/agents/detail/?id={agent}", locale="de")
    page.get_by_role("textbox", name="Nachricht").fill("/tool termine {}\n/say Gut.")
    page.get_by_role("button", name="Senden").click()
    expect(page.get_by_text("Mit Kalender hat sich noch niemand angemeldet.")).to_be_visible()
    window = _window(page, page.get_by_role("button", name="Verbinden", exact=True).click)
    expect(page.get_by_text("Wartet auf Zustimmung")).to_be_visible()
    assert page.evaluate(SIDEWAYS), "the page scrolls sideways"
    visit.axe()
    window.close()
    page.get_by_role("button", name="Nicht mehr warten").click()
    expect(page.get_by_role("button", name="Verbinden", exact=True)).to_be_visible()
