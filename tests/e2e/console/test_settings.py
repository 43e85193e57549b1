"""Settings: keys, prices, limits, network, tracing, the audit trail, and who may see them."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from local.testing import Instance
from tests.e2e.console.visit import Visit, rest

TABS = ["members", "keys", "limits", "network", "prices", "tracing", "audit"]


def settings(visit: Visit, tab: str) -> Page:
    # A tracing that is not set answers 404, which browsers note.
    visit.expect_problem("/api/v1/tracing")
    return visit.open(f"/settings/?tab={tab}")


@pytest.mark.parametrize("visit", ["desktop", "phone-dark"], indirect=True)
def test_every_part_is_accessible(visit: Visit) -> None:
    for tab in TABS:
        page = settings(visit, tab)
        expect(page.get_by_role("tabpanel").get_by_role("heading").first).to_be_visible()
        visit.axe()
        assert page.evaluate("() => document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_key_is_shown_once_and_revoked(visit: Visit, stack: Instance) -> None:
    page = settings(visit, "keys")
    page.get_by_role("button", name="Create key").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("Nightly report")
    form.get_by_label("Run", exact=True).uncheck()
    form.get_by_role("button", name="Create").click()
    shown = page.get_by_role("dialog", name="Key “Nightly report” created")
    secret = shown.locator("code").inner_text()
    assert secret.startswith("aab_")
    visit.axe()
    shown.get_by_role("button", name="Copy: Secret").click()
    assert page.evaluate("() => navigator.clipboard.readText()") == secret
    shown.get_by_role("button", name="I have kept it").click()
    line = page.get_by_role("listitem").filter(has_text="Nightly report")
    expect(line).to_contain_text("Read")
    expect(page.get_by_text(secret)).to_have_count(0)
    made = [key for key in rest(stack.url, "GET", "/api-keys")["items"] if key["name"] == "Nightly report"]
    assert [key["scopes"] for key in made] == [["read"]]
    line.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(line).to_be_hidden()


def test_prices_are_saved(visit: Visit, stack: Instance) -> None:
    page = settings(visit, "prices")
    page.get_by_role("button", name="Add price").click()
    line = page.get_by_role("group", name="Price of price 1")
    line.get_by_label("Input").fill("a few")
    page.get_by_role("button", name="Save").click()
    expect(line.get_by_role("alert").first).to_be_visible()
    visit.axe()
    line.get_by_label("Model").fill("priced-*")
    line = page.get_by_role("group", name="Price of priced-*")
    line.get_by_label("Input").fill("0,15")
    line.get_by_label("Output").fill("0.6")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Prices saved.")).to_be_visible()
    saved = rest(stack.url, "GET", "/prices")["prices"]
    assert [(price["model"], price["input"], price["output"]) for price in saved] == [("priced-*", "0.15", "0.6")]
    page.reload()
    expect(line.get_by_label("Input")).to_have_value("0.15")
    page.get_by_role("button", name="Remove priced-*").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="No prices of your own")).to_be_visible()


def test_limits_and_lists_are_saved(visit: Visit, stack: Instance) -> None:
    page = settings(visit, "limits")
    field = page.get_by_label("Runs at once")
    field.fill("90")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Limits saved.")).to_be_visible()
    assert rest(stack.url, "GET", "/limits")["runs_at_once"] == 90
    field.fill("")
    page.get_by_role("button", name="Save").click()
    expect(field).to_have_value("100")
    assert rest(stack.url, "GET", "/limits")["runs_at_once"] == 100
    page.get_by_role("tab", name="Network").click()
    page.get_by_label("Never").fill("blocked.example.com\n198.51.100.0/24")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Network settings saved.")).to_be_visible()
    assert rest(stack.url, "GET", "/egress")["deny"] == ["blocked.example.com", "198.51.100.0/24"]
    page.get_by_role("tab", name="Audit trail").click()
    expect(page.get_by_role("listitem").filter(has_text="/egress").first).to_contain_text("local-user")
    rest(stack.url, "PUT", "/egress", {"allow": [], "deny": [], "ports": [80, 443]})


def test_keys_for_tracing_are_written_and_never_shown(visit: Visit, stack: Instance) -> None:
    page = settings(visit, "tracing")
    page.get_by_label("Server").fill("https://langfuse.example.com")
    page.get_by_label("Public key").fill("pk-lf-public")
    page.get_by_label("Secret key").fill("sk-lf-secret-words")
    page.get_by_label("Share of runs").fill("0")
    page.get_by_label("Send content as well").check()
    expect(page.get_by_text("leave this workspace")).to_be_visible()
    visit.axe()
    page.get_by_label("Send content as well").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Traces are sent to https://langfuse.example.com.")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Share of runs")).to_have_value("0")
    expect(page.get_by_label("Secret key")).to_have_count(0)
    saved = rest(stack.url, "GET", "/tracing")
    assert (saved["sample_rate"], saved["content"]) == (0, False)
    page.get_by_role("button", name="Stop sending").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop sending").click()
    expect(page.get_by_text("No traces are sent.", exact=True)).to_be_visible()
    rest(stack.url, "DELETE", f"/credentials/{saved['credential_id']}")


def test_who_only_reads_is_told_so(visit: Visit) -> None:
    me = {"tenant_id": "t", "subject": "ann", "permissions": ["read"], "key_id": None, "expires_at": None}

    def answer(route: Route) -> None:
        route.fulfill(json=me)

    visit.page.route("**/api/v1/members/me", answer)
    for tab in ("keys", "prices", "audit"):
        page = settings(visit, tab)
        expect(page.get_by_role("heading", name="Only owners see this")).to_be_visible()
    visit.axe()
    page = settings(visit, "network")
    expect(page.get_by_label("Never")).to_be_disabled()
    page.get_by_role("tab", name="Members").click()
    expect(page.get_by_role("button", name=re.compile("Invite"))).to_have_count(0)
    expect(page.get_by_role("button", name="Leave")).to_be_visible()
