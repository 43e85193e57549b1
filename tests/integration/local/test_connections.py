"""`@connections` through a real client: botocore raises the exceptions that API Gateway's answers stand for."""

import json
import socket

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.integration.local.conftest import client


@pytest.fixture(scope="module")
def gateway(stack):
    return client(stack, "apigatewaymanagementapi")


@pytest.fixture
def browser(stack):
    with connect(stack.ws_url("r", "/ws/"), max_size=None, user_agent_header="browser/1") as opened:
        yield opened


@pytest.fixture
def connection_id(browser):
    browser.send("{}")
    return json.loads(browser.recv())["event"]["requestContext"]["connectionId"]


def test_what_is_posted_arrives_in_order(gateway, browser, connection_id):
    for number in range(50):
        gateway.post_to_connection(ConnectionId=connection_id, Data=str(number).encode())
    assert [browser.recv() for _ in range(50)] == [str(number) for number in range(50)]


def test_128_kilobytes_pass_and_more_is_413(gateway, browser, connection_id):
    gateway.post_to_connection(ConnectionId=connection_id, Data=b"x" * 131072)
    assert len(browser.recv()) == 131072
    with pytest.raises(gateway.exceptions.PayloadTooLargeException):
        gateway.post_to_connection(ConnectionId=connection_id, Data=b"x" * 131073)


def test_an_unknown_connection_is_410(gateway):
    for call in (gateway.get_connection, gateway.delete_connection):
        with pytest.raises(gateway.exceptions.GoneException):
            call(ConnectionId="L0SM9cOFvHcCIhw=")
    with pytest.raises(gateway.exceptions.GoneException):
        gateway.post_to_connection(ConnectionId="L0SM9cOFvHcCIhw=", Data=b"x")


def test_a_closed_connection_is_410(gateway, browser, connection_id):
    browser.close()
    with pytest.raises(gateway.exceptions.GoneException):
        for _ in range(1000):
            gateway.post_to_connection(ConnectionId=connection_id, Data=b"x")


def test_a_client_that_does_not_read_is_429(gateway, browser, connection_id):
    with pytest.raises(gateway.exceptions.LimitExceededException):
        for _ in range(500):
            gateway.post_to_connection(ConnectionId=connection_id, Data=b"x" * 100_000)
    browser.socket.shutdown(socket.SHUT_RDWR)


def test_a_connection_is_described(gateway, connection_id):
    found = gateway.get_connection(ConnectionId=connection_id)
    assert found["Identity"]["SourceIp"] == "127.0.0.1"
    assert found["Identity"]["UserAgent"] == "browser/1"
    assert found["ConnectedAt"] <= found["LastActiveAt"]


def test_delete_closes_it(gateway, browser, connection_id):
    gateway.delete_connection(ConnectionId=connection_id)
    with pytest.raises(ConnectionClosed) as closed:
        browser.recv()
    assert closed.value.rcvd.code == 1000
    with pytest.raises(gateway.exceptions.GoneException):
        gateway.post_to_connection(ConnectionId=connection_id, Data=b"x")
