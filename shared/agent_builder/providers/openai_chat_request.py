"""The body of a chat completions request."""

from __future__ import annotations

from collections.abc import Iterator

from agent_builder.messages import Json, ModelRequest, Round, TextPart, ToolCallPart
from agent_builder.providers.arguments import compact
from agent_builder.providers.conversation import UserTurn, details, result_text, turns, vendor_id
from agent_builder.providers.facts import Facts, facts, nearest_effort


def request_body(request: ModelRequest, provider: str) -> Json:
    """The whole body; `options` are merged last and win.

    What is known of OpenAI's model names holds for gateways to them as well.
    """
    known = facts("openai", request.model) or Facts()
    body: Json = {
        "model": request.model,
        "messages": list(_messages(request, known, provider)),
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.input_schema,
                },
            }
            for tool in request.tools
        ]
    return {**body, **_settings(request, known), **request.options}


def _settings(request: ModelRequest, known: Facts) -> Json:
    limit = "max_completion_tokens" if known.thinking == "level" else "max_tokens"
    settings: Json = {limit: request.max_tokens}
    if known.sampling:
        settings |= {"temperature": request.temperature, "top_p": request.top_p}
    if request.reasoning_effort is not None:
        settings["reasoning_effort"] = nearest_effort(request.reasoning_effort, known.efforts)
    return {name: value for name, value in settings.items() if value is not None}


def _messages(request: ModelRequest, known: Facts, provider: str) -> Iterator[Json]:
    system = request.system.strip()
    if system and known.system:
        yield {"role": "system", "content": request.system}
        system = ""
    for turn in turns(request.messages):
        if isinstance(turn, UserTurn):
            yield {"role": "user", "content": f"{system}\n\n{turn.text}" if system else turn.text}
            system = ""
        else:
            yield _said(turn, provider)
            for result in turn.results:
                yield {"role": "tool", "tool_call_id": vendor_id(result.tool_use_id), "content": result_text(result)}


def _said(turn: Round, provider: str) -> Json:
    text = "".join(part.text for part in turn.said if isinstance(part, TextPart))
    calls = [_call(part, provider) for part in turn.said if isinstance(part, ToolCallPart)]
    if calls:
        return {"role": "assistant", "content": text or None, "tool_calls": calls}
    return {"role": "assistant", "content": text}


def _call(part: ToolCallPart, provider: str) -> Json:
    function = {"name": part.name, "arguments": compact(part.input)}
    call: Json = {"id": vendor_id(part.tool_use_id), "type": "function", "function": function}
    extra = details(part, provider).get("extra_content")  # thought signatures of gateways to Gemini
    return {**call, "extra_content": extra} if extra else call
