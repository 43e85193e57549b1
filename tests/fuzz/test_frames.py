"""A mutating fuzzer of WebSocket frames: each frame is answered, none breaks anything, nonsense starts no runner.

FUZZ_EXAMPLES=1000 tries more mutations; FUZZ_SEED=… repeats a run.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError

from local.testing import Instance
from tests.integration.chat import Chat, Frame, chatting
from tests.integration.rest import AGENTS, Rest

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "200"))
SEED = int(os.environ.get("FUZZ_SEED", "2"))
LIMIT = 32 * 1024
ABSENT = "01M82K8EMXT7G14V9AF00XZ8T2"
VALID: list[Frame] = [
    {"type": "user_message", "content": "hello", "conversation_id": f"cnv_{ABSENT}", "client_message_id": "m"},
    {"type": "resume", "conversation_id": f"cnv_{ABSENT}"},
    {"type": "cancel", "conversation_id": f"cnv_{ABSENT}", "run_id": f"run_{ABSENT}"},
    {"type": "approval", "run_id": f"run_{ABSENT}", "tool_use_id": "t", "decision": "approve", "input": {"a": 1}},
]
ODD: list[Any] = [
    *(None, True, 0, -1, 1.5, 1e308, 10**30, "", " ", "x" * 200, "\x00", "\ud800", "ä😀", "../..", "NaN", "__proto__"),
    *([], ["x"], {}, {"type": "ping"}, [[[]]], {"$ne": 1}),
    *("cnv_", f"agt_{ABSENT}", f"cnv_{ABSENT.lower()}", f"cnv_{ABSENT}#x"),
]


def mutated(random_: random.Random) -> str:
    """A frame that cannot be carried out: a valid one with fields dropped, changed, nested, added or doubled."""
    frame = dict(random_.choice(VALID))
    for _ in range(random_.randint(1, 3)):
        name = random_.choice([*frame, "type", "more"])
        change = random_.randrange(5)
        if change == 0:
            frame.pop(name, None)
        elif change == 1:
            frame[name] = {name: frame.get(name)}
        elif change == 2:
            frame = {"payload": frame, "type": frame.get("type")}
        else:
            frame[name] = random_.choice(ODD)
    text = json.dumps(frame)
    if random_.random() < 0.1:
        text = text.replace("{", '{"type": "ping", ', 1)
    if random_.random() < 0.1:
        text = text[: random_.randrange(len(text))]
    return text


def begins_a_run(text: str) -> bool:
    """Whether a mutation happens to be a message that is to be answered."""
    try:
        frame = json.loads(text)
    except ValueError:
        return False
    return isinstance(frame, dict) and frame.get("type") == "user_message" and not frame.get("conversation_id")


@pytest.fixture(scope="module")
def agent(stack: Instance) -> str:
    return str(Rest(stack.url).create()["id"])


def runs_begun(stack: Instance, agent: str) -> int:
    """How many conversations there are: each run of these tests would begin one."""
    return len(Rest(stack.url).all(f"{AGENTS}/{agent}/conversations"))


def answers(chat: Chat, send: Callable[[], None]) -> list[Frame]:
    """What a frame was answered with, up to the answer of a ping that was sent after those answers began."""
    send()
    first = chat.next()
    chat.send(type="ping")
    found = [first]
    while (frame := chat.next())["type"] != "pong":
        found.append(frame)
    return found


def check_error(frame: Frame) -> None:
    """That a frame says what was wrong with another."""
    assert frame["type"] == "error"
    assert frame["error"]
    assert frame["code"] not in ("internal_error", "store_unavailable")
    assert frame["retryable"] is False
    assert "run_id" not in frame


@pytest.mark.timeout(600)
def test_every_mutated_frame_gets_exactly_one_error(stack: Instance, agent: str) -> None:
    random_ = random.Random(SEED)
    before = runs_begun(stack, agent)
    since = len(stack.function_log())
    with chatting(stack, agent) as chat:
        chat.until("agent_loaded")
        tried = 0
        while tried < EXAMPLES:
            text = mutated(random_)
            if begins_a_run(text):
                continue
            tried += 1
            found = answers(chat, lambda text=text: chat.socket.send(text))  # type: ignore[misc]
            assert len(found) == 1, text
            check_error(found[0])
    assert runs_begun(stack, agent) == before
    assert stack.logged("unexpectedly", since=since) == []
    assert stack.logged("could not be handled", since=since) == []


CASES: dict[str, str | bytes] = {
    "binary": b"\x00\x01\x02",
    "binary JSON": b'{"type": "ping"}',
    "empty": "",
    "no JSON": "hello",
    "a list": "[]",
    "a text": '"ping"',
    "null": "null",
    "NaN": '{"type": "user_message", "content": NaN}',
    "deep": '{"type": "approval", "input": ' + '{"a":' * 2000 + "1" + "}" * 2000 + "}",
    "deep list": "[" * 15_000,
    "escaped NUL": r'{"type": "user_message", "content": "a\u0000b"}',
    "NUL": '{"type": "user_message", "content": "a\x00b"}',
    "half a pair": r'{"type": "user_message", "content": "\ud800"}',
    "key twice": '{"type": "ping", "type": "ping"}',
    "huge number": '{"type": "ping", "n": ' + "9" * 5000 + "}",
    "huge exponent": '{"type": "ping", "n": 1e9999}',
    "unknown type": '{"type": "message"}',
    "no type": "{}",
    "blank": '{"type": "user_message", "content": "\\u2003\\n"}',
    "many keys": json.dumps({f"k{n}": n for n in range(1500)} | {"type": "ping"}),
}


@pytest.mark.parametrize("raw", CASES.values(), ids=CASES.keys())
def test_what_is_no_frame_gets_one_error(stack: Instance, agent: str, raw: str | bytes) -> None:
    before = runs_begun(stack, agent)
    with chatting(stack, agent) as chat:
        chat.until("agent_loaded")
        found = answers(chat, lambda: chat.socket.send(raw))
        assert len(found) == 1
        check_error(found[0])
    assert runs_begun(stack, agent) == before


def _sized(size: int) -> str:
    frame = {"type": "user_message", "content": "", "conversation_id": f"cnv_{ABSENT}"}
    return json.dumps({**frame, "content": "x" * (size - len(json.dumps(frame)))})


@pytest.mark.parametrize("size", [LIMIT - 1, LIMIT])
def test_a_frame_up_to_the_limit_is_read(stack: Instance, agent: str, size: int) -> None:
    with chatting(stack, agent) as chat:
        chat.until("agent_loaded")
        assert len(_sized(size)) == size
        (found,) = answers(chat, lambda: chat.socket.send(_sized(size)))
        assert found["code"] == "conversation_not_found"


@pytest.mark.parametrize("size", [LIMIT + 1, 128 * 1024 + 1, 200 * 1024])
def test_a_frame_over_the_limit_closes_the_connection(stack: Instance, agent: str, size: int) -> None:
    with chatting(stack, agent) as chat:
        chat.until("agent_loaded")
        chat.socket.send(_sized(size))
        with pytest.raises(ConnectionClosedError) as closed:
            chat.next()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
    with chatting(stack, agent) as chat:
        assert chat.ask("/say still here")["content"] == "still here"


def test_a_message_in_fragments_over_the_limit_is_told(stack: Instance, agent: str) -> None:
    text = _sized(LIMIT + 1000)
    with chatting(stack, agent) as chat:
        chat.until("agent_loaded")
        pieces = [text[start : start + 10_000] for start in range(0, len(text), 10_000)]
        (found,) = answers(chat, lambda: chat.socket.send(pieces))
        assert found["code"] == "payload_too_large"
