"""The whole way: from an address to a call; a thousand operations; runners that are killed; many at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest

from agent_builder.repositories.openapi_imports import AT_ONCE
from local.testing import Instance
from tests.integration.openapi_imports.conftest import IMPORTS, Descriptions, Importer
from tests.integration.openapi_imports.test_applying import SERVERS, operation
from tests.integration.rest import check_problem
from tests.integration.runner.workers import kill_workers
from tests.unit.openapi.descriptions import description

OPERATIONS = 1_300


def test_from_an_address_to_a_call(importer: Importer, agent: str, server: Descriptions) -> None:
    paths = {"/v1/pets/{pet}": {"get": operation("colour", operationId="get pet", security=[{"token": []}])}}
    path_parameter = {"name": "pet", "in": "path", "required": True, "schema": {"type": "integer"}}
    paths["/v1/pets/{pet}"]["get"]["parameters"].append(path_parameter)
    schemes = {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}
    url = server.put("/way.json", description(paths, components=schemes))
    shown = importer.read(agent, url=url)
    (scheme,) = shown["description"]["credentials"]
    wanted = {
        "name": "Pets",
        "kind": scheme["kind"],
        "settings": scheme["settings"],
        "secret": {"value": "s3cret-pets"},
    }
    if not wanted["settings"]:
        del wanted["settings"]
    credential = importer.rest("POST", "/api/v1/credentials", wanted)
    assert credential.status == 201, credential.body
    choice = {"credential_id": credential.json["id"]}
    applied = importer.apply(shown["id"], operations="all", integration=choice).json
    (added,) = applied["result"]["added"]
    server.put("/v1/pets/7?colour=red", {"name": "Rex"})
    tried = importer.rest("POST", f"/api/v1/tools/{added['tool_id']}/test", {"arguments": {"pet": 7, "colour": "red"}})
    assert tried.status == 200, tried.body
    assert tried.json["error"] is None, tried.json
    assert "Rex" in json.dumps(tried.json["result"])
    assert server.asked[-1] == ("GET", "/v1/pets/7?colour=red", "Bearer s3cret-pets")
    used = importer.rest("GET", f"/api/v1/credentials/{credential.json['id']}").json["used_by"]
    assert [(one["kind"], one["id"]) for one in used] == [("integration", applied["integration_id"])]


def large() -> dict[str, Any]:
    """As many operations as the largest published descriptions have, with a schema that all of them share."""
    repository = {
        "type": "object",
        "properties": {
            f"field_{number}": {"type": "string", "description": "What it is. " * 8} for number in range(60)
        },
    }
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Repository"}}}}
    paths = {
        f"/repositories/{{owner}}/{number}": {
            "get": operation("page", "size", operationId=f"list_{number}"),
            "post": operation(operationId=f"create_{number}", requestBody=body),
        }
        for number in range(OPERATIONS // 2)
    }
    return description(paths, servers=SERVERS, components={"schemas": {"Repository": repository}})


@pytest.mark.timeout(180)
def test_a_thousand_operations(importer: Importer, agent: str, server: Descriptions) -> None:
    shown = importer.read(agent, url=server.put("/large.json", large()))
    assert sum(shown["description"]["counts"].values()) == OPERATIONS
    operations = importer.operations(shown["id"])
    assert len({one["key"] for one in operations}) == len(operations) == OPERATIONS
    assert operations[0]["key"] == "GET /repositories/{owner}/0"
    assert importer.operations(shown["id"], limit=97) == operations
    last = operations[-1]["key"]
    (added,) = importer.apply(shown["id"], operations=[last]).json["result"]["added"]
    assert added["operation"] == last


@pytest.mark.timeout(240)
def test_a_runner_that_is_killed_costs_nothing_but_time(
    stack: Instance, importer: Importer, agent: str, server: Descriptions
) -> None:
    server.slow.clear()
    import_id = importer.begin(agent, url=server.put("/slow.json", large()))
    importer.until(lambda: any(path == "/slow.json" for _, path, _ in server.asked))
    assert kill_workers(stack) >= 1
    server.slow.set()
    assert importer.rest("GET", f"{IMPORTS}/{import_id}").json["status"] == "running"
    client = boto3.client("lambda", **stack.client_options("lambda"))
    rescue = json.dumps({"kind": "rescue"})

    def rescued() -> bool:
        client.invoke(FunctionName="RunnerFunction", Payload=rescue)
        found = importer.rest("GET", f"{IMPORTS}/{import_id}").json
        assert found["status"] != "failed", found
        return bool(found["status"] == "ready")

    # Each look rings for all that is due: looks without a break leave no room for what they rang for.
    importer.until(rescued, 200, every=2.0)
    assert len(importer.operations(import_id)) == OPERATIONS


@pytest.mark.timeout(120)
def test_only_so_many_at_once(importer: Importer, agent: str, server: Descriptions) -> None:
    server.slow.clear()
    url = server.put("/slow-many.json", description({"/a": {"get": {}}}))
    with ThreadPoolExecutor(AT_ONCE * 2) as pool:
        began = list(
            pool.map(lambda _: importer.rest("POST", IMPORTS, {"agent_id": agent, "url": url}), range(AT_ONCE * 2))
        )
    accepted = [one.json["id"] for one in began if one.status == 202]
    refused = [one for one in began if one.status != 202]
    assert len(accepted) == AT_ONCE
    for one in refused:
        check_problem(one, 429, "too_many_imports")
        assert int(one.headers["retry-after"]) > 0
    server.slow.set()
    for import_id in accepted:
        assert importer.ended(import_id)["status"] == "ready"
    importer.read(agent, url=url)
