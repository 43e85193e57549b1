"""Built-in tools: they need no network and no credential, and only read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent_builder.errors import ToolError
from agent_builder.messages import Json, ToolSpec
from agent_builder.tools.arithmetic import evaluate
from agent_builder.tools.base import CallContext, Tool
from agent_builder.tools.outcomes import InvalidArguments


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _TimeArguments(_Arguments):
    time_zone: str = Field("UTC", max_length=64, description="IANA time zone, for example Europe/Vienna.")


class _CalculatorArguments(_Arguments):
    expression: str = Field(
        max_length=500,
        description="Arithmetic with + - * / // % ** and parentheses, for example (3 + 4) * 1.5 / 7.",
    )


class CurrentTime:
    """The date and time, in any time zone."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self.spec = _spec("current_time", "The current date and time in a time zone.", _TimeArguments)

    async def call(self, arguments: Json, context: CallContext) -> Json:
        """Answer `{iso, date, time, weekday, time_zone, utc_offset}`."""
        zone = _checked(_TimeArguments, arguments).time_zone
        try:
            moment = self._now().astimezone(ZoneInfo(zone))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ToolError(f"{zone!r} is not an IANA time zone; use one like Europe/Vienna or UTC.") from None
        return {
            "iso": moment.isoformat(timespec="seconds"),
            "date": moment.date().isoformat(),
            "time": moment.strftime("%H:%M:%S"),
            "weekday": moment.strftime("%A"),
            "time_zone": zone,
            "utc_offset": moment.strftime("%z"),
        }


class Calculator:
    """Exact arithmetic on integers and decimals."""

    def __init__(self) -> None:
        description = "Exact arithmetic. Use it for every calculation instead of working it out."
        self.spec = _spec("calculator", description, _CalculatorArguments)

    async def call(self, arguments: Json, context: CallContext) -> Json:
        """Answer `{result, exact}`: decimal text, and the fraction where decimals cannot say it."""
        return evaluate(_checked(_CalculatorArguments, arguments).expression)


_BUILTIN: dict[str, Callable[[], Tool]] = {"current_time": CurrentTime, "calculator": Calculator}


def builtin_tools(names: Iterable[str]) -> dict[str, Tool]:
    """The named tools; names that no longer exist are left out."""
    return {name: _builtin(name) for name in names if name in _BUILTIN}


@cache
def _builtin(name: str) -> Tool:
    return _BUILTIN[name]()


def _spec(name: str, description: str, arguments: type[_Arguments]) -> ToolSpec:
    schema = arguments.model_json_schema()
    schema.pop("title", None)
    for prop in schema.get("properties", {}).values():
        prop.pop("title", None)
    return ToolSpec(name=name, description=description, input_schema=schema, effect="read")


def _checked(model: type[Any], arguments: Json) -> Any:
    try:
        return model.model_validate(arguments)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'arguments'}: {e['msg']}" for e in error.errors())
        raise InvalidArguments(f"The arguments are not valid: {faults}") from None
