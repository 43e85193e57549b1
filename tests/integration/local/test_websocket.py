"""The WebSocket API: handshake, messages, ends and limits, through a real client."""

import json
import socket

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect


def open_room(stack, room="r", **options):
    return connect(stack.ws_url(room, "/ws/"), max_size=None, **options)


def test_a_message_is_answered_through_at_connections(stack):
    with open_room(stack) as browser:
        browser.send('{"n": 1}')
        event = json.loads(browser.recv())["event"]
    context = event["requestContext"]
    assert (context["routeKey"], context["eventType"], context["stage"]) == ("$default", "MESSAGE", "live")
    assert context["authorizer"]["room"] == "r"
    assert event["body"] == len('{"n": 1}')


def test_the_parameter_of_the_path_is_a_query_parameter_of_connect(stack, item):
    with open_room(stack, "alpha?post=alpha"):
        pass
    assert item("connect/alpha") == {"early": "GoneException"}


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500])
def test_connect_may_deny(stack, status):
    with pytest.raises(InvalidStatus) as denied, open_room(stack, f"r?deny={status}"):
        pass
    assert denied.value.response.status_code == status
    assert denied.value.response.headers["Retry-After"] == "7"
    assert "X-Own" not in denied.value.response.headers


def test_a_connect_that_raises_is_a_bad_gateway(stack):
    with pytest.raises(InvalidStatus) as denied, open_room(stack, "r?fail=1"):
        pass
    assert denied.value.response.status_code == 502


def test_the_function_chooses_the_subprotocol(stack):
    with open_room(stack, "r?choose=b", subprotocols=["a", "b"]) as browser:
        assert browser.subprotocol == "b"
    with open_room(stack, subprotocols=["a", "b"]) as browser:
        assert browser.subprotocol is None


@pytest.mark.parametrize(
    "missing", [b"Sec-WebSocket-Version: 13\r\n", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"]
)
def test_what_is_no_handshake_is_refused(stack, missing):
    host, _, port = stack.url.removeprefix("http://").partition(":")
    head = (
        f"GET /ws/r HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n".encode()
        + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as raw:
        raw.sendall(head.replace(missing, b""))
        assert raw.recv(100).split(b" ")[1] in (b"400", b"404")


def test_an_unknown_path_opens_no_websocket(stack):
    with pytest.raises(InvalidStatus) as denied, connect(stack.url.replace("http", "ws") + "/ws/a/b"):
        pass
    assert denied.value.response.status_code == 404


def test_a_binary_message_arrives_as_base64(stack):
    with open_room(stack) as browser:
        browser.send(b"\x00\xff")
        assert json.loads(browser.recv()) == {"base64": "AP8="}


def test_a_message_in_pieces_arrives_whole(stack):
    pieces = ['{"text": "', *["x" * 30_000] * 4, '"}']
    with open_room(stack) as browser:
        browser.send(pieces)
        assert json.loads(browser.recv())["echo"]["text"] == "x" * 120_000


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("x" * (32 * 1024 + 1), "a frame over 32 KB"),
        (["x" * 32_000] * 5, "a message over 128 KB"),
        (b"x" * 200_000, "a binary frame of 200 KB"),
    ],
)
def test_what_is_too_big_closes_with_1009(stack, item, message, why):
    room = f"big-{len(message)}"
    with open_room(stack, room) as browser:
        with pytest.raises(ConnectionClosed) as closed:
            browser.send(message)
            browser.recv()
        assert closed.value.rcvd.code == 1009, why
    assert item(f"gone/{room}")["requestContext"]["disconnectStatusCode"] == 1009


def test_a_frame_of_32_kilobytes_passes(stack):
    text = json.dumps({"t": "x" * (32 * 1024 - 9)})
    assert len(text) == 32 * 1024
    with open_room(stack) as browser:
        browser.send(text)
        assert len(json.loads(browser.recv())["echo"]["t"]) == 32 * 1024 - 9


def test_invalid_utf8_closes_with_1007(stack):
    with open_room(stack) as browser:
        browser.send(b"\xff", text=True)
        with pytest.raises(ConnectionClosed) as closed:
            browser.recv()
    assert closed.value.rcvd.code == 1007


def test_a_function_that_raises_or_dies_is_told_in_a_frame_and_ends_nothing(stack):
    with open_room(stack) as browser:
        for message in ({"raise": True}, {"exit": True}):
            browser.send(json.dumps(message))
            frame = json.loads(browser.recv())
            assert frame["message"] == "Internal server error"
            assert frame["connectionId"]
            assert frame["requestId"]
        browser.send('{"n": 2}')
        assert json.loads(browser.recv())["echo"] == {"n": 2}


def test_messages_run_side_by_side(stack):
    with open_room(stack) as browser:
        browser.send('{"sleep": 5}')
        browser.send('{"n": 1}')
        assert json.loads(browser.recv(timeout=4))["echo"] == {"n": 1}


@pytest.mark.parametrize(("code", "reported"), [(1000, 1000), (4001, 4001)])
def test_disconnect_tells_the_clients_code(stack, item, code, reported):
    with open_room(stack, f"code-{code}") as browser:
        browser.close(code, "bye")
    context = item(f"gone/code-{code}")["requestContext"]
    assert (context["eventType"], context["disconnectStatusCode"], context["disconnectReason"]) == (
        "DISCONNECT",
        reported,
        "bye",
    )


def test_a_broken_connection_is_1006(stack, item):
    browser = open_room(stack, "broken", legacy=True)
    browser.socket.shutdown(socket.SHUT_RDWR)
    assert item("gone/broken")["requestContext"]["disconnectStatusCode"] == 1006
    browser.close()


def test_ping_is_answered(stack):
    with open_room(stack) as browser:
        assert browser.ping().wait(5)


def test_posts_keep_their_order(stack):
    with open_room(stack) as browser:
        for number in range(20):
            browser.send(json.dumps({"n": number}))
            assert json.loads(browser.recv())["echo"]["n"] == number
