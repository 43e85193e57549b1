from __future__ import annotations

import json
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_builder.providers.sse import Decoder, EventTooLarge


def decoded(data: bytes, cuts: list[int] | None = None) -> list[str]:
    decoder, out = Decoder(), []
    edges = [0, *sorted(cuts or []), len(data)]
    for begin, end in pairwise(edges):
        out += decoder.feed(data[begin:end])
    return [*out, *decoder.end()]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end: str) -> None:
    data = f": comment{end}event: x{end}data: one{end}data:two{end}{end}id: 7{end}{end}data: three{end}{end}".encode()
    assert decoded(data) == ["one\ntwo", "three"]


@pytest.mark.parametrize("odd", ["\u2028", "\u2029", "\u0085", "\v", "\f", "\x1c", "\x1e"])
def test_other_separators_are_text(odd: str) -> None:
    assert decoded(f"data: a{odd}b\n\n".encode()) == [f"a{odd}b"]


def test_the_end_completes_an_event() -> None:
    assert decoded(b"data: one\n\ndata: [DONE]") == ["one", "[DONE]"]


def test_only_one_space_is_taken_off() -> None:
    assert decoded(b"data:  two spaces\n\n") == [" two spaces"]


def test_a_line_without_end_is_refused() -> None:
    decoder = Decoder(max_event_bytes=100)
    with pytest.raises(EventTooLarge):
        for _ in range(20):
            list(decoder.feed(b"x" * 10))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(min_size=1), min_size=1, max_size=5), st.sampled_from(["\n", "\r\n", "\r"]), st.integers())
def test_cuts_do_not_matter(texts: list[str], end: str, seed: int) -> None:
    payloads = [json.dumps(text, ensure_ascii=False) for text in texts]
    payloads = [p for p in payloads if "\n" not in p and "\r" not in p]
    data = "".join(f"data: {payload}{end}{end}" for payload in payloads).encode()
    chance = random.Random(seed)
    cuts = [chance.randrange(len(data) + 1) for _ in range(8)]
    assert decoded(data, cuts) == payloads
