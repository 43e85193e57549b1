"""Creating an agent and talking to it, in a real browser, through all of the laptop runtime."""

from __future__ import annotations

import re
import socket
import time
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import WebSocketRoute, expect

from local.testing import Instance, running_stack
from tests.e2e.chat_page import ChatPage, Watched, rest, scripted_agent, talk

WORDS = " ".join(f"word{number}" for number in range(1, 201))


@pytest.fixture
def chat(watched: Watched, stack: Instance) -> ChatPage:
    return ChatPage(watched.page, stack.url)


def test_first_agent_and_first_answer(watched: Watched) -> None:
    """What somebody sees who has just found the project."""
    with running_stack() as fresh:
        chat = ChatPage(watched.page, fresh.url)
        chat.open()
        expect(chat.page.get_by_text("Create an agent and talk to it")).to_be_visible()
        chat.create_agent("My first", prompt="Be brief.")
        chat.say("Hello there")
        answer = chat.finished()
        assert chat.text_of(answer) == "You said: Hello there"
        expect(answer).to_contain_text(re.compile(r"finished · \d+ tokens in, \d+ out · free"))
        expect(chat.page).to_have_url(re.compile(r"\?agent=agt_\w+&conversation=cnv_\w+$"))
        expect(chat.page.locator("#conversations").get_by_text("Hello there")).to_be_visible()
        assert rest(fresh.url, "GET", "/agents")["items"][0]["system_prompt"] == "Be brief."


@pytest.mark.parametrize("watched", ["desktop", "phone"], indirect=True)
def test_tool_card_and_thinking(chat: ChatPage) -> None:
    chat.open(agent=scripted_agent(chat.url))
    chat.say('/think Let me work it out.\n/tool calculator {"expression": "(3 + 4) * 1.5"}\n/say It is 10.5.')
    answer = chat.finished()
    assert chat.text_of(answer) == "It is 10.5."
    thought = answer.locator("details.thinking")
    expect(thought.get_by_text("Let me work it out.")).to_be_hidden()
    thought.locator("summary").click()
    expect(thought.get_by_text("Let me work it out.")).to_be_visible()
    card = answer.locator("details.tool")
    expect(card.locator("summary")).to_contain_text(re.compile(r"calculator\s*done · (under 1|\d+) ms"))
    card.locator("summary").click()
    expect(card).to_contain_text('"expression": "(3 + 4) * 1.5"')
    expect(card).to_contain_text('"result": "10.5"')
    assert chat.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"


def test_failed_tool_opens_its_card(chat: ChatPage) -> None:
    chat.open(agent=scripted_agent(chat.url))
    chat.say('/tool calculator {"expression": "1 / 0"}\n/say So it is.')
    card = chat.finished().locator("details.tool")
    expect(card.locator("summary")).to_contain_text("failed")
    expect(card.get_by_text("Division by zero.")).to_be_visible()


def test_stop(chat: ChatPage) -> None:
    chat.open(agent=scripted_agent(chat.url))
    chat.say("/slow 50\n/long 400")
    expect(chat.answers.last).to_contain_text("word5")
    chat.button("Stop").click()
    answer = chat.finished()
    expect(answer).to_contain_text("stopped")
    assert "word400" not in chat.text_of(answer)
    expect(chat.button("Stop")).to_be_hidden()
    chat.say("And now?")
    expect(chat.answers).to_have_count(2)
    assert chat.text_of(chat.finished(1)) == "You said: And now?"


def test_reload_in_the_middle_shows_the_answer_whole(chat: ChatPage) -> None:
    chat.open(agent=scripted_agent(chat.url))
    chat.say('/tool calculator {"expression": "6 * 7"}\n/slow 15\n/long 200')
    expect(chat.answers.last).to_contain_text("word10")
    chat.page.reload()
    expect(chat.answers.last).to_contain_text("word10")
    answer = chat.finished()
    assert chat.text_of(answer) == WORDS
    expect(answer.locator("details.tool summary")).to_contain_text("done")
    expect(chat.questions).to_have_count(1)


