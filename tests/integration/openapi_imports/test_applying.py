"""What is chosen of a preview becomes tools; a later description changes them, and what people set stays."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from local.testing import Instance
from tests.integration.openapi_imports.conftest import IMPORTS, Importer
from tests.integration.openapi_imports.test_previews import PETS
from tests.integration.rest import check_problem
from tests.unit.openapi.descriptions import description

SERVERS = [{"url": "https://api.example.test"}]


def names(result: dict[str, Any], what: str) -> list[tuple[str, str]]:
    return [(one["operation"], one["name"]) for one in result[what]]


def operation(*arguments: str, **said: Any) -> dict[str, Any]:
    parameters = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in arguments]
    return {"parameters": parameters, **said}


def test_chosen_operations_become_tools_in_one_version(importer: Importer, agent: str) -> None:
    shown = importer.read(agent, document=PETS)
    chosen = ["GET /pets", "POST /pets"]
    answer = importer.apply(shown["id"], operations=chosen, requires_approval_for_writes=True)
    assert answer.status == 200, answer.body
    applied = answer.json
    result = applied["result"]
    assert applied["status"] == "applied"
    assert (result["version"], result["integration_id"]) == (2, applied["integration_id"])
    assert names(result, "added") == [("GET /pets", "listPets"), ("POST /pets", "addPet")]
    assert [result[one] for one in ("updated", "unchanged", "removed")] == [[], [], []]
    assert importer.rest("GET", f"/api/v1/agents/{agent}").json["version"] == 2
    tools = {one["name"]: one for one in importer.tools(agent).values()}
    assert {name: tool["requires_approval"] for name, tool in tools.items()} == {"listPets": False, "addPet": True}
    assert {tool["integration_id"] for tool in tools.values()} == {result["integration_id"]}
    integration = importer.integration(agent)
    assert (integration["name"], integration["base_url"]) == ("Test", "https://eu.example.test/v1")


def test_what_is_applied_twice_is_there_once(importer: Importer, agent: str) -> None:
    shown = importer.read(agent, document=PETS)
    first = importer.apply(shown["id"], operations=["GET /pets"]).json["result"]
    again = importer.apply(shown["id"], operations=["GET /pets", "POST /pets"]).json["result"]
    assert again["integration_id"] == first["integration_id"]
    assert again["unchanged"] == first["added"]
    assert names(again, "added") == [("POST /pets", "addPet")]
    same = importer.apply(shown["id"], operations="existing").json["result"]
    assert (same["version"], len(same["unchanged"])) == (3, 2)


def test_the_same_key_answers_as_then(importer: Importer, agent: str) -> None:
    shown = importer.read(agent, document=PETS)
    key = {"Idempotency-Key": agent}
    first = importer.apply(shown["id"], headers=key, operations=["GET /pets"])
    other = importer.apply(shown["id"], operations=["POST /pets"])
    assert other.json["result"]["version"] == 3
    again = importer.apply(shown["id"], headers=key, operations=["GET /pets"])
    assert again.json["result"] == first.json["result"]
    check_problem(importer.apply(shown["id"], headers=key, operations="all"), 422, "idempotency_mismatch")


def test_what_cannot_be_a_tool_is_refused_with_the_reason(importer: Importer, agent: str) -> None:
    shown = importer.read(agent, document=PETS)
    answer = importer.apply(shown["id"], operations=["GET /pets", "TRACE /pets", "GET /nothing"])
    faults = {one["pointer"]: one["message"] for one in check_problem(answer, 422)["errors"]}
    assert set(faults) == {"/operations/1", "/operations/2"}
    assert "TRACE is not a method" in faults["/operations/1"]
    assert importer.rest("GET", f"/api/v1/agents/{agent}").json["version"] == 1


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({}, "/operations"),
        ({"operations": "some"}, "/operations"),
        ({"operations": [1]}, "/operations"),
        ({"operations": ["GET /pets", "GET /pets"]}, "/operations"),
        ({"operations": ["GET /pets"], "remove": ["GET /pets"]}, ""),
        ({"operations": []}, ""),
        ({"operations": [], "remove": []}, ""),
        ({"operations": "all", "remove": "all"}, "/remove"),
        ({"operations": "all", "remove": ["GET /nothing"]}, "/remove/0"),
        ({"operations": "all", "integration": {"base_url": "ftp://x"}}, "/integration/base_url"),
        ({"operations": "all", "integration": {"credential_id": "crd_1"}}, "/integration/credential_id"),
        ({"operations": "all", "integration": {"more": 1}}, "/integration/more"),
    ],
)
def test_bad_choices_say_what_to_change(importer: Importer, agent: str, wanted: dict[str, Any], pointer: str) -> None:
    shown = importer.read(agent, document=PETS)
    problem = check_problem(importer.apply(shown["id"], **wanted), 422)
    assert [one["pointer"] for one in problem["errors"]] == [pointer], problem


def test_a_description_without_a_server_needs_a_base_url(importer: Importer, agent: str) -> None:
    shown = importer.read(agent, document=description({"/a": {"get": {}}}))
    answer = importer.apply(shown["id"], operations="all")
    assert check_problem(answer, 422)["errors"][0]["pointer"] == "/integration/base_url"
    choice = {"base_url": "https://api.example.test", "name": "Mine"}
    assert importer.apply(shown["id"], operations="all", integration=choice).status == 200
    integration = importer.integration(agent)
    assert {name: integration[name] for name in choice} == choice


def test_names_that_are_taken_get_another_one(importer: Importer, agent: str) -> None:
    taken = {"/a": {"get": operation(operationId="calculator")}, "/b": {"get": operation(operationId="find")}}
    for _ in range(2):
        shown = importer.read(agent, document=description(taken, servers=SERVERS))
        assert importer.apply(shown["id"], operations="all").status == 200
    found = [one["name"] for one in importer.tools(agent).values()]
    assert len(found) == len(set(found)) == 4
    assert "find" in found and "calculator" not in found


def test_too_many_tools_are_refused_whole(importer: Importer, agent: str) -> None:
    paths = {f"/a{number}": {"get": {}} for number in range(129)}
    shown = importer.read(agent, document=description(paths, servers=SERVERS))
    check_problem(importer.apply(shown["id"], operations="all"), 409, "too_many_tools")
    assert importer.tools(agent) == {}
    assert importer.apply(shown["id"], operations=[f"GET /a{number}" for number in range(128)]).status == 200


def test_an_import_that_failed_makes_no_tools(importer: Importer, agent: str) -> None:
    import_id = importer.begin(agent, document="{}")
    assert importer.ended(import_id)["status"] == "failed"
    check_problem(importer.apply(import_id, operations="all"), 409, "import_not_ready")
    check_problem(importer.rest("POST", f"{IMPORTS}/imp_1/apply", {"operations": "all"}), 404, "not_found")


def test_a_later_description_is_compared_and_what_people_set_stays(importer: Importer, agent: str) -> None:
    old = {
        "/same": {"get": operation("a", operationId="same")},
        "/changed": {"get": operation("a", operationId="changed", description="Old words.")},
        "/mine": {"post": operation("a", operationId="mine", description="Old words.")},
        "/gone": {"get": operation(operationId="gone")},
    }
    shown = importer.read(agent, document=description(old, servers=SERVERS))
    first = importer.apply(shown["id"], operations="all").json["result"]
    tools = {one["operation"]: one["tool_id"] for one in first["added"]}
    theirs = {"name": "ours", "description": "Our words.", "requires_approval": True, "timeout_seconds": 9.0}
    assert importer.rest("PATCH", f"/api/v1/tools/{tools['POST /mine']}", theirs).status == 200
    new = {
        "/same": {"get": operation("a", operationId="same")},
        "/changed": {"get": operation("a", "b", operationId="other", description="New words.")},
        "/mine": {"post": operation("b", operationId="mine", description="New words.")},
        "/new": {"get": operation(operationId="ours")},
    }
    later = importer.read(agent, document=description(new, servers=SERVERS), integration_id=first["integration_id"])
    assert later["description"]["changes"] == {"added": 1, "changed": 2, "removed": 1, "same": 1}
    assert later["description"]["removed"] == [{"key": "GET /gone", "tool_id": tools["GET /gone"]}]
    told = {one["key"]: (one["change"], one["details"], one["breaking"]) for one in later["operations"]}
    assert told == {
        "GET /same": ("same", [], False),
        "GET /changed": ("changed", ["description", "parameters", "argument added: b"], False),
        "POST /mine": ("changed", ["parameters", "argument added: b", "argument removed: a"], True),
        "GET /new": ("added", [], False),
    }
    assert {one["key"]: one["tool_id"] for one in later["operations"]} == {
        **dict.fromkeys(told),
        **{key: tool_id for key, tool_id in tools.items() if key != "GET /gone"},
    }
    result = importer.apply(later["id"], operations="all", remove="gone").json["result"]
    assert {one: len(result[one]) for one in ("added", "updated", "unchanged", "removed")} == {
        "added": 1,
        "updated": 2,
        "unchanged": 1,
        "removed": 1,
    }
    (added,) = result["added"]
    assert added["name"].startswith("ours_")
    now = importer.tools(agent)
    assert tools["GET /gone"] not in now
    assert now[tools["GET /changed"]]["description"] == "New words."
    assert now[tools["GET /changed"]]["name"] == "changed"
    mine = now[tools["POST /mine"]]
    assert {name: mine[name] for name in theirs} == theirs
    assert list(mine["input_schema"]["properties"]) == ["b"]


def test_an_agent_takes_its_imports_along(importer: Importer, stack: Instance, agent: str) -> None:
    shown = importer.read(agent, document=PETS)
    assert importer.rest("DELETE", f"/api/v1/agents/{agent}").status == 204
    check_problem(importer.rest("GET", f"{IMPORTS}/{shown['id']}"), 404, "not_found")
    check_problem(importer.apply(shown["id"], operations="all"), 404, "not_found")
    client = boto3.client("dynamodb", **stack.client_options("dynamodb"))
    key = {":pk": {"S": f"T#local#OPENAPIIMPORT#{shown['id']}"}}
    importer.until(
        lambda: (
            not client.query(
                TableName=stack.table_name, KeyConditionExpression="pk = :pk", ExpressionAttributeValues=key
            )["Items"]
        )
    )
