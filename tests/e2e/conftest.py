"""A real browser against the whole laptop runtime."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from local.packages import PROJECT
from local.testing import Instance, running_stack
from tests.e2e.chat_page import Watched

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()
NAMES = ("chromium", "chromium-browser", "google-chrome")
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "color_scheme": "dark"}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests: the system's, else Playwright's own."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        except Exception as error:
            pytest.fail(f"No usable Chromium: run `make test`, which installs one, or scripts/browser.sh.\n{error}")
        expect.set_options(timeout=20_000)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def stack() -> Iterator[Instance]:
    """One runtime for all tests; each makes an agent of its own."""
    with running_stack(arguments=["--static", str(PROJECT / "web" / "chat")]) as instance:
        yield instance


@pytest.fixture(params=["desktop"])
def watched(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Watched]:
    """A page in a context of its own; a test fails when anything was reported to the console."""
    options = PHONE if request.param == "phone" else DESKTOP
    context = browser.new_context(**options, permissions=["clipboard-read", "clipboard-write"])
    found = Watched(context)
    yield found
    problems = found.unexpected
    context.close()
    assert problems == []