@pytest.mark.parametrize("fault", ["cut", "doubled", "dropped", "overtaken"])
def test_a_bad_line_loses_nothing(chat: ChatPage, fault: str) -> None:
    """The connection is cut, every frame comes twice, one delta never comes, or the first ones before their message."""
    sockets: list[WebSocketRoute] = []
    held: list[str | bytes] = []

    def connect(ours: WebSocketRoute) -> None:
        sockets.append(ours)
        first, seen = len(sockets) == 1, 0
        server = ours.connect_to_server()

        def relay(message: str | bytes) -> None:
            nonlocal seen
            seen += '"content_delta"' in str(message)
            if fault == "overtaken" and '"message_accepted"' in str(message):
                held.append(message)
                return
            if first and seen == 5 and fault == "cut":
                ours.close(code=1001)
                server.close()
            elif not (first and seen == 5 and fault == "dropped"):
                for _ in range(2 if fault == "doubled" else 1):
                    ours.send(message)
            while held and seen >= 3:
                ours.send(held.pop())

        server.on_message(relay)

    chat.page.route_web_socket(re.compile("/playground/"), connect)
    chat.open(agent=scripted_agent(chat.url))
    chat.say("/think first this\n/slow 15\n/long 200")
    answer = chat.finished()
    assert chat.text_of(answer) == WORDS
    assert answer.locator(".thought").all_text_contents() == ["first this"]
    assert len(sockets) == (2 if fault in ("cut", "dropped") else 1)


def test_answers_that_ended_while_the_line_was_down_are_shown(chat: ChatPage, stack: Instance) -> None:
    """Three messages; the line fails during the first answer and comes back during the last."""
    lines: list[tuple[WebSocketRoute, WebSocketRoute]] = []
    down = False

    def connect(ours: WebSocketRoute) -> None:
        if down:
            ours.close(code=1001)
            return
        server = ours.connect_to_server()
        lines.append((ours, server))
        server.on_message(ours.send)

    chat.page.route_web_socket(re.compile("/playground/"), connect)
    chat.open(agent=scripted_agent(chat.url))
    chat.say("/slow 20\n/long 60")
    chat.say("/say second")
    chat.say("/slow 40\n/long 200")
    expect(chat.page.get_by_text("Waiting for its turn")).to_have_count(2)
    down = True
    for ours, server in lines:
        ours.close(code=1001)
        server.close()
    conversation = parse_qs(urlparse(chat.page.url).query)["conversation"][0]
    deadline = time.monotonic() + 60
    while len(rest(stack.url, "GET", f"/conversations/{conversation}/messages")["items"]) < 5:
        assert time.monotonic() < deadline
        chat.page.wait_for_timeout(100)  # the page goes on trying
    down = False
    assert chat.text_of(chat.finished(1)) == "second"
    assert chat.text_of(chat.finished(0)) == " ".join(f"word{n}" for n in range(1, 61))
    assert chat.text_of(chat.finished(2)) == WORDS


def test_two_tabs_show_the_same(chat: ChatPage) -> None:
    chat.open(agent=scripted_agent(chat.url))
    chat.say("/slow 15\n/long 200")
    expect(chat.page).to_have_url(re.compile("conversation="))
    other = ChatPage(chat.page.context.new_page(), chat.url)
    other.page.goto(chat.page.url)
    assert chat.text_of(chat.finished()) == WORDS
    assert other.text_of(other.finished()) == WORDS
    chat.say("/say From the first tab")
    expect(other.answers).to_have_count(2)
    assert other.text_of(other.finished(1)) == "From the first tab"
    expect(other.questions).to_have_count(2)


def test_messages_typed_during_a_run_wait_their_turn(chat: ChatPage) -> None:
    chat.open(agent=scripted_agent(chat.url))
    chat.say("/slow 15\n/long 60")
    chat.say("/say second")
    chat.say("/say third")
    expect(chat.answers).to_have_count(3)
    assert [chat.text_of(chat.finished(place)) for place in (1, 2)] == ["second", "third"]
    assert [text.strip() for text in chat.questions.all_inner_texts()] == [
        "/slow 15\n/long 60",
        "/say second",
        "/say third",
    ]


def test_restart_and_the_conversation_goes_on(watched: Watched) -> None:
    with running_stack() as own:
        chat = ChatPage(watched.page, own.url)
        chat.open(agent=scripted_agent(own.url))
        chat.say("The first thing I said")
        chat.finished()
        address = chat.page.url.removeprefix(own.url)
        chat.page.goto("about:blank")
        own.restart()
        chat.page.goto(own.url + address)
        assert chat.text_of(chat.finished(0)) == "You said: The first thing I said"
        expect(chat.page.locator("#connection")).to_have_attribute("data-state", "open")
        chat.say("/recall")
        expect(chat.answers).to_have_count(2)
        assert chat.text_of(chat.finished(1)) == "Your first message was: The first thing I said"


