"""What budgets are not: each answer says what to change, and nothing changes."""

from __future__ import annotations

from typing import Any

import pytest

from local.testing import Instance
from tests.integration.rest import AGENTS, JSON_TYPE, Rest, check_problem

KEPT: dict[str, Any] = {"run": {"amount_nanousd": 5_000_000, "tokens": None}, "agent_day": None}
NUMBER, KNOWN, OBJECT = "valid integer", "not known here; remove it", "valid dictionary"
SAYS = "Give amount_nanousd, tokens, or both; null in place of the whole budget for no limit."


@pytest.fixture
def rest(stack: Instance) -> Rest:
    return Rest(stack.url)


@pytest.fixture(params=["tenant", "agent"])
def path(rest: Rest, request: pytest.FixtureRequest) -> str:
    """Where budgets are set; some are."""
    path = "/api/v1/budgets" if request.param == "tenant" else f"{AGENTS}/{rest.create()['id']}/budget"
    assert rest("PUT", path, {"run": {"amount_nanousd": 5_000_000}}).status == 200
    return path


@pytest.mark.parametrize(
    ("budgets", "pointer", "message"),
    [
        ({"run": {"tokens": -1}}, "/run/tokens", "greater than or equal to 0"),
        ({"run": {"amount_nanousd": -1}}, "/run/amount_nanousd", "greater than or equal to 0"),
        ({"run": {"tokens": 1.5}}, "/run/tokens", NUMBER),
        ({"run": {"tokens": 1.0}}, "/run/tokens", NUMBER),
        ({"agent_day": {"amount_nanousd": 0.05}}, "/agent_day/amount_nanousd", NUMBER),
        ({"run": {"tokens": 1e30}}, "/run/tokens", NUMBER),
        ({"run": {"tokens": "100"}}, "/run/tokens", NUMBER),
        ({"run": {"tokens": True}}, "/run/tokens", NUMBER),
        ({"run": {"tokens": [1]}}, "/run/tokens", NUMBER),
        ({"run": {"tokens": 10**12 + 1}}, "/run/tokens", "less than or equal to 1000000000000"),
        ({"run": {"amount_nanousd": 10**15 + 1}}, "/run/amount_nanousd", "less than or equal to 1000000000000000"),
        ({"run": {"amount_nanousd": 10**400}}, "/run/amount_nanousd", "less than or equal to 1000000000000000"),
        ({"run": {"amount_usd": 5}}, "/run/amount_usd", KNOWN),
        ({"run": {"amount_nanoeur": 5, "tokens": 5}}, "/run/amount_nanoeur", KNOWN),
        ({"run": {"amount_nanousd": 5, "currency": "EUR"}}, "/run/currency", KNOWN),
        ({"month": {"tokens": 5}}, "/month", KNOWN),
        ({"run": {}}, "/run", SAYS),
        ({"run": {"tokens": None}}, "/run", SAYS),
        ({"run": 5}, "/run", OBJECT),
        ({"run": [5]}, "/run", OBJECT),
    ],
)
def test_what_is_no_budget(rest: Rest, path: str, budgets: dict[str, Any], pointer: str, message: str) -> None:
    problem = check_problem(rest("PUT", path, budgets), 422, "validation_failed")
    (fault,) = [fault for fault in problem["errors"] if fault["pointer"] == pointer]
    assert message in fault["message"]
    assert rest("GET", path).json.items() >= KEPT.items()


@pytest.mark.parametrize("raw", [b"", b"null", b"5", b"[]", b'{"run": {"tokens": NaN}}', b'{"run": null, "run": null}'])
def test_what_is_no_object(rest: Rest, path: str, raw: bytes) -> None:
    check_problem(rest("PUT", path, raw=raw, headers=JSON_TYPE), 400, "malformed_request")
    assert rest("GET", path).json.items() >= KEPT.items()


def test_an_agent_has_no_month_and_one_that_is_not_there_no_budget(rest: Rest) -> None:
    path = f"{AGENTS}/{rest.create()['id']}/budget"
    problem = check_problem(rest("PUT", path, {"tenant_month": {"tokens": 5}}), 422, "validation_failed")
    assert problem["errors"] == [{"pointer": "/tenant_month", "message": "This field is not known here; remove it."}]
    gone = rest.create()["id"]
    assert rest("DELETE", f"{AGENTS}/{gone}").status == 204
    for agent in ("agt_nobody", gone):
        for method, body in (("PUT", {"run": {"tokens": 5}}), ("GET", None)):
            check_problem(rest(method, f"{AGENTS}/{agent}/budget", body), 404, "not_found")


def test_the_smallest_and_the_largest_are_kept_exactly(rest: Rest) -> None:
    path = f"{AGENTS}/{rest.create()['id']}/budget"
    for amount, tokens in ((0, 0), (1, 1), (10**15, 10**12)):
        wanted = {"amount_nanousd": amount, "tokens": tokens}
        told = rest("PUT", path, {"run": wanted, "agent_day": wanted}).json
        assert told["run"] == told["agent_day"] == told["in_force"]["agent_day"] == wanted
    assert rest("PUT", path, {}).json["run"] is None


@pytest.fixture(autouse=True, scope="module")
def cleared(stack: Instance) -> Any:
    """The stack is everybody's."""
    yield
    assert Rest(stack.url)("PUT", "/api/v1/budgets", {}).status == 200
