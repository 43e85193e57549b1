"""Descriptions of APIs in the console: from an address, a file, the clipboard; large ones; again; and what is none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from local.testing import Instance
from tests.e2e.console.visit import Visit, rest, scripted_agent
from tests.integration.mcp.conftest import free_port
from tests.integration.tools.api import Api, Asked, Says, serving

MANY = 120
TOO_LARGE = "x" * 17_000_000


def _description(things: int, summary: str = "Reads it") -> dict[str, Any]:
    """An API of things, and one operation of a method that tools do not have."""
    key = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    answers = {"200": {"description": "It."}}
    paths: dict[str, Any] = {
        f"/things{number}/{{id}}": {
            "get": {
                "operationId": f"getThing{number}",
                "summary": summary if number == 1 else "Reads it",
                "tags": [f"Group {number % 3}"],
                "parameters": [key],
                "responses": answers,
            }
        }
        for number in range(1, things + 1)
    }
    paths["/echo"] = {"trace": {"operationId": "traceIt", "responses": answers}}
    info = {"title": "Warehouse", "version": "3"}
    return {"openapi": "3.1.0", "info": info, "servers": [{"url": "https://api.example.com"}], "paths": paths}


def _play(asked: Asked) -> Says:
    if asked.path == "/page":
        return Says(b"<!doctype html><p>Hello</p>", headers={"Content-Type": "text/html"})
    if asked.path == "/large":
        return Says({"openapi": "3.1.0", "x": TOO_LARGE})
    if asked.path == "/openapi.json":
        return Says(_description(MANY))
    return Says({"error": "nothing here"}, status=404)


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with serving(_play) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # who takes no more hangs up
        yield server


def _import(visit: Visit, agent: str) -> Page:
    page = visit.open(f"/agents/detail/?id={agent}&tab=tools&tool=import")
    expect(page.get_by_role("button", name="Read the description")).to_be_visible()
    return page


def _upload(page: Page, file: Path) -> None:
    page.get_by_role("tab", name="Paste or upload").click()
    with page.expect_file_chooser() as chosen:
        page.get_by_text("Choose a file").click()
    chosen.value.set_files(file)
    expect(page.get_by_label("Description", exact=True)).not_to_have_value("")
    page.get_by_role("button", name="Read the description").click()


def test_many_operations_from_an_address_and_again(visit: Visit, stack: Instance, api: Api, tmp_path: Path) -> None:
    agent = scripted_agent(stack.url, "Warehouse clerk")
    page = _import(visit, agent)
    page.get_by_label("Address of the description").fill(f"{api.url}/openapi.json")
    page.get_by_role("button", name="Read the description").click()
    everything = MANY + 1
    expect(page.get_by_text(f"{everything} of {everything} shown, 0 chosen")).to_be_visible()
    page.get_by_role("button", name="Choose all", exact=True).click()
    expect(page.get_by_text(f"{everything} of {everything} shown, {MANY} chosen")).to_be_visible()
    page.get_by_role("button", name="Choose none", exact=True).click()
    page.get_by_label("State").select_option("skipped")
    expect(page.get_by_text(f"1 of {everything} shown")).to_be_visible()
    expect(page.get_by_role("checkbox", name="TRACE /echo")).to_be_disabled()
    expect(page.get_by_role("listitem").filter(has_text="TRACE")).to_contain_text("method")
    visit.axe()
    page.get_by_label("State").select_option("all")
    page.get_by_label("Search operations").fill("getthing11")
    expect(page.get_by_text(f"11 of {everything} shown")).to_be_visible()
    page.get_by_role("button", name="Choose these").click()
    page.get_by_label("Search operations").fill("")
    page.get_by_label("GET /things1/{id}", exact=True).check()
    page.get_by_role("button", name="Make 12 tools").click()
    expect(page.get_by_text("The tools are ready")).to_be_visible()
    assert len(rest(stack.url, "GET", f"/agents/{agent}/tools?limit=100")["items"]) == 12

    changed = tmp_path / "warehouse.json"
    changed.write_text(json.dumps(_description(115, summary="Reads it from the shelf")))
    # Who begins as if it were new is told that it is not.
    _import(visit, agent)
    _upload(page, changed)
    expect(page.get_by_text("To import as new makes all its tools a second time")).to_be_visible()
    visit.axe()
    page.get_by_role("button", name="Compare with it").click()
    _upload(page, changed)
    expect(page.get_by_text("4 operations are gone")).to_be_visible()
    page.get_by_label("Difference").select_option("changed")
    expect(page.get_by_text("1 of 116 shown")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="/things1/").first).to_contain_text("Changed")
    visit.axe()
    page.get_by_label("Delete getThing119").check()
    page.get_by_role("button", name="Bring up to date").click()
    expect(page.get_by_text("One deleted")).to_be_visible()
    expect(page.get_by_text("One brought up to date")).to_be_visible()
    names = {one["name"]: one for one in rest(stack.url, "GET", f"/agents/{agent}/tools?limit=100")["items"]}
    assert "getThing119" not in names and "getThing118" in names
    assert "from the shelf" in names["getThing1"]["description"]


def test_what_cannot_be_read_says_why(visit: Visit, stack: Instance, api: Api, tmp_path: Path) -> None:
    agent = scripted_agent(stack.url, "Reader")
    page = _import(visit, agent)
    address = page.get_by_label("Address of the description")
    for url, words in {
        f"{api.url}/page": "This is a web page or XML",
        f"{api.url}/nowhere": "answers 404",
        f"{api.url}/large": "larger than 16 MB",
        f"http://127.0.0.1:{free_port()}/openapi.json": "could not be reached",
    }.items():
        address.fill(url)
        page.get_by_role("button", name="Read the description").click()
        expect(page.get_by_role("main").get_by_role("alert")).to_contain_text(words)
        expect(page.get_by_role("main").get_by_role("alert")).to_contain_text(url)
        page.get_by_role("button", name="Another source").click()
        expect(address).to_have_value(url)
    page.reload()
    visit.expect_problem("status of 413")
    too_long = tmp_path / "long.yaml"
    too_long.write_text("openapi: 3.1.0\ninfo: {title: Long, version: '1'}\n# " + "x" * 1_100_000)
    _upload(page, too_long)
    expect(page.get_by_text("A description of up to 16 MB can be read from an address.")).to_be_visible()
    visit.axe()


@pytest.mark.parametrize("visit", ["phone-dark"], indirect=True)
def test_on_a_phone(visit: Visit, stack: Instance, api: Api) -> None:
    agent = scripted_agent(stack.url, "Pocket clerk")
    page = _import(visit, agent)
    page.get_by_role("tab", name="Paste or upload").click()
    page.get_by_label("Description", exact=True).fill(json.dumps(_description(MANY)))
    page.get_by_role("button", name="Read the description").click()
    page.get_by_label("GET /things2/{id}", exact=True).check()
    visit.axe()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    page.get_by_role("button", name="On to the integration").click()
    expect(page.get_by_label("Base URL")).to_be_in_viewport()
    page.get_by_role("button", name="Make one tool").click()
    expect(page.get_by_text("The tools are ready")).to_be_visible()
