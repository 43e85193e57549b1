"""Events in API Gateway's shapes: what is joined, decoded, encoded and left out."""

import base64

import pytest

from local.events import Handshake, HttpCall, connect_event, disconnect_event, http_event, message_event

IDENTITY = {"tenant_id": "t", "subject": "s", "roles": "owner"}


def event(method="GET", path="/api/x", query="", headers=(), body=b""):
    call = HttpCall(method, path, query, [("Host", "127.0.0.1:8787"), *headers], body, "127.0.0.1")
    return http_event(call, "ANY /api/{proxy+}", {"proxy": "x"}, IDENTITY)


def test_names_are_lower_case_and_repeated_values_joined():
    built = event(query="a=1&b=%20&a=2&c=", headers=[("X-One", "1"), ("x-one", "2")])
    assert built["headers"]["x-one"] == "1,2"
    assert built["queryStringParameters"] == {"a": "1,2", "b": " ", "c": ""}
    assert built["rawQueryString"] == "a=1&b=%20&a=2&c="


def test_the_path_stays_raw():
    assert event(path="/api/a%2Fb%20c")["rawPath"] == "/api/a%2Fb%20c"


def test_cookies_are_a_list_and_no_header():
    built = event(headers=[("Cookie", "a=1; b=2"), ("cookie", "c=3")])
    assert built["cookies"] == ["a=1", "b=2", "c=3"]
    assert "cookie" not in built["headers"]


def test_what_is_empty_is_left_out():
    built = event()
    assert not {"body", "cookies", "queryStringParameters"} & set(built)
    assert built["isBase64Encoded"] is False


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("application/json", b'{"a": "\xc3\xa9"}', '{"a": "é"}'),
        ("application/merge-patch+json; charset=utf-8", b"{}", "{}"),
        ("text/plain", b"hi", "hi"),
        ("", b"hi", "hi"),
        ("application/json", b"\xff", None),
        ("application/octet-stream", b"hi", None),
        ("application/x-www-form-urlencoded", b"a=1", None),
    ],
)
def test_a_body_is_text_or_base64(content_type, body, text):
    built = event("POST", headers=[("Content-Type", content_type)] if content_type else [], body=body)
    expected = (text, False) if text is not None else (base64.b64encode(body).decode(), True)
    assert (built["body"], built["isBase64Encoded"]) == expected


def test_the_identity_stands_where_an_authorizer_puts_it():
    assert event()["requestContext"]["authorizer"] == {"lambda": IDENTITY}


@pytest.fixture
def handshake():
    headers = [("Host", "127.0.0.1:8787"), ("User-Agent", "u"), ("X-A", "1"), ("X-A", "2")]
    return Handshake("c=", "live", headers, [("room", "r"), ("room", "q")], "127.0.0.1", {**IDENTITY, "room": "r"})


def test_connect_carries_headers_and_query_singly_and_in_full(handshake):
    built = connect_event(handshake)
    assert built["headers"]["X-A"] == "2"
    assert built["multiValueHeaders"]["X-A"] == ["1", "2"]
    assert built["queryStringParameters"] == {"room": "q"}
    assert built["multiValueQueryStringParameters"] == {"room": ["r", "q"]}
    assert built["requestContext"]["eventType"] == "CONNECT"
    assert built["requestContext"]["authorizer"] == {"principalId": "s", **IDENTITY, "room": "r"}


def test_a_message_carries_its_body_only(handshake):
    built = message_event(handshake, "é".encode())
    assert set(built) == {"requestContext", "body", "isBase64Encoded"}
    assert (built["body"], built["isBase64Encoded"]) == ("é", False)
    assert built["requestContext"]["messageId"]


def test_a_binary_message_is_base64(handshake):
    assert message_event(handshake, b"\x00\xff", binary=True)["body"] == "AP8="


def test_disconnect_says_how_it_ended(handshake):
    context = disconnect_event(handshake, 1009, "too big")["requestContext"]
    assert (context["disconnectStatusCode"], context["disconnectReason"]) == (1009, "too big")


def test_every_event_of_a_connection_has_the_same_identity_and_id(handshake):
    built = [connect_event(handshake), message_event(handshake, b""), disconnect_event(handshake, 1000, "")]
    assert len({str(item["requestContext"]["authorizer"]) for item in built}) == 1
    assert {item["requestContext"]["connectionId"] for item in built} == {"c="}