def test_a_long_conversation_is_shown_page_by_page(chat: ChatPage, stack: Instance) -> None:
    agent = scripted_agent(chat.url)
    conversation = talk(stack.ws_url(agent), [f"/say number {number}" for number in range(30)])
    chat.open(agent=agent, conversation=conversation)
    expect(chat.answers).to_have_count(25)
    expect(chat.answers.last).to_be_in_viewport()
    first = chat.page.get_by_text("number 5", exact=True).last
    first.scroll_into_view_if_needed()
    chat.button("Show earlier messages").click()
    expect(chat.answers).to_have_count(30)
    expect(first).to_be_in_viewport()
    assert [chat.text_of(answer) for answer in chat.answers.all()] == [f"number {number}" for number in range(30)]
    expect(chat.button("Show earlier messages")).to_be_hidden()
    expect(chat.button("Jump to the latest")).to_be_visible()
    chat.button("Jump to the latest").click()
    expect(chat.answers.last).to_be_in_viewport()


def test_errors_are_said_in_words_with_their_code(chat: ChatPage, watched: Watched) -> None:
    chat.open(agent=scripted_agent(chat.url))
    chat.say("/error auth")
    answer = chat.finished()
    expect(answer).to_contain_text("The script asked for this error: auth.")
    expect(answer).to_contain_text("provider_auth")
    chat.page.reload()
    expect(chat.finished()).to_contain_text("The script asked for this error: auth.")
    watched.expected.append("404 (Not Found)")
    chat.open(agent="agt_00000000000000000000000000")
    expect(chat.page.get_by_text("There is no such agent.")).to_be_visible()


def test_inactive_agent_can_be_activated(chat: ChatPage) -> None:
    chat.open(agent=scripted_agent(chat.url, status="inactive"))
    expect(chat.page.get_by_role("alert").get_by_text("agent_inactive")).to_be_visible()
    chat.button("Activate it").click()
    expect(chat.page.locator("#connection")).to_have_attribute("data-state", "open")
    chat.say("Hello")
    assert chat.text_of(chat.finished()) == "You said: Hello"


def test_markup_in_an_answer_stays_text(chat: ChatPage) -> None:
    attack = (
        "<img src=x onerror=document.title='owned'><script>document.title='owned'</script> [a](javascript:alert(1))"
    )
    chat.open(agent=scripted_agent(chat.url, name="<b>Bold</b>"))
    chat.say(f'/say {attack}\n/think <img src=x>\n/tool nothing {{"<i>": "<img src=x>"}}\n/say ```<img>\n/say after')
    answer = chat.finished()
    expect(answer).to_contain_text(attack)
    assert answer.locator("img, script, a, b, i").count() == 0
    assert chat.page.title() == "<b>Bold</b> · Agent Builder"
    assert chat.page.locator("#conversations img").count() == 0


def test_code_is_shown_as_code_and_can_be_copied(chat: ChatPage) -> None:
    script = {"script": [{"text": "Try this:\n\n```python\nprint('hi')\n```\n\nIt is **short**."}]}
    config = {"provider": "scripted", "model": "scripted", "options": script}
    agent = rest(chat.url, "POST", "/agents", {"name": "Coder", "model_config": config})
    chat.open(agent=agent["id"])
    chat.say("Show me")
    answer = chat.finished()
    expect(answer.locator(".code pre")).to_have_text("print('hi')")
    expect(answer.locator("strong")).to_have_text("short")
    answer.get_by_role("button", name="Copy the code").click()
    expect(answer.get_by_role("button", name="Copied")).to_be_visible()
    assert chat.page.evaluate("navigator.clipboard.readText()") == "print('hi')"


def test_keyboard_and_input_methods(chat: ChatPage) -> None:
    chat.open(agent=scripted_agent(chat.url))
    field = chat.page.get_by_label("Message", exact=True)
    field.click()
    field.press_sequentially("one")
    field.press("Shift+Enter")
    field.press_sequentially("two")
    field.evaluate(
        "node => node.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, cancelable: true}))"
    )
    expect(field).to_have_value("one\ntwo")
    expect(chat.questions).to_have_count(0)
    field.press("Enter")
    assert chat.text_of(chat.finished()) == "You said: one\ntwo"
    expect(field).to_have_value("")


