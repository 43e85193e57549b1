"""Which tool belongs to which operation of a later description, and what of it changes."""

from __future__ import annotations

from typing import Any

import pytest

from agent_builder.errors import Conflict, Unprocessable
from agent_builder.models.openapi_imports import ImportApply, OpenApiImport
from agent_builder.models.parts import AgentParts
from agent_builder.models.tools import HttpTool, IntegrationInput
from agent_builder.services.import_plans import ImportPlan
from agent_builder.tools.openapi.importer import preview
from agent_builder.tools.openapi.reimport import compared, imported, key_of, matched, updated
from tests.unit.openapi.descriptions import description, tool_of

READ = tool_of(description({"/things/{id}": {"get": {"operationId": "read", "description": "Reads."}}}))
WRITE = tool_of(description({"/things/{id}": {"post": {"operationId": "write"}}}))
HOME = IntegrationInput(name="Home", base_url="https://api.example.test")


def changed(tool: HttpTool, **changes: Any) -> HttpTool:
    return tool.model_copy(update=changes)


def test_an_operation_finds_its_tool_whatever_people_made_of_it() -> None:
    tools = {"tol_1": changed(imported("GET /things/{id}", READ), name="other", path="/elsewhere/{id}")}
    assert matched(tools, [("GET /things/{id}", READ)]) == {"GET /things/{id}": "tol_1"}
    assert key_of(tools["tol_1"]) == "GET /things/{id}"


def test_a_tool_that_was_made_by_hand_is_found_by_method_and_path() -> None:
    by_hand = {"tol_1": READ, "tol_2": WRITE}
    assert matched(by_hand, [("GET /things/{id}", READ)]) == {"GET /things/{id}": "tol_1"}
    assert matched({"tol_1": READ, "tol_2": READ}, [("GET /things/{id}", READ)]) == {}, "either could be meant"
    two = [("GET /things/{id}", READ), ("GET /things/{id} (2)", READ)]
    assert matched({"tol_1": READ}, two) == {"GET /things/{id}": "tol_1"}, "one tool is one operation"


def test_a_description_that_somebody_wrote_stays_and_one_that_came_along_follows() -> None:
    old, new = imported("k", READ), imported("k", changed(READ, description="Reads better."))
    assert updated(old, new).description == "Reads better."
    theirs = updated(changed(old, description="Ours."), new)
    assert theirs.description == "Ours."
    assert updated(theirs, imported("k", changed(READ, description="Third."))).description == "Ours."
    assert updated(READ, new).description == READ.description, "by hand"


def test_what_becomes_a_write_is_kept_in_no_cache() -> None:
    old = changed(imported("k", READ), cache_seconds=60, name="mine", requires_approval=True)
    now = updated(old, imported("k", WRITE))
    assert (now.method, now.effect, now.cache_seconds) == ("POST", "write", 0)
    assert (now.name, now.requires_approval) == ("mine", True)
    assert HttpTool.model_validate(now.model_dump(), strict=False) == now
    search = changed(imported("k", WRITE), effect="read", cache_seconds=60)
    assert updated(search, imported("k", WRITE)) == search, "somebody said that it only reads"


def test_what_was_right_before_can_be_wrong_now() -> None:
    old = imported("k", tool_of(_with("a")))
    assert compared("k", None, old).change == "added"
    assert compared("k", old, old).change == "same"
    more = compared("k", old, imported("k", tool_of(_with("a", "b"))))
    assert (more.change, more.breaking) == ("changed", False)
    less = compared("k", old, imported("k", tool_of(_with())))
    assert (less.change, less.breaking) == ("changed", True)


def _with(*names: str) -> dict[str, Any]:
    parameters = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in names]
    return description({"/a": {"get": {"parameters": parameters}}})


def plan(*, reimport: bool = False, summary: dict[str, Any] | None = None, **wanted: Any) -> ImportPlan:
    ready = OpenApiImport(
        id="imp_1",
        agent_id="agt_1",
        status="ready",
        url=None,
        credential_id=None,
        integration_id="int_1",
        reimport=reimport,
        created_at=0,
        created_by="ann",
        updated_at=0,
        expires_at=0,
        summary={"title": " \t", "base_url": "https://api.example.test", **(summary or {})},
    )
    described = {"GET /things/{id}": imported("GET /things/{id}", READ)}
    return ImportPlan(ready, ImportApply.model_validate({"operations": "all", **wanted}), described)


def test_a_plan_calculated_again_makes_the_same() -> None:
    one = plan()
    (first,), (again,) = one.made(AgentParts()).added, one.made(AgentParts({"tol_9": WRITE})).added
    assert first == again


def test_an_integration_keeps_what_is_not_said() -> None:
    parts = AgentParts({}, {"int_1": changed_home(credential_id="crd_1", description="Ours.")})
    kept = plan(reimport=True).made(parts).parts.integrations["int_1"]
    assert kept == parts.integrations["int_1"]
    given = {"integration": {"name": "New", "credential_id": None}}
    now = plan(reimport=True, **given).made(parts).parts.integrations["int_1"]
    assert (now.name, now.credential_id, now.description) == ("New", None, "Ours.")
    assert plan().made(AgentParts()).parts.integrations["int_1"].name == "API"
    with pytest.raises(Conflict):
        plan(reimport=True).made(AgentParts())


def changed_home(**changes: Any) -> IntegrationInput:
    return HOME.model_copy(update=changes)


@pytest.mark.parametrize("base_url", [None, "", "https://" + "a" * 2_000])
def test_an_integration_needs_a_base_url(base_url: str | None) -> None:
    with pytest.raises(Unprocessable) as refused:
        plan(summary={"base_url": base_url}).made(AgentParts())
    assert [fault.pointer for fault in refused.value.faults] == ["/integration/base_url"]


def test_what_is_gone_is_removed_but_not_what_people_made() -> None:
    gone = changed(imported("DELETE /things", WRITE), name="gone", integration_id="int_1")
    by_hand = changed(WRITE, name="by_hand", path="/other/{id}", integration_id="int_1")
    elsewhere = changed(imported("DELETE /things", WRITE), name="elsewhere")
    parts = AgentParts({"tol_1": gone, "tol_2": by_hand, "tol_3": elsewhere}, {"int_1": HOME})
    made = plan(reimport=True, remove="gone", operations="existing").made(parts)
    assert [one[1] for one in made.removed] == ["tol_1"]
    assert set(made.parts.tools) == {"tol_2", "tol_3"}
    listed = plan(reimport=True, remove=["POST /other/{id}"], operations="existing").made(parts)
    assert [one[1] for one in listed.removed] == ["tol_2"]


def test_reading_ends_at_its_deadline() -> None:
    data = b'{"openapi": "3.0.0", "paths": {"/a": {"get": {}}}}'
    assert preview(data, seconds=60).operations
    with pytest.raises(Unprocessable, match="too long") as refused:
        preview(data, seconds=-1)
    assert refused.value.error_code == "openapi_unreadable"
