"""The console as its user sees it, and what a test needs around it."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import ConsoleMessage, Page, expect
from websockets.sync.client import connect

from local.testing import Instance

AXE = Path(__file__).resolve().parents[3] / "web" / "console" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
# An open menu floats beside the landmarks of the page, as menus do; all else has to be inside of one.
_RUN_AXE = """async (rules) => {
  const region = { enabled: !document.querySelector('[data-radix-popper-content-wrapper]') };
  const { violations } = await axe.run(document, { runOnly: { type: 'tag', values: rules }, rules: { region } });
  return violations.map((one) => `${one.id}: ${one.help}\\n` + one.nodes.map((node) => `    ${node.html}`).join('\\n'));
}"""
_SETTLED = """() => document.getAnimations().every((one) =>
  one.playState === 'finished' || one.effect?.getComputedTiming().iterations === Infinity)"""


class Visit:
    """A visit to the console in one browser page. `problems` is what the page's console was told that is no good."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.problems: list[str] = []
        self.expected: list[str] = []
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("console", lambda message: self._hear(message))

    def open(self, path: str = "/agents/", locale: str = "en") -> Page:
        """Open a page of the console, such as `/agents/detail/?id=…`, and wait until it can be used."""
        self.page.goto(f"{self.url}/{locale}{path}")
        expect(self.page.locator("html")).to_have_attribute("lang", locale)
        expect(self.page.locator("html[data-ready]")).to_be_attached()
        return self.page

    def sign_in(self, subject: str, path: str | None = None, locale: str = "en") -> Page:
        """Sign in at the issuer's page: from where this visit stands, or on the way to a path."""
        if path is not None:
            self.page.goto(f"{self.url}/{locale}{path}")
        expect(self.page).to_have_url(re.compile(r"/sign-in/"))
        self.page.locator("main button").click()
        at_the_issuer(self.page, subject)
        expect(self.page.locator("html[data-ready]")).to_be_attached()
        return self.page

    def sign_out(self) -> None:
        """Sign out by the menu, and at the issuer."""
        self.page.locator("#sidebar button[aria-haspopup=menu]").click()
        self.page.get_by_role("menuitem", name="Sign out").click()
        self.page.locator("form button").first.click()
        expect(self.page).to_have_url(re.compile("/sign-in/"))

    def axe(self) -> None:
        """Fail where the page as it stands breaks a rule of accessibility."""
        self.page.wait_for_function(_SETTLED)
        if not self.page.evaluate("() => 'axe' in window"):
            # Through the debugger, not by a script element, which the Content-Security-Policy would refuse.
            self.page.evaluate(AXE.read_text("utf-8"))
        found = self.page.evaluate(_RUN_AXE, RULES)
        assert not found, "\n".join([self.page.url, *found])

    def expect_problem(self, part: str) -> None:
        """Let messages to the console that contain this pass, such as `status of 412`."""
        self.expected.append(part)

    @property
    def unexpected(self) -> list[str]:
        """What was said to the console and no test expected; breaches of the Content-Security-Policy are among it."""
        return [problem for problem in self.problems if not any(part in problem for part in self.expected)]

    def _hear(self, message: ConsoleMessage) -> None:
        self._note(message.type, message.text, message.location["url"])

    def _note(self, kind: str, text: str, where: str) -> None:
        # What an issuer's own page says is not ours.
        if kind in ("error", "warning") and (not where or where.startswith(self.url)):
            self.problems.append(f"{kind}: {text} ({where})")


def at_the_issuer(page: Page, subject: str) -> None:
    """Say who one is, at the issuer's own page."""
    page.locator("input[name=sub]").fill(subject)
    page.locator("form button[type=submit], form button:not([type])").first.click()


def bearer(stack: Instance, subject: str, **claims: str) -> dict[str, str]:
    """Return the header of somebody who signed in. Later tokens of theirs have these claims (tenant, role) too."""
    return {"Authorization": f"Bearer {stack.token(subject, **claims)}"}


def rest(url: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """One call of the REST API; its answer."""
    data = None if body is None else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(f"{url}/api/v1{path}", data, sent, method=method)
    with urllib.request.urlopen(request, timeout=30) as response:
        text = response.read()
    return json.loads(text) if text else None


def scripted_agent(url: str, name: str = "Tester", headers: dict[str, str] | None = None, **fields: Any) -> str:
    """Make an agent that follows commands (`docs` of the provider `scripted`); its id."""
    config = {"provider": "scripted", "model": "scripted"}
    agent: dict[str, Any] = rest(
        url, "POST", "/agents", {"name": name, "model_config": config, **fields}, **(headers or {})
    )
    return str(agent["id"])


def talk(ws_url: str, texts: list[str]) -> str:
    """Say something and wait for the answer, one after the other, in a new conversation; its id."""
    conversation: dict[str, str] = {}
    with connect(ws_url) as socket:
        for text in texts:
            socket.send(json.dumps({"type": "user_message", "content": text, **conversation}))
            while (frame := json.loads(socket.recv(30)))["type"] != "message_complete":
                if frame["type"] == "message_accepted":
                    conversation = {"conversation_id": frame["conversation_id"]}
    return conversation["conversation_id"]