def test_conversations_are_renamed_and_deleted(chat: ChatPage) -> None:
    chat.open(agent=scripted_agent(chat.url))
    chat.say("Old title")
    chat.finished()
    chat.page.locator("#conversations .row").hover()
    chat.button("Rename Old title").click()
    chat.page.get_by_role("textbox", name="Title").fill("New title")
    chat.button("Rename").click()
    chat.page.reload()
    expect(chat.page.locator("#conversations").get_by_text("New title")).to_be_visible()
    chat.page.locator("#conversations .row").hover()
    chat.button("Delete New title").click()
    chat.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(chat.page.get_by_text("None yet: write the first message.")).to_be_visible()
    expect(chat.page).not_to_have_url(re.compile("conversation="))
    expect(chat.page.get_by_text("Talk to Tester")).to_be_visible()


def test_agent_is_edited_and_deleted(chat: ChatPage) -> None:
    agent = scripted_agent(chat.url, name="Before")
    chat.open(agent=agent)
    chat.button("Edit agent").click()
    dialog = chat.page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("After")
    dialog.get_by_label("Model", exact=True).select_option(label="Another model…")
    dialog.get_by_label("Model name, as the vendor writes it").fill("echo")
    dialog.get_by_label("Calculator").uncheck()
    dialog.get_by_role("button", name="Save").click()
    expect(chat.page.get_by_role("heading", name="After", exact=True)).to_be_visible()
    stored = rest(chat.url, "GET", f"/agents/{agent}")
    assert (stored["model_config"]["model"], stored["builtin_tools"]) == ("echo", ["current_time"])
    chat.button("Edit agent").click()
    chat.button("Delete agent").click()
    chat.page.get_by_role("dialog").last.get_by_role("button", name="Delete", exact=True).click()
    expect(chat.page.get_by_text("The agent was deleted.")).to_be_visible()
    assert all(item["id"] != agent for item in rest(chat.url, "GET", "/agents?limit=100")["items"])


def test_form_tells_what_is_wrong_and_what_a_model_costs(chat: ChatPage, watched: Watched) -> None:
    chat.open()
    chat.button("New agent").click()
    dialog = chat.page.get_by_role("dialog")
    dialog.get_by_label("Provider").select_option("anthropic")
    dialog.get_by_label("Model", exact=True).select_option("claude-sonnet-4-5")
    expect(dialog).to_contain_text("$3 in, $15 out per million tokens")
    expect(dialog).to_contain_text("No key is configured for Anthropic. Set ANTHROPIC_API_KEY")
    dialog.get_by_label("Name", exact=True).fill("   ")
    watched.expected.append("422")
    dialog.get_by_role("button", name="Create agent").click()
    expect(dialog.get_by_role("alert")).to_contain_text("name")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)


@pytest.mark.parametrize("watched", ["phone"], indirect=True)
def test_phone_menu(chat: ChatPage) -> None:
    first, second = scripted_agent(chat.url, name="Phone one"), scripted_agent(chat.url, name="Phone two")
    chat.open(agent=first)
    menu = chat.button("Open the menu")
    expect(chat.page.get_by_role("button", name="Phone two")).to_be_hidden()
    menu.click()
    chat.page.get_by_role("button", name="Phone two").click()
    expect(chat.page.get_by_role("heading", name="Phone two", exact=True)).to_be_visible()
    expect(chat.page).to_have_url(re.compile(f"agent={second}"))
    expect(chat.page.get_by_role("button", name="Phone one")).to_be_hidden()
    chat.page.go_back()
    expect(chat.page.get_by_role("heading", name="Phone one", exact=True)).to_be_visible()


def test_a_crash_in_the_middle_of_an_answer(watched: Watched) -> None:
    """Everything is killed and started again; the page, left open, ends up with the whole answer."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    watched.expected += ["WebSocket", "ERR_CONNECTION_REFUSED"]
    with running_stack(port=port) as own:
        chat = ChatPage(watched.page, own.url)
        chat.open(agent=scripted_agent(own.url))
        chat.say("/slow 25\n/long 200")
        expect(chat.answers.last).to_contain_text("word10")
        own.kill()
        expect(chat.page.locator("#connection")).to_contain_text("Connection lost")
        own.start()
        expect(chat.answers.last).to_have_attribute("aria-busy", "false", timeout=60_000)
        assert chat.text_of(chat.finished()) == WORDS
        expect(chat.questions).to_have_count(1)


def test_documentation_page(watched: Watched, stack: Instance) -> None:
    watched.page.goto(f"{stack.url}/api/v1/docs")
    expect(watched.page.get_by_text("Dr. Melton Agent Builder").first).to_be_visible()
    expect(watched.page.get_by_text("Create an agent").first).to_be_visible()
