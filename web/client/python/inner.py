"""What happens inside a tool call: the text of an agent or a model that is asked there, and the calls it makes.

A call inside another is named `<the other's id>/<its own>`. Cards are found by that, at any depth; what belongs to a
card that is not known here is left out, since the outer call's result says what came of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from web.client.python import utf16
from web.client.python.answer import Answer, Frame, begun, verdict_of, with_gap
from web.client.python.blocks import ToolBlock, finished, is_open

Change = Callable[[ToolBlock], ToolBlock]


def said(answer: Answer, frame: Frame) -> Answer:
    """`tool_output_delta`: the text up to `offset` stands, what was behind it is replaced. A long one comes in several
    frames of one `seq`."""
    seq, delta, offset = frame["seq"], frame["delta"], frame["offset"]
    if seq < answer.seq:
        return answer

    def longer(card: ToolBlock) -> ToolBlock:
        if seq == answer.seq and utf16.tail(card.output, offset).startswith(delta):
            return card
        return replace(card, output=utf16.head(card.output, offset) + delta)

    return _changed(answer, frame, frame["tool_use_id"], longer)


def started(answer: Answer, frame: Frame) -> Answer:
    """`tool_use_start` of a call inside another."""
    own = frame["tool_use_id"]

    def with_card(card: ToolBlock) -> ToolBlock:
        if not is_open(card) or any(call.id == own for call in card.calls):
            return card
        fresh = ToolBlock(0, own, frame["tool_name"], frame.get("input"), step_id=frame.get("step_id"))
        return replace(card, calls=(*card.calls, fresh))

    return _changed(answer, frame, frame["parent_tool_use_id"], with_card)


def completed(answer: Answer, frame: Frame) -> Answer:
    """`tool_use_complete` of a call inside another."""

    def over(card: ToolBlock) -> ToolBlock:
        return finished(card, frame) if is_open(card) else card

    return _changed(answer, frame, frame["tool_use_id"], over)


def _changed(answer: Answer, frame: Frame, tool_use_id: str, change: Change) -> Answer:
    verdict = verdict_of(answer, frame)
    if verdict != "take":
        return with_gap(answer) if verdict == "gap" else answer
    answer = begun(answer, frame)
    blocks = tuple(
        _at(block, tool_use_id, change) if isinstance(block, ToolBlock) else block for block in answer.blocks
    )
    same = all(one is other for one, other in zip(blocks, answer.blocks, strict=True))
    return answer if same else replace(answer, blocks=blocks)


def _at(card: ToolBlock, tool_use_id: str, change: Change) -> ToolBlock:
    """The card with one of that name inside it, or itself, changed; the same object where nothing is."""
    if card.id == tool_use_id:
        return change(card)
    if not tool_use_id.startswith(f"{card.id}/"):
        return card
    calls = tuple(_at(call, tool_use_id, change) for call in card.calls)
    return (
        card if all(one is other for one, other in zip(calls, card.calls, strict=True)) else replace(card, calls=calls)
    )
