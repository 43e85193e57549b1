"""The blocks that an answer is shown as: text, thinking and tool cards in their order. Values that never change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from web.client.python import utf16

Json = dict[str, Any]
ToolStatus = Literal["running", "waiting", "done", "failed", "stopped"]


@dataclass(frozen=True, slots=True)
class TextBlock:
    """A piece of the answer's text that begins at `start`, in UTF-16 code units."""

    start: int
    text: str


@dataclass(frozen=True, slots=True)
class ThinkingBlock:
    """What the model thought; `at` is how long the text was then."""

    at: int
    text: str
    step_id: str | None = None


@dataclass(frozen=True, slots=True)
class ToolBlock:
    """A tool call. `waiting` is for a person's approval, until `expires_at`; `stopped` when the run ended before it.

    `outcome` says in a word what became of one that `failed`, unless it was stored before there were outcomes.
    `output` is what an agent or a model said that was asked inside the call, `calls` what was called there.
    `needs_reconnect` is the id of a credential that a person must connect before the tool works.
    """

    at: int
    id: str
    name: str
    input: Any = None
    status: ToolStatus = "running"
    result: Any = None
    error: str | None = None
    outcome: str | None = None
    duration_ms: int | None = None
    needs_reconnect: str | None = None
    expires_at: str | None = None
    step_id: str | None = None
    output: str = ""
    calls: tuple[ToolBlock, ...] = ()


Block = TextBlock | ThinkingBlock | ToolBlock
Blocks = tuple[Block, ...]


def find_tool(blocks: Blocks, tool_use_id: str) -> ToolBlock | None:
    """The card of a tool call."""
    return next((block for block in blocks if isinstance(block, ToolBlock) and block.id == tool_use_id), None)


def swapped(blocks: Blocks, old: Block, new: Block) -> Blocks:
    """The same blocks with one in another's place."""
    return tuple(new if block is old else block for block in blocks)


def with_text(blocks: Blocks, text: str, length: int) -> Blocks:
    """More text at the end of a text that has `length` units."""
    last = blocks[-1] if blocks else None
    if isinstance(last, TextBlock):
        return (*blocks[:-1], replace(last, text=last.text + text))
    return (*blocks, TextBlock(length, text))


def with_thinking(blocks: Blocks, text: str, length: int, step_id: str | None) -> Blocks:
    """More thinking at the end."""
    last = blocks[-1] if blocks else None
    if isinstance(last, ThinkingBlock) and last.step_id == step_id:
        return (*blocks[:-1], replace(last, text=last.text + text))
    return (*blocks, ThinkingBlock(length, text, step_id))


def cut(blocks: Blocks, offset: int) -> Blocks:
    """What was shown when the text had `offset` units: text cut there, nothing that came later."""
    kept = (_cut_text(block, offset) for block in blocks if _place(block) <= offset)
    return tuple(block for block in kept if not isinstance(block, TextBlock) or block.text)


def without_step(blocks: Blocks, offset: int, step_id: str | None, run_id: str) -> tuple[Blocks, bool]:
    """What is left when a step that began at `offset` is withdrawn, and whether that is sure.

    Blocks that say their step are judged by it. Of the others a tool that has not answered is the step's own, and so
    is what stands behind the last card: a step begins when all tools of the one before have been called. A guess:
    where it takes something away, only the stored message is sure.
    """
    kept = cut(blocks, offset)
    if step_id == run_id:
        return tuple(block for block in kept if _place(block) < offset), True
    border = max((index for index, block in enumerate(kept) if isinstance(block, ToolBlock)), default=-1)
    left = tuple(
        block for index, block in enumerate(kept) if not _belongs(block, step_id, behind=index > border, offset=offset)
    )
    guessed = any(not _says_step(block, step_id) for block in kept if block not in left)
    return left, not guessed


