"""Hard cases, whole: each becomes a tool whose schema all vendors take and whose calls the description knows."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from google.genai import types as google
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_builder.errors import ToolError
from agent_builder.models.tools import HttpTool
from agent_builder.tools.http_request import build_request
from agent_builder.tools.openapi.preview import ImportedOperation
from agent_builder.tools.schemas import check_arguments, check_schema, restored
from agent_builder.tools.vendor_schemas import Vendor, adapt
from benchmarks.openapi_conformance.examples import CannotMake, Examples
from benchmarks.openapi_conformance.source import BASE, Source, Unjudged
from benchmarks.openapi_conformance.vendor_rules import faults, name_faults
from tests.unit.openapi.descriptions import imported
from tests.unit.openapi.hard_cases import ALL

VENDORS: list[tuple[Vendor, bool]] = [("anthropic", False), ("openai", False), ("openai", True), ("google", False)]
OPERATIONS = [
    pytest.param(dialect, operation, id=f"{dialect} {operation.key}")
    for dialect, document in ALL.items()
    for operation in imported(document).operations
]
SOURCES = {dialect: Source(document) for dialect, document in ALL.items() if dialect != "2.0"}


def tool_of(operation: ImportedOperation) -> HttpTool:
    assert operation.tool, operation.notes
    return operation.tool


@pytest.mark.parametrize(("dialect", "operation"), OPERATIONS)
def test_each_becomes_a_tool_with_a_valid_schema(dialect: str, operation: ImportedOperation) -> None:
    tool = tool_of(operation)
    check_schema(tool.input_schema)
    assert not name_faults(tool.name)


@pytest.mark.parametrize(("vendor", "strict"), VENDORS)
@pytest.mark.parametrize(("dialect", "operation"), OPERATIONS)
def test_each_vendor_takes_the_schema(dialect: str, operation: ImportedOperation, vendor: Vendor, strict: bool) -> None:
    schema = tool_of(operation).input_schema
    adapted = adapt(schema, vendor, strict=strict)
    assert faults(adapted.schema, vendor, strict=adapted.strict) == []


@pytest.mark.parametrize(("dialect", "operation"), OPERATIONS)
def test_googles_own_library_reads_the_schema(dialect: str, operation: ImportedOperation) -> None:
    adapted = adapt(tool_of(operation).input_schema, "google").schema
    if "prefixItems" not in str(adapted):  # documented, but not in this class
        assert google.JSONSchema.model_validate(adapted).properties is not None
    google.FunctionDeclaration(name="op", parameters_json_schema=adapted)


def judged(dialect: str, path: str, tool: HttpTool, arguments: dict[str, Any]) -> None:
    """The request of these arguments is one that the description knows."""
    check_arguments(tool.input_schema, arguments)
    request = build_request(tool, arguments, base_url=BASE)
    if dialect in SOURCES:
        try:
            assert SOURCES[dialect].faults(path, request) == []
        except Unjudged:
            assert dialect == "3.1"  # the validator itself stumbles over lists of types and dynamic references


@pytest.mark.parametrize("fill", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(("dialect", "operation"), OPERATIONS)
def test_calls_are_what_the_description_says(dialect: str, operation: ImportedOperation, fill: float) -> None:
    tool = tool_of(operation)
    judged(dialect, operation.path, tool, Examples(tool.input_schema).make(fill))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=st.sampled_from(OPERATIONS), seed=st.integers(0, 10_000), fill=st.floats(0, 1))
def test_random_calls_are_what_the_description_says(case: Any, seed: int, fill: float) -> None:
    dialect, operation = case.values
    tool = tool_of(operation)
    try:
        arguments = Examples(tool.input_schema, seed).make(fill, wild=True, tries=10)
        request = build_request(tool, arguments, base_url=BASE)
    except (CannotMake, ToolError):
        return
    assert dataclasses.astuple(request) == dataclasses.astuple(build_request(tool, arguments, base_url=BASE))
    judged(dialect, operation.path, tool, arguments)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=st.sampled_from(OPERATIONS), vendor=st.sampled_from(VENDORS), seed=st.integers(0, 10_000))
def test_what_a_vendor_allows_means_something_to_the_tool(case: Any, vendor: Any, seed: int) -> None:
    """Arguments made for an adapted schema, restored, fit the tool's own, except where words took a keyword's place."""
    tool = tool_of(case.values[1])
    adapted = adapt(tool.input_schema, vendor[0], strict=vendor[1])
    try:
        made = Examples(adapted.schema, seed).make(0.7, tries=10)
    except CannotMake:
        return
    arguments = restored(tool.input_schema, made, adapted.renamed)
    try:
        check_arguments(tool.input_schema, arguments)
    except ToolError as error:
        words = ("match", "unique", "not valid under any", "required property", "not allowed for", "were unexpected")
        said_in_words = (
            "greater than",
            "less than",
            "characters",
            "has more",
            "has less",
            "is not one of",
            "was expected",
        )
        assert any(word in error.detail for word in (*words, *said_in_words)), error.detail
        assert not adapted.strict or "required" not in error.detail
