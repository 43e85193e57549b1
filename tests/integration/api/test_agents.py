"""Agents by REST against the running stack, exactly as the contract says."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.testing import Instance
from tests.integration.rest import AGENTS, Rest, check_agent, check_problem

CONFIG = {"provider": "scripted", "model": "script"}
UNKNOWN = "agt_01M82K8EMXT7G14V9AF00XZ8T2"


@pytest.fixture(scope="module")
def rest(stack: Instance) -> Rest:
    return Rest(stack.url)


def test_create_with_only_what_is_required(rest: Rest) -> None:
    answer = rest("POST", AGENTS, {"name": " Ann ", "model_config": CONFIG})
    assert answer.status == 201
    view = answer.json
    check_agent(view)
    assert (view["name"], view["status"], view["system_prompt"], view["description"]) == ("Ann", "draft", "", "")
    assert view["model_config"] == CONFIG
    assert view["version"] == 1
    assert answer.headers["location"] == f"{AGENTS}/{view['id']}"
    got = rest("GET", answer.headers["location"])
    assert got.json == view
    assert got.etag == answer.etag


def test_create_with_everything(rest: Rest) -> None:
    config = {
        "provider": "openai_compatible",
        "model": "anything/at-all:free",
        "temperature": 0,
        "max_tokens": 100,
        "top_p": 0.5,
        "reasoning_effort": "low",
        "base_url": "http://localhost:1/v1",
        "options": {"seed": 5, "deep": {"er": [None, True, 1.5]}},
    }
    body = {
        "name": "Everything 😀",
        "description": "d",
        "status": "inactive",
        "system_prompt": "Be.\u2028",
        "model_config": config,
        "builtin_tools": ["calculator"],
    }
    answer = rest("POST", AGENTS, body)
    assert answer.status == 201, answer.body
    assert {name: answer.json[name] for name in body} == body
    assert rest("GET", f"{AGENTS}/{answer.json['id']}").json == answer.json


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {"/name", "/model_config"}),
        ({"name": "x", "model_config": {}}, {"/model_config/provider", "/model_config/model"}),
        ({"name": "x", "model_config": CONFIG, "more": 1}, {"/more"}),
        ({"name": "x", "model_config": {**CONFIG, "top_k": 1}}, {"/model_config/top_k"}),
        ({"name": "x", "model_config": CONFIG, "id": "agt_1"}, {"/id"}),
        ({"name": "x", "llm_config": CONFIG}, {"/model_config", "/llm_config"}),
        ({"name": "", "model_config": CONFIG}, {"/name"}),
        ({"name": "   ", "model_config": CONFIG}, {"/name"}),
        ({"name": "x" * 101, "model_config": CONFIG}, {"/name"}),
        ({"name": 5, "model_config": CONFIG}, {"/name"}),
        ({"name": None, "model_config": CONFIG}, {"/name"}),
        ({"name": "x", "model_config": []}, {"/model_config"}),
        ({"name": "x", "model_config": {"provider": "nobody", "model": "m"}}, {"/model_config/provider"}),
        ({"name": "x", "model_config": {"provider": "scripted", "model": ""}}, {"/model_config/model"}),
        ({"name": "x", "model_config": {**CONFIG, "temperature": 2.1}}, {"/model_config/temperature"}),
        ({"name": "x", "model_config": {**CONFIG, "temperature": "hot"}}, {"/model_config/temperature"}),
        ({"name": "x", "model_config": {**CONFIG, "temperature": True}}, {"/model_config/temperature"}),
        ({"name": "x", "model_config": {**CONFIG, "max_tokens": 0}}, {"/model_config/max_tokens"}),
        ({"name": "x", "model_config": {**CONFIG, "max_tokens": 1.5}}, {"/model_config/max_tokens"}),
        ({"name": "x", "model_config": {**CONFIG, "base_url": "ftp://x"}}, {"/model_config/base_url"}),
        ({"name": "x", "model_config": {**CONFIG, "options": {"x": "y" * 20_000}}}, {"/model_config/options"}),
        ({"name": "x", "model_config": CONFIG, "status": "ACTIVE"}, {"/status"}),
        ({"name": "x", "model_config": CONFIG, "system_prompt": None}, {"/system_prompt"}),
        ({"name": "x", "model_config": CONFIG, "system_prompt": "x" * 100_001}, {"/system_prompt"}),
        ({"name": "x", "model_config": CONFIG, "builtin_tools": ["nothing"]}, {"/builtin_tools/0"}),
        ({"name": "x", "model_config": CONFIG, "builtin_tools": ["calculator"] * 2}, {"/builtin_tools"}),
    ],
)
def test_an_invalid_agent_is_refused_by_name(rest: Rest, body: Any, pointers: set[str]) -> None:
    problem = check_problem(rest("POST", AGENTS, body), 422, "validation_failed")
    assert {fault["pointer"] for fault in problem["errors"]} == pointers


def test_patch_is_a_merge_patch(rest: Rest) -> None:
    agent = rest.create(model_config={**CONFIG, "temperature": 1, "options": {"a": {"b": 1, "c": 2}, "d": [1, 2]}})
    patch = {"model_config": {"temperature": None, "options": {"a": {"b": None}, "d": [3]}}}
    answer = rest("PATCH", f"{AGENTS}/{agent['id']}", patch)
    assert answer.status == 200, answer.body
    assert answer.json["model_config"] == {**CONFIG, "options": {"a": {"c": 2}, "d": [3]}}
    assert answer.json["version"] == 2
    merge = {"Content-Type": "application/merge-patch+json; charset=utf-8"}
    answer = rest("PATCH", f"{AGENTS}/{agent['id']}", {"status": "active"}, headers=merge)
    assert (answer.status, answer.json["status"], answer.json["version"]) == (200, "active", 2)


def test_null_puts_the_default_back_and_required_fields_stay(rest: Rest) -> None:
    agent = rest.create(description="d", system_prompt="s", status="active", builtin_tools=[])
    path = f"{AGENTS}/{agent['id']}"
    nothing = {"description": None, "system_prompt": None, "status": None, "builtin_tools": None}
    answer = rest("PATCH", path, nothing)
    assert answer.status == 200, answer.body
    assert (answer.json["description"], answer.json["status"]) == ("", "draft")
    assert answer.json["builtin_tools"] == ["current_time", "calculator"]
    for body, pointer in (
        ({"name": None}, "/name"),
        ({"model_config": None}, "/model_config"),
        ({"model_config": {"model": None}}, "/model_config/model"),
        ({"version": 3}, "/version"),
        ({"model_config": {"temperature": 5}}, "/model_config/temperature"),
    ):
        problem = check_problem(rest("PATCH", path, body), 422)
        assert [fault["pointer"] for fault in problem["errors"]] == [pointer]


def test_a_patch_that_changes_nothing(rest: Rest) -> None:
    agent = rest.create()
    path = f"{AGENTS}/{agent['id']}"
    before = rest("GET", path)
    for patch in ({}, {"name": "Test"}, {"description": None}):
        answer = rest("PATCH", path, patch)
        assert (answer.status, answer.json, answer.etag) == (200, agent, before.etag)


def test_if_match_guards_every_change(rest: Rest) -> None:
    agent = rest.create()
    path = f"{AGENTS}/{agent['id']}"
    old = {"If-Match": rest("GET", path).etag}
    changed = rest("PATCH", path, {"name": "New"}, headers=old)
    assert changed.status == 200
    assert changed.etag != old["If-Match"]
    check_problem(rest("PATCH", path, {"name": "Other"}, headers=old), 412, "precondition_failed")
    check_problem(rest("POST", f"{path}/versions/1/restore", headers=old), 412)
    check_problem(rest("DELETE", path, headers=old), 412)
    assert rest("PATCH", path, {"name": "Any"}, headers={"If-Match": "*"}).status == 200
    check_problem(rest("PATCH", path, {"name": "X"}, headers={"If-Match": "nonsense"}), 422)
    current = {"If-Match": rest("GET", path).etag}
    assert rest("DELETE", path, headers=current).status == 204


def test_of_two_who_save_at_once_one_is_told(rest: Rest) -> None:
    agent = rest.create()
    path = f"{AGENTS}/{agent['id']}"
    guard = {"If-Match": rest("GET", path).etag}
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda n: rest("PATCH", path, {"name": f"n{n}"}, headers=guard), range(6)))
    assert sorted(answer.status for answer in answers) == [200, 412, 412, 412, 412, 412]


def test_versions_and_restore(rest: Rest) -> None:
    agent = rest.create(system_prompt="one")
    path = f"{AGENTS}/{agent['id']}"
    rest("PATCH", path, {"system_prompt": "two"})
    versions = rest("GET", f"{path}/versions").json["items"]
    assert [(version["version"], version["system_prompt"]) for version in versions] == [(2, "two"), (1, "one")]
    first = rest("GET", f"{path}/versions/1")
    assert first.json == versions[1]
    assert first.json["agent_id"] == agent["id"]
    restored = rest("POST", f"{path}/versions/1/restore")
    assert (restored.status, restored.json["version"], restored.json["system_prompt"]) == (200, 3, "one")
    assert restored.etag == rest("GET", path).etag
    assert rest("GET", f"{path}/versions/3").json["restored_from"] == 1
    for number, status in (("9", 404), ("0", 422), ("x", 422), ("-1", 422), ("1.5", 422), ("99999999999999", 422)):
        check_problem(rest("GET", f"{path}/versions/{number}"), status)
        check_problem(rest("POST", f"{path}/versions/{number}/restore"), status)


def test_an_idempotency_key_answers_the_same(rest: Rest) -> None:
    body = {"name": "Once", "model_config": CONFIG}
    key = {"Idempotency-Key": "key-1"}
    first = rest("POST", AGENTS, body, headers=key)
    again = rest(
        "POST", AGENTS, {"model_config": {"model": "script", "provider": "scripted"}, "name": "Once"}, headers=key
    )
    assert (again.status, again.json, again.etag) == (first.status, first.json, first.etag)
    check_problem(rest("POST", AGENTS, {**body, "name": "Twice"}, headers=key), 422, "idempotency_mismatch")
    check_problem(rest("POST", AGENTS, {"name": ""}, headers=key), 422, "validation_failed")
    check_problem(rest("POST", AGENTS, body, headers={"Idempotency-Key": "x" * 256}), 422)
    other = rest("POST", AGENTS, body, headers={"Idempotency-Key": "key-2"})
    assert other.json["id"] != first.json["id"]


def test_deleted_is_gone_everywhere(rest: Rest) -> None:
    agent = rest.create()
    path = f"{AGENTS}/{agent['id']}"
    answer = rest("DELETE", path)
    assert (answer.status, answer.body) == (204, b"")
    for method, where, body in (
        ("GET", path, None),
        ("HEAD", path, None),
        ("PATCH", path, {"name": "x"}),
        ("DELETE", path, None),
        ("GET", f"{path}/versions", None),
        ("GET", f"{path}/versions/1", None),
        ("POST", f"{path}/versions/1/restore", None),
        ("GET", f"{path}/conversations", None),
    ):
        assert rest(method, where, body).status == 404
    assert agent["id"] not in {item["id"] for item in rest.all(AGENTS)}


def test_250_agents_are_listed_newest_first_page_by_page(rest: Rest) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = [
            view["id"]
            for view in pool.map(lambda n: rest.create(name=f"p{n}", status=("active", "draft")[n % 2]), range(250))
        ]
    for limit in (100, 7):
        listed = [item["id"] for item in rest.all(AGENTS, limit)]
        assert listed == sorted(listed, reverse=True)
        assert len(set(listed)) == len(listed)
        assert set(made) <= set(listed)
    active = rest.all(f"{AGENTS}?status=active", 30)
    assert {item["status"] for item in active} == {"active"}
    assert len([item for item in active if item["id"] in set(made)]) == 125
    assert rest("GET", AGENTS).json["items"] == rest.all(AGENTS)[:20]


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("limit=0", "query/limit"),
        ("limit=101", "query/limit"),
        ("limit=x", "query/limit"),
        ("limit=", "query/limit"),
        ("limit=1.5", "query/limit"),
        ("cursor=!!", "query/cursor"),
        ("cursor=", "query/cursor"),
        ("cursor=YWJj", "query/cursor"),
        ("cursor=" + "x" * 301, "query/cursor"),
        ("status=ACTIVE", "query/status"),
        ("status=", "query/status"),
    ],
)
def test_the_query_is_checked(rest: Rest, query: str, place: str) -> None:
    problem = check_problem(rest("GET", f"{AGENTS}?{query}"), 422)
    assert [fault["pointer"] for fault in problem["errors"]] == [place]


def test_a_cursor_of_another_list_is_refused(rest: Rest) -> None:
    agent = rest.create()
    rest("PATCH", f"{AGENTS}/{agent['id']}", {"name": "x"})
    agents = rest("GET", f"{AGENTS}?limit=1").json["next_cursor"]
    versions = rest("GET", f"{AGENTS}/{agent['id']}/versions?limit=1").json["next_cursor"]
    assert agents
    assert versions
    for path, cursor in (
        (f"{AGENTS}/{agent['id']}/versions", agents),
        (f"{AGENTS}/{agent['id']}/conversations", agents),
        (AGENTS, versions),
    ):
        check_problem(rest("GET", f"{path}?cursor={cursor}"), 422)


@pytest.mark.parametrize(
    "agent_id",
    [UNKNOWN, "agt_1", "x", "agt_", UNKNOWN.lower(), "%00", "%F0%9F%98%80", "..%2fagents", "a" * 500, "%20", "%ff"],
)
@pytest.mark.parametrize("tail", ["", "/versions", "/versions/1", "/conversations"])
def test_unknown_and_malformed_ids_are_404(rest: Rest, agent_id: str, tail: str) -> None:
    check_problem(rest("GET", f"{AGENTS}/{agent_id}{tail}"), 404, "not_found")


def test_malformed_ids_are_404_for_changes_as_well(rest: Rest) -> None:
    check_problem(rest("PATCH", f"{AGENTS}/agt_1", {"name": "x"}), 404)
    check_problem(rest("DELETE", f"{AGENTS}/agt_1"), 404)
    check_problem(rest("POST", f"{AGENTS}/agt_1/versions/1/restore"), 404)


def test_head_answers_like_get_without_a_body(rest: Rest) -> None:
    agent = rest.create()
    for path in (AGENTS, f"{AGENTS}/{agent['id']}", "/api/v1/health", "/api/v1/openapi.json"):
        head, get = rest("HEAD", path), rest("GET", path)
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-type"] == get.headers["content-type"]
        assert head.headers.get("etag") == get.headers.get("etag")
    assert rest("HEAD", f"{AGENTS}/{UNKNOWN}").status == 404


def test_json_text_is_kept_as_it_is(rest: Rest) -> None:
    name = 'U+2028 \u2028 and 😀 and \\ and " and \x7f'
    agent = rest.create(name=name)
    answer = rest("GET", f"{AGENTS}/{agent['id']}")
    assert answer.json["name"] == name
    assert json.loads(answer.body.decode("utf-8"))["name"] == name
