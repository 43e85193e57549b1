"""What the console's tests share: the console built from the present sources, a runtime that serves it, a browser page.

    def test_something(visit: Visit, stack: Instance) -> None:
        page = visit.open("/agents/")                 # or visit.open(path, locale="de")
        page.get_by_role("link", name="New agent").click()
        visit.axe()

`@pytest.mark.parametrize("visit", ["phone", "dark"], indirect=True)` chooses another kind of page. A test fails when
its page wrote an error or a warning to the browser's console, breaches of the Content-Security-Policy included;
`visit.expect_problem("status of 412")` lets one pass. The runtime is shared: each test makes agents of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from local.testing import Instance, running_stack
from scripts import console
from tests.e2e.console.visit import Visit

DESKTOP: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
KINDS: dict[str, dict[str, Any]] = {
    "desktop": DESKTOP,
    "dark": DESKTOP | {"color_scheme": "dark"},
    "phone": DESKTOP | PHONE,
    "phone-dark": DESKTOP | PHONE | {"color_scheme": "dark"},
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A busy machine may take minutes for the build, which the first test waits for."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def console_folder() -> str:
    """Where the console lies, built if what was built is older than the sources."""
    try:
        console.install(dev=True)
        console.build(dev=True)
    except console.BuildError as error:
        pytest.fail(str(error), pytrace=False)
    return str(console.OUT)


@pytest.fixture(scope="session")
def stack(console_folder: str) -> Iterator[Instance]:
    """One runtime for all tests of the console. Tools may call this machine."""
    with running_stack(arguments=["--static", console_folder], env={"LOOPBACK_TOOLS": "1"}) as instance:
        yield instance


@pytest.fixture(scope="session")
def guarded(console_folder: str) -> Iterator[Instance]:
    """A runtime that asks for signing in. It is shared: each test has a tenant of its own."""
    with running_stack(arguments=["--static", console_folder], auth=True) as instance:
        yield instance


@pytest.fixture
def guest(request: pytest.FixtureRequest, browser: Browser, guarded: Instance) -> Iterator[Visit]:
    """Somebody who is not signed in; `visit.sign_in(subject)` changes that."""
    yield from _visiting(browser, guarded, getattr(request, "param", "desktop"))


@pytest.fixture
def visit(request: pytest.FixtureRequest, browser: Browser, stack: Instance) -> Iterator[Visit]:
    """A page in a context of its own, by default of a desktop in light colours, without motion."""
    yield from _visiting(browser, stack, getattr(request, "param", "desktop"))


def _visiting(browser: Browser, stack: Instance, kind: str) -> Iterator[Visit]:
    context = browser.new_context(
        **KINDS[kind],
        locale="en-US",
        timezone_id="UTC",
        reduced_motion="reduce",
        permissions=["clipboard-read", "clipboard-write"],
    )
    found = Visit(context.new_page(), stack.url)
    yield found
    unexpected = found.unexpected
    context.close()
    assert unexpected == []
