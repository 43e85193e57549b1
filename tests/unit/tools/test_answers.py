"""What a model sees of an API's answer: nothing that the answer says of itself is believed."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_builder.errors import ToolError
from agent_builder.jsontext import encode
from agent_builder.models.tools import ResponseShape
from agent_builder.tools.answers import WHOLE_BYTES, content_of, excerpt, fitted, shaped
from agent_builder.tools.auth.masking import MASK, Masker
from agent_builder.tools.egress import Answer

NOBODY = Masker(())


def answer(body: bytes | str, content_type: str | None = "application/json", status: int = 200) -> Answer:
    headers = {} if content_type is None else {"content-type": content_type}
    data = body.encode() if isinstance(body, str) else body
    return Answer(status, httpx2.Headers(headers), data, "https://api.example.com/x")


def read(body: bytes | str, content_type: str | None = "application/json") -> tuple[str, Any]:
    content = content_of(answer(body, content_type), NOBODY)
    return content.kind, content.value


@pytest.mark.parametrize(
    ("body", "content_type", "kind", "value"),
    [
        ('{"a": 1}', "application/json", "json", {"a": 1}),
        ("[1, 2]", "application/json; charset=utf-8", "json", [1, 2]),
        ("7", "application/json", "json", 7),
        ('{"a": 1}', "application/problem+json", "json", {"a": 1}),
        ('{"a": 1}', "text/plain", "json", {"a": 1}),
        ('  [{"a": 1}]', "text/html-not", "json", [{"a": 1}]),
        ('{"a": 1}', "application/octet-stream", "json", {"a": 1}),
        ('{"a": 1}', None, "json", {"a": 1}),
        ('{"a": 1}', "nonsense", "json", {"a": 1}),
        ("{not json", "application/json", "text", "{not json"),
        ("7", "text/plain", "text", "7"),
        ("a,b\n1,2", "text/csv", "text", "a,b\n1,2"),
        ("<a>1</a>", "application/xml", "text", "<a>1</a>"),
        ("", "application/json", "empty", None),
        ("<!DOCTYPE html><p>Hi &amp; bye</p>", "application/json", "html", "Hi & bye"),
        ("<p>one</p><p>two", "text/html", "html", "one\ntwo"),
        ('\ufeff{"a": 1}', "application/json", "json", {"a": 1}),
        ('{"a": "é"}'.encode("utf-16"), "application/json", "json", {"a": "é"}),
        ("é".encode("latin-1"), "text/plain; charset=ISO-8859-1", "text", "é"),
        ("é".encode("latin-1"), "text/plain", "text", "\ufffd"),
        (b"abc", "text/plain; charset=rot13", "text", "abc"),
        (b"abc", "text/plain; charset=zlib", "text", "abc"),
        (
            '{"a": NaN, "b": Infinity, "c": 1e999}',
            "application/json",
            "json",
            {"a": "NaN", "b": "Infinity", "c": "1e999"},
        ),
        ('{"a": "\\ud800"}', "application/json", "json", {"a": "?"}),
        ("[" * 100_000, "application/json", "text", "[" * 100_000),
        ("[" * 65 + "]" * 65, "application/json", "text", "[" * 65 + "]" * 65),
        ("1" * 5_000, "application/json", "text", "1" * 5_000),
    ],
)
def test_reading(body: bytes | str, content_type: str | None, kind: str, value: Any) -> None:
    assert read(body, content_type) == (kind, value)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "image/png"),
        (b"plain", "image/png"),
        (b"\0\1\2", "application/octet-stream"),
        (b"%PDF-1.7\n\x80\xff", "application/pdf"),
        (b"\xff\xfe\xfa", None),
        (b"\0\1\2", "application/json"),
    ],
)
def test_what_is_binary_is_described(body: bytes, content_type: str | None) -> None:
    kind, value = read(body, content_type)
    assert kind == "binary"
    assert value["bytes"] == len(body)
    assert set(value) == {"content_type", "bytes", "sha256", "note"}


@given(st.binary(max_size=300), st.sampled_from(["application/json", "text/html", "text/plain; charset=utf-16", None]))
async def test_whatever_comes_can_be_stored(body: bytes, content_type: str | None) -> None:
    for data in (body, body.hex().encode(), b"{" + body, b'["' + body + b'"]'):
        made = await shaped(content_of(answer(data, content_type), NOBODY), 200, ResponseShape())
        assert isinstance(made.result, dict)
        encode([made.result, made.whole]).encode()


async def shape(value: Any, **how: Any) -> Any:
    body = value if isinstance(value, str) else json.dumps(value)
    kind = "text/plain" if isinstance(value, str) else "application/json"
    return await shaped(content_of(answer(body, kind), NOBODY), 200, ResponseShape(**how))


async def test_objects_are_results_and_all_else_is_a_value() -> None:
    assert (await shape({"a": 1})).result == {"a": 1}
    assert (await shape([1])).result == {"value": [1]}
    assert (await shape("text")).result == {"value": "text"}
    assert (await shape("")).result == {"status": 200, "value": None}
    assert (await shape({"a": 1})).whole is None


async def test_selecting_keeps_the_whole_for_people() -> None:
    made = await shape({"items": [{"id": 1, "name": "x"}], "more": 2}, select="items[].id")
    assert made.result == {"value": [1]}
    assert made.whole == {"items": [{"id": 1, "name": "x"}], "more": 2}
    assert (await shape({"a": 1}, select="b")).result == {"value": None}
    assert (await shape("no json", select="b")).result == {"value": "no json"}


async def test_long_answers_are_cut_and_say_so() -> None:
    many = [{"number": number} for number in range(1_000)]
    made = await shape(many, max_bytes=1_000)
    kept = made.result["value"]
    assert kept == many[: len(kept)]
    assert (made.result["truncated"], made.result["items"]) == (True, 1_000)
    assert len(encode(made.result)) <= 1_000
    assert made.whole == many
    text = await shape("ü" * 5_000, max_bytes=1_000)
    assert 480 <= len(text.result["value"]) <= 500
    assert text.whole == "ü" * 5_000
    deep = await shape({"a": "x" * 5_000}, max_bytes=256)
    assert deep.result["truncated"] is True
    assert deep.result["value"].startswith('{"a":"xxx')


async def test_what_people_can_read_has_an_end() -> None:
    made = await shape('"' * 3_000_000, max_bytes=256)
    assert made.whole["truncated"] is True
    assert len(encode(made.whole).encode()) <= WHOLE_BYTES


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=60,
    ),
    st.integers(256, 600),
)
def test_nothing_is_larger_than_it_may_be(value: Any, most: int) -> None:
    result, complete = fitted(value, most)
    assert len(encode(result).encode("utf-8", "replace")) <= most + 300
    assert complete == ("truncated" not in result or (isinstance(value, dict) and "truncated" in value))


@pytest.mark.parametrize(
    "expression",
    ["items[", "items[?", "nothing(@)", "abs('x')", "&a", "sum(@)", "a.b.c | join(',', @)", "to_number('1e999')"],
)
async def test_expressions_that_cannot_be_applied(expression: str) -> None:
    with pytest.raises(ToolError, match="select"):
        await shape({"items": [1]}, select=expression)


@pytest.mark.parametrize(
    "expression",
    [
        "|".join(["[@,@]"] * 100),
        "|".join(["[@,@][]"] * 100),
        "|".join(["[@,@]"] * 40) + " == " + "|".join(["[@,@]"] * 40),
        "to_string(" * 30 + "[@,@]" + ")" * 30 + "|[@,@,@,@,@,@,@,@]|[@,@,@,@,@,@,@,@]" * 10,
        "|".join(["join(items[0], [items[0],items[0],items[0],items[0]]) | {items: [@]}"] * 15),
        "|".join(["{a: @, b: @, c: @}"] * 40),
    ],
)
async def test_no_expression_takes_long_or_much(expression: str) -> None:
    with pytest.raises(ToolError, match="select"):
        await shape({"items": ["x" * 500_000] * 6}, select=expression[:1_000])


async def test_an_expression_over_many_items_passes() -> None:
    many = [{"id": number, "tags": ["a", "b"]} for number in range(20_000)]
    made = await shape(many, select="[?id > `19990`].{id: id, first: tags[0]} | sort_by(@, &id)[-2:]")
    assert made.result == {"value": [{"id": 19_998, "first": "a"}, {"id": 19_999, "first": "a"}]}


def forms(secret: str) -> list[str]:
    """How servers repeat a secret."""
    data = secret.encode()
    return [
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret).replace("/", "\\/")[1:-1],
        "".join(f"\\u{ord(character):04x}" for character in secret),
        quote(secret, safe=""),
        quote(secret, safe="").lower() if "%" in quote(secret, safe="") and secret.islower() else quote(secret),
        base64.b64encode(data).decode(),
        base64.urlsafe_b64encode(data).decode(),
        base64.b64encode(b"user:" + data).decode(),
    ]


SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=40)


@given(SECRETS, st.sampled_from(["application/json", "text/plain", "text/html", "application/octet-stream"]))
async def test_no_secret_comes_through(secret: str, content_type: str) -> None:
    masker = Masker((secret,))
    for form in forms(secret):
        in_json = form if "\\" in form or form == json.dumps(form)[1:-1] else json.dumps(form)[1:-1]
        for body in (form, f'{{"a": ["{in_json}"], "{in_json}": 1}}', f"<p title='{form}'>x</p>y{form}z"):
            content = content_of(answer(body, content_type), masker)
            for how in (ResponseShape(), ResponseShape(max_bytes=256)):
                made = await shaped(content, 200, how)
                shown = [encode([made.result, made.whole]), excerpt(content)]
                for text in shown:
                    if secret in MASK or any(secret in one for one in ('{"status":200,"value":null}',)):
                        continue
                    assert json.dumps(secret)[1:-1] not in text.replace(MASK, "")


def test_numbers_can_be_secrets() -> None:
    content = content_of(answer('{"pin": 12345678, "ok": 1234, "f": 1.5}'), Masker(("12345678",)))
    assert content.value == {"pin": MASK, "ok": 1234, "f": 1.5}


async def test_nothing_can_be_selected_from_a_secret() -> None:
    content = content_of(answer('{"token": "abcdefghij"}'), Masker(("abcdefghij",)))
    made = await shaped(content, 200, ResponseShape(select="reverse(token)"))
    assert made.result == {"value": MASK}
