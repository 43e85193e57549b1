"""What goes on inside a tool call, on the page: the text and the calls of an agent stand in the card of the call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from local.testing import Instance
from tests.e2e.chat_page import ChatPage, Watched
from tests.integration.rest import AGENTS, Rest

IDS = {"conversation_id": "cnv_1", "run_id": "run_1", "message_id": "msg_1"}
APPLY = """async (frames) => {
  const { Transcript } = await import("/transcript.js");
  const transcript = new Transcript();
  frames.forEach((frame) => transcript.apply(frame));
  const shown = (card) => [card.id, card.output ?? "", card.result ?? null, (card.calls ?? []).map(shown)];
  const [entry] = transcript.entries;
  return { text: entry.text, cards: entry.blocks.filter((block) => block.type === "tool").map(shown) };
}"""


@pytest.fixture(scope="module")
def apply(browser: Browser, stack: Instance) -> Iterator[Any]:
    page = browser.new_page()
    page.goto(stack.url)
    yield lambda frames: page.evaluate(APPLY, frames)
    page.close()


@pytest.fixture
def chat(watched: Watched, stack: Instance) -> ChatPage:
    return ChatPage(watched.page, stack.url)


def frame(kind: str, seq: int, **fields: Any) -> dict[str, Any]:
    return {"type": kind, **IDS, "seq": seq, **fields}


def start(name: str, seq: int, **more: Any) -> dict[str, Any]:
    return frame("tool_use_start", seq, tool_name="ask", tool_use_id=name, input={}, **more)


def test_each_card_has_what_is_its_own(apply: Any) -> None:
    frames = [
        frame("content_delta", 1, delta="So", offset=0),
        start("a", 2),
        start("b", 3),
        frame("tool_output_delta", 4, tool_use_id="a", delta="one 😀 and", offset=0),
        frame("tool_output_delta", 5, tool_use_id="b", delta="two", offset=0),
        start("a/x", 6, parent_tool_use_id="a"),
        frame("tool_use_complete", 7, tool_name="ask", tool_use_id="a/x", result={"n": 1}, parent_tool_use_id="a"),
        frame("tool_output_delta", 8, tool_use_id="a", delta="or", offset=7),
        frame("tool_output_delta", 9, tool_use_id="nobody", delta="lost", offset=0),
        start("nobody/x", 10, parent_tool_use_id="nobody"),
    ]
    wanted = {"text": "So", "cards": [["a", "one 😀 or", None, [["a/x", "", {"n": 1}, []]]], ["b", "two", None, []]]}
    assert apply(frames) == wanted
    twice = [one for each in frames for one in (each, each)]
    assert apply(twice) == wanted


def test_an_agent_that_is_asked_is_seen_at_work(stack: Instance, chat: ChatPage) -> None:
    rest = Rest(stack.url)
    look = {"tool": "calculator", "input": {"expression": "6 * 7"}}
    script = [{"text": "Let me see. "}, look, {"text": "It is 42."}]
    helper = rest.create(
        name="Helper", model_config={"provider": "scripted", "model": "s", "options": {"script": script}}
    )
    root = rest.create(name="Asks another")
    tool = {"kind": "agent", "name": "helper", "target_agent_id": helper["id"]}
    assert rest("POST", f"{AGENTS}/{root['id']}/tools", tool).status == 201
    chat.open(agent=root["id"])
    chat.say('/say I ask. \n/tool helper {"message": "please"}\n/say So.')
    answer = chat.finished()
    card = answer.locator(".body > details.tool")
    expect(card.locator("> summary")).to_contain_text("helper")
    expect(card.locator("> .tool-output")).to_have_text("Let me see. It is 42.")
    inner = card.locator("> .tool-calls > details.tool")
    expect(inner.locator("> summary")).to_contain_text("calculator")
    expect(inner.locator("> summary")).to_contain_text("done")
    expect(answer.locator(".text").first).to_have_text("I ask.")
