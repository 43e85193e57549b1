"""The two tools that need no network."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from agent_builder.errors import ToolError
from agent_builder.models.agents import BuiltinTool
from agent_builder.tools.base import CallContext
from agent_builder.tools.builtin import Calculator, CurrentTime, builtin_tools

CONTEXT = CallContext("key")
NOON = datetime(2026, 7, 1, 12, 0, 5, tzinfo=UTC)


async def test_the_time_in_a_zone() -> None:
    assert await CurrentTime(lambda: NOON).call({"time_zone": "Europe/Vienna"}, CONTEXT) == {
        "iso": "2026-07-01T14:00:05+02:00",
        "date": "2026-07-01",
        "time": "14:00:05",
        "weekday": "Wednesday",
        "time_zone": "Europe/Vienna",
        "utc_offset": "+0200",
    }


async def test_the_time_is_utc_unless_told_otherwise() -> None:
    answer = await CurrentTime(lambda: NOON).call({}, CONTEXT)
    assert (answer["iso"], answer["time_zone"]) == ("2026-07-01T12:00:05+00:00", "UTC")


async def test_the_date_line_is_crossed() -> None:
    answer = await CurrentTime(lambda: NOON).call({"time_zone": "Pacific/Kiritimati"}, CONTEXT)
    assert (answer["date"], answer["weekday"]) == ("2026-07-02", "Thursday")


@pytest.mark.parametrize("zone", ["Nowhere/City", "", "../../etc/passwd", "/etc/localtime", "Europe", "\x00", "a" * 64])
async def test_an_unknown_zone_is_told(zone: str) -> None:
    with pytest.raises(ToolError, match="IANA"):
        await CurrentTime(lambda: NOON).call({"time_zone": zone}, CONTEXT)


@pytest.mark.parametrize("arguments", [{"time_zone": 5}, {"time_zone": None}, {"zone": "UTC"}, {"time_zone": "x" * 65}])
async def test_wrong_arguments_of_the_time_are_told(arguments: dict[str, Any]) -> None:
    with pytest.raises(ToolError, match="not valid"):
        await CurrentTime(lambda: NOON).call(arguments, CONTEXT)


async def test_the_calculator() -> None:
    assert await Calculator().call({"expression": "6 * 7"}, CONTEXT) == {"result": "42", "exact": True}


@pytest.mark.parametrize("arguments", [{}, {"expression": 5}, {"expression": "1" * 501}, {"expression": "1", "x": 1}])
async def test_wrong_arguments_of_the_calculator_are_told(arguments: dict[str, Any]) -> None:
    with pytest.raises(ToolError, match="not valid"):
        await Calculator().call(arguments, CONTEXT)


def test_every_name_an_agent_may_use_is_a_tool() -> None:
    assert set(builtin_tools(get_args(BuiltinTool))) == set(get_args(BuiltinTool))
    assert builtin_tools(["calculator", "long_gone"]).keys() == {"calculator"}


@pytest.mark.parametrize("name", get_args(BuiltinTool))
def test_models_are_told_of_an_object_without_further_fields(name: str) -> None:
    spec = builtin_tools([name])[name].spec
    assert spec.name == name
    assert spec.description
    assert spec.input_schema["type"] == "object"
    assert spec.input_schema["additionalProperties"] is False
    assert all("description" in prop for prop in spec.input_schema["properties"].values())
