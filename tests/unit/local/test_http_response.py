"""What a function may return to an HTTP API, and what becomes of what it may not."""

import json

import pytest

from local.environment import Result
from local.http_gateway import response


def answer(value):
    return response(Result(json.dumps(value).encode()))


def test_a_whole_response():
    sent = answer(
        {
            "statusCode": 201,
            "headers": {"Content-Type": "application/json", "X-Count": 3, "X-Yes": True, "Connection": "close"},
            "cookies": ["a=1; Path=/", "b=2"],
            "body": '{"a": 1}',
        }
    )
    assert (sent.status, sent.body) == (201, b'{"a": 1}')
    assert (sent.headers["Content-Type"], sent.headers["X-Count"], sent.headers["X-Yes"]) == (
        "application/json",
        "3",
        "true",
    )
    assert sent.headers.getall("Set-Cookie") == ["a=1; Path=/", "b=2"]
    assert "Connection" not in sent.headers


def test_a_binary_body():
    assert answer({"statusCode": 200, "isBase64Encoded": True, "body": "AP8="}).body == b"\x00\xff"


def test_text_has_a_type_of_its_own():
    assert answer({"statusCode": 200, "body": "hi"}).headers["Content-Type"] == "text/plain; charset=utf-8"


def test_a_status_as_text_is_read():
    assert answer({"statusCode": "204"}).status == 204


@pytest.mark.parametrize("value", [{"a": 1}, "hello", [1], None, 3])
def test_without_a_status_it_is_json(value):
    sent = answer(value)
    assert (sent.status, json.loads(sent.body), sent.headers["Content-Type"]) == (200, value, "application/json")


@pytest.mark.parametrize(
    "value",
    [
        {"statusCode": "many"},
        {"statusCode": 42},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "body": "%%%", "isBase64Encoded": True},
        {"statusCode": 200, "headers": {"x": "a\r\nset-cookie: b"}},
    ],
)
def test_what_cannot_be_read_is_a_500(value):
    sent = answer(value)
    assert (sent.status, json.loads(sent.body)["message"]) == (500, "Internal Server Error")


def test_an_error_of_the_function_is_a_500_without_its_words():
    sent = response(Result(b'{"errorMessage": "secret"}', "Unhandled"))
    assert (sent.status, json.loads(sent.body)["message"]) == (500, "Internal Server Error")
    assert b"secret" not in sent.body
