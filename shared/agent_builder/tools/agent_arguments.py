"""What an agent that is a tool is called with."""

from __future__ import annotations

from functools import cache

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent_builder.messages import Json
from agent_builder.tools.outcomes import InvalidArguments

MESSAGE_LIMIT = 100_000
_NOT_ARGUMENTS = f"""The arguments must be {{"message": "…"}} with what the agent is asked, at most {MESSAGE_LIMIT:,} \
characters, and nothing else."""


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, str_strip_whitespace=True)

    message: str = Field(
        min_length=1,
        max_length=MESSAGE_LIMIT,
        description="What the agent is asked or told to do. It knows nothing else of this conversation.",
    )


def message_of(arguments: Json) -> str:
    """What an agent is asked.

    Raises:
        InvalidArguments: These are no arguments for it.
    """
    try:
        return _Arguments.model_validate(arguments).message
    except ValidationError:
        raise InvalidArguments(_NOT_ARGUMENTS) from None


@cache
def arguments_schema() -> Json:
    """Plain enough for every vendor, OpenAI's strict mode included."""
    schema = _Arguments.model_json_schema()
    message = {name: schema["properties"]["message"][name] for name in ("type", "description")}
    kept = {name: schema[name] for name in ("type", "required", "additionalProperties")}
    return {**kept, "properties": {"message": message}}
