"""Take every page and state of the console into .build/screenshots, and the two of the README into docs/images.

make screenshots                     # all
make screenshots ONLY=playground     # those whose name contains that
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route, sync_playwright

from local.testing import running_stack
from scripts import console
from scripts.demo import Demo, fill, shop

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / ".build" / "screenshots"
IMAGES = ROOT / "docs" / "images"
# Of each of these one goes into the README; the limit keeps the repository small.
CHOSEN = {"playground-en-light-desktop": "playground.png", "trace-en-dark-desktop": "trace.png"}
LIMIT = 300_000
FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking".split()
SIZES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1440, "height": 900}},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "is_mobile": True,
        "has_touch": True,
        "device_scale_factor": 2,
    },
}
Act = Callable[[Page], None]


@dataclass(frozen=True)
class Shot:
    """`path` below the language; `act` brings the page into the state that is shown."""

    name: str
    path: str
    act: Act | None = None
    fails: str = ""


def shots(demo: Demo) -> list[Shot]:
    """Return what is photographed."""
    detail = f"/agents/detail/?id={demo.support}"
    settings = ("members", "keys", "limits", "network", "prices", "tracing", "audit")
    return [
        Shot("agents", "/agents/"),
        Shot("agents-error", "/agents/", fails="**/api/v1/agents?*"),
        Shot("new-agent", "/agents/new/"),
        Shot("playground", f"{detail}&c={demo.conversation}"),
        Shot("playground-call", f"{detail}&c={demo.conversation}", _unfold),
        Shot("playground-empty", f"/agents/detail/?id={demo.empty}"),
        Shot("playground-approval", f"/agents/detail/?id={demo.billing}&c={demo.waiting}"),
        Shot("settings-of-agent", f"{detail}&tab=settings"),
        Shot("tools", f"{detail}&tab=tools"),
        Shot("tools-empty", f"/agents/detail/?id={demo.empty}&tab=tools"),
        Shot("agent-credentials", f"{detail}&tab=credentials"),
        Shot("versions", f"{detail}&tab=versions"),
        Shot("traces", f"{detail}&tab=traces"),
        Shot("trace", f"/agents/detail/?id={demo.run.partition('&')[0]}&tab=traces&{demo.run.partition('&')[2]}"),
        Shot("agent-usage", f"{detail}&tab=usage"),
        Shot("credentials", "/credentials/"),
        Shot("usage", "/usage/"),
        *(Shot(f"settings-{name}", f"/settings/?tab={name}") for name in settings),
        Shot("palette", "/agents/", lambda page: page.keyboard.press("Control+k")),
        Shot("offline", "/agents/", lambda page: page.context.set_offline(True)),
        Shot("invitation", "/invitation/?token=demo"),
        Shot("not-found", "/nothing/"),
    ]


def _unfold(page: Page) -> None:
    card = page.get_by_role("button", name="find_order")
    card.first.click()


@contextmanager
def stand() -> Iterator[tuple[str, Demo]]:
    """Run a stack with the demo in it; give its address."""
    arguments = ["--static", str(console.OUT)]
    with shop() as shop_url, running_stack(arguments=arguments, env={"LOOPBACK_TOOLS": "1"}) as stack:
        yield stack.url, fill(stack.url, shop_url)


def take(browser: Browser, url: str, shot: Shot, locale: str, theme: str, size: str) -> Path:
    """Take one picture; return its file."""
    context = browser.new_context(
        **SIZES[size], color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce", timezone_id="UTC"
    )
    page = context.new_page()
    if shot.fails:
        page.route(shot.fails, _fail)
    page.goto(f"{url}/{locale}{shot.path}")
    page.wait_for_load_state("networkidle")
    if shot.act:
        shot.act(page)
        page.wait_for_load_state("networkidle")
    page.wait_for_timeout(400)  # charts and late parts settle; nothing is asserted on it
    file = TARGET / f"{shot.name}-{locale}-{theme}-{size}.png"
    page.screenshot(path=file)
    context.close()
    return file


def _fail(route: Route) -> None:
    problem = {"title": "Internal Server Error", "status": 500, "code": "internal_error", "request_id": "Zk3vQ9x1aBc"}
    route.fulfill(status=500, content_type="application/problem+json", json=problem)


def main() -> int:
    """Take all pictures; return the exit code."""
    only = os.environ.get("ONLY", "")
    console.build(dev=True)
    TARGET.mkdir(parents=True, exist_ok=True)
    IMAGES.mkdir(parents=True, exist_ok=True)
    path = next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )
    with stand() as (url, demo), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        variants = [(locale, theme, size) for locale in ("en", "de") for theme in ("light", "dark") for size in SIZES]
        for shot in shots(demo):
            for variant in variants:
                name = "-".join((shot.name, *variant))
                if only not in name:
                    continue
                file = take(browser, url, shot, *variant)
                print(file.relative_to(ROOT), flush=True)
                if name in CHOSEN:
                    _keep(file, IMAGES / CHOSEN[name])
        browser.close()
    return 0


def _keep(file: Path, target: Path) -> None:
    size = file.stat().st_size
    if size > LIMIT:
        raise SystemExit(f"{file.name} has {size} bytes; pictures of the README have at most {LIMIT}")
    shutil.copyfile(file, target)


if __name__ == "__main__":
    sys.exit(main())