def built(parts: Iterable[Json]) -> tuple[Blocks, str]:
    """Blocks and text of a message's parts, as REST and snapshots give them."""
    blocks: Blocks = ()
    text, length = "", 0
    for part in parts:
        kind = part.get("type")
        if kind == "text" and part["text"]:
            blocks = with_text(blocks, part["text"], length)
            text += part["text"]
            length += utf16.length(part["text"])
        elif kind == "thinking" and part["text"]:
            blocks = (*blocks, ThinkingBlock(length, part["text"]))
        elif kind == "tool_call":
            blocks = (*blocks, ToolBlock(length, part["tool_use_id"], part["name"], part.get("input")))
        elif kind == "tool_result" and (card := find_tool(blocks, part["tool_use_id"])):
            blocks = swapped(blocks, card, finished(card, part))
    return blocks, text


def finished(card: ToolBlock, outcome: Json) -> ToolBlock:
    """A card with its result: `outcome` is a `tool_use_complete` frame or a `tool_result` part."""
    error = outcome.get("error")
    return replace(
        card,
        status="done" if error is None else "failed",
        result=outcome.get("result"),
        error=error,
        outcome=outcome.get("outcome"),
        duration_ms=outcome.get("duration_ms"),
        needs_reconnect=outcome.get("needs_reconnect"),
        expires_at=None,
        calls=tuple(map(_stopped, card.calls)),
    )


def stopped(blocks: Blocks) -> Blocks:
    """The cards of a run that has ended: none of them runs any more."""
    return tuple(_stopped(block) if isinstance(block, ToolBlock) else block for block in blocks)


def is_open(block: Block) -> bool:
    """Whether it is a tool call without a result yet."""
    return isinstance(block, ToolBlock) and block.status in ("running", "waiting")


def waits(blocks: Blocks) -> bool:
    """Whether people have to decide on a tool call, and no other is under way."""
    statuses = {block.status for block in blocks if isinstance(block, ToolBlock) and is_open(block)}
    return statuses == {"waiting"}


def shared(blocks: Blocks, before: Sequence[Block]) -> Blocks:
    """The same blocks, each the old object where nothing changed."""
    known = {_name(block): block for block in before}
    return tuple(_same(block, known.get(_name(block))) for block in blocks)


def _stopped(card: ToolBlock) -> ToolBlock:
    if not is_open(card):
        return card
    return replace(card, status="stopped", expires_at=None, calls=tuple(map(_stopped, card.calls)))


def _name(block: Block) -> tuple[int | str, ...]:
    if isinstance(block, ToolBlock):
        return (block.id,)
    return (_place(block), type(block).__name__)


def _same(block: Block, old: Block | None) -> Block:
    if old is None or isinstance(block, TextBlock) or isinstance(old, TextBlock):
        return old if old == block else block
    fresh = replace(block, step_id=old.step_id)
    if isinstance(fresh, ToolBlock) and isinstance(old, ToolBlock):
        calls = old.calls if is_open(fresh) else tuple(map(_stopped, old.calls))
        known = old.duration_ms if fresh.duration_ms is None else fresh.duration_ms
        fresh = replace(fresh, duration_ms=known, output=old.output, calls=calls)
    return old if fresh == old else fresh


def _place(block: Block) -> int:
    return block.start if isinstance(block, TextBlock) else block.at


def _cut_text(block: Block, offset: int) -> Block:
    if not isinstance(block, TextBlock):
        return block
    text = utf16.head(block.text, offset - block.start)
    return block if text == block.text else replace(block, text=text)


def _says_step(block: Block, step_id: str | None) -> bool:
    return step_id is not None and not isinstance(block, TextBlock) and block.step_id is not None


def _belongs(block: Block, step_id: str | None, *, behind: bool, offset: int) -> bool:
    if isinstance(block, TextBlock):
        return False
    if _says_step(block, step_id):
        return block.step_id == step_id
    return (behind or is_open(block)) and block.at >= offset
