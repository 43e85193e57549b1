"""Descriptions that are broken at random: read or refused, each operation accounted for, and never an exception."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agent_builder.errors import AgentBuilderError
from agent_builder.tools.openapi.preview import ImportPreview
from agent_builder.tools.vendor_schemas import Vendor, adapt
from benchmarks.openapi_conformance.vendor_rules import faults
from tests.unit.openapi.descriptions import imported
from tests.unit.openapi.hard_cases import ALL

VENDORS: list[tuple[Vendor, bool]] = [("anthropic", False), ("openai", False), ("openai", True), ("google", False)]
WHOLE = [json.dumps(document) for document in ALL.values()]
TREE = {"$ref": "#/components/schemas/Tree"}
JUNK: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        -1,
        2**70,
        1e300,
        "",
        "x",
        "\u2028",
        "#/",
        [],
        [1],
        ["a", None],
        [[]],
        {},
        {"a": 1},
        {"": ""},
    ),
    *({"$ref": "#"}, {"$ref": "#/paths"}, TREE, {"$ref": 7}, {"allOf": [TREE, TREE]}, {"type": ["string", 3]}),
    *({"enum": {}}, {"properties": []}, {"required": {"a": 1}}, {"oneOf": {}}, {"items": None}, {"type": "object"}),
]
WORDS = """
    $ref type allOf anyOf oneOf enum items properties required discriminator nullable in name schema content default
    readOnly servers security additionalProperties pattern style explode parameters schemes flows const
""".split()


def broken(text: str, rng: random.Random) -> Any:
    """The description with up to six places replaced by something else."""
    document = json.loads(text)
    for _ in range(rng.randint(1, 6)):
        node: Any = document
        while isinstance(node, dict | list) and node:
            key = rng.choice(list(node)) if isinstance(node, dict) else rng.randrange(len(node))
            if rng.random() < 0.25 or not isinstance(node[key], dict | list):
                if isinstance(node, dict) and rng.random() < 0.3:
                    key = rng.choice(WORDS)
                node[key] = copy.deepcopy(rng.choice(JUNK))
                break
            node = node[key]
    return document


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(text=json.dumps(ALL["2.0"]), seed=3589).via("words of an array beside the type object")
@given(text=st.sampled_from(WHOLE), seed=st.integers(0, 1_000_000))
def test_whatever_is_broken(text: str, seed: int) -> None:
    rng = random.Random(seed)
    document = broken(text, rng)
    try:
        preview = imported(document)
    except AgentBuilderError as error:
        assert error.error_code == "openapi_unreadable"
        return
    assert ImportPreview.model_validate_json(preview.model_dump_json()) == preview
    for operation in preview.operations:
        assert (operation.tool is None) == (operation.status == "skipped")
        if operation.tool and rng.random() < 0.1:
            for vendor, strict in VENDORS:
                adapted = adapt(operation.tool.input_schema, vendor, strict=strict)
                assert faults(adapted.schema, vendor, strict=adapted.strict) == []


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)))
def test_whatever_is_sent(data: bytes) -> None:
    for head in (b"", b"openapi: 3.0.3\n", b'{"openapi": "3.0.3", "paths": '):
        try:
            imported(head + data)
        except AgentBuilderError as error:
            assert error.error_code in {"openapi_unreadable", "payload_too_large"}
