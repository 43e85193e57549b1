"""The HTTP API and the static files, from the outside."""

import socket
import uuid

import pytest


def told(answer):
    """Code and AWS's own message of a problem document."""
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (problem["status"], problem["request_id"]) == (answer.status_code, answer.headers["x-request-id"])
    return problem["code"], problem.get("message")


def test_a_request_becomes_an_event_of_its_route(http):
    seen = http.post("/api/some/where?a=1&a=2", json={"x": 1}, headers={"X-Thing": "y"}).json()
    event = seen["event"]
    assert event["version"] == "2.0"
    assert event["routeKey"] == "ANY /api/{proxy+}"
    assert event["pathParameters"] == {"proxy": "some/where"}
    assert event["queryStringParameters"] == {"a": "1,2"}
    assert event["headers"]["x-thing"] == "y"
    assert event["requestContext"]["http"]["method"] == "POST"
    assert event["requestContext"]["authorizer"]["lambda"] == {
        "tenant_id": "local",
        "subject": "local-user",
        "roles": "owner",
    }
    assert event["body"] == '{"x":1}'


def test_the_function_runs_with_its_layer_and_lambdas_variables(http):
    seen = http.post("/api/x", json={}).json()
    environment = seen["environment"]
    assert seen["layer"] == "from the layer"
    assert environment["GREETING"] == "hello from local"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "local-echo"
    assert environment["AWS_LAMBDA_INITIALIZATION_TYPE"] == "snap-start"
    assert environment["AWS_EC2_METADATA_DISABLED"] == "true"
    assert environment["AWS_ENDPOINT_URL_DYNAMODB"].startswith("http://127.0.0.1:")
    assert "KEYS" not in environment


def test_vendors_variables_go_only_to_functions_that_use_the_secret(http, worker):
    assert "VENDOR" not in http.post("/api/x", json={}).text
    assert worker(variables=["KEYS"])["environment"] == {"KEYS": None}


def test_the_route_with_the_named_method_wins(http):
    assert http.get("/api/items/7%2F8").json()["event"]["pathParameters"] == {"id": "7/8"}
    assert http.put("/api/items/7").json()["event"]["routeKey"] == "ANY /api/{proxy+}"


def test_head_is_answered_without_a_body(http):
    answer = http.head("/api/x")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "OPTIONS", "PUT"])
def test_other_methods_reach_the_function(http, method):
    assert http.request(method, "/api/x").json()["event"]["requestContext"]["http"]["method"] == method


def test_what_the_function_says_is_sent(http):
    wanted = {"statusCode": 418, "headers": {"x-a": "b"}, "cookies": ["c=d"], "body": "AP8=", "isBase64Encoded": True}
    answer = http.post("/api/x", json={"answer": wanted})
    assert (answer.status_code, answer.content, answer.headers["x-a"]) == (418, b"\x00\xff", "b")
    assert answer.cookies["c"] == "d"


def test_an_answer_without_a_status_is_json(http):
    answer = http.post("/api/x", json={"answer": {"a": 1}})
    assert (answer.status_code, answer.json(), answer.headers["content-type"]) == (200, {"a": 1}, "application/json")


def test_a_malformed_answer_and_an_exception_are_500(http):
    for body in ({"answer": {"statusCode": "x"}}, {"raise": True}):
        answer = http.post("/api/x", json=body)
        assert (answer.status_code, told(answer)) == (500, ("internal_error", "Internal Server Error"))


def test_a_function_that_takes_longer_than_the_integration_is_503(http):
    answer = http.post("/api/x", json={"sleep": 2.5})
    assert (answer.status_code, told(answer)) == (503, ("unavailable", "Service Unavailable"))


def test_a_body_over_ten_megabytes_is_413(http):
    answer = http.post("/api/x", content=b"x" * (10 * 1024 * 1024 + 1))
    assert (answer.status_code, told(answer)[0]) == (413, "payload_too_large")


def test_five_megabytes_pass(http):
    answer = http.post("/api/x", content=b"x" * 5_000_000, headers={"content-type": "text/plain"})
    assert len(answer.json()["event"]["body"]) == 5_000_000


def test_headers_over_ten_kilobytes_are_431(http):
    answer = http.get("/api/x", headers={"x-long": "x" * 10_300})
    assert (answer.status_code, told(answer)[0]) == (431, "headers_too_large")


def test_nonsense_on_the_wire_is_400_and_harms_nobody(stack, http):
    host, port = stack.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as raw:
        raw.sendall(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
        answer = b"".join(iter(lambda: raw.recv(1000), b""))
        assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
        assert b"application/problem+json" in answer
        assert b'"code": "malformed_request"' in answer
    assert http.head("/").status_code == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /api/x?ticket=SECRET HTTP/9.x\r\nHost: x\r\n\r\n", 400),
        (b"GET /api/x SECRET HTTP/1.1\r\n\r\n", 400),
        (b"GET /api/x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer SECRET\x00\r\n\r\n", 400),
        (b"GET /api/x HTTP/1.1\r\nHost: x\r\nAuthorization Bearer SECRET\r\n\r\n", 400),
        (b"POST /api/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nSECRET\r\n", 400),
        (b"POST /api/x HTTP/1.1\r\nHost: x\r\nContent-Length: SECRET\r\n\r\n", 400),
        (b"GET /api/x HTTP/1.1\r\nHost: x\r\nAuthorization: SECRET" + b"x" * 70_000 + b"\r\n\r\n", 431),
        (b"GET /api/x HTTP/1.1\r\nHost: x\r\n" + b"X-A: SECRET\r\n" * 1_200 + b"\r\n", 431),
        (b"\x16\x03\x01 SECRET\r\n\r\n", 400),
    ],
)
def test_nothing_of_a_malformed_request_is_logged(stack, http, sent, status):
    secret = uuid.uuid4().hex
    host, port = stack.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as raw:
        raw.sendall(sent.replace(b"SECRET", secret.encode()))
        assert raw.recv(1000).startswith((b"HTTP/1.1 %d " % status, b"HTTP/1.0 %d " % status))
    assert http.head("/").status_code == 200
    logged = stack.output() + stack.function_log()
    assert secret not in logged
    assert "Traceback" not in stack.output()


def test_more_headers_than_fit_are_431(http):
    answer = http.get("/api/x", headers={f"x-{number}": "x" * 20 for number in range(500)})
    assert (answer.status_code, told(answer)[0]) == (431, "headers_too_large")


def test_static_files(http):
    page = http.get("/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "It works" in page.text
    head = http.head("/index.html")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(page.content)))


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/nothing.txt", "/../template.yaml", "/%2e%2e/template.yaml", "/..%2ftemplate.yaml", "/%00", "/.x"],
)
def test_what_is_not_there_is_404(http, path):
    answer = http.get(path)
    assert (answer.status_code, told(answer)) == (404, ("not_found", None))


def test_other_methods_on_files_are_refused(http):
    refused = http.post("/index.html")
    assert (told(refused)[0], refused.headers["allow"]) == ("method_not_allowed", "GET, HEAD")
    assert told(http.post("/nothing"))[0] == "not_found"


def test_a_method_that_no_route_of_the_path_has_is_405(http):
    """API Gateway says 404 to that; the contract says 405."""
    answer = http.put("/named/7")
    assert (told(answer), answer.headers["allow"]) == (("method_not_allowed", "Not Found"), "GET")
