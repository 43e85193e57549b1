"""Parts of messages as clients see them, in frames and by REST."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict  # with Python 3.11 pydantic reads no other

from agent_builder.messages import CallOutcome, Json


class TextOut(TypedDict):
    """What was said, or what the model thought, as far as its vendor shows it."""

    type: Literal["text", "thinking"]
    text: str


class ToolCallOut(TypedDict):
    """The model asks for a tool; `invalid` is the raw text where the arguments were no object."""

    type: Literal["tool_call"]
    tool_use_id: str
    name: str
    input: Json
    invalid: NotRequired[str]


class ToolResultOut(TypedDict):
    """What a tool answered; `result` is empty where it failed, `error` says why, `outcome` what became of it."""

    type: Literal["tool_result"]
    tool_use_id: str
    name: str
    result: Json
    error: NotRequired[str]
    outcome: NotRequired[CallOutcome]
    duration_ms: NotRequired[int]
    needs_reconnect: NotRequired[str]


PartOut = TextOut | ToolCallOut | ToolResultOut
