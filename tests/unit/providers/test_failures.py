from __future__ import annotations

from typing import Any

import pytest

from agent_builder.errors import ProviderError
from agent_builder.providers.failures import MAX_RETRY_AFTER, Answer, Refused


def failed(status: int | None, body: Any = None, **headers: str) -> ProviderError:
    return Answer("Vendor", status, body, {name.replace("_", "-"): value for name, value in headers.items()}).failure()


def error(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, **more}}


# The texts are the vendors' and servers' own.
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, error("prompt is too long: 210000 tokens > 200000 maximum", type="invalid_request_error")),
        (400, error("input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000")),
        (400, error("This model's maximum context length is 8192 tokens.", code="context_length_exceeded")),
        (400, error("Your input exceeds the context window of this model.", code="context_length_exceeded")),
        (400, error("The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).")),
        (400, error("request exceeds the available context size", type="exceed_context_size_error")),
        (413, error("Request exceeds the maximum size", type="request_too_large")),
        (500, error("prompt is longer than the maximum model length of 4096")),
        (None, {"code": "context_length_exceeded", "message": "x"}),
    ],
)  # fmt: skip
def test_context_too_long(status: int | None, body: Any) -> None:
    assert failed(status, body).kind == "context_too_long"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, error("API key not valid. Please pass a valid API key.", status="INVALID_ARGUMENT"), "auth"),
        (400, error("filtered", code="content_filter"), "content_filter"),
        (400, error("x", type="invalid_request_error"), "invalid_request"),
        (404, error("model: nope", type="not_found_error"), "model_not_found"),
        (400, error("The model `x` does not exist"), "model_not_found"),
        (408, None, "timeout"),
        (418, "teapot", "invalid_request"),
        (504, "<html>", "unavailable"),
        (520, "<html>", "unavailable"),
        (None, error("x", type="overloaded_error"), "overloaded"),
        (None, error("x", type="rate_limit_error"), "rate_limit"),
        (None, error("x", type="invalid_request_error"), "invalid_request"),
        (None, error("x", type="api_error"), "unavailable"),
        (None, "", "unavailable"),
        (None, ["odd"], "unavailable"),
    ],
)
def test_kinds(status: int | None, body: Any, kind: str) -> None:
    assert failed(status, body).kind == kind


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, error("x", code="enforced_spend_limit_reached")),
        (429, error("You exceeded your current quota, please check your plan.", code="insufficient_quota")),
        (400, error("Your credit balance is too low to access the Anthropic API.")),
        (402, None),
    ],
)
def test_no_money_is_not_retried(status: int, body: Any) -> None:
    failure = failed(status, body, retry_after="5")
    assert (failure.kind, failure.retryable, failure.retry_after) == ("rate_limit", False, None)
    assert "budget" in failure.detail


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"retry_after": "2.5"}, None, 2.5),
        ({"retry_after_ms": "1500"}, None, 1.5),
        ({"retry_after": "4294967"}, None, MAX_RETRY_AFTER),
        ({"retry_after": "-3"}, None, 0.0),
        ({"retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"}, None, 0.0),
        ({"retry_after": "soon"}, None, None),
        ({"retry_after": "nan"}, None, None),
        ({}, {"error": {"details": [{"retryDelay": "31s"}]}}, 31.0),
        ({}, None, None),
    ],
)
def test_retry_after(headers: dict[str, str], body: Any, seconds: float | None) -> None:
    assert failed(429, body, **headers).retry_after == seconds


def test_no_text_of_the_vendor_is_shown() -> None:
    secret = "canary-4711 what the user wrote"
    for status in (None, 400, 401, 404, 413, 429, 500, 529):
        for code in (secret, "odd code!", 5, None):
            failure = failed(status, error(secret, code=code, type=secret, param=secret))
            assert "canary" not in f"{failure} {failure.detail} {failure!r}"


def test_codes_and_parameters_are_named() -> None:
    detail = failed(400, error("no", code="unsupported_value", param="tools[0].name")).detail
    assert "unsupported_value" in detail
    assert "tools[0].name" in detail


def test_refused_parameters_are_left_out() -> None:
    refusal = failed(400, error("Unsupported parameter: 'temperature' is not supported with this model."))
    assert isinstance(refusal, Refused)
    body = {"model": "m", "temperature": 1, "top_p": 1}
    assert refusal.mended(body) == {"model": "m", "top_p": 1}
    assert refusal.mended(body, fixed={"temperature"}) == body


def test_max_tokens_has_another_name() -> None:
    text = "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."
    refusal = failed(400, error(text, param="max_tokens"))
    assert isinstance(refusal, Refused)
    assert refusal.mended({"max_tokens": 5}) == {"max_completion_tokens": 5}
    too_large = failed(400, error("max_tokens: 99999 > 8192", param="max_tokens"))
    assert isinstance(too_large, Refused)
    assert too_large.mended({"max_tokens": 5}) == {"max_tokens": 5}
