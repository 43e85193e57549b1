"""What each vendor is told of what its dialect cannot say."""

from __future__ import annotations

from typing import Any

import pytest

from agent_builder.tools.vendor_schemas import adapt


def of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def strict(schema: Any) -> Any:
    adapted = adapt(schema, "openai", strict=True)
    return adapted.schema if adapted.strict else None


def google(**properties: Any) -> Any:
    return adapt(of(**properties), "google").schema["properties"]


def test_compatible_servers_get_the_schema_as_it_is() -> None:
    schema = of(a={"type": "string", "format": "uuid"}) | {"$defs": {}}
    for vendor in ("openai", "openai_compatible", "local", "scripted"):
        assert adapt(schema, vendor).schema is schema  # type: ignore[arg-type]


# ---------------------------------------------------------------- names of properties


def test_properties_get_names_that_anthropic_and_google_take() -> None:
    schema = of(
        body={"type": "object", "properties": {"filter[name]": {}, "filter_name": {}, "$top": {}}, "required": ["$top"]}
    )
    for vendor in ("anthropic", "google"):
        adapted = adapt(schema, vendor)  # type: ignore[arg-type]
        assert adapted.renamed == {"filter_name_2": "filter[name]", "top": "$top"}
        body = adapted.schema["properties"]["body"]
        assert set(body["properties"]) == {"filter_name", "filter_name_2", "top"}
        assert body["required"] == ["top"]
        assert body["properties"]["top"]["description"] == "The API calls it $top."


def test_names_of_definitions_that_refer_to_themselves_change_with_them() -> None:
    node = {"type": "object", "properties": {"@next": {"$ref": "#/$defs/node"}}}
    adapted = adapt(of(a={"$ref": "#/$defs/node"}) | {"$defs": {"node": node}}, "anthropic")
    assert adapted.schema["$defs"]["node"]["properties"] == {
        "next": {"$ref": "#/$defs/node", "description": "The API calls it @next."}
    }


# ---------------------------------------------------------------- OpenAI, strict


