"""REST's edges: problem documents, cursors, revisions."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_builder import errors
from agent_builder.errors import (
    AgentBuilderError,
    CallerError,
    Fault,
    MethodNotAllowed,
    NotFound,
    TooManyRequests,
    Unauthenticated,
    Unprocessable,
)
from functions.api.paging import page, read_cursor, reply, revision_of, write_cursor
from functions.api.problems import problem


def test_a_problem_document() -> None:
    answer = problem(NotFound("There is no agent with this id."), "req-1")
    assert answer["statusCode"] == 404
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert json.loads(answer["body"]) == {
        "type": "urn:agent-builder:problem:not_found",
        "title": "Not found",
        "status": 404,
        "detail": "There is no agent with this id.",
        "code": "not_found",
        "request_id": "req-1",
    }


def test_faults_are_named() -> None:
    error = Unprocessable("No.", faults=(Fault("/name", "This field is required."),))
    body = json.loads(problem(error, "")["body"])
    assert body["errors"] == [{"pointer": "/name", "message": "This field is required."}]


def test_headers_that_go_with_an_error() -> None:
    assert problem(MethodNotAllowed(allow=("GET", "HEAD")), "")["headers"]["Allow"] == "GET, HEAD"
    assert problem(TooManyRequests(retry_after=0.2), "")["headers"]["Retry-After"] == "1"
    assert problem(Unauthenticated(), "")["headers"]["WWW-Authenticate"] == "Bearer"


def _all(kind: type[AgentBuilderError]) -> list[type[AgentBuilderError]]:
    below = [one for one in kind.__subclasses__() if one.__module__ == errors.__name__]
    return [kind, *(deeper for one in below for deeper in _all(one))]


def test_the_error_tree_is_drawn_as_it_is() -> None:
    drawn = errors.__doc__ or ""
    for kind in _all(AgentBuilderError):
        assert kind.__name__ in drawn
        assert 400 <= kind.status <= 599
    for kind in _all(CallerError):
        assert kind.status < 500


def test_codes_are_each_of_one_class() -> None:
    codes = [kind.code for kind in _all(AgentBuilderError)]
    assert len(set(codes)) == len(codes)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=80))
def test_a_cursor_comes_back_as_it_was(key: str) -> None:
    cursor = write_cursor(key)
    assert read_cursor(cursor, lambda found: found == key) == key
    assert cursor.replace("-", "").replace("_", "").isalnum()


@given(st.text(max_size=60))
def test_any_other_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(Unprocessable) as refusal:
        read_cursor(cursor, lambda key: False)
    assert refusal.value.faults[0].pointer == "query/cursor"


def test_no_cursor_is_the_beginning() -> None:
    assert read_cursor(None, lambda key: False) is None


@pytest.mark.parametrize(
    ("header", "revision"),
    [(None, None), ("*", None), (" * ", None), ('"3"', 3), ('W/"3"', 3), (' "12" ', 12)],
)
def test_the_revision_in_if_match(header: str | None, revision: int | None) -> None:
    assert revision_of(header) == revision


@pytest.mark.parametrize("header", ["", "3", '"abc"', '"-1"', '"3', '"1", "2"', '"٣"', '"9999999999999999"'])
def test_an_if_match_that_was_never_given_out_is_refused(header: str) -> None:
    with pytest.raises(Unprocessable):
        revision_of(header)


def test_a_page_and_a_reply() -> None:
    answer = page([{"id": "a"}], "agt_1")
    assert json.loads(answer.body or "") == {"items": [{"id": "a"}], "next_cursor": write_cursor("agt_1")}
    assert json.loads(page([], None).body or "") == {"items": [], "next_cursor": None}
    assert reply(200, {}, revision=4).headers["ETag"] == '"4"'
    assert reply(204).body == ""
