"""Talking to an agent in the console: answers as they are written, calls, approvals, bad lines, conversations."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Request, WebSocketRoute, expect

from local.testing import Instance
from tests.e2e.console.visit import Visit, rest, scripted_agent, talk
from tests.integration.tools.api import Api, Says, serving

WORDS = " ".join(f"word{number}" for number in range(1, 201))
SCHEMA = {"type": "object", "properties": {"body": {"type": "object"}}, "required": ["body"]}
ASK = '/say Let me send it.\n/tool send {"body": {"to": "everybody"}}\n/say It is done.'
SIDEWAYS = "document.documentElement.scrollWidth <= innerWidth"
FRAMES = """() => {
  window.counts = { frames: 0, updates: 0, most: 0 };
  let now = 0;
  const frame = () => {
    counts.frames += 1;
    counts.most = Math.max(counts.most, now);
    now = 0;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  const answer = document.querySelector('article[aria-busy="true"] .markdown');
  new MutationObserver(() => { counts.updates += 1; now += 1; })
    .observe(answer, { childList: true, characterData: true, subtree: true });
}"""


class Playground:
    """The playground of one agent, worked by roles and labels."""

    def __init__(self, visit: Visit, stack: Instance, agent: str) -> None:
        self.visit, self.stack, self.agent = visit, stack, agent
        self.page: Page = visit.page

    def open(self, conversation: str | None = None, locale: str = "en") -> None:
        where = f"&c={conversation}" if conversation else ""
        self.visit.open(f"/agents/detail/?id={self.agent}{where}", locale)
        expect(self.field).to_be_visible()

    @property
    def field(self) -> Locator:
        return self.page.get_by_role("textbox", name=re.compile("^(Message|Nachricht)$"))

    @property
    def answers(self) -> Locator:
        return self.page.get_by_role("article", name="Answer")

    @property
    def questions(self) -> Locator:
        return self.page.get_by_role("article", name="Own message")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def card(self, name: str) -> Locator:
        """The head of a call's card in the newest answer."""
        return self.answers.last.get_by_role("button", name=re.compile(f"^{name}"))

    def say(self, text: str) -> None:
        self.field.fill(text)
        self.field.press("Enter")

    def finished(self, index: int = -1) -> Locator:
        answer = self.answers.nth(index)
        expect(answer).to_have_attribute("aria-busy", "false")
        return answer

    def text_of(self, answer: Locator) -> str:
        return "".join(answer.locator("> .markdown").all_inner_texts()).strip()


@pytest.fixture
def playground(visit: Visit, stack: Instance) -> Playground:
    return Playground(visit, stack, scripted_agent(stack.url))


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with serving(lambda asked: Says({"sent": json.loads(asked.body)})) as server:
        yield server


def sent(api: Api) -> list[Any]:
    return [json.loads(asked.body) for asked in api.asked]


@pytest.fixture
def asking(playground: Playground, api: Api) -> Playground:
    """With a tool that a person must approve."""
    api.asked.clear()
    tool = {"kind": "http", "name": "send", "method": "POST", "base_url": api.url, "path": "/send", "effect": "write"}
    tool |= {"body": {"kind": "json", "content_type": "application/json"}, "input_schema": SCHEMA}
    rest(playground.stack.url, "POST", f"/agents/{playground.agent}/tools", {**tool, "requires_approval": True})
    playground.open()
    return playground


def approval(playground: Playground) -> Locator:
    group = playground.page.get_by_role("group", name="Approval of send")
    expect(group).to_be_visible()
    return group


def test_first_answer(playground: Playground) -> None:
    playground.open()
    expect(playground.page.get_by_role("heading", name="Talk to Tester")).to_be_visible()
    playground.visit.axe()
    playground.say("Hello there")
    answer = playground.finished()
    assert playground.text_of(answer) == "You said: Hello there"
    expect(playground.page).to_have_url(re.compile(r"[?&]c=cnv_\w+$"))
    conversations = playground.page.get_by_role("navigation", name="Conversations")
    expect(conversations.get_by_role("button", name="Hello there", exact=True)).to_have_attribute(
        "aria-current", "true"
    )
    numbers = answer.get_by_title("Time, tokens and cost")
    expect(numbers).to_contain_text(re.compile(r"ms · \d+ tokens · \$0\.00|s · \d+ tokens"))
    numbers.click()
    expect(playground.page.get_by_role("dialog")).to_contain_text("To the first token")
    playground.visit.axe()
    playground.page.keyboard.press("Escape")
    answer.get_by_role("button", name="Copy the answer as Markdown").click()
    assert playground.page.evaluate("navigator.clipboard.readText()") == "You said: Hello there"
    expect(answer.get_by_role("link", name="Trace of this answer")).to_have_attribute(
        "href", re.compile(r"tab=traces&run=run_\w+")
    )


@pytest.mark.parametrize("visit", ["desktop", "phone-dark"], indirect=True)
def test_calls_and_thinking(playground: Playground) -> None:
    playground.open()
    playground.say('/think Let me work it out.\n/tool calculator {"expression": "(3 + 4) * 1.5"}\n/say It is **10.5**.')
    answer = playground.finished()
    assert playground.text_of(answer) == "It is 10.5."
    thoughts = answer.get_by_text("Let me work it out.")
    expect(thoughts).to_be_hidden()
    answer.get_by_role("button", name=re.compile("^Thought")).click()
    expect(thoughts).to_be_visible()
    expect(playground.card("calculator")).to_contain_text("done")
    playground.card("calculator").click()
    expect(answer.get_by_role("group", name="Arguments")).to_contain_text('"expression": "(3 + 4) * 1.5"')
    expect(answer.get_by_role("group", name="Result")).to_contain_text('"result": "10.5"')
    playground.visit.axe()
    assert playground.page.evaluate(SIDEWAYS), "the page scrolls sideways"
    playground.say('/tool calculator {"expression": "1 / 0"}\n/say So it is.')
    expect(playground.finished(1).get_by_text("Division by zero.")).to_be_visible()


def test_an_agent_that_is_asked_is_seen_at_work(playground: Playground) -> None:
    script = [{"text": "Let me see. "}, {"tool": "calculator", "input": {"expression": "6 * 7"}}, {"text": "It is 42."}]
    model = {"provider": "scripted", "model": "s", "options": {"script": script}}
    helper = rest(playground.stack.url, "POST", "/agents", {"name": "Helper", "model_config": model})
    tool = {"kind": "agent", "name": "helper", "target_agent_id": helper["id"]}
    rest(playground.stack.url, "POST", f"/agents/{playground.agent}/tools", tool)
    playground.open()
    playground.say('/say I ask.\n/tool helper {"message": "please"}\n/say So.')
    answer = playground.finished()
    playground.card("helper").click()
    expect(answer.get_by_text("Let me see. It is 42.", exact=True)).to_be_visible()
    expect(answer.get_by_role("button", name=re.compile("^calculator done"))).to_be_visible()


@pytest.mark.parametrize("visit", ["desktop", "phone"], indirect=True)
def test_approve_with_other_arguments(asking: Playground, api: Api) -> None:
    asking.say(ASK)
    group = approval(asking)
    asking.visit.axe()
    assert asking.page.evaluate(SIDEWAYS), "the page scrolls sideways"
    group.get_by_role("button", name="Edit the arguments").click()
    editor = group.get_by_role("textbox", name="Arguments")
    editor.fill('{"body": "nobody"}')
    group.get_by_role("button", name="Approve with these arguments").click()
    expect(group.get_by_role("alert")).to_contain_text("body")
    assert sent(api) == []
    asking.visit.expect_problem("status of 422")
    editor.fill('{"body": {"to": "nobody"}}')
    group.get_by_role("button", name="Approve with these arguments").click()
    assert asking.text_of(asking.finished()) == "Let me send it.It is done."
    expect(group).to_have_count(0)
    assert sent(api) == [{"to": "nobody"}]


def test_deny_with_a_reason(asking: Playground, api: Api) -> None:
    asking.say(ASK)
    group = approval(asking)
    group.get_by_role("button", name="Deny …").click()
    group.get_by_label("Reason").fill("Not today")
    group.get_by_role("button", name="Deny", exact=True).click()
    answer = asking.finished()
    expect(asking.card("send")).to_contain_text("denied")
    asking.card("send").click()
    expect(answer).to_contain_text("Not today")
    assert sent(api) == []


def test_decided_elsewhere(asking: Playground, api: Api) -> None:
    asking.say(ASK)
    approval(asking)
    run = rest(asking.stack.url, "GET", f"/agents/{asking.agent}/runs")["items"][0]["id"]
    call = rest(asking.stack.url, "GET", f"/runs/{run}")["approvals"][0]["tool_use_id"]
    rest(asking.stack.url, "POST", f"/runs/{run}/approvals/{call}", {"decision": "approve"})
    assert asking.text_of(asking.finished()) == "Let me send it.It is done."
    assert sent(api) == [{"to": "everybody"}]


@pytest.mark.parametrize("fault", ["cut", "doubled", "dropped"])
def test_a_bad_line_loses_nothing(playground: Playground, fault: str) -> None:
    """The connection is cut in the middle, every frame comes twice, or one piece of text never comes."""
    sockets: list[WebSocketRoute] = []

    def connect(ours: WebSocketRoute) -> None:
        sockets.append(ours)
        first, seen = len(sockets) == 1, 0
        server = ours.connect_to_server()

        def relay(message: str | bytes) -> None:
            nonlocal seen
            seen += '"content_delta"' in str(message)
            if first and seen == 5 and fault == "cut":
                ours.close(code=1001)
                server.close()
            elif not (first and seen == 5 and fault == "dropped"):
                for _ in range(2 if fault == "doubled" else 1):
                    ours.send(message)

        server.on_message(relay)

    playground.page.route_web_socket(re.compile("/playground/"), connect)
    playground.open()
    playground.say("/think first this\n/slow 15\n/long 200")
    answer = playground.finished()
    assert playground.text_of(answer) == WORDS
    expect(answer.get_by_text("first this")).to_have_count(1)
    assert len(sockets) == (2 if fault == "cut" else 1)


def test_without_a_connection_messages_wait(playground: Playground) -> None:
    """What is said meanwhile is shown as waiting, can be taken back, and goes when the line is there again."""
    down = True

    def connect(ours: WebSocketRoute) -> None:
        if down:
            ours.close(code=1001)
        else:
            ours.connect_to_server()

    playground.page.route_web_socket(re.compile("/playground/"), connect)
    playground.open()
    playground.say("one")
    playground.say("two")
    expect(playground.questions).to_have_count(2)
    expect(playground.questions.first).to_contain_text("as soon as there is a connection")
    playground.questions.last.get_by_role("button", name="Withdraw").click()
    expect(playground.questions).to_have_count(1)
    playground.page.reload()
    expect(playground.field).to_have_value("one")
    playground.field.press("Enter")
    expect(playground.questions).to_contain_text("as soon as there is a connection")
    down = False
    assert playground.text_of(playground.finished()) == "You said: one"
    expect(playground.questions).to_have_count(1)


def test_reload_in_the_middle_shows_the_answer_whole(playground: Playground) -> None:
    playground.open()
    playground.say('/tool calculator {"expression": "6 * 7"}\n/slow 15\n/long 200')
    expect(playground.answers.last).to_contain_text("word10")
    playground.page.reload()
    expect(playground.answers.last).to_contain_text("word10")
    assert playground.text_of(playground.finished()) == WORDS
    expect(playground.card("calculator")).to_contain_text("done")
    expect(playground.questions).to_have_count(1)


def test_stop_and_queue(playground: Playground) -> None:
    playground.open()
    playground.say("/slow 50\n/long 400")
    expect(playground.answers.last).to_contain_text("word5")
    playground.say("second")
    playground.say("third")
    expect(playground.button("Withdraw")).to_have_count(2)
    playground.visit.axe()
    playground.button("Withdraw").last.click()
    expect(playground.answers.last).to_contain_text("Stopped")
    playground.field.press("Escape")
    first = playground.finished(0)
    expect(first).to_contain_text("Stopped")
    assert playground.text_of(first).startswith("word1 word2")
    assert "word400" not in playground.text_of(first)
    assert playground.text_of(playground.finished(1)) == "You said: second"
    expect(playground.button("Stop")).to_be_hidden()
    assert "third" not in playground.text_of(playground.answers.last)


def test_the_queue_is_there_after_a_reload(playground: Playground) -> None:
    playground.open()
    playground.say("/slow 50\n/long 600")
    expect(playground.answers.last).to_contain_text("word5")
    playground.say("second")
    expect(playground.button("Withdraw")).to_have_count(1)
    playground.page.reload()
    expect(playground.button("Withdraw")).to_have_count(1)
    playground.button("Stop").click()
    assert playground.text_of(playground.finished(1)) == "You said: second"
    expect(playground.button("Withdraw")).to_have_count(0)


def test_failed_answers_say_why_and_can_be_asked_again(playground: Playground) -> None:
    playground.open()
    playground.say("/error auth")
    expect(playground.finished().get_by_role("alert")).to_contain_text("provider_auth")
    playground.say("Something else")
    playground.finished(1)
    playground.page.reload()
    expect(playground.answers).to_have_count(2)
    failed = playground.finished(0)
    expect(failed.get_by_role("alert")).to_contain_text("provider_auth")
    failed.get_by_role("button", name="Try again").click()
    expect(playground.answers).to_have_count(3)
    expect(playground.questions.last).to_contain_text("/error auth")
    expect(playground.finished(2).get_by_role("alert")).to_be_visible()


def test_what_is_typed_is_kept(playground: Playground) -> None:
    playground.open()
    field = playground.field
    field.fill("half a thought")
    playground.page.reload()
    expect(field).to_have_value("half a thought")
    field.evaluate(
        "field => field.dispatchEvent(new KeyboardEvent('keydown', "
        "{ key: 'Enter', isComposing: true, bubbles: true, cancelable: true }))"
    )
    expect(field).to_have_value("half a thought")
    field.press("Shift+Enter")
    field.press("Enter")
    playground.finished()
    expect(field).to_have_value("")
    field.press("ArrowUp")
    expect(field).to_have_value("half a thought")
    field.fill("")
    playground.questions.last.hover()
    playground.questions.last.get_by_role("button", name="Edit and send as a new message").click()
    expect(playground.page.get_by_text("what was said stays")).to_be_visible()
    field.fill("another thought")
    field.press("Enter")
    assert playground.text_of(playground.finished(1)) == "You said: another thought"
    expect(playground.questions).to_have_count(2)


def test_conversations(playground: Playground) -> None:
    ws = playground.stack.ws_url(playground.agent)
    older, newer = talk(ws, ["Older one"]), talk(ws, ["Newer one"])
    playground.open(older)
    listed = playground.page.get_by_role("navigation", name="Conversations")
    expect(playground.answers).to_have_text(re.compile("You said: Older one"))
    listed.get_by_role("button", name="Newer one", exact=True).click()
    expect(playground.page).to_have_url(re.compile(newer))
    expect(playground.answers).to_have_text(re.compile("You said: Newer one"))
    playground.page.go_back()
    expect(playground.answers).to_have_text(re.compile("You said: Older one"))
    listed.get_by_role("button", name="Actions for Older one").click()
    playground.page.get_by_role("menuitem", name="Rename").click()
    title = listed.get_by_role("textbox", name="Title")
    title.fill("Of age")
    with playground.page.expect_response(lambda answer: answer.request.method == "PATCH"):
        title.press("Enter")
    expect(listed.get_by_role("button", name="Of age", exact=True)).to_be_visible()
    assert rest(playground.stack.url, "GET", f"/conversations/{older}")["title"] == "Of age"
    playground.page.get_by_role("searchbox", name="Search titles").fill("newer")
    expect(listed.get_by_role("button", name="Of age", exact=True)).to_have_count(0)
    playground.page.get_by_role("searchbox", name="Search titles").fill("")
    listed.get_by_role("button", name="Actions for Of age").click()
    playground.page.get_by_role("menuitem", name="Delete").click()
    playground.visit.axe()
    playground.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(listed.get_by_role("button", name="Of age", exact=True)).to_have_count(0)
    expect(playground.page.get_by_role("heading", name="Talk to Tester")).to_be_visible()
    playground.visit.expect_problem("status of 404")
    playground.open(older)
    expect(playground.page.get_by_text("This conversation does not exist")).to_be_visible()
    playground.page.keyboard.press("Control+Shift+O")
    expect(playground.page.get_by_role("heading", name="Talk to Tester")).to_be_visible()


def test_older_messages_come_when_one_reads_up(playground: Playground) -> None:
    conversation = talk(playground.stack.ws_url(playground.agent), [f"Number {count}." for count in range(1, 31)])
    playground.open(conversation)
    expect(playground.questions.last).to_contain_text("Number 30.")
    expect(playground.questions.first).not_to_contain_text("Number 1.")
    playground.page.get_by_role("log", name="Messages").hover()
    playground.page.mouse.wheel(0, -100_000)  # as a person does: what a script scrolls is drawn back to the newest
    expect(playground.questions).to_have_count(30)
    expect(playground.questions.first).to_contain_text("Number 1.")
    playground.button("To the newest").click()
    expect(playground.questions.last).to_be_in_viewport()


@pytest.mark.parametrize("visit", ["phone"], indirect=True)
def test_phone(playground: Playground) -> None:
    talk(playground.stack.ws_url(playground.agent), ["From before"])
    playground.open()
    playground.button("Show the conversations").click()
    playground.visit.axe()
    sheet = playground.page.get_by_role("dialog", name="Conversations")
    sheet.get_by_role("button", name="From before", exact=True).click()
    expect(sheet).to_be_hidden()
    assert playground.text_of(playground.finished()) == "You said: From before"
    playground.visit.axe()
    assert playground.page.evaluate(SIDEWAYS), "the page scrolls sideways"


def test_markdown_is_shown_and_nothing_is_fetched_for_it(playground: Playground) -> None:
    text = "A [link](https://example.com/a), an ![image](https://example.com/b.png), <img src=//example.com/c>.\n\n"
    text += "| a | b |\n| --- | --- |\n| 1 | 2 |\n\n```python\nprint('hello')\n```\n"
    model = {"provider": "scripted", "model": "s", "options": {"script": [{"text": text}]}}
    writer = rest(playground.stack.url, "POST", "/agents", {"name": "Writer", "model_config": model})
    playground.agent = writer["id"]
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    playground.page.on("request", note)
    playground.open()
    playground.say("Write")
    answer = playground.finished()
    expect(answer.get_by_role("table")).to_be_visible()
    expect(answer.get_by_role("link", name="link", exact=True)).to_have_attribute("rel", re.compile("noopener"))
    expect(answer.get_by_role("img", name="image", exact=True)).to_have_count(0)
    expect(answer.locator(".hljs-string")).to_have_text("'hello'")
    answer.get_by_role("button", name="Copy the code").click()
    assert playground.page.evaluate("navigator.clipboard.readText()") == "print('hello')"
    playground.visit.axe()
    assert not [url for url in asked if "example.com" in url]


def test_german(playground: Playground) -> None:
    playground.open(locale="de")
    expect(playground.page.get_by_role("heading", name="Mit Tester sprechen")).to_be_visible()
    playground.say("Hallo")
    expect(playground.page.get_by_role("article", name="Antwort")).to_contain_text("You said: Hallo")
    playground.say("/error auth")
    failure = playground.page.get_by_role("alert").filter(has_text="provider_auth")
    expect(failure).to_contain_text("Der Modellanbieter lehnt den Schlüssel ab, oder es gibt keinen.")
    playground.visit.axe()


def test_no_more_than_one_update_a_frame(playground: Playground) -> None:
    playground.open()
    playground.say("/slow 1\n/long 2000")
    expect(playground.answers.last).to_contain_text("word2 ")
    playground.page.evaluate(FRAMES)
    playground.finished()
    counts = playground.page.evaluate("window.counts")
    assert 1 < counts["updates"] <= counts["frames"]
    assert counts["most"] == 1