def test_strict_optional_values_may_be_null() -> None:
    schema = of(
        needed={"type": "string"},
        text={"type": "string"},
        choice={"type": "string", "enum": ["a"]},
        nullable={"type": ["string", "null"]},
        either={"anyOf": [{"type": "string"}, {"type": "integer"}]},
        inner={"$ref": "#/$defs/inner"},
        only={"enum": ["x"]},
    )
    schema |= {"required": ["needed"], "$defs": {"inner": of(x={"type": "integer"})}}
    found = strict(schema)
    assert found["required"] == ["needed", "text", "choice", "nullable", "either", "inner", "only"]
    assert found["properties"] == {
        "needed": {"type": "string"},
        "text": {"type": ["string", "null"]},
        "choice": {"type": ["string", "null"], "enum": ["a", None]},
        "nullable": {"type": ["string", "null"]},
        "either": {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
        "inner": {"anyOf": [{"$ref": "#/$defs/inner"}, {"type": "null"}]},
        "only": {"enum": ["x", None]},
    }
    assert found["$defs"]["inner"]["properties"] == {"x": {"type": ["integer", "null"]}}


def test_strict_says_in_words_what_it_has_no_keyword_for() -> None:
    schema = of(
        a={
            "type": "string",
            "description": "A name.",
            "minLength": 2,
            "maxLength": 5,
            "format": "slug",
            "pattern": "(?i)^x",
            "default": "x",
        }
    )
    told = strict(schema | {"required": ["a"]})["properties"]["a"]
    assert told["description"] == (
        "A name. At least 2 characters. At most 5 characters. Default: x. Format: slug. Matches (?i)^x ."
    )
    assert told.keys() == {"type", "description"}


def test_strict_keeps_what_it_has_keywords_for() -> None:
    kept = {"type": "string", "format": "uuid", "pattern": "^a"}
    number = {"type": "integer", "minimum": 1, "exclusiveMaximum": 5, "multipleOf": 2}
    listed = {"type": "array", "items": {"type": "string"}, "minItems": 1}
    assert strict(of(a=kept, b=number, c=listed) | {"required": ["a", "b", "c"]})["properties"] == {
        "a": kept,
        "b": number,
        "c": listed,
    }


def levels(count: int) -> Any:
    return of(a=levels(count - 1)) if count else {"type": "string"}


@pytest.mark.parametrize(
    "schema",
    [
        of(a={"type": "object"}),
        of(a={"type": "object", "additionalProperties": {"type": "string"}}),
        of(a={"type": "object", "properties": {"b": {}}}),
        of(a={}),
        of(a={"type": "array", "items": {}}),
        of(a={"type": "array", "prefixItems": [{"type": "string"}]}),
        of(a={"type": "object", "properties": {"b": {"type": "string"}}, "required": ["c"]}),
        levels(11),
        of(**{f"p{n}": {"type": "string"} for n in range(5_001)}),
        of(a={"type": "string", "enum": [f"v{n}" for n in range(1_001)]}),
        of(a={"type": "string", "enum": [f"value {n} " + "x" * 60 for n in range(251)]}),
    ],
)
def test_what_strict_mode_cannot_say_is_sent_without_it(schema: Any) -> None:
    adapted = adapt(schema, "openai", strict=True)
    assert not adapted.strict
    assert adapted.schema is schema


def test_strict_alternatives_beside_properties_become_whole_alternatives() -> None:
    schema = of(
        a={
            **of(id={"type": "string"}),
            "required": ["id"],
            "oneOf": [of(x={"type": "integer"}), of(y={"type": "string"})],
        }
    )
    found = strict(schema | {"required": ["a"]})["properties"]["a"]
    assert [set(branch["properties"]) for branch in found["anyOf"]] == [{"id", "x"}, {"id", "y"}]
    assert all(set(branch["required"]) == set(branch["properties"]) for branch in found["anyOf"])


# ---------------------------------------------------------------- Google


def test_google_enumerations_are_of_texts_and_numbers() -> None:
    found = google(
        text={"type": "string", "enum": ["a", "", "b"]},
        flag={"type": "boolean", "enum": [True]},
        null={"type": ["string", "null"], "enum": ["a", None]},
        constant={"const": 5},
        none={"const": None},
    )
    assert found["text"] == {"type": "string", "enum": ["a", "b"], "description": 'One of: "a", "", "b".'}
    assert found["flag"] == {"type": "boolean", "description": "One of: true."}
    assert found["null"] == {"type": ["string", "null"], "enum": ["a"]}
    assert found["constant"] == {"enum": [5]}
    assert "enum" not in found["none"]


def test_google_several_types_become_alternatives() -> None:
    found = google(a={"type": ["string", "integer", "null"], "minimum": 1, "description": "D."})["a"]
    assert found == {
        "anyOf": [{"type": "string"}, {"minimum": 1, "type": "integer"}, {"type": "null"}],
        "description": "D.",
    }


def test_google_formats_and_large_numbers() -> None:
    found = google(
        day={"type": "string", "format": "date"},
        uuid={"type": "string", "format": "uuid"},
        small={"type": "integer", "format": "int32", "minimum": 0},
        large={"type": "integer", "maximum": 2**64},
    )
    assert found["day"] == {"type": "string", "format": "date"}
    assert found["uuid"] == {"type": "string", "description": "Format: uuid."}
    assert found["small"] == {"type": "integer", "minimum": 0}
    assert found["large"] == {"type": "integer", "description": f"At most {2**64}."}


def test_google_alternatives_that_only_require_become_words() -> None:
    either = {**of(a={"type": "string"}, b={"type": "string"}), "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}
    found = google(x=either)["x"]
    assert "anyOf" not in found
    assert found["description"] == "Needs one of: a; b."


def test_google_references_stand_alone() -> None:
    schema = of(a={"$ref": "#/$defs/x", "description": "Gone."}) | {
        "$defs": {"x": of(b={"type": "string"}), "unused": {}}
    }
    adapted = adapt(schema, "google").schema
    assert adapted["properties"]["a"] == {"$ref": "#/$defs/x"}
    assert set(adapted["$defs"]) == {"x"}


def test_google_cycles_pass_through_something_optional() -> None:
    node = {**of(left={"$ref": "#/$defs/node"}, name={"type": "string"}), "required": ["left", "name"]}
    adapted = adapt({**of(a={"$ref": "#/$defs/node"}), "required": ["a"], "$defs": {"node": node}}, "google").schema
    assert adapted["required"] == ["a"]
    assert adapted["$defs"]["node"]["required"] == ["name"]
    assert adapted["properties"]["a"]["properties"]["left"] == {"$ref": "#/$defs/node"}
