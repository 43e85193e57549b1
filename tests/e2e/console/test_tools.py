"""Tools and credentials in the browser: made, tried, imported, chosen; secrets are never shown again."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from local.testing import Instance
from tests.e2e.console.visit import Visit, rest, scripted_agent, talk

SECRET = "orders-token-4711"


class _Orders(BaseHTTPRequestHandler):
    """An API that repeats the token it was called with, so that a secret that leaks is seen."""

    def do_GET(self) -> None:
        token = self.headers.get("Authorization", "")
        found = {"number": self.path.rpartition("/")[2], "state": "shipped", "token": token}
        self._send(200 if token == f"Bearer {SECRET}" else 401, found)

    def _send(self, status: int, body: Any) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def orders() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Orders)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def _tools(visit: Visit, agent: str, more: str = "") -> Page:
    return visit.open(f"/agents/detail/?id={agent}&tab=tools{more}")


def test_tool_with_a_credential(visit: Visit, stack: Instance, orders: str) -> None:
    agent = scripted_agent(stack.url, "Order desk")
    page = _tools(visit, agent)
    page.get_by_role("button", name="Describe one HTTP call").click()
    page.get_by_label("Name", exact=True).fill("find order")
    expect(page.get_by_text("Only letters, digits, _ and - are taken by all vendors.")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("find_order")
    page.get_by_label("Description", exact=True).fill("Finds an order by its number.")
    page.get_by_label("Base URL").fill(orders)
    page.get_by_label("Path", exact=True).fill("/orders/{number}")
    expect(page.get_by_text("Filled by the model:")).to_be_visible()
    expect(page.get_by_label("Type of number")).to_have_value("string")
    expect(page.get_by_text("The schema and the parameters agree.")).to_be_visible()

    page.get_by_role("button", name="New", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Kind").select_option("bearer")
    dialog.get_by_label("Name", exact=True).fill("Orders, live")
    dialog.get_by_label("Token", exact=True).fill(SECRET)
    expect(dialog.get_by_label("Only send to these hosts")).to_have_value("127.0.0.1")
    visit.axe()
    dialog.get_by_role("button", name="Create").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_label("Credential", exact=True).locator("option:checked")).to_have_text("Orders, live · Bearer")

    page.get_by_role("tab", name="Test").click()
    page.get_by_label("number", exact=True).last.fill("A-17")
    page.get_by_role("button", name="Save and run").click()
    outcome = page.get_by_role("region", name="Outcome of the test")
    expect(outcome.get_by_text("Worked")).to_be_visible()
    expect(outcome.get_by_text("Status 200")).to_be_visible()
    outcome.locator("summary", has_text="Request").click()
    outcome.locator("summary", has_text="Response").click()
    expect(outcome.get_by_text("Authorization: ***")).to_be_visible()
    expect(outcome.get_by_text('"state": "shipped"').first).to_be_visible()
    assert SECRET not in page.content()
    visit.axe()

    [tool] = rest(stack.url, "GET", f"/agents/{agent}/tools")["items"]
    assert tool["input_schema"]["required"] == ["number"]
    page.reload()
    expect(page.get_by_label("Path", exact=True)).to_have_value("/orders/{number}")
    page.get_by_role("button", name="Tools", exact=True).click()
    expect(page.get_by_role("link", name="find_order")).to_be_visible()
    visit.axe()

    conversation = talk(stack.ws_url(agent), ['/tool find_order {"number": "B-2"}'])
    messages = json.dumps(rest(stack.url, "GET", f"/conversations/{conversation}/messages"))
    assert "shipped" in messages and SECRET not in messages


def test_what_is_missing_or_broken_is_said_where_it_is(visit: Visit, stack: Instance) -> None:
    page = _tools(visit, scripted_agent(stack.url, "Unfinished"))
    page.get_by_role("button", name="Describe one HTTP call").click()
    visit.expect_problem("status of 422")
    page.get_by_role("button", name="Create tool").click()
    name, address = page.get_by_label("Name", exact=True), page.get_by_label("Base URL")
    expect(page.get_by_text("A name is needed.")).to_be_visible()
    expect(page.get_by_text("An address is needed")).to_be_visible()
    expect(name).to_be_focused()
    name.fill("find_order")
    expect(page.get_by_text("A name is needed.")).to_be_hidden()
    expect(address).to_have_attribute("aria-invalid", "true")
    schema = page.get_by_role("textbox", name="JSON Schema of the input")
    schema.click()
    # The browser would keep the look of what is typed over by a style that the page's policy refuses; see visit.py.
    page.keyboard.press("Control+A")
    page.keyboard.type('{"type": "object", ')
    expect(page.locator(".cm-lint-marker-error")).to_be_visible()
    page.keyboard.type('"properties": {}}')
    expect(schema).to_have_text('{"type": "object", "properties": {}}')
    expect(page.locator(".cm-lint-marker-error")).to_be_hidden()
    page.keyboard.press("Control+Z")
    expect(schema).not_to_contain_text("properties")


def test_two_people_change_a_tool(visit: Visit, stack: Instance, orders: str) -> None:
    agent = scripted_agent(stack.url, "Shared desk")
    tool = rest(stack.url, "POST", f"/agents/{agent}/tools", _tool("look_up", orders))
    page = _tools(visit, agent, f"&tool={tool['id']}")
    page.get_by_label("Description", exact=True).fill("Mine")
    rest(stack.url, "PATCH", f"/tools/{tool['id']}", {"description": "Theirs"})
    visit.expect_problem("status of 412")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Somebody else has saved this tool meanwhile.")).to_be_visible()
    expect(page.get_by_role("cell", name="Theirs")).to_be_visible()
    visit.axe()
    page.get_by_role("button", name="Save mine over it").click()
    expect(page.get_by_text("Somebody else has saved this tool meanwhile.")).to_be_hidden()
    assert rest(stack.url, "GET", f"/tools/{tool['id']}")["description"] == "Mine"


def test_openapi_import(visit: Visit, stack: Instance, orders: str) -> None:
    agent = scripted_agent(stack.url, "Importer")
    page = _tools(visit, agent)
    page.get_by_role("button", name="Import OpenAPI").click()
    page.get_by_role("tab", name="Paste or upload").click()
    page.get_by_label("Description", exact=True).fill("no description at all")
    page.get_by_role("button", name="Read the description").click()
    expect(page.get_by_text("The description could not be read.")).to_be_visible()
    page.get_by_role("button", name="Another source").click()
    _paste(page, _description(orders, things=40))
    expect(page.get_by_text("80 of 80 shown, 0 chosen")).to_be_visible()
    expect(page.get_by_text("The API asks for: key")).to_be_visible()
    visit.axe()

    page.get_by_label("Choose all of Tag 1").check()
    expect(page.get_by_text("80 of 80 shown, 20 chosen")).to_be_visible()
    page.get_by_label("Choose all of Tag 1").uncheck()
    page.get_by_label("Search operations").fill("/things3/ reads")
    expect(page.get_by_text("2 of 80 shown")).to_be_visible()
    page.get_by_role("button", name="Choose these").click()
    page.get_by_label("Search operations").fill("deleteThing7")
    expect(page.get_by_text("1 of 80 shown")).to_be_visible()
    page.get_by_role("button", name="Choose these").click()
    page.get_by_role("button", name="New", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Kind")).to_have_value("api_key")
    expect(dialog.get_by_label("Name there")).to_have_value("X-Shop-Key")
    dialog.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="tools", exact=False).filter(has_text="Make").click()
    expect(page.get_by_text("The tools are ready")).to_be_visible()
    tools = {one["name"]: one for one in rest(stack.url, "GET", f"/agents/{agent}/tools?limit=100")["items"]}
    assert tools["deleteThing7"]["requires_approval"] and "getThing3" in tools

    page.get_by_role("button", name="To the tools").click()
    page.get_by_role("button", name="Import again").click()
    page.get_by_role("tab", name="Paste or upload").click()
    _paste(page, _description(orders, things=6))
    expect(page.get_by_text("One operation is gone")).to_be_visible()
    page.get_by_label("Delete deleteThing7").check()
    page.get_by_role("button", name="Bring up to date").click()
    expect(page.get_by_text("One deleted")).to_be_visible()


SECRETS = {
    "api_key": {"Key": "weather-4711"},
    "bearer": {"Token": "bearer-4711"},
    "basic": {"User name": "ann", "Password": "password-4711"},
    "custom_headers": {"Name 1": "X-Tenant", "Value 1": "header-4711"},
    "oauth2": {"Token URL": "https://id.example.com/token", "Client ID": "console", "Client secret": "client-4711"},
    "provider_key": {"Key": "sk-4711-4711"},
}


def test_credentials(visit: Visit, stack: Instance) -> None:
    page = visit.open("/credentials/")
    for kind, fields in SECRETS.items():
        page.get_by_role("button", name="New credential").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Kind").select_option(kind)
        dialog.get_by_label("Name", exact=True).fill(f"One of {kind}")
        for label, value in fields.items():
            dialog.get_by_label(label, exact=True).fill(value)
        if kind == "oauth2":
            visit.axe()
        dialog.get_by_role("button", name="Create").click()
        expect(dialog).to_be_hidden()
        expect(page.get_by_text(f"One of {kind}", exact=True)).to_be_visible()
    visit.axe()
    assert "4711" not in page.content()

    page.get_by_role("button", name="What to do with One of bearer").click()
    page.get_by_role("menuitem", name="Replace").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Token", exact=True)).to_have_value("")
    visit.expect_problem("status of 422")
    dialog.get_by_label("Token", exact=True).fill("abc")
    dialog.get_by_role("button", name="Replace").click()
    expect(dialog.get_by_text("must have at least 4 characters").first).to_be_visible()
    dialog.get_by_label("Token", exact=True).fill("another-token")
    dialog.get_by_role("button", name="Replace").click()
    expect(dialog).to_be_hidden()


def test_credential_in_use(visit: Visit, stack: Instance, orders: str) -> None:
    agent = scripted_agent(stack.url, "User of it")
    secret = {"kind": "bearer", "name": "Much needed", "secret": {"value": SECRET}}
    credential = rest(stack.url, "POST", "/credentials", secret)["id"]
    rest(stack.url, "POST", f"/agents/{agent}/tools", _tool("needs_it", orders) | {"credential_id": credential})
    page = visit.open("/credentials/")
    page.get_by_role("button", name="What to do with Much needed").click()
    page.get_by_role("menuitem", name="Delete").click()
    dialog = page.get_by_role("dialog", name="Much needed is in use")
    dialog.get_by_role("link", name="needs_it").click()
    expect(page.get_by_role("heading", name="needs_it")).to_be_visible()


@pytest.mark.parametrize("visit", ["phone-dark"], indirect=True)
def test_on_a_phone_in_german(visit: Visit, stack: Instance, orders: str) -> None:
    agent = scripted_agent(stack.url, "Telefon")
    tool = rest(stack.url, "POST", f"/agents/{agent}/tools", _tool("look_up", orders))
    for path in (f"/agents/detail/?id={agent}&tab=tools", f"/agents/detail/?id={agent}&tab=tools&tool={tool['id']}"):
        page = visit.open(path, locale="de")
        expect(page.get_by_text("look_up").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        visit.axe()


def _tool(name: str, url: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"number": {"type": "string"}}, "required": ["number"]}
    parameters = [{"name": "number", "location": "path", "argument": "number"}]
    fields = {"kind": "http", "method": "GET", "effect": "read", "base_url": url, "path": "/orders/{number}"}
    return {"name": name, "input_schema": schema, "parameters": parameters, **fields}


def _paste(page: Page, document: dict[str, Any]) -> None:
    page.get_by_role("tab", name="Paste or upload").click()
    page.get_by_label("Description", exact=True).fill(json.dumps(document))
    page.get_by_role("button", name="Read the description").click()


def _description(url: str, things: int) -> dict[str, Any]:
    """An API with two operations for each thing."""
    key = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    answers = {"200": {"description": "It."}}

    def operation(verb: str, number: int) -> dict[str, Any]:
        shared = {"tags": [f"Tag {number % 4}"], "parameters": [key], "responses": answers}
        return {"operationId": f"{verb}Thing{number}", "summary": f"{verb.title()} or reads", **shared}

    paths = {
        f"/things{number}/{{id}}": {"get": operation("get", number), "delete": operation("delete", number)}
        for number in range(1, things + 1)
    }
    schemes = {"key": {"type": "apiKey", "in": "header", "name": "X-Shop-Key"}}
    info = {"title": "Shop", "version": "2"}
    servers = [{"url": f"{url}/shop"}]
    components = {"securitySchemes": schemes}
    return {
        "openapi": "3.1.0",
        "info": info,
        "servers": servers,
        "components": components,
        "security": [{"key": []}],
        "paths": paths,
    }
