from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agent_builder.messages import Message, TextPart, ToolCallPart, ToolResultPart, ToolSpec, user_message
from agent_builder.services.history import drop_oldest, fit, message_tokens, tokens


def assistant(*parts: Any) -> Message:
    return Message(role="assistant", parts=tuple(TextPart(text=p) if isinstance(p, str) else p for p in parts))


def used(number: int, size: int) -> tuple[ToolCallPart, ToolResultPart]:
    call = ToolCallPart(tool_use_id=str(number), name="t", input={"n": number})
    return call, ToolResultPart(tool_use_id=str(number), name="t", result={"text": "x" * size})


def fitted(messages: list[Message], window: int, **more: Any) -> list[Message]:
    return fit(messages, **{"system": "", "tools": (), "context_window": window, "max_output": 10, **more})


CONVERSATION = [
    user_message("one"), assistant(*used(1, 300), "first"),
    user_message("two"), assistant("second"),
    user_message("three"),
]  # fmt: skip


def test_all_of_it_where_there_is_room() -> None:
    assert fitted(CONVERSATION, 10_000) == CONVERSATION
    assert fitted([], 10_000) == []


def test_the_oldest_whole_exchanges_go_first() -> None:
    room = sum(map(message_tokens, CONVERSATION[2:]))
    assert fitted(CONVERSATION, room + 10) == CONVERSATION[2:]
    assert fitted(CONVERSATION, room + 9) == CONVERSATION[4:]


def test_system_prompt_tools_and_answer_take_room() -> None:
    room = sum(map(message_tokens, CONVERSATION[2:])) + 10
    assert fitted(CONVERSATION, room, system="Be kind.") == CONVERSATION[4:]
    assert fitted(CONVERSATION, room, max_output=20) == CONVERSATION[4:]
    tool = ToolSpec("t", "A tool.", {"type": "object"})
    assert fitted(CONVERSATION, room, tools=(tool,)) == CONVERSATION[4:]


def test_the_newest_exchange_stays_whatever_its_size() -> None:
    long = [*CONVERSATION, assistant("x" * 1000)]
    assert fitted(long, 50) == long[4:]


def test_results_of_the_newest_exchange_are_cut_from_the_oldest_on() -> None:
    message = assistant(*used(1, 3000), *used(2, 3000), *used(3, 3000))
    kept_user, kept = fitted([*CONVERSATION[:4], user_message("go"), message], 2600)
    assert kept_user.text == "go"
    first, second, third = (part for part in kept.parts if isinstance(part, ToolResultPart))
    assert first.result["left_out"] == "2811 characters, to save room"
    assert second.result.keys() == {"text"}
    assert third == message.parts[-1]
    assert [part.type for part in kept.parts] == [part.type for part in message.parts]


def test_user_messages_in_a_row_are_one_exchange() -> None:
    messages = [user_message("a" * 300), user_message("b")]
    assert fitted(messages, 60) == messages


def test_dropping_ends() -> None:
    messages = [*CONVERSATION[:4], user_message("go"), assistant(*used(1, 9000), *used(2, 9000))]
    seen = [messages]
    while (fewer := drop_oldest(seen[-1])) != seen[-1]:
        seen.append(fewer)
    assert seen[1] == messages[4:]
    assert seen[-1][0] == user_message("go")
    sizes = [sum(map(message_tokens, one)) for one in seen]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 500


def test_the_estimate_errs_on_the_high_side() -> None:
    """Counts of real tokenizers (o200k_base): 9 for the English sentence, 5 for the Chinese one."""
    assert tokens("The quick brown fox jumps over the lazy dog") >= 9
    assert tokens("\u4f60\u597d\uff0c\u4e16\u754c") >= 5
    assert tokens("") == 0
    assert tokens("\ud83d") == 1


PARTS = st.lists(st.sampled_from(["text", "round", "long"]), max_size=4)


def _built(shapes: list[list[str]]) -> list[Message]:
    messages, number = [], 0
    for shape in shapes:
        messages.append(user_message("u" * len(messages)))
        parts: list[Any] = []
        for kind in shape:
            number += 1
            parts += ["said"] if kind == "text" else used(number, 5_000 if kind == "long" else 10)
        if parts:
            messages.append(assistant(*parts))
    return messages


@settings(max_examples=200, deadline=None)
@given(st.lists(PARTS, min_size=1, max_size=6), st.integers(10, 8_000))
def test_calls_and_results_stay_together(shapes: list[list[str]], window: int) -> None:
    messages = _built(shapes)
    for kept in (fitted(messages, window), drop_oldest(messages)):
        assert kept
        assert kept[0].role == "user"
        assert [m.role for m in kept] == [m.role for m in messages[-len(kept) :]], "the newest, without a gap"
        for message in kept:
            calls = [p.tool_use_id for p in message.parts if isinstance(p, ToolCallPart)]
            assert calls == [p.tool_use_id for p in message.parts if isinstance(p, ToolResultPart)]
