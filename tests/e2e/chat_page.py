"""The chat page as its user sees it: what can be pressed, typed and read."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, expect
from websockets.sync.client import connect


class ChatPage:
    """Works a page by roles and labels, as a person or a screen reader would."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url

    def open(self, **query: str) -> None:
        """Open the page, at an agent and a conversation if given."""
        text = "&".join(f"{name}={value}" for name, value in query.items())
        self.page.goto(f"{self.url}/?{text}" if text else self.url)

    def create_agent(self, name: str, **choices: str) -> None:
        """Create an agent through the form and wait until it can be talked to."""
        self.page.get_by_role("button", name="New agent").or_(self.button("Create an agent")).last.click()
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_label("Name", exact=True).fill(name)
        dialog.get_by_label("Provider").select_option(choices.get("provider", "scripted"))
        if "prompt" in choices:
            dialog.get_by_label("Instructions").fill(choices["prompt"])
        dialog.get_by_role("button", name="Create agent").click()
        expect(self.page.get_by_role("heading", name=name, exact=True)).to_be_visible()
        expect(self.page.locator("#connection")).to_have_attribute("data-state", "open")

    def say(self, text: str) -> None:
        """Type a message and press Enter."""
        field = self.page.get_by_label("Message", exact=True)
        field.fill(text)
        field.press("Enter")

    def button(self, name: str) -> Locator:
        """A button of the page, by its name."""
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def answers(self) -> Locator:
        """The agent's answers."""
        return self.page.get_by_role("article", name="Agent")

    @property
    def questions(self) -> Locator:
        """What the user said."""
        return self.page.get_by_role("article", name="You")

    def finished(self, index: int = -1) -> Locator:
        """The answer at this place, once it is complete."""
        answer = self.answers.nth(index)
        expect(answer).to_have_attribute("aria-busy", "false")
        return answer

    def text_of(self, answer: Locator) -> str:
        """What an answer says, without cards and without what stands under it."""
        return "".join(answer.locator(".text").all_inner_texts()).strip()


class Watched:
    """A page that remembers what went wrong in it. `expected` are beginnings of messages that belong to a test."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.page.set_default_timeout(20_000)
        self.problems: list[str] = []
        self.expected: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        self.page.on("console", lambda message: self._note(message.type, message.text))

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.problems.append(f"{kind}: {text}")

    @property
    def unexpected(self) -> list[str]:
        return [problem for problem in self.problems if not any(part in problem for part in self.expected)]


def rest(url: str, method: str, path: str, body: Any = None) -> Any:
    """One call of the REST API; its answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/api/v1{path}", data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=20) as response:
        text = response.read()
    return json.loads(text) if text else None


def scripted_agent(url: str, name: str = "Tester", **fields: Any) -> str:
    """Make an agent that follows commands; its id."""
    config = {"provider": "scripted", "model": "scripted"}
    agent: dict[str, Any] = rest(url, "POST", "/agents", {"name": name, "model_config": config, **fields})
    return str(agent["id"])


def talk(ws_url: str, texts: list[str]) -> str:
    """Say something and wait for the answer, one after the other, in a new conversation; its id."""
    conversation: dict[str, str] = {}
    with connect(ws_url) as socket:
        for text in texts:
            socket.send(json.dumps({"type": "user_message", "content": text, **conversation}))
            while (frame := json.loads(socket.recv(20)))["type"] != "message_complete":
                if frame["type"] == "message_accepted":
                    conversation = {"conversation_id": frame["conversation_id"]}
    return conversation["conversation_id"]
