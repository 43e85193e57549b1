"""The body of a request to OpenAI's Responses API."""

from __future__ import annotations

from collections.abc import Iterator

from agent_builder.messages import Json, ModelRequest, TextPart, ThinkingPart, ToolCallPart, ToolResultPart
from agent_builder.providers.arguments import compact
from agent_builder.providers.conversation import Said, UserTurn, details, result_text, turns, vendor_id
from agent_builder.providers.facts import Facts, facts, nearest_effort

NAME = "openai"


def request_body(request: ModelRequest) -> Json:
    """The whole body; `options` are merged last and win."""
    known = facts(NAME, request.model)
    thinks = known is None or known.thinking == "level"
    body: Json = {
        "model": request.model,
        "input": list(_input(request, known or Facts())),
        "stream": True,
        "store": False,
    }
    if request.system.strip() and (known is None or known.system):
        body["instructions"] = request.system
    if thinks:
        # Models that do not reason refuse it.
        body["include"] = ["reasoning.encrypted_content"]
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.input_schema,
                "strict": tool.strict,
            }
            for tool in request.tools
        ]
    return {**body, **_settings(request, known, thinks=thinks), **request.options}


def _settings(request: ModelRequest, known: Facts | None, *, thinks: bool) -> Json:
    settings: Json = {}
    if request.max_tokens is not None:
        settings["max_output_tokens"] = max(request.max_tokens, 16)  # the least that the API takes
    if request.cache_key:
        settings["prompt_cache_key"] = request.cache_key[:64]
    if known is None or known.sampling:
        settings |= {"temperature": request.temperature, "top_p": request.top_p}
    if request.reasoning_effort is not None and thinks:
        effort = nearest_effort(request.reasoning_effort, known.efforts if known else ())
        settings["reasoning"] = {"effort": effort} | ({} if effort == "none" else {"summary": "auto"})
    return {name: value for name, value in settings.items() if value is not None}


def _input(request: ModelRequest, known: Facts) -> Iterator[Json]:
    system = "" if known.system else request.system.strip()
    for turn in turns(request.messages):
        if isinstance(turn, UserTurn):
            texts = (system, *turn.texts) if system else turn.texts
            system = ""
            yield {"role": "user", "content": [{"type": "input_text", "text": text} for text in texts]}
            continue
        for part in turn.said:
            if (item := _item(part)) is not None:
                yield item
        for result in turn.results:
            yield _result(result)


def _item(part: Said) -> Json | None:
    own = details(part, NAME)
    match part:
        case TextPart():
            content: Json = {"content": [{"type": "output_text", "text": part.text, "annotations": []}]}
            kept: Json = {name: own[name] for name in ("id", "phase") if name in own}
            status: Json = {"status": "completed"} if "id" in kept else {}
            return {"type": "message", "role": "assistant", **content, **status, **kept}
        case ToolCallPart():
            item_id: Json = {"id": own["id"]} if "id" in own else {}
            arguments = own.get("arguments") or compact(part.input)
            call = {"type": "function_call", "call_id": vendor_id(part.tool_use_id), "name": part.name}
            return {**call, "arguments": arguments, **item_id}
        case ThinkingPart() if "item" in own:
            item: Json = own["item"]
            return item
    return None


def _result(result: ToolResultPart) -> Json:
    call_id = vendor_id(result.tool_use_id)
    return {"type": "function_call_output", "call_id": call_id, "output": result_text(result)}
