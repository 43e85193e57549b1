"""A request to Google's Gemini API, as dictionaries that google-genai takes."""

from __future__ import annotations

import base64
import re

from agent_builder.messages import Json, ModelRequest, Round, TextPart, ToolCallPart, ToolResultPart
from agent_builder.providers.conversation import UserTurn, details, turns, vendor_id
from agent_builder.providers.facts import Facts, facts, nearest_effort

NAME = "google"
_BUDGETS = {"none": 0, "minimal": 512, "low": 2_048, "medium": 8_192, "high": 24_576, "xhigh": 24_576, "max": 24_576}
# Google's documented stand-in for calls that Gemini did not make itself (another vendor's, from earlier on).
_NO_SIGNATURE = b"skip_thought_signature_validator"


def config(request: ModelRequest) -> Json:
    """The configuration without `options`: those go into the body as they are."""
    known = facts(NAME, request.model) or Facts()
    settings: Json = {
        "temperature": request.temperature,
        "top_p": request.top_p,
        "max_output_tokens": request.max_tokens,
        "system_instruction": request.system if request.system.strip() else None,
        "thinking_config": _thinking(request.reasoning_effort, known),
        "automatic_function_calling": {"disable": True},
    }
    if request.tools:
        declarations = [
            {"name": tool.name, "description": tool.description, "parameters_json_schema": tool.input_schema}
            for tool in request.tools
        ]
        settings["tools"] = [{"function_declarations": declarations}]
    return {name: value for name, value in settings.items() if value is not None}


def _thinking(effort: str | None, known: Facts) -> Json | None:
    if known.thinking == "none":
        return None
    if effort is None:
        return {"include_thoughts": True}
    effort = nearest_effort(effort, known.efforts)
    if known.thinking == "level":
        return {"include_thoughts": True, "thinking_level": effort.upper()}
    budget = _BUDGETS.get(effort, 8_192)
    return {"include_thoughts": budget > 0, "thinking_budget": budget}


def contents(request: ModelRequest) -> list[Json]:
    """The conversation in the vendor's words; consecutive contents of one role are joined."""
    signs = re.match(r"gemini-[3-9]", request.model.rsplit("/", 1)[-1]) is not None
    out: list[Json] = []
    for turn in turns(request.messages):
        if isinstance(turn, UserTurn):
            _add(out, "user", [{"text": text} for text in turn.texts])
        else:
            _add(out, "model", _said(turn, signs=signs))
            given = {p.tool_use_id for p in turn.said if isinstance(p, ToolCallPart) and "id" in details(p, NAME)}
            _add(out, "user", [_result(result, given) for result in turn.results])
    return out


def _add(out: list[Json], role: str, parts: list[Json]) -> None:
    if parts and out and out[-1]["role"] == role:
        out[-1]["parts"] += parts
    elif parts:
        out.append({"role": role, "parts": parts})


def _said(turn: Round, *, signs: bool) -> list[Json]:
    parts: list[Json] = []
    first_call = True
    for said in turn.said:
        own = details(said, NAME)
        part: Json
        match said:
            case TextPart():
                part = {"text": said.text}
            case ToolCallPart():
                part = {"function_call": {"name": said.name, "args": said.input, **_id(said, own)}}
            case _:
                continue  # thoughts are shown, and not wanted back
        if "signature" in own:
            part["thought_signature"] = base64.b64decode(own["signature"])
        elif signs and first_call and isinstance(said, ToolCallPart):
            part["thought_signature"] = _NO_SIGNATURE  # of parallel calls only the first is signed
        first_call = first_call and not isinstance(said, ToolCallPart)
        parts.append(part)
    return parts


def _id(call: ToolCallPart, own: Json) -> Json:
    return {"id": vendor_id(call.tool_use_id)} if "id" in own else {}


def _result(result: ToolResultPart, given: set[str]) -> Json:
    answer = {"error": result.error} if result.error is not None else result.result
    named = {"id": vendor_id(result.tool_use_id)} if result.tool_use_id in given else {}
    return {"function_response": {"name": result.name, "response": answer, **named}}
