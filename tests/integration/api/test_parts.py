"""Tools and integrations by REST against the running stack, exactly as the contract says."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from agent_builder.ids import is_id
from local.testing import Instance
from tests.integration.rest import AGENTS, Rest, check_problem

TOOLS = "/api/v1/tools"
INTEGRATIONS = "/api/v1/integrations"
SERVER = {"name": "Weather", "base_url": "https://api.example.com/v1"}
CITY = {"type": "object", "properties": {"city": {"type": "string", "enum": ["Vienna", None]}}, "required": ["city"]}
MODEL = {"provider": "scripted", "model": "script"}
FORECAST: dict[str, Any] = {
    "kind": "http",
    "name": "forecast",
    "description": "The forecast of a city.",
    "method": "GET",
    "base_url": "https://api.example.com/v1",
    "path": "/cities/{city}",
    "parameters": [
        {"name": "city", "location": "path", "argument": "city", "allow_reserved": False},
        {"name": "units", "location": "query", "value": "metric", "allow_reserved": False},
    ],
    "input_schema": CITY,
    "effect": "read",
    "response": {"select": "days[0]", "max_bytes": 1_000},
}
KINDS: dict[str, dict[str, Any]] = {
    "http": FORECAST,
    "llm": {"kind": "llm", "name": "shorten", "model_config": MODEL, "instructions": "Be brief.", "input_schema": CITY},
    "agent": {"kind": "agent", "name": "colleague", "target_agent_id": "{other}"},
    "mcp": {
        "kind": "mcp",
        "name": "remote",
        "integration_id": "{mcp}",
        "remote_name": "a.b/c",
        "input_schema": CITY,
        "fingerprint": "0" * 64,
    },
}


@pytest.fixture(scope="module")
def rest(stack: Instance) -> Rest:
    return Rest(stack.url)


@pytest.fixture
def agent(rest: Rest) -> str:
    return str(rest.create()["id"])


def below(agent: str, place: str) -> str:
    return f"{AGENTS}/{agent}/{place}"


def add(rest: Rest, agent: str, place: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = rest("POST", below(agent, place), body)
    assert answer.status == 201, answer.body
    created: dict[str, Any] = answer.json
    return created


def of_kind(rest: Rest, agent: str, kind: str) -> dict[str, Any]:
    body = dict(KINDS[kind])
    if kind == "agent":
        body["target_agent_id"] = rest.create()["id"]
    if kind == "mcp":
        body["integration_id"] = add(rest, agent, "integrations", {**SERVER, "kind": "mcp"})["id"]
    return body


def version(rest: Rest, agent: str) -> int:
    return int(rest("GET", f"{AGENTS}/{agent}").json["version"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_tool_of_each_kind(rest: Rest, agent: str, kind: str) -> None:
    body = of_kind(rest, agent, kind)
    answer = rest("POST", below(agent, "tools"), body)
    assert answer.status == 201, answer.body
    view = answer.json
    assert is_id("tol", view["id"])
    assert view["agent_id"] == agent
    assert {name: view[name] for name in body} == body
    assert answer.etag == f'"{view["revision"]}"'
    assert view["revision"] == version(rest, agent)
    assert answer.headers["location"] == f"{TOOLS}/{view['id']}"
    got = rest("GET", answer.headers["location"])
    assert (got.json, got.etag) == (view, answer.etag)
    assert rest.all(below(agent, "tools")) == [view]


def test_an_integration(rest: Rest, agent: str) -> None:
    answer = rest("POST", below(agent, "integrations"), SERVER)
    view = answer.json
    assert is_id("int", view["id"])
    shown = {"kind": "http", "description": "", "credential_id": None, **SERVER}
    assert {name: view[name] for name in shown} == shown
    assert set(view) == {*shown, "id", "agent_id", "revision", "created_at", "updated_at"}
    got = rest("GET", f"{INTEGRATIONS}/{view['id']}")
    assert (got.json, got.etag) == (view, answer.etag)
    changed = rest("PATCH", f"{INTEGRATIONS}/{view['id']}", {"name": "Other"}, headers={"If-Match": got.etag})
    assert (changed.status, changed.json["name"], changed.json["revision"]) == (200, "Other", 3)
    assert changed.json["created_at"] == view["created_at"]


def test_what_is_not_said_is_shown_as_it_is_taken(rest: Rest, agent: str) -> None:
    body = {name: FORECAST[name] for name in ("kind", "name", "method", "base_url", "effect")}
    view = add(rest, agent, "tools", {**body, "input_schema": {"type": "object", "properties": {}}})
    assert (view["integration_id"], view["credential_id"], view["enhancement"], view["body"]) == (None,) * 4
    assert (view["enabled"], view["timeout_seconds"], view["retries"], view["parameters"]) == (True, 30, 2, [])


# ---------------------------------------------------------------- changing


@pytest.mark.parametrize(
    ("patch", "shown"),
    [
        ({"description": None}, {"description": ""}),
        ({"response": {"select": None}}, {"response": {"max_bytes": 1_000}}),
        ({"response": None}, {"response": {"max_bytes": 32_768}}),
        ({"response": {"max_bytes": 256}}, {"response": {"select": "days[0]", "max_bytes": 256}}),
        ({"enhancement": {"before": None}}, {"enhancement": {"model_config": MODEL, "before": "", "after": "y"}}),
        ({"enhancement": {"model_config": {"temperature": 0.5, "model": "m"}}}, {}),
        ({"enhancement": None}, {"enhancement": None}),
        ({"timeout_seconds": 5}, {"timeout_seconds": 5}),
        ({"input_schema": {"properties": {"city": {"enum": None, "default": "x"}}}}, {}),
        ({"parameters": [{"name": "city", "location": "path", "argument": "city"}]}, {}),
    ],
    ids=str,
)
def test_a_merge_patch(rest: Rest, agent: str, patch: dict[str, Any], shown: dict[str, Any]) -> None:
    enhancement = {"model_config": MODEL, "before": "x", "after": "y"}
    tool = add(rest, agent, "tools", {**FORECAST, "enhancement": enhancement})
    answer = rest("PATCH", f"{TOOLS}/{tool['id']}", patch)
    assert answer.status == 200, answer.body
    changed = answer.json
    assert {name: changed[name] for name in shown} == shown
    assert rest("GET", f"{TOOLS}/{tool['id']}").json == changed
    same = set(tool) - {"revision", "updated_at", *patch}
    assert {name: changed[name] for name in same} == {name: tool[name] for name in same}


BEFORE = {"enhancement": {"model_config": MODEL, "before": "x"}}


def test_what_a_person_approves_is_not_changed_afterwards(rest: Rest, agent: str) -> None:
    both = rest("POST", f"{AGENTS}/{agent}/tools", {**FORECAST, **BEFORE, "requires_approval": True})
    (fault,) = check_problem(both, 422, "validation_failed")["errors"]
    assert fault["pointer"] == "/enhancement/before"
    assert "require approval" in fault["message"]
    helped = add(rest, agent, "tools", {**FORECAST, **BEFORE})
    answer = rest("PATCH", f"{TOOLS}/{helped['id']}", {"requires_approval": True})
    assert check_problem(answer, 422, "validation_failed")["errors"] == [fault]
    told = {"enhancement": {"model_config": MODEL, "after": "y"}, "name": "told", "requires_approval": True}
    asking = add(rest, agent, "tools", {**FORECAST, **told})
    assert rest("PATCH", f"{TOOLS}/{asking['id']}", {"enhancement": {"before": "x"}}).status == 422


@pytest.mark.parametrize("patch", [{}, {"name": "forecast"}, {"credential_id": None}, {"kind": "http"}])
def test_a_patch_of_nothing_makes_nothing(rest: Rest, agent: str, patch: dict[str, Any]) -> None:
    tool = add(rest, agent, "tools", FORECAST)
    assert rest("PATCH", f"{TOOLS}/{tool['id']}", patch).json == tool
    assert version(rest, agent) == 2


@pytest.mark.parametrize(
    ("patch", "pointer"),
    [
        ({"name": None}, "/name"),
        ({"name": "a b"}, "/name"),
        ({"kind": "llm"}, "/kind"),
        ({"kind": None}, "/kind"),
        ({"instructions": "x"}, "/instructions"),
        ({"id": "tol_1"}, "/id"),
        ({"response": {"select": "["}}, "/response/select"),
        ({"response": {"unknown": 1}}, "/response/unknown"),
        ({"input_schema": None}, "/input_schema"),
        ({"input_schema": {"type": "array"}}, "/input_schema"),
        ({"parameters": [{"name": "x"}]}, "/parameters/0/location"),
        ({"integration_id": "int_unknown"}, "/integration_id"),
        ({"base_url": None}, "/base_url"),
        ({"credential_id": "crd_unknown"}, "/credential_id"),
        ({"timeout_seconds": "5"}, "/timeout_seconds"),
    ],
    ids=str,
)
def test_a_patch_to_something_invalid(rest: Rest, agent: str, patch: dict[str, Any], pointer: str) -> None:
    tool = add(rest, agent, "tools", FORECAST)
    answer = rest("PATCH", f"{TOOLS}/{tool['id']}", patch)
    problem = check_problem(answer, 422, "validation_failed")
    assert pointer in [fault["pointer"] for fault in problem["errors"]]
    assert rest("GET", f"{TOOLS}/{tool['id']}").json == tool


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"kind": None}, ""),
        ({"kind": "sql"}, ""),
        ({"method": "FETCH"}, "/method"),
        ({"path": "relative"}, "/path"),
        ({"path": "/{other}"}, ""),
        ({"base_url": "ftp://x"}, "/base_url"),
        ({"base_url": None}, "/base_url"),
        ({"id": "tol_1"}, "/id"),
        ({"name": "current_time"}, "/name"),
        ({"response": {"select": "a.["}}, "/response/select"),
        ({"input_schema": {**CITY, "minProperties": "many"}}, "/input_schema"),
    ],
    ids=str,
)
def test_what_cannot_be_created(rest: Rest, agent: str, change: dict[str, Any], pointer: str) -> None:
    problem = check_problem(rest("POST", below(agent, "tools"), {**FORECAST, **change}), 422)
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]
    assert rest.all(below(agent, "tools")) == []
    assert version(rest, agent) == 1


def test_whom_a_tool_calls_has_one_name(rest: Rest, agent: str) -> None:
    body = {**of_kind(rest, agent, "agent"), "agent_id": agent}
    for wrong in (body, {name: value for name, value in body.items() if name != "target_agent_id"}):
        faults = check_problem(rest("POST", below(agent, "tools"), wrong), 422)["errors"]
        assert "/agent_id" in [fault["pointer"] for fault in faults]


def test_names_are_unique(rest: Rest, agent: str) -> None:
    add(rest, agent, "tools", FORECAST)
    other = add(rest, agent, "tools", {**FORECAST, "name": "other"})
    for answer in (
        rest("POST", below(agent, "tools"), FORECAST),
        rest("PATCH", f"{TOOLS}/{other['id']}", {"name": "forecast"}),
    ):
        assert check_problem(answer, 422)["errors"][0]["pointer"] == "/name"
    assert rest("POST", below(str(rest.create()["id"]), "tools"), FORECAST).status == 201


def test_revisions(rest: Rest, agent: str) -> None:
    tool = add(rest, agent, "tools", FORECAST)
    path = f"{TOOLS}/{tool['id']}"
    changed = rest("PATCH", path, {"name": "renamed"}, headers={"If-Match": '"2"'})
    assert (changed.status, changed.etag) == (200, '"3"')
    for method, body in (("PATCH", {"name": "again"}), ("DELETE", None)):
        check_problem(rest(method, path, body, headers={"If-Match": '"2"'}), 412, "precondition_failed")
    add(rest, agent, "tools", {**FORECAST, "name": "other"})
    assert rest("DELETE", path, headers={"If-Match": '"3"'}).status == 204, "another's change is not this one's"
    check_problem(rest("GET", path), 404, "not_found")


# ---------------------------------------------------------------- lists


@pytest.mark.parametrize(("place", "body"), [("tools", FORECAST), ("integrations", SERVER)])
def test_lists_page_newest_first(rest: Rest, agent: str, place: str, body: dict[str, Any]) -> None:
    made = [add(rest, agent, place, {**body, "name": f"n{n}"})["id"] for n in range(5)]
    assert [one["id"] for one in rest.all(below(agent, place), limit=2)] == made[::-1]
    assert [one["id"] for one in rest.all(below(agent, place))] == made[::-1]
    check_problem(rest("GET", f"{below(agent, place)}?cursor=nonsense"), 422)


def test_a_page_of_large_tools_ends_early(rest: Rest, agent: str) -> None:
    schema = {"type": "object", "properties": {}, "description": "é" * 30_000}
    parameters = [{"name": "n", "location": "query", "value": "é" * 90_000}]
    large = {**FORECAST, "path": "", "input_schema": schema, "parameters": parameters}
    made = {add(rest, agent, "tools", {**large, "name": f"n{n}"})["id"] for n in range(20)}
    first = rest("GET", f"{below(agent, 'tools')}?limit=100")
    assert len(first.body) < 6_000_000
    assert 0 < len(first.json["items"]) < 20
    assert {one["id"] for one in rest.all(below(agent, "tools"))} == made


# ---------------------------------------------------------------- idempotency


@pytest.mark.parametrize(("place", "body"), [("tools", FORECAST), ("integrations", SERVER)])
def test_the_same_key_gets_the_same_answer(rest: Rest, agent: str, place: str, body: dict[str, Any]) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}

    def create(number: int) -> Any:
        return rest("POST", below(agent, place), body, headers=key)

    with ThreadPoolExecutor(4) as pool:
        answers = [*pool.map(create, range(4)), create(0)]
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body for answer in answers}) == 1
    assert len(rest.all(below(agent, place))) == 1
    other = rest("POST", below(agent, place), {**body, "description": "Other"}, headers=key)
    check_problem(other, 422, "idempotency_mismatch")
    another = str(rest.create()["id"])
    assert rest("POST", below(another, place), body, headers=key).json["agent_id"] == another


# ---------------------------------------------------------------- integrations and tools


def test_an_integration_in_use_stays(rest: Rest, agent: str) -> None:
    server = add(rest, agent, "integrations", SERVER)
    tool = add(rest, agent, "tools", {**FORECAST, "base_url": None, "integration_id": server["id"]})
    problem = check_problem(rest("DELETE", f"{INTEGRATIONS}/{server['id']}"), 409, "integration_in_use")
    assert "forecast" in problem["detail"]
    assert rest("DELETE", f"{TOOLS}/{tool['id']}").status == 204
    assert rest("DELETE", f"{INTEGRATIONS}/{server['id']}").status == 204
    check_problem(rest("DELETE", f"{INTEGRATIONS}/{server['id']}"), 404, "not_found")


def test_an_integration_of_another_agent_is_none(rest: Rest, agent: str) -> None:
    server = add(rest, str(rest.create()["id"]), "integrations", SERVER)
    answer = rest("POST", below(agent, "tools"), {**FORECAST, "base_url": None, "integration_id": server["id"]})
    assert check_problem(answer, 422)["errors"][0]["pointer"] == "/integration_id"


def test_an_integration_is_no_tool(rest: Rest, agent: str) -> None:
    server, tool = add(rest, agent, "integrations", SERVER), add(rest, agent, "tools", FORECAST)
    check_problem(rest("GET", f"{TOOLS}/{server['id']}"), 404, "not_found")
    check_problem(rest("GET", f"{INTEGRATIONS}/{tool['id']}"), 404, "not_found")


def test_of_a_deleted_agent_there_is_no_tool(rest: Rest, agent: str) -> None:
    server, tool = add(rest, agent, "integrations", SERVER), add(rest, agent, "tools", FORECAST)
    assert rest("DELETE", f"{AGENTS}/{agent}").status == 204
    for path in (f"{INTEGRATIONS}/{server['id']}", f"{TOOLS}/{tool['id']}"):
        for method, body in (("GET", None), ("PATCH", {"description": "x"}), ("DELETE", None)):
            problem = check_problem(rest(method, path, body), 404, "not_found")
            assert "agent" not in problem["detail"]
    for place in ("tools", "integrations"):
        check_problem(rest("GET", below(agent, place)), 404, "not_found")


# ---------------------------------------------------------------- versions


def test_versions_show_tools_and_bring_them_back(rest: Rest, agent: str) -> None:
    server = add(rest, agent, "integrations", SERVER)
    tool = add(rest, agent, "tools", {**FORECAST, "integration_id": server["id"]})
    path = f"{TOOLS}/{tool['id']}"
    rest("PATCH", path, {"name": "renamed"})
    assert rest("DELETE", path).status == 204
    shown = rest("GET", f"{AGENTS}/{agent}/versions/4").json
    assert shown["tools"] == [{"id": tool["id"], "name": "renamed", "revision": 4}]
    assert shown["integrations"] == [{"id": server["id"], "name": "Weather", "revision": 2}]
    tools = [[one["name"] for one in v["tools"]] for v in rest.all(f"{AGENTS}/{agent}/versions")]
    assert tools == [[], ["renamed"], ["forecast"], [], []]
    restored = rest("POST", f"{AGENTS}/{agent}/versions/3/restore")
    assert restored.json["version"] == 6
    assert rest("GET", path).json == tool
    assert rest("GET", path).etag == '"3"'
    assert rest("PATCH", path, {"name": "again"}).etag == '"7"'


def test_a_credential_knows_who_uses_it(rest: Rest, agent: str) -> None:
    secret = {"name": "Ours", "kind": "bearer", "secret": {"value": "s3cret"}}
    credential = rest("POST", "/api/v1/credentials", secret).json["id"]
    path = f"/api/v1/credentials/{credential}"
    server = add(rest, agent, "integrations", {**SERVER, "credential_id": credential})
    tool = add(rest, agent, "tools", {**FORECAST, "credential_id": credential})
    shown = rest("GET", path).json
    assert shown["uses"] == 2
    assert {(one["kind"], one["id"], one["name"], one["agent_id"]) for one in shown["used_by"]} == {
        ("integration", server["id"], "Weather", agent),
        ("tool", tool["id"], "forecast", agent),
    }
    check_problem(rest("DELETE", path), 409, "credential_in_use")
    rest("PATCH", f"{TOOLS}/{tool['id']}", {"credential_id": None})
    rest("DELETE", f"{INTEGRATIONS}/{server['id']}")
    assert rest("GET", path).json["used_by"] == []
    assert rest("DELETE", path).status == 204
    # The version that named it comes back; only a change of what names it is refused.
    assert rest("POST", f"{AGENTS}/{agent}/versions/3/restore").status == 200
    assert rest("GET", f"{TOOLS}/{tool['id']}").json["credential_id"] == credential
    answer = rest("PATCH", f"{TOOLS}/{tool['id']}", {"description": "x"})
    assert check_problem(answer, 422)["errors"][0]["pointer"] == "/credential_id"
    assert rest("PATCH", f"{TOOLS}/{tool['id']}", {"credential_id": None}).status == 200
