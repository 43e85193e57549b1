"""The one decoder of JSON from outside: what it takes comes back as it was, what it refuses it names."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_builder.errors import MalformedRequest, PayloadTooLarge
from agent_builder.jsontext import MAX_DEPTH, decode, decode_object, encode

LIMIT = 1_000_000
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=30,
)


@given(VALUES)
def test_what_is_encoded_decodes_to_the_same(value: Any) -> None:
    assert decode(encode(value), limit=LIMIT) == value
    assert decode(encode(value).encode(), limit=LIMIT) == value


@given(VALUES)
def test_escaped_and_indented_json_means_the_same(value: Any) -> None:
    assert decode(json.dumps(value, ensure_ascii=True, indent=2), limit=LIMIT) == value


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_anything_at_all_is_either_decoded_or_refused(raw: bytes | str) -> None:
    try:
        value = decode(raw, limit=LIMIT)
    except MalformedRequest as refusal:
        assert refusal.detail
    else:
        json.dumps(value, allow_nan=False).encode("utf-8")


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"\xff", "Not UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "Not UTF-8"),
        (b'\xef\xbb\xbf{"a": 1}', "Not JSON"),
        (b"", "Not JSON"),
        (b"{", "Not JSON"),
        (b"{'a': 1}", "Not JSON"),
        (b'{"a": 1,}', "Not JSON"),
        (b'{"a": 1} x', "Not JSON"),
        (b'{"a": "\x00"}', "Not JSON"),
        (b'{"a": "line\nbreak"}', "Not JSON"),
        (b"NaN", "NaN"),
        (b"[Infinity]", "Infinity"),
        (b'{"a": -Infinity}', "-Infinity"),
        (b"1e999", "too large"),
        (b"-1e999", "too large"),
        (b"9" * 4001, "too many digits"),
        (b'{"a": 1, "a": 1}', "twice"),
        (b'{"b": {"a": 1, "x": 2, "a": 3}}', "twice"),
        (b'{"a": 1, "\\u0061": 2}', "twice"),
        (rb'"\u0000"', "NUL"),
        (rb'{"a\u0000b": 1}', "NUL"),
        (rb'[[{"x": ["\u0000"]}]]', "NUL"),
        (rb'"\ud800"', "surrogate"),
        (rb'"\udc00\ud800"', "surrogate"),
        (rb'{"\ud83d": 1}', "surrogate"),
        (rb'"\ud83dx\ude00"', "surrogate"),
    ],
)
def test_refused_with_what_is_wrong(raw: bytes, told: str) -> None:
    with pytest.raises(MalformedRequest) as refusal:
        decode(raw, limit=LIMIT)
    assert told in refusal.value.detail


def test_half_a_surrogate_pair_in_a_string_is_refused() -> None:
    with pytest.raises(MalformedRequest):
        decode('"\ud800"', limit=LIMIT)


def test_a_whole_surrogate_pair_is_one_character() -> None:
    assert decode(rb'"\ud83d\ude00"', limit=LIMIT) == "😀"
    assert decode(rb'"\\ud83d"', limit=LIMIT) == r"\ud83d"


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_nesting_is_bounded(opening: str, closing: str) -> None:
    levels = MAX_DEPTH // sum(char in "[{" for char in opening)
    decode(opening * levels + "1" + closing * levels, limit=LIMIT)
    with pytest.raises(MalformedRequest, match="64 levels"):
        decode(opening * (levels + 1) + "1" + closing * (levels + 1), limit=LIMIT)


def test_very_deep_nesting_is_refused_without_recursion() -> None:
    with pytest.raises(MalformedRequest, match="64 levels"):
        decode("[" * 400_000, limit=LIMIT)


def test_brackets_in_strings_do_not_count() -> None:
    text = r"[[[\"[[{{" * 50
    assert decode(json.dumps([text, "[" * 200, "\\"]), limit=LIMIT) == [text, "[" * 200, "\\"]


def test_wide_documents_are_not_deep() -> None:
    assert len(decode("[" + ",".join(["[]"] * 500) + "]", limit=LIMIT)) == 500


def test_size_is_counted_in_bytes() -> None:
    assert decode('"ä"', limit=4) == "ä"
    with pytest.raises(PayloadTooLarge) as refusal:
        decode('"ää"', limit=5)
    assert refusal.value.status == 413
    assert "6 bytes" in refusal.value.detail
    assert "5" in refusal.value.detail


@pytest.mark.parametrize("raw", [b"[]", b'"text"', b"1", b"null"])
def test_an_object_is_expected_where_one_is(raw: bytes) -> None:
    assert decode_object(b'{"a": 1}', limit=LIMIT) == {"a": 1}
    with pytest.raises(MalformedRequest, match="object"):
        decode_object(raw, limit=LIMIT)


def test_encoding_refuses_what_is_no_json() -> None:
    with pytest.raises(ValueError, match="JSON"):
        encode(float("nan"))
