"""The body of a request to Anthropic's Messages API."""

from __future__ import annotations

from agent_builder.messages import Json, ModelRequest, Round, TextPart, ThinkingPart, ToolCallPart, ToolResultPart
from agent_builder.providers.conversation import Said, UserTurn, details, result_text, turns, vendor_id
from agent_builder.providers.facts import Facts, facts, nearest_effort

NAME = "anthropic"
DEFAULT_MAX_TOKENS = 32_000
_CACHE = {"type": "ephemeral"}
_BUDGETS = {"minimal": 1_024, "low": 4_096, "medium": 10_240, "high": 20_480, "xhigh": 32_768, "max": 49_152}


def request_body(request: ModelRequest) -> Json:
    """The whole body; `options` are merged last and win."""
    known = facts(NAME, request.model)
    body: Json = {
        "model": request.model,
        "max_tokens": request.max_tokens
        or min(known.max_output or DEFAULT_MAX_TOKENS if known else 8_192, DEFAULT_MAX_TOKENS),
        "messages": messages(request),
        "stream": True,
    }
    if request.system.strip():
        body["system"] = [{"type": "text", "text": request.system, "cache_control": _CACHE}]
    if request.tools:
        body["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.input_schema}
            for tool in request.tools
        ]
    body |= _thinking(request.reasoning_effort, known or Facts(), body["max_tokens"])
    body |= _sampling(request, known or Facts(), thinks="thinking" in body and body["thinking"]["type"] != "disabled")
    return {**body, **request.options}


def _thinking(effort: str | None, known: Facts, max_tokens: int) -> Json:
    if effort is None or known.thinking == "none":
        return {}
    if effort == "none":
        return (
            {"thinking": {"type": "disabled"}} if known.thinking == "budget" else {"output_config": {"effort": "low"}}
        )
    if known.thinking == "level":
        level = nearest_effort(effort, known.efforts)
        return {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": level}}
    budget = min(_BUDGETS.get(effort, 10_240), max_tokens - 1_024)
    # 1,024 is the least that the API takes; with less room there is no thinking.
    return {"thinking": {"type": "enabled", "budget_tokens": budget}} if budget >= 1_024 else {}


def _sampling(request: ModelRequest, known: Facts, *, thinks: bool) -> Json:
    if thinks or not known.sampling:
        return {}
    if request.temperature is not None:
        chosen: Json = {"temperature": min(request.temperature, 1.0)}
        if request.top_p is not None and not known.one_sampling:
            chosen["top_p"] = request.top_p
        return chosen
    return {} if request.top_p is None else {"top_p": request.top_p}


def messages(request: ModelRequest) -> list[Json]:
    """The conversation in the vendor's words, with cache marks on the last two user messages.

    Two, because the vendor looks only 20 blocks back from a mark for what it has cached.
    """
    out: list[Json] = []
    for turn in turns(request.messages):
        if isinstance(turn, UserTurn):
            _add(out, "user", [{"type": "text", "text": text} for text in turn.texts])
        else:
            _add(out, "assistant", _said(turn))
            _add(out, "user", [_result(result) for result in turn.results])
    for message in [message for message in out if message["role"] == "user"][-2:]:
        message["content"][-1]["cache_control"] = _CACHE
    return out


def _add(out: list[Json], role: str, blocks: list[Json]) -> None:
    if blocks and out and out[-1]["role"] == role:
        out[-1]["content"] += blocks
    elif blocks:
        out.append({"role": role, "content": blocks})


def _said(turn: Round) -> list[Json]:
    return [block for part in turn.said if (block := _block(part)) is not None]


def _block(part: Said) -> Json | None:
    own = details(part, NAME)
    match part:
        case TextPart():
            return {"type": "text", "text": part.text}
        case ToolCallPart():
            return {"type": "tool_use", "id": vendor_id(part.tool_use_id), "name": part.name, "input": part.input}
        case ThinkingPart() if "block" in own:
            block: Json = own["block"]
            return block
        case ThinkingPart() if own.get("signature"):
            return {"type": "thinking", "thinking": part.text, "signature": own["signature"]}
    return None


def _result(result: ToolResultPart) -> Json:
    block = {"type": "tool_result", "tool_use_id": vendor_id(result.tool_use_id), "content": result_text(result)}
    return block if result.error is None else {**block, "is_error": True}
