"""Lists of more than two pages: all of it is reached, and a search says what it looked at."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Locator, expect

from local.testing import Instance, running_stack
from tests.e2e.console.visit import Visit, rest, scripted_agent

MANY = 105  # pages of the console have 50


@pytest.fixture(scope="module")
def stack(console_folder: str) -> Iterator[Instance]:
    """A runtime of this module's own, since the lists of others do not want a hundred agents."""
    with running_stack(arguments=["--static", console_folder, "--no-example"]) as instance:
        yield instance


@pytest.fixture(scope="module")
def agent(stack: Instance) -> str:
    """An agent among many, with many versions and conversations."""
    first = scripted_agent(stack.url, "Needle")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: scripted_agent(stack.url, f"Straw {number}"), range(MANY)))
        talks = [{"content": f"/say {number}"} for number in range(MANY)]
        list(pool.map(lambda body: rest(stack.url, "POST", f"/agents/{first}/messages", body), talks))
    for number in range(MANY):
        rest(stack.url, "PATCH", f"/agents/{first}", {"system_prompt": f"Version {number + 2}."})
    return first


def _load_all(within: Locator, lines: Locator, *counts: int) -> None:
    """Press for more until there is none, counting what is there after each."""
    more = within.get_by_role("button", name="Load more")
    for count in counts[:-1]:
        expect(lines).to_have_count(count)
        more.click()
    expect(lines).to_have_count(counts[-1])
    expect(more).to_have_count(0)


def test_agents(visit: Visit, agent: str) -> None:
    page = visit.open("/agents/")
    main = page.get_by_role("main")
    rows = main.get_by_role("listitem")
    _load_all(main, rows, 50, 100, MANY + 1)
    page.reload()
    expect(rows).to_have_count(50)
    # A search reads on by itself until it has seen all of them.
    page.get_by_role("searchbox").fill("needle")
    expect(rows).to_have_count(1)
    expect(page.get_by_role("link", name="Needle")).to_be_visible()
    page.get_by_role("searchbox").fill("no such agent")
    expect(page.get_by_role("heading", name="No agent fits")).to_be_visible()


def test_versions_and_audit(visit: Visit, agent: str) -> None:
    page = visit.open(f"/agents/detail/?id={agent}&tab=versions")
    panel = page.get_by_role("tabpanel")
    _load_all(panel, page.get_by_role("list", name="List of versions").get_by_role("listitem"), 50, 100, MANY + 1)
    page.get_by_role("button", name="Version 1 ").last.click()
    expect(page.get_by_role("heading", name="Version 1", exact=True)).to_be_visible()
    visit.expect_problem("/api/v1/tracing")
    visit.open("/settings/?tab=audit")
    lines = page.get_by_role("list", name="Audit trail").get_by_role("listitem")
    expect(lines).to_have_count(50)
    for count in (100, 150):
        page.get_by_role("button", name="Load more").click()
        expect(lines).to_have_count(count)


def test_conversations(visit: Visit, agent: str) -> None:
    page = visit.open(f"/agents/detail/?id={agent}")
    talks = page.get_by_role("navigation", name="Conversations")
    rows = talks.get_by_role("listitem")
    expect(rows).to_have_count(50)
    search = page.get_by_role("searchbox", name="Search titles")
    search.fill("/say 0")
    # What was not loaded yet is read, and looked at too.
    found = talks.get_by_role("button", name="/say 0", exact=True)
    expect(found).to_be_visible()
    expect(talks.get_by_role("status")).to_have_text("1 found")
    search.fill("")
    expect(rows).to_have_count(MANY)
